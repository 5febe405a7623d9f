"""Reading a message block by block: its Shape at the end, its header section on the way. Pure.

Of the body only lines that start with ``--`` and the headers of parts are looked at (see ``structure``);
memory stays constant whatever the size, and the answer does not depend on where the blocks were cut.
"""

from __future__ import annotations

from mailrouter.message.head import Head
from mailrouter.message.shape import Limits, Shape
from mailrouter.message.structure import Structure

_NOTHING = Head(b"")
_FIELD = 250
"""Octets that one field of a Head takes beside its text, about."""


_LIMITS = Limits()


class Scanner:
    """Feed it the message in blocks of any size, then ``finish()``.

    Once the blank line has passed, or after ``finish``, ``head`` are the fields of the header section: of its octets
    with the last CRLF (``head.raw``), at most ``limits.header_bytes``. Before, it is empty.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or _LIMITS
        self._structure = Structure(self._limits)
        self._size = self._crlf = self._cr = self._lf = self._nul = 0
        self._tail = b""
        self._head = bytearray()
        self.head = _NOTHING
        self._header_end = -1
        self._header_too_large = False
        self._eight_bit = False

    @property
    def size(self) -> int:
        """Octets fed so far."""
        return self._size

    @property
    def held(self) -> int:
        """Octets in memory, about: the header section, and what is known of its fields."""
        return len(self._head) + len(self.head.raw) + _FIELD * len(self.head.fields)

    def feed(self, block: bytes) -> None:
        """Take the next octets of the message."""
        if not block:
            return
        # Bare CR and LF are what is left of all CR and LF once the CRLF are taken out (RFC 5321 §2.3.8); a
        # CRLF may be cut in two by the blocks.
        self._crlf += block.count(b"\r\n") + (self._tail[-1:] == b"\r" and block[:1] == b"\n")
        # Taking them out costs a third of counting them.
        without_lf = block.replace(b"\n", b"")
        self._lf += len(block) - len(without_lf)
        self._cr += len(without_lf) - len(without_lf.replace(b"\r", b""))
        if b"\0" in block:
            self._nul += block.count(b"\0")
        self._tail = (self._tail + block[-2:])[-2:]
        self._size += len(block)
        if self._header_end < 0:
            block = self._take_header(block)
        if block:
            self._eight_bit = self._eight_bit or not block.isascii()
            self._structure.feed(block)

    def finish(self) -> Shape:
        """The message's form. Call once, after the last block."""
        if self._header_end < 0:
            section, most = bytes(self._head), self._limits.header_bytes
            if len(section) > most:
                self._refuse_header(section[:most])
            else:
                self._header_end = self._size
                self._read_head(section)
        structure = self._structure
        structure.finish()
        head, fields = self.head.raw, len(self.head.fields)
        return Shape(
            size=self._size,
            header_end=self._header_end,
            body_start=min(self._header_end + (0 if self._header_too_large else 2), self._size),
            header_bytes=len(head),
            header_eight_bit=not head.isascii(),
            eight_bit=self._eight_bit,
            bare_cr=self._cr - self._crlf,
            bare_lf=self._lf - self._crlf,
            nul=self._nul,
            parts=structure.parts,
            depth=structure.depth,
            content_types=frozenset(structure.types),
            malformed=structure.malformed,
            calendar=structure.calendar,
            calendar_method=structure.calendar_method,
            calendar_file=structure.calendar_file,
            tnef=structure.tnef,
            signed=structure.signed,
            encrypted=structure.encrypted,
            report=structure.report,
            too_deep=structure.too_deep,
            too_many_parts=structure.too_many_parts,
            too_many_fields=fields > self._limits.fields,
            header_too_large=self._header_too_large,
        )

    def _take_header(self, block: bytes) -> bytes:
        """Collect the header section; gives what of ``block`` is body, from the blank line's CRLF on."""
        most = self._limits.header_bytes
        known = len(self._head)
        section: bytes | bytearray
        if known:
            taken = len(block[: most + 4 - known])
            self._head += block[:taken]
            # Not as bytes: a copy for each two octets that arrive would cost the square of the header.
            section, rest = self._head, block[taken:]
        else:
            section, rest = block, b""
        end = 0 if section[:2] == b"\r\n" else section.find(b"\r\n\r\n", max(0, known - 3), most + 4)
        if end < 0 and len(section) < most + 4:
            if not known:
                self._head += block
            return b""
        if end > 0:
            end += 2
        section, self._head = bytes(section), bytearray()
        if 0 <= end <= most:
            self._header_end = end
            self._read_head(section[:end])
        else:
            end = most
            self._refuse_header(section[:most])
        return section[end:] + rest

    def _read_head(self, section: bytes) -> None:
        self.head = Head(section)
        self._structure.top(self.head)

    def _refuse_header(self, section: bytes) -> None:
        """Stop collecting: what follows is counted, and not read."""
        self._header_end = self._limits.header_bytes
        self._header_too_large = True
        self.head = Head(section)
        self._structure.malformed = "its header is too large"
