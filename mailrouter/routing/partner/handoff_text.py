"""The text of a handoff that came by mail: an attached file, else what was written, without tails. Pure.

Nothing here raises: what can't be read is a problem in words for its author.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from mailrouter.message.head import Head
from mailrouter.message.parts import Part
from mailrouter.message.text.charsets import decode_charset, decode_file
from mailrouter.message.text.html_text import fits, text_of_html
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.words import MARKS, decode_words
from mailrouter.routing.partner.greetings import without_courtesies
from mailrouter.routing.partner.pointers import without_pointers
from mailrouter.routing.partner.quoted_text import forwarded, quotes, without_sure_tails, without_tails
from mailrouter.routing.partner.sections import MAX_TEXT
from mailrouter.schedule.date_words import joined

MAX_MAIL = 4_000_000
"""Octets of a mail that is read for a handoff."""
_MAX_PART = 1_500_000
"""Octets of one part: ``MAX_TEXT`` characters in any charset and any transfer encoding."""
MAX_READ = 600_000
"""Characters of a mail's plain text that are read, with the mail that it quotes."""
MAX_LINES = 5_000
"""Lines of a handoff; they are shown to both partners."""

_FILE = re.compile(r"\.(?:md|markdown|txt|text)\Z", re.I)
_GATEWAYS_FILE = re.compile(r"ATT\d+\.txt\Z", re.I)  # what Exchange makes of a text that it can't place
# Controls, and marks that turn the direction of text, mislead; no-break and zero-width space are left-overs.
_CONTROLS = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f{MARKS}\ud800-\udfff]")
_SIGNATURES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_MOST_NAMED = 10
_IN_LOCAL = re.compile(r"[._+-]")
_BLANKS = re.compile(r"\n{3,}")
_ODD_SHARE = 20
"""One octet in this many that is no text makes a file something else than text."""


@dataclass(frozen=True, slots=True)
class Written:
    """The text that was found: ``text`` and where it stood, or a ``problem`` (a sentence), never both."""

    text: str = ""
    source: str = ""
    problem: str = ""
    empty: bool = False
    """The problem is that nothing is written."""
    bare: bool = False
    """Not even a sign or a picture of a face stands there, but for a signature or a phone's footer."""
    quoted: bool = False
    """Mail of somebody else was cut off: an answered or a forwarded one."""
    fuller: str = ""
    """``text`` with what was cut off below it, but may be the writer's own, where there is such; for a handoff."""


ENCRYPTED = Written(problem="The mail is encrypted, and nothing here can read it.")


def handoff_of(head: Head, parts: Sequence[Part], body: Written) -> Written:
    """The handoff in a mail of these leaves, with this text."""
    read, unread = _files(parts)
    if problem := next((found for found in read if found.problem), None):
        return problem
    answers = head.has("in-reply-to") or head.has("references")
    if body.fuller:
        source = body.source or "the text of the mail"
        body = replace(body, text=body.fuller, source=source, problem="", empty=False)
    said = without_pointers(body.text)
    if not read:
        if body.problem and not body.empty:
            return body
        if not _says_something(said):
            return _only_points(body, unread)
        read = [body]
    elif _says_something(said):
        read.append(Written(said + "\n", "the text of the mail"))
    notes = [f"Attached to the mail, and not part of this handoff: {', '.join(unread)}."] if unread else []
    if body.quoted and forwarded(head.text("subject") or ""):
        notes.append("A mail that was forwarded with it is left out here.")
    elif body.quoted and not body.fuller and not answers:
        notes.append("A mail that it quotes is left out here.")
    text = "\n".join([*(f"({note})\n" for note in notes), *(found.text for found in read)])
    return _checked(text.rstrip("\n"), joined(dict.fromkeys(found.source for found in read)))


def _files(parts: Sequence[Part]) -> tuple[list[Written], list[str]]:
    """The attached texts that say something, and unreadable files' names."""
    read: list[Written] = []
    unread: list[str] = []
    for part in parts:
        name = _filename(part)
        if _is_text_file(part, name):
            if (
                found := _of_file(part, f"the attached file {name}" if name else "the attached text")
            ) is not None:
                read.append(found)
        elif name and not _GATEWAYS_FILE.match(name) and part.kind not in _SIGNATURES:
            unread.append(name)
    more = len(unread) - _MOST_NAMED
    return read, [*unread[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _only_points(body: Written, unread: Sequence[str]) -> Written:
    """Nothing stands there but that something is attached, or nothing at all."""
    if unread:
        return Written(
            problem=f"What is attached ({', '.join(unread)}) can't be read here. Write the handoff as the text of the "
            "mail, or attach it as a .txt or .md file."
        )
    if body.problem:
        return body
    return Written(problem="The mail points at something, but nothing is attached that could be read.")


def attached_file(parts: Sequence[Part], wanted: Callable[[str, str], bool]) -> Written | None:
    """The first attached file whose name and text are ``wanted``; None where there is none."""
    for part in parts:
        name = _filename(part)
        if not name or part.returned or part.kind.startswith("message/") or _GATEWAYS_FILE.match(name):
            continue
        text = _file_text(part) if _fits(part) else ""
        if wanted(name, text):
            if not text:
                return Written(problem=f"The attached file {name} is empty, or too large to be read here.")
            return Written(text, f"the attached file {name}")
    return None


def body_of(head: Head, parts: Sequence[Part]) -> Written:
    """The text written in the mail itself, whatever is attached."""
    shown = [part for part in parts if not _attached(part)]
    names = [name for box in head.mailboxes("from") for name in _names(box)]
    answers = head.has("in-reply-to") or head.has("references")
    plain = [_plain_text(part) for part in shown if part.kind == "text/plain" and _fits(part)]
    if sum(map(len, plain)) > MAX_READ:
        return _too_long()
    if any(text.strip() for text in plain):
        return _of_body(plain, "the text of the mail", names, answers)
    pages = [
        _decoded(part).replace("\r\n", "\n") for part in shown if part.kind == "text/html" and _fits(part)
    ]
    if not fits(*pages):
        return _too_long()
    if pages:
        return _of_body([text_of_html(page) for page in pages], "the text of the mail (HTML)", names, answers)
    if not all(_fits(part) for part in shown if part.kind.startswith("text/")):
        return _too_long()
    return Written(problem="There is no text in the mail.", empty=True, bare=True)


def _names(box: Mailbox) -> list[str]:
    """Names that may stand below a mail of this mailbox: the name, its first word, or what the address begins with."""
    local = box.address.rpartition("@")[0]
    return [box.display, *box.display.split()[:1], *_IN_LOCAL.split(local)[:1]]


def _of_file(part: Part, source: str) -> Written | None:
    """A file is taken as it is; None where there is nothing in it."""
    if not _fits(part):
        return _too_long()
    text = _file_text(part).replace("\r\n", "\n")
    odd = len(_CONTROLS.findall(text)) + text.count("\ufffd")
    if odd * _ODD_SHARE > len(text):
        return Written(problem=f"What is in {source} is no text that can be read here.")
    text = _clean(text)
    return _checked(text, source) if _says_something(text) else None


def _of_body(texts: list[str], source: str, names: list[str], answers: bool) -> Written:
    texts = [_clean(text) for text in texts]
    quoted = any(map(quotes, texts))
    text = without_courtesies(_together(map(without_tails, texts)), names)
    sure = (without_sure_tails(text, answers=answers) for text in texts)
    fuller = without_courtesies(_together(sure), names)
    if not _says_something(text) or text.strip(" \n-,.").casefold() in {
        name.casefold() for name in names if name
    }:
        own = f"{fuller}\n" if fuller != text and _says_something(fuller) else ""
        what = "There is no text in the mail but a signature or other mail that it quotes."
        return Written(problem=what, empty=True, bare=not text.strip(), quoted=quoted, fuller=own)
    found = _checked(text, source)
    if fuller == text or found.problem:
        return replace(found, quoted=quoted)
    longer = _checked(fuller, source)
    return longer if longer.problem else replace(found, quoted=quoted, fuller=longer.text)


def _together(texts: Iterable[str]) -> str:
    """The texts of the mail's parts below each other."""
    return _clean("\n\n".join(filter(None, texts)))


def _checked(text: str, source: str) -> Written:
    if len(text) > MAX_TEXT:
        return _too_long()
    if text.count("\n") >= MAX_LINES:
        return Written(problem=f"The text is too long: a handoff has at most {MAX_LINES:,} lines.")
    return Written(text + "\n", source)


def _too_long() -> Written:
    return Written(problem=f"The text is too long: a handoff has at most {MAX_TEXT:,} characters.")


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _attached(part: Part) -> bool:
    disposition = (part.head.structured("content-disposition") or "").partition(";")[0].strip().lower()
    return disposition == "attachment" or bool(_filename(part))


def _is_text_file(part: Part, name: str) -> bool:
    if part.returned or part.kind.startswith("message/") or _GATEWAYS_FILE.match(name):
        return False
    return part.kind in ("text/markdown", "text/x-markdown") or bool(_FILE.search(name))


def _filename(part: Part) -> str:
    head = part.head
    name = head.parameter("content-disposition", "filename") or head.parameter("content-type", "name") or ""
    return " ".join(decode_words(name).split())[:100]


def _fits(part: Part) -> bool:
    return len(part.content) <= _MAX_PART


def _decoded(part: Part) -> str:
    return decode_charset(part.decoded(_MAX_PART), part.charset)


def _file_text(part: Part) -> str:
    return decode_file(part.decoded(_MAX_PART), part.charset)


def _plain_text(part: Part) -> str:
    text = _decoded(part).replace("\r\n", "\n").replace("\r", "\n")
    if (part.head.parameter("content-type", "format") or "").lower() == "flowed":
        text = _unflowed(text, (part.head.parameter("content-type", "delsp") or "").lower() == "yes")
    return text


def _unflowed(text: str, delete_space: bool) -> str:
    """Lines that were broken for sending put together again (RFC 3676 §4)."""
    out: list[list[str]] = []
    open_depth = -1
    for line in text.split("\n"):
        rest = line.lstrip(">")
        depth = len(line) - len(rest)
        rest = rest[1:] if rest.startswith(" ") else rest  # §4.4: space-stuffing
        flows = rest.endswith(" ") and rest != "-- "
        piece = rest[:-1] if flows and delete_space else rest
        if open_depth == depth and rest != "-- ":
            out[-1].append(piece)
        else:
            out.append(["> " if depth else "", piece])
        open_depth = depth if flows else -1
    return "\n".join(map("".join, out))


def _clean(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " ")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n")
    lines = [line if line == "-- " else line.rstrip() for line in _CONTROLS.sub("", text).split("\n")]
    return _BLANKS.sub("\n\n", "\n".join(lines)).strip("\n")
