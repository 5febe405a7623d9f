"""MIME structure of a body read in blocks (RFC 2046 §5.1). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from mailrouter.caching import cached_by_text
from mailrouter.message import glance
from mailrouter.message.glance import Glance
from mailrouter.message.head import Head
from mailrouter.message.mime import (
    decoded,
    field_values,
    media_type,
    parameter,
    plain_parameters,
    transfer_encoding,
)
from mailrouter.message.shape import Limits
from mailrouter.message.text.words import decode_words

# RFC 2046 §5.1.1 allows 70 characters of boundary; real ones are longer, and padding may follow.
_DELIMITER_LIMIT = 1_024
# S/MIME (RFC 8551 §3.1, RFC 7193), PGP/MIME (RFC 3156) whole or taken apart by Exchange or a bridge, and
# Microsoft's rights-protected mail ([MS-OXORMMS] §2.2.1).
_ENCRYPTED = frozenset(
    {
        "multipart/encrypted",
        "application/pgp-encrypted",
        "application/pgp",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/cms",
        "application/x-microsoft-rpmsg-message",
    }
)
_SIGNED = frozenset(
    {
        "multipart/signed",
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
    }
)
# Under any other application type, a file's name tells (RFC 8551 §3.2.1 and §3.9).
_SEALED_NAME = re.compile(r"(?:\.p7[mcz]|\.rpmsg|\Aencrypted\.asc)\s*\Z", re.I)
_SIGNATURE_NAME = re.compile(r"\.p7s\s*\Z", re.I)
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_CALENDAR = frozenset({"text/calendar", "application/ics", "text/x-vcalendar"})
# iTIP methods that only a calendar program writes, in answer to something (RFC 5546 §1.4).
_ANSWERS = frozenset({"REPLY", "COUNTER", "DECLINECOUNTER", "REFRESH", "CANCEL"})
_ATTACHED = frozenset({"message/rfc822", "message/global", "message/news"})
_REPORT = frozenset(
    {
        "multipart/report",
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/global-disposition-notification",
    }
)


_TEXT = Glance(glance.TEXT, "", "text/plain", False)


class _Level:
    """One open multipart, or an attached message (no boundary) around what follows."""

    __slots__ = ("attached", "boundary", "kind", "opened")

    def __init__(self, boundary: bytes | None, attached: bool, kind: str = "") -> None:
        self.boundary = boundary
        self.attached = attached
        self.kind = kind
        self.opened = False


class Structure:
    """A reader of MIME structure, block by block.

    First ``top`` with the header section, then ``feed`` from the blank line on, then ``finish``.

    A multipart that is never closed is common and harmless: what stands around it ends it (RFC 2046 §5.1.2).
    Malformed is what two readers may take apart in two ways: no boundary named, a boundary never opened, one
    used at two levels, two Content-Types, or a line in the header that is no field. An mbox ``From`` line at
    the very top is known to all and does no harm.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._levels: list[_Level] = []
        self._open: dict[bytes, int] = {}
        self._pending = b""
        self._header_next = False
        self._dashed = 0
        self.parts, self.depth = 1, 0
        self.types: set[str] = set()
        self.malformed: str | None = None
        self._glance: Glance | None = None
        self.calendar = self.tnef = self.signed = self.encrypted = self.report = False
        self.calendar_file = False
        self.calendar_method: str | None = None
        self.too_deep = self.too_many_parts = False

    def top(self, head: Head) -> None:
        """Read the message's own header section."""
        if len(head.raw_values("content-type")) > 1:
            self._distrust("it has more than one Content-Type field")
        if head.has(""):
            # Some readers end the header at such a line, some skip it: they would see two different messages.
            for index, field in enumerate(head.fields):
                if not field.name and (index or not head.raw.lstrip(b">").startswith(b"From ")):
                    self._distrust("a line in its header is no header field")
                    break
        content = b""
        for name in ("content-type", "content-transfer-encoding", "content-disposition"):
            value = head.raw_value(name)
            if value is not None:
                content += b"\r\n" + name.encode("ascii") + b":" + value
        self._entity(content, attached=False, default="text/plain")

    @property
    def wants_body(self) -> bool:
        """False once the rest of the body can't change the answer."""
        return self._header_next or self._glance is not None or bool(self._open)

    def feed(self, data: bytes) -> None:
        """Take the next octets; the first ones are the CRLF of the blank line after the header."""
        if self.wants_body:
            self._pending = self._walk(self._pending + data if self._pending else data, last=False)

    def finish(self) -> None:
        """Settle what was left open: there is no more."""
        if self.wants_body:
            self._walk(self._pending, last=True)
        self._close(0)

    def _walk(self, data: bytes, last: bool) -> bytes:
        """Read as far as can be decided; the rest comes back, to be seen again with the next block."""
        at, size = 0, len(data)
        while True:
            if self._header_next:
                end = self._read_part_header(data, at, last)
                if end < 0:
                    return data[at:]
                at = end
                continue
            if self._glance is not None:
                if not last and size - at < self._glance.octets:
                    return data[at:]
                self._look(self._glance, data[at : at + self._glance.octets])
                self._glance = None
            if not self._open:
                return b""
            start = data.find(b"\r\n--", at)
            if start < 0:
                return data[max(at, size - 3) :]
            end = data.find(b"\r\n", start + 4, start + _DELIMITER_LIMIT)
            if end < 0:
                if not last and size < start + _DELIMITER_LIMIT:
                    return data[start:]
                end = size if last and size < start + _DELIMITER_LIMIT else -1
            at = start + 4
            if end >= 0 and self._delimiter(data[start + 4 : end]):
                at = end
            elif self._dashed > self._limits.dashed_lines:
                self._distrust("too many of its lines look like part boundaries")
                self._close(0)

    def _delimiter(self, line: bytes) -> bool:
        """Act on the line after ``--`` if it is a boundary now open; True if it was."""
        line = line.rstrip(b" \t")
        index = self._open.get(line)
        if index is not None:
            self._close(index + 1)
            self._levels[index].opened = self._header_next = True
            return True
        if line.endswith(b"--") and (index := self._open.get(line[:-2])) is not None:
            self._close(index)
            return True
        self._dashed += 1
        return False

    def _read_part_header(self, data: bytes, at: int, last: bool) -> int:
        """Read the part header that starts at ``at`` (a CRLF); gives its end, or -1: not all here yet."""
        limit = at + self._limits.part_header_bytes
        blank = data.find(b"\r\n\r\n", at, limit)
        if blank < 0 and not last and len(data) < limit:
            return -1
        end = blank if blank >= 0 else min(limit, len(data))
        # A delimiter before any blank line: a part with a header and no body, or with neither.
        dashes = data.find(b"\r\n--", at, end)
        while dashes >= 0:
            stop = data.find(b"\r\n", dashes + 4, end + 2)
            line = data[dashes + 4 : stop if stop >= 0 else end].rstrip(b" \t")
            if line in self._open or (line.endswith(b"--") and line[:-2] in self._open):
                end = dashes
                break
            dashes = data.find(b"\r\n--", dashes + 4, end)
        top = self._levels[-1]
        if dashes < 0 and blank < 0 and not last and not top.attached:
            self._distrust("the header of one of its parts does not end")
        self._header_next = False
        if top.boundary is not None:
            self.parts += 1
        if self.parts > self._limits.parts:
            self.too_many_parts = True
            self._distrust("it has too many parts")
            self._close(0)
            return end
        default = "message/rfc822" if top.kind == "multipart/digest" else "text/plain"
        self._entity(data[at:end], top.attached, default)
        return end if dashes >= 0 else min(end + 2, len(data))

    def _entity(self, header: bytes, attached: bool, default: str) -> None:
        """Note what a header says, and open what it contains."""
        entity = _read_entity(header)
        kind = entity.kind or default
        if entity.claims_multipart and not attached:
            self._distrust("its Content-Type can't be read")
        self.types.add(kind)
        if not attached:
            self._note(entity, kind)
        elif kind in _TNEF or entity.winmail:
            self.tnef = True
        if kind.startswith("multipart/"):
            self._open_multipart(entity.boundary, kind, attached)
        elif kind in _ATTACHED and not entity.encoded:
            self.parts += 1
            if self._push(_Level(None, attached=True)):
                self._header_next = True

    def _note(self, entity: _Entity, kind: str) -> None:
        """Note what a part means for the message, by its header."""
        self.signed |= kind in _SIGNED or entity.signature
        self.encrypted |= kind in _ENCRYPTED or entity.sealed
        self.report |= kind in _REPORT
        self.tnef |= kind in _TNEF or entity.winmail
        if kind in _CALENDAR:
            within = self._levels[-1].kind if self._levels else ""
            # Content-Type names the method of all scheduling mail (RFC 6047 §2.4). What is attached without one is
            # a file, unless a program's answer stands in it.
            beside = bool(within) and within not in ("multipart/alternative", "multipart/related")
            if entity.method or not beside:
                self.calendar = True
                self.calendar_method = self.calendar_method or entity.method
            if not entity.method:
                self._glance = Glance(glance.CALENDAR, entity.encoding, kind, beside)
        elif kind == "text/plain":
            self._glance = _TEXT

    def _look(self, part: Glance, octets: bytes) -> None:
        """Read the beginning of a part that was awaited (see ``glance.Glance``)."""
        if part is _TEXT:
            self.encrypted |= glance.begins_encrypted(octets)
            return
        for boundary in self._open:
            octets = octets.partition(b"\r\n--" + boundary)[0]
        text = decoded(octets, part.encoding)
        method = glance.method_of(text)
        if method in _ANSWERS or not part.beside:
            self.calendar = True
            self.calendar_method = self.calendar_method or method
        else:
            self.calendar_file |= part.kind == "text/calendar"

    def _open_multipart(self, boundary: bytes, kind: str, attached: bool) -> None:
        if not boundary:
            if not attached:
                self._distrust("it says multipart but names no boundary")
        elif boundary in self._open:
            if not attached:
                self._distrust("it uses one boundary at two levels")
        elif self._push(_Level(boundary, attached, kind)):
            self._open[boundary] = len(self._levels) - 1

    def _push(self, level: _Level) -> bool:
        if len(self._levels) >= self._limits.depth:
            self.too_deep = True
            self._distrust("its parts are nested too deeply")
            return False
        self._levels.append(level)
        self.depth = max(self.depth, len(self._levels))
        return True

    def _close(self, keep: int) -> None:
        """Leave all levels but the ``keep`` outer ones."""
        while len(self._levels) > keep:
            level = self._levels.pop()
            if level.boundary is not None:
                del self._open[level.boundary]
                if not level.opened and not level.attached:
                    self._distrust("the boundary it names never appears")

    def _distrust(self, why: str) -> None:
        self.malformed = self.malformed or why


class _Entity(NamedTuple):
    """The facts in the header of one entity."""

    kind: str
    claims_multipart: bool
    boundary: bytes
    method: str | None
    winmail: bool
    encoding: str
    sealed: bool
    signature: bool

    @property
    def encoded(self) -> bool:
        """Whether the content stands there in another form."""
        return self.encoding in ("base64", "quoted-printable")


@cached_by_text(512)
def _read_entity(header: bytes) -> _Entity:
    low = header.lower()
    raw = field_values(header, b"content-type", low)
    value = raw[0].replace(b"\r\n", b"").decode("latin-1") if raw else ""
    kind = media_type(value)
    parameters = (
        plain_parameters(value) if kind.startswith(("multipart/", "text/calendar", "application/ics")) else {}
    )
    encoding = field_values(header, b"content-transfer-encoding", low)
    name = _file_name(header, low, value) if kind.startswith("application/") or not kind else ""
    return _Entity(
        kind=kind,
        claims_multipart=not kind and "multipart" in value[:40].lower(),
        boundary=parameters.get("boundary", "").rstrip(" \t").encode("latin-1"),
        method=parameters.get("method", "").strip().upper() or None,
        winmail=b"winmail.dat" in low,
        encoding=transfer_encoding(encoding[0].decode("latin-1")) if encoding else "",
        sealed=_SEALED_NAME.search(name) is not None,
        signature=_SIGNATURE_NAME.search(name) is not None,
    )


def _file_name(header: bytes, low: bytes, content_type: str) -> str:
    """A part's file name, from Content-Disposition or Content-Type. ``""`` for none."""
    if b"name" not in low:
        return ""
    found = field_values(header, b"content-disposition", low)
    disposition = found[0].replace(b"\r\n", b"").decode("latin-1") if found else ""
    name = parameter(disposition, "filename") or parameter(content_type, "name") or ""
    return decode_words(name[:1000])
