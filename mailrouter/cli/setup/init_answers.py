"""A configuration made from a few answers: the shipped example, its values replaced, its comments kept."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mailrouter.config.files.rota_file import RESERVED
from mailrouter.config.to_yaml import flow, scalar
from mailrouter.schedule.countries import country_of

_EXAMPLE_DOMAIN, _EXAMPLE_KEY, _EXAMPLE_PARTNERS = "example.test", "vp-hr", ("laurie", "elaine")
_TITLES = ("dr", "prof", "mr", "mrs", "ms", "mx", "sir", "dame")
_EXAMPLE_NAMES = re.compile(rf"\b({'|'.join(_EXAMPLE_PARTNERS)})\b(?!@)")
_NOT_IN_KEY = re.compile(r"[^a-z0-9_-]+")
_FROM_ODD_ON = re.compile(r"[^a-z0-9-].*")
_DOMAIN = re.compile(r"[\w-]++(\.[\w-]++)++")
_LONGEST = 200
"""Characters of a partner's name and address that are looked at."""
_PARTNER = re.compile(r"(?P<name>[^<>]*?)\s*(<(?P<address>[^<>]*)>|(?P<bare>[^\s<>@]*+@[^\s<>]*))\s*")


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers as typed; a partner is ``Name <address>``. The defaults are no answers but pass.

    ``data`` is the folder for mail, store and key, ``""`` for the example's.
    """

    role: str = "role@placeholder.example"
    name: str = "Role"
    first: str = "First <first@placeholder.example>"
    second: str = "Second <second@placeholder.example>"
    time_zone: str = "UTC"
    deliver: str = "maildir:var/mail"
    data: str = ""

    @property
    def key(self) -> str:
        """The role's short name, which is its file's: from the local part of its address."""
        folded = _ascii(self.role.partition("@")[0].partition("+")[0])
        return _NOT_IN_KEY.sub("-", folded).strip("-_") or "role"

    @property
    def partners(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Name and address of both; a name is ``""`` where none was typed."""
        return _split(self.first), _split(self.second)

    @property
    def keys(self) -> tuple[str, str]:
        """Short names for the partners: first names, made different where they are the same."""
        (first, first_address), (second, second_address) = self.partners
        one = _short(first, first_address)
        two = _short(second, second_address)
        if one == two:
            initial = _ascii(second.split()[-1])[:1] if second.split()[1:] else "2"
            two = f"{two}-{initial}"
        return one, two


def nameless(partner: str) -> bool:
    """Whether an address was typed without a name."""
    name, address = _split(partner)
    return not name and "@" in address


def texts(answers: Answers, settings: str, role: str) -> tuple[str, str]:
    """``mailrouter.yaml`` and the role's file, from the ``settings`` and ``role`` examples.

    Raises KeyError where an example lacks a key that is to be replaced.
    """
    return _settings(answers, settings), _role(answers, role)


def _settings(answers: Answers, example: str) -> str:
    domain = answers.role.rpartition("@")[2].strip()
    draft = _ExampleText(example.replace(_EXAMPLE_DOMAIN, domain if _usual(domain) else _EXAMPLE_DOMAIN))
    draft.comment_out("hostname")
    draft.comment_out("postmaster")
    if _usual(domain):
        draft.put("our_domains", flow([domain]))
    else:
        draft.comment_out("our_domains")
    draft.put("deliver", scalar(answers.deliver))
    if answers.data:
        draft.put("store", scalar(f"sqlite:{answers.data}/mailrouter.db"))
        draft.put("run_folder", scalar(f"{answers.data}/run"))
    return draft.text


def _role(answers: Answers, example: str) -> str:
    domain = answers.role.rpartition("@")[2].strip()
    text = example.replace(_EXAMPLE_KEY, answers.key)
    if _usual(domain):
        text = text.replace(_EXAMPLE_DOMAIN, domain)
    swapped = dict(zip(_EXAMPLE_PARTNERS, answers.keys, strict=True))
    text = _EXAMPLE_NAMES.sub(lambda found: swapped[found[1]], text)
    draft = _ExampleText(text)
    draft.put("role", scalar(answers.role))
    draft.put("name", scalar(answers.name))
    draft.put("time_zone", scalar(answers.time_zone))
    for key, (name, address) in zip(answers.keys, answers.partners, strict=True):
        draft.put(f"  {key}", flow({"name": name, "email": address}))
    if country := country_of(answers.time_zone.strip()):
        draft.put("holidays", flow({"country": country}))
    for key in ("aliases", "holidays", "absences", "swaps", "emergency"):
        draft.comment_out(key)
    return draft.text


class _ExampleText:
    """A text of which single values are replaced and keys commented out."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()

    @property
    def text(self) -> str:
        return "".join(line + "\n" for line in self.lines)

    def put(self, key: str, value: str) -> None:
        """Replace the value of a key on its line; the comment behind it stays in place if there is room."""
        at = self._find(key)
        before, mark, comment = self.lines[at].partition(" #")
        line = f"{key}: {value}"
        if mark:
            line = f"{line:<{len(before)}}{' ' if len(line) >= len(before) else ''}{mark}{comment}"
        self.lines[at] = line

    def comment_out(self, key: str) -> None:
        """Comment out a key's line, and the lines indented below it."""
        at = self._find(key)
        while True:
            self.lines[at] = f"# {self.lines[at].replace('   #', ' #', 1)}"
            at += 1
            if at == len(self.lines) or not self.lines[at].startswith(" "):
                return

    def _find(self, key: str) -> int:
        for at, line in enumerate(self.lines):
            if line.startswith(f"{key}:"):
                return at
        raise KeyError(key)


def _usual(domain: str) -> bool:
    """Whether the role's domain can stand in the file; if not, its address says what is wrong."""
    return _DOMAIN.fullmatch(domain) is not None


def _split(typed: str) -> tuple[str, str]:
    found = _PARTNER.fullmatch(typed[:_LONGEST])
    if not found:
        return typed.strip(), typed.strip()  # no address: what is wrong with it as one is told
    address = found["address"] if found["address"] is not None else found["bare"]
    return found["name"].strip(' "'), address.strip()


def _short(name: str, address: str) -> str:
    """``laurie`` for Laurie Cremona, Dr. Laurie Cremona and laurie.cremona@example.com."""
    words = map(_ascii, name.split() or [address.partition("@")[0]])
    first = next((word for word in words if word.strip(".") not in _TITLES), "")
    short = _FROM_ODD_ON.sub("", first).strip("-")[:40]
    return f"{short}-1" if short in RESERVED else short or "partner"


def _ascii(text: str) -> str:
    """``text`` in small letters without accents; other scripts fall away."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
