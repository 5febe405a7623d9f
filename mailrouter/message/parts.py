"""A mail's MIME leaves and their text, read within bounds. Pure; never raises."""

from __future__ import annotations

from typing import NamedTuple

from mailrouter.message import bounds
from mailrouter.message.head import Head
from mailrouter.message.mime import decoded, transfer_encoding
from mailrouter.message.text.charsets import decode_charset
from mailrouter.message.text.html_text import text_of_html

_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


class Part(NamedTuple):
    """One leaf: its media type in lower case, its header, its octets as they were sent.

    An attached message is a leaf; what it contains is somebody else's.
    """

    kind: str
    head: Head
    content: bytes

    @property
    def returned(self) -> bool:
        """Whether this is a reported message, or its header."""
        return self.kind in _RETURNED

    @property
    def charset(self) -> str:
        """The label of its charset, ``utf-8`` where it has none."""
        return self.head.parameter("content-type", "charset") or "utf-8"

    def decoded(self, most: int = bounds.PART_TEXT) -> bytes:
        """The first ``most`` octets, without transfer encoding (RFC 2045 §6)."""
        encoding = transfer_encoding(self.head.structured("content-transfer-encoding") or "")
        return decoded(self.content[:most], encoding)

    def text(self, *, marks: bool = False) -> str:
        """The words that a person would read, LF at line ends; HTML without its tags, with ``marks`` for them."""
        text = decode_charset(self.decoded(), self.charset)
        if self.kind == "text/html":
            return text_of_html(text, marks=marks)
        return text.replace("\r\n", "\n").replace("\r", "\n")


def leaves(head: Head, content: bytes) -> tuple[Part, ...]:
    """The leaves of an entity, in order. A multipart without its boundary counts as one plain text.

    At most ``bounds.LEAVES`` of them, and none below ``bounds.DEPTH`` multiparts.
    """
    reader = _Reader()
    reader.walk(head, content, 0)
    return tuple(reader.found)


class _Reader:
    """The leaves found, and the bounds for finding others."""

    def __init__(self) -> None:
        self.found: list[Part] = []
        self._header_octets = bounds.PART_HEADERS
        self._delimiters = bounds.DELIMITERS

    def walk(self, head: Head, content: bytes, depth: int) -> None:
        if len(self.found) >= bounds.LEAVES:
            return
        kind = head.content_type
        if not kind.startswith("multipart/"):
            self.found.append(Part(kind, head, content))
            return
        boundary = (head.parameter("content-type", "boundary") or "").rstrip().encode("utf-8", "replace")
        sections = self._sections(content, boundary) if boundary and depth < bounds.DEPTH else []
        if not sections:
            self.found.append(Part("text/plain", head, content))
        for section in sections:
            inner, start = self._header(section)
            self.walk(inner, section[start:], depth + 1)

    def _header(self, section: bytes) -> tuple[Head, int]:
        """The header of a part, and where its body begins."""
        most = min(self._header_octets, bounds.PART_HEADER)
        if section.startswith(b"\r\n"):
            return Head(b""), 2
        blank = section.find(b"\r\n\r\n", 0, most)
        raw = section[: blank + 2] if blank >= 0 else section[:most]
        self._header_octets -= len(raw)
        head = Head(raw)
        if not head.names:  # no header at all, and no blank line for one
            return Head(b""), 0
        return head, len(raw) + (2 if blank >= 0 else 0)

    def _sections(self, content: bytes, boundary: bytes) -> list[bytes]:
        """The sections between delimiters (RFC 2046 §5.1.1); the closing one may be missing."""
        out: list[bytes] = []
        line = b"--" + boundary
        at, start = 0, -1
        while len(out) < bounds.LEAVES and self._delimiters > 0:
            found, after = _next(content, line, at)
            if found < 0:
                break
            self._delimiters -= 1
            end = content.find(b"\r\n", after, after + bounds.DELIMITER_PADDING)
            if end < 0 and len(content) - after < bounds.DELIMITER_PADDING:
                end = len(content)
            padding = content[after : max(end, after)]
            if end < 0 or padding.removeprefix(b"--").strip(b" \t"):
                at = after  # a line that only begins like this boundary
                continue
            if start >= 0:
                out.append(content[start:found])
            if padding.startswith(b"--"):
                return out
            start = min(end + 2, len(content))
            at = max(end, 1)  # its CRLF may begin the next delimiter
        if start >= 0 and len(out) < bounds.LEAVES:
            out.append(content[start:])
        return out


def _next(content: bytes, line: bytes, at: int) -> tuple[int, int]:
    """The bounds of the next line that begins with ``line``.

    Its start with its CRLF included, and where ``line`` ends; -1: none.
    """
    if at == 0 and content.startswith(line):
        return 0, len(line)
    found = content.find(b"\r\n" + line, at)
    return found, found + 2 + len(line)
