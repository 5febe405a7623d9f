"""Reading address lists as real programs write them (RFC 5322 §3.4, §4.4). Pure; never raises."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailrouter.message import bounds
from mailrouter.message.text.words import decode_words, strip_controls


class Mailbox(NamedTuple):
    """One mailbox: the name to show (decoded, ``""`` where there is none) and ``local@domain`` as written."""

    display: str
    address: str


# The common forms: name <local@domain>, "name" <local@domain>, local@domain, with commas between.
# No two neighbours match the same characters: the time is linear, whatever comes in.
_ADDRESS = r'[^\s"\\<>()@,;:\x00-\x1f\x7f]+@[^\s"\\<>()@,;:\x00-\x1f\x7f]+'
_PLAIN = re.compile(
    rf"""(?:(?:"([^"\\]*)"\s*|([^"\\<>()@,;:\[\]]*))<({_ADDRESS})>|({_ADDRESS}))\s*(,\s*|\Z)""",
)
_TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*"?|\[[^\]\r\n]*\]?|[<>@,;:]|[()]|\\.|[^\s"\\<>()@,;:\[]+|.', re.S)
_ESCAPED = re.compile(r"\\(.)", re.S)
_BAD = re.compile(r'[\x00-\x20\x7f<>,"]')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def read_mailboxes(text: str, tokens: int = bounds.ADDRESS_TOKENS) -> tuple[Mailbox, ...]:
    """The mailboxes of an address list, in order; what is no mailbox is passed over.

    From the first one on that isn't in a common form, ``tokens`` words, signs and spaces are read.
    Groups give their members, routes (``<@a,@b:c@d>``) their last address, comments the name where there is
    no other; semicolons part mailboxes as commas do, since people write them so.
    """
    text = text[: bounds.ADDRESSES].strip()
    found: list[Mailbox] = []
    at = 0
    while match := _PLAIN.match(text, at):
        quoted, name, inside, bare, _ = match.groups()
        found.append(Mailbox(_shown(quoted or name or ""), inside or bare))
        at = match.end()
        if at == len(text) or len(found) == bounds.MAILBOXES:
            return tuple(found)
    # A plain entry ends with its comma, so what follows is a list of its own.
    return (*found, *_read_list(text[at:], tokens))[: bounds.MAILBOXES]


def _read_list(text: str, tokens: int) -> tuple[Mailbox, ...]:
    found: list[Mailbox] = []
    phrase: list[str] = []
    comment: list[str] = []
    angle: list[str] | None = None
    inside = False
    nesting = 0
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count == tokens:
            return tuple(found)  # without the entry that isn't whole
        token = match[0]
        if token == "(":
            nesting += 1
            if nesting > 1:
                comment.append(token)
        elif nesting:
            nesting -= token == ")"
            comment.append(token if nesting else " ")
        elif inside and angle is not None:
            if token == ">":
                inside = False
            else:
                angle.append(token)
        elif token == "<":
            angle, inside = [], True
        elif token in ",;":
            _add(found, phrase, comment, angle)
            phrase, comment, angle = [], [], None
            if len(found) >= bounds.MAILBOXES:
                return tuple(found)
        elif token == ":":
            phrase = []  # a group's name (RFC 5322 §3.4)
        else:
            phrase.append(token)
    _add(found, phrase, comment, angle)
    return tuple(found)


def _add(found: list[Mailbox], phrase: list[str], comment: list[str], angle: list[str] | None) -> None:
    if angle is not None:
        name = "".join(_unquoted(token) for token in phrase)
        spec = "".join(token for token in angle if not token.isspace())
        if spec.startswith("@"):
            spec = spec.rpartition(":")[2]  # the obsolete route (RFC 5322 §4.4) says nothing any more
    else:
        name = ""
        spec = _bare_address(phrase)
    local, at, domain = spec.rpartition("@")
    quoted = len(local) > 2 and local[0] == local[-1] == '"'
    if (
        at
        and local
        and domain
        and not _BAD.search(domain)
        and not (_CONTROL if quoted else _BAD).search(local)
    ):
        found.append(Mailbox(_shown(name) or _shown("".join(comment)), spec))


def _bare_address(tokens: list[str]) -> str:
    """The address among words without angle brackets: "Jane Doe jane@example.test" holds one, too."""
    if "@" not in tokens:
        return ""
    at = tokens.index("@")
    # Space around the @ is obsolete, and allowed (RFC 5322 §4.4).
    before = _words(tokens[:at])
    after = _words(tokens[at + 1 :])
    return f"{before[-1]}@{after[0]}" if before and after else ""


def _words(tokens: list[str]) -> list[str]:
    words, joined = [], ""
    for token in tokens:
        if token.isspace():
            words.append(joined)
            joined = ""
        else:
            joined += token
    return [word for word in (*words, joined) if word]


def _unquoted(token: str) -> str:
    if token[:1] != '"':
        return token
    inner = token[1:-1] if len(token) > 1 and token.endswith('"') else token[1:]
    return _ESCAPED.sub(r"\1", inner)


def _shown(name: str) -> str:
    return " ".join(strip_controls(decode_words(name)).split()) if name else ""
