"""The parts of a report, read tolerantly: only as deep and as far as a verdict needs. Pure; never raises."""

from __future__ import annotations

import binascii
import html
import re
from typing import NamedTuple

from mailrouter.message.charsets import decode_charset
from mailrouter.message.head import Head
from mailrouter.message.mime import transfer_encoding

MAX_PARTS = 50
MAX_DEPTH = 6
MAX_TEXT = 64 * 1024
"""Octets of one part that are decoded."""

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_HIDDEN = re.compile(r"<(/?)(?:style|script|head)\b[^<>]{0,500}>", re.I)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/table)\b[^<>]{0,500}>", re.I)
_TAG = re.compile(r"<[a-z/!][^<>]{0,2000}>", re.I)
_BLANKS = re.compile(r"[ \t\xa0]+")


class Part(NamedTuple):
    """One leaf: its media type in lower case, its header, its octets as they were sent.

    An attached message is a leaf; what it contains is somebody else's.
    """

    kind: str
    head: Head
    content: bytes

    @property
    def returned(self) -> bool:
        """Is this the message that the report is about, or its header?"""
        return self.kind in _RETURNED

    def decoded(self, most: int = MAX_TEXT) -> bytes:
        """The octets without their transfer encoding (RFC 2045 §6), the first ``most`` of those that were sent."""
        content = self.content[:most]
        encoding = transfer_encoding(self.head.structured("content-transfer-encoding") or "")
        if encoding == "base64":
            letters = _NOT_BASE64.sub(b"", content)
            return binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _last(letters))
        if encoding == "quoted-printable":
            return binascii.a2b_qp(content)
        return content

    def text(self) -> str:
        """The text a person would read, LF at line ends; HTML without its tags."""
        charset = self.head.parameter("content-type", "charset") or "utf-8"
        text = decode_charset(self.decoded(), charset).replace("\r\n", "\n").replace("\r", "\n")
        if self.kind == "text/html":
            text = _TAG.sub("", _BREAK.sub("\n", _shown(text.replace("\n", " "))))
            text = _BLANKS.sub(" ", html.unescape(text))
        return text


_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


def leaves(head: Head, content: bytes) -> tuple[Part, ...]:
    """The leaves of an entity, in order. A multipart without its boundary counts as one plain text."""
    found: list[Part] = []
    _walk(head, content, 0, found)
    return tuple(found)


def _walk(head: Head, content: bytes, depth: int, found: list[Part]) -> None:
    if len(found) >= MAX_PARTS:
        return
    kind = head.content_type
    if not kind.startswith("multipart/"):
        found.append(Part(kind, head, content))
        return
    boundary = (head.parameter("content-type", "boundary") or "").rstrip().encode("utf-8", "replace")
    sections = _sections(content, boundary) if boundary and depth < MAX_DEPTH else []
    if not sections:
        found.append(Part("text/plain", head, content))
    for section in sections:
        inner = Head(section)
        start = inner.fields[-1].end if inner.fields else 0
        body = section[start:].removeprefix(b"\r\n")
        if inner.fields and not inner.names:  # no header at all, and no blank line for one
            inner, body = Head(b""), section
        _walk(inner, body, depth + 1, found)


def _sections(content: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the delimiters (RFC 2046 §5.1.1); the closing one may be missing."""
    delimiter = re.compile(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r\n|\Z)")
    out: list[bytes] = []
    at, start = 0, -1
    while match := delimiter.search(content, at):
        if start >= 0:
            out.append(content[start : match.start()] if match.start() > start else b"")
        if match[1] or len(out) >= MAX_PARTS:
            return out
        start = match.end()
        at = max(match.end() - 2, match.start() + 1)  # its CRLF may begin the next delimiter
    if start >= 0:
        out.append(content[start:])
    return out


def _shown(text: str) -> str:
    """HTML without what stands between ``<style>`` and ``</style>`` and the like."""
    pieces = _HIDDEN.split(text)
    return pieces[0] + "".join(
        after for slash, after in zip(pieces[1::2], pieces[2::2], strict=True) if slash
    )


def _last(letters: bytes) -> bytes:
    """The last, incomplete quantum of base64, padded; a single letter says nothing."""
    rest = letters[len(letters) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""
