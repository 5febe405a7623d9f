"""A delivered mail as its reader sees it: its fields, its parts, its text. For showing only. Pure."""

from __future__ import annotations

import email
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser

from mailrouter.message.charsets import decode_charset
from mailrouter.message.head import Head

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
class Part:
    """One part: its text, its file name where it is attached, and what else is in it, in words."""

    text: str
    filename: str = ""
    also: tuple[str, ...] = ()


def parts(raw: bytes) -> list[Part]:
    """The parts of a mail of ours: of a multipart those directly inside it, else the one there is."""
    head = Head(raw)
    boundary = head.parameter("content-type", "boundary")
    if not head.content_type.startswith("multipart/") or not boundary:
        return [part(raw)]
    # Cut by hand: the original in the first part may be large, and is not to be parsed whole.
    pieces = raw.split(b"\r\n--" + boundary.encode("ascii", "replace"))
    return [part(piece.removeprefix(b"\r\n")) for piece in pieces[1:-1]]


def part(raw: bytes) -> Part:
    """One part, or a whole mail, with the first plain text in it."""
    message = email.message_from_bytes(raw[:_LOOKED_AT])
    filename = ""
    if str(message.get("content-disposition", "")).lower().startswith("attachment"):
        filename = Head(raw[:_LOOKED_AT]).parameter("content-disposition", "filename") or "a file"
    leaves = [inner for inner in message.walk() if not inner.is_multipart()]
    also = dict.fromkeys(_name(leaf) for leaf in leaves if leaf.get_content_type() != "text/plain")
    return Part(_text(message), filename, tuple(also))


def _name(message: Message) -> str:
    kind = message.get_content_type()
    if kind in _KINDS:
        return _KINDS[kind]
    return str(message.get_filename() or kind)


def _text(message: Message) -> str:
    """The first plain text, else the words of the first HTML."""
    texts = [inner for inner in message.walk() if inner.get_content_maintype() == "text"]
    for kind, plain in (("text/plain", lambda text: text), ("text/html", _words)):
        for inner in texts:
            if inner.get_content_type() == kind:
                return str(plain(_decoded(inner))).replace("\r\n", "\n").strip("\n")
    return ""


def _decoded(message: Message) -> str:
    try:
        payload = message.get_payload(decode=True)
        charset = message.get_content_charset() or "utf-8"
    except (LookupError, ValueError):
        return ""
    return decode_charset(payload, charset) if isinstance(payload, bytes) else ""


class _Words(HTMLParser):
    """Collects what a browser would show."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._hidden += tag in ("style", "script", "title")
        if tag in ("p", "br", "div", "li", "tr"):
            self.found.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "script", "title")

    def handle_data(self, data: str) -> None:
        if self._hidden <= 0:
            self.found.append(" ".join(data.split()))


def _words(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    return "\n".join(line.strip() for line in " ".join(parser.found).splitlines() if line.strip())
