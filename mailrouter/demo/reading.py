"""A delivered mail as its reader sees it: its fields, its parts, its text. For showing only. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.message import parts as mime_parts
from mailrouter.message.head import Head
from mailrouter.message.text.words import decode_words

_LOOKED_AT = 256 * 1024
"""Octets of a part that are read for its text: what is shown of it are a few lines."""

_KINDS = {
    "text/html": "formatted text",
    "text/calendar": "a calendar entry",
    "application/pkcs7-signature": "a signature",
    "application/x-pkcs7-signature": "a signature",
    "application/pgp-signature": "a signature",
    "application/pkcs7-mime": "encrypted text",
}


@dataclass(frozen=True, slots=True)
class ShownPart:
    """One part: its text, its file name where it is attached, and what else is in it, in words."""

    text: str
    filename: str = ""
    also: tuple[str, ...] = ()


def parts(raw: bytes) -> list[ShownPart]:
    """The parts of a mail of ours: of a multipart those directly inside it, else the one there is."""
    head = Head(raw)
    boundary = head.parameter("content-type", "boundary")
    if not head.content_type.startswith("multipart/") or not boundary:
        return [part(raw)]
    # Cut by hand: the original in the first part may be large, and is not to be parsed whole.
    pieces = raw.split(b"\r\n--" + boundary.encode("ascii", "replace"))
    return [part(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]


def part(raw: bytes) -> ShownPart:
    """A part, or a whole mail, with its first plain text."""
    raw = raw[:_LOOKED_AT]
    head = Head(raw)
    filename = ""
    if (head.structured("content-disposition") or "").strip().lower().startswith("attachment"):
        filename = head.parameter("content-disposition", "filename") or "a file"
    # A part may have no header at all: then it begins with the blank line.
    content = raw[2:] if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")[2]
    found = mime_parts.leaves(head, content)
    also = dict.fromkeys(_name(leaf) for leaf in found if leaf.kind != "text/plain")
    return ShownPart(_text(found), filename, tuple(also))


def _name(leaf: mime_parts.Part) -> str:
    if leaf.kind in _KINDS:
        return _KINDS[leaf.kind]
    name = leaf.head.parameter("content-disposition", "filename") or leaf.head.parameter(
        "content-type", "name"
    )
    return decode_words(name or "") or leaf.kind


def _text(leaves: Sequence[mime_parts.Part]) -> str:
    """The first plain text, else the words of the first HTML."""
    found = [leaf for kind in ("text/plain", "text/html") for leaf in leaves if leaf.kind == kind]
    return found[0].text(marks=True).strip("\n") if found else ""
