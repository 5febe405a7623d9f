"""Making a copy out of what was received: fields put before, fields replaced, parts added. Pure.

The original's octets are never rewritten; kept fields and body are ranges of the received message (blob 0).
"""

from __future__ import annotations

from base64 import b32encode, encodebytes
from collections.abc import Container, Mapping, Sequence
from hashlib import sha256

from mailrouter.message.head import Head
from mailrouter.message.pieces import Piece, Pieces, Slice, join
from mailrouter.message.shape import Shape
from mailrouter.message.text.writing import body_part, filename_params, quoted_printable

STRAY_LINE = b"Mailrouter-Stray-Line: "
"""Put before a line that is no field (an mbox ``From`` line, a continuation of nothing): it becomes one.

Readers differ on such a line: some end the header there. With this name before it, the line stays as it was,
and what stands around it stays header.
"""


def untouched(head: Head, shape: Shape, prepend: bytes) -> Pieces:
    """``prepend`` (whole fields), then the original, every octet of it: its DKIM signatures hold.

    Where the first line is no field, it is made one (see ``STRAY_LINE``), so that it can't be read as part of
    the last field before it; where there is no field at all, a blank line makes it the body that it is.
    """
    original = Slice(0, 0, shape.size)
    if not prepend or not head.fields or head.fields[0].name:
        return join((prepend, original))
    between = STRAY_LINE if head.names else b"\r\n"
    return join((prepend, between, original))


def readdressed(head: Head, shape: Shape, *, prepend: bytes, replace: Mapping[str, bytes]) -> Pieces:
    """The original with some fields replaced, not wrapped: ``prepend``, kept fields, new ones, the body.

    ``replace`` maps names in lower case to whole new fields; an empty value leaves the field out.
    """
    kept = _kept(head, leave_out=replace)
    body: Piece = Slice(0, min(shape.header_end, shape.size), shape.size)
    if shape.header_end >= shape.size:
        body = b"\r\n"
    return join((prepend,), kept, replace.values(), (body,))


def wrapped(
    head: Head,
    shape: Shape,
    *,
    prepend: bytes,
    replace: Mapping[str, bytes],
    parts: Sequence[Pieces],
    boundary: str,
) -> Pieces:
    """A multipart/mixed of the original and then ``parts``. Each part is whole: header, blank line, body.

    Outside stay the original's fields but Content-*, MIME-Version and the replaced; part 1 is its Content-*
    fields as they were and its body. Whoever wraps asks ``classify`` first whether this message may be.
    """
    content = {name for name in head.names if name.startswith("content-")}
    delimiter = b"--" + boundary.encode("ascii")
    mime = (
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n boundary="'
        + boundary.encode("ascii")
        + b'"\r\n'
    )
    if shape.eight_bit:
        mime += b"Content-Transfer-Encoding: 8bit\r\n"  # RFC 2045 §6.4: as wide as the widest part
    body = Slice(0, shape.body_start, shape.size)
    # The CRLF before a delimiter belongs to the delimiter (RFC 2046 §5.1.1): the body keeps its own last one.
    rest: list[Piece] = []
    for part in parts:
        rest += (b"\r\n" + delimiter + b"\r\n", *part)
    rest.append(b"\r\n" + delimiter + b"--\r\n")
    return join(
        (prepend,),
        _kept(head, leave_out={*content, *replace, "mime-version"}),
        replace.values(),
        (mime, b"\r\n", delimiter, b"\r\n"),
        _kept(head, only=content) if content else (),
        (b"\r\n", body),
        rest,
    )


def fresh(headers: bytes, parts: Sequence[Pieces], *, boundary: str = "", multipart: str = "mixed") -> Pieces:
    """A new message of ours: ``headers`` (whole fields), then its one part, or a multipart of several.

    ``multipart`` is the subtype with its parameters, such as ``report; report-type=delivery-status``. Several
    parts need a ``boundary``; raises ValueError without one.
    """
    if len(parts) == 1:
        return join((headers, b"MIME-Version: 1.0\r\n"), parts[0])
    if not boundary:
        raise ValueError("a message of several parts needs a boundary")
    delimiter = b"--" + boundary.encode("ascii")
    kind = multipart.encode("ascii") + b';\r\n boundary="' + boundary.encode("ascii") + b'"\r\n\r\n'
    out: list[Piece] = [headers, b"MIME-Version: 1.0\r\nContent-Type: multipart/", kind]
    for index, part in enumerate(parts):
        out += (b"\r\n" * (index > 0) + delimiter + b"\r\n", *part)
    out.append(b"\r\n" + delimiter + b"--\r\n")
    return join(out)


def note_part(text: str, description: bytes = b"") -> Pieces:
    """A text to be shown with the message; ``description`` (ASCII) names it in a list of parts (RFC 2045 §8)."""
    encoding, body = body_part(text)
    return (_text_header(encoding, b"inline", description) + body,)


def handoff_part(intro: str, body: Slice | bytes, filename: str) -> Pieces:
    """An attached text: ``intro``, then ``body``, which is already quoted-printable in CRLF lines."""
    header = _text_header("quoted-printable", b"attachment" + filename_params(filename), b"Handoff")
    return join((header + quoted_printable(intro), body))


def picture_part(data: bytes, kind: str, filename: str) -> Pieces:
    """An attached picture of the media type ``kind``."""
    header = (
        b"Content-Type: " + kind.encode("ascii") + b"\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: attachment" + filename_params(filename) + b"\r\n\r\n"
    )
    return (header + encodebytes(data).replace(b"\n", b"\r\n"),)


def choose_boundary(seed: bytes) -> str:
    """A boundary made of ``seed`` (16 random octets or more).

    Its 160 bits can't stand in any body by chance, and ``=_`` stands in no base64 or quoted-printable text
    (RFC 2045 §6.7).
    """
    return "=_" + b32encode(sha256(b"boundary\0" + seed).digest()[:20]).decode("ascii").lower()


def _text_header(encoding: str, disposition: bytes, description: bytes = b"") -> bytes:
    return (
        b"Content-Type: text/plain; charset=utf-8\r\n"
        + (b"Content-Description: " + description + b"\r\n" if description else b"")
        + b"Content-Transfer-Encoding: "
        + encoding.encode("ascii")
        + b"\r\n"
        b"Content-Disposition: " + disposition + b"\r\n\r\n"
    )


def _kept(head: Head, *, only: Container[str] | None = None, leave_out: Container[str] = ()) -> list[Piece]:
    """The fields of these names, or all but those, as ranges; neighbours make one range."""
    out: list[Piece] = []
    start = end = 0
    for name, begins, ends in head.fields:
        if name in leave_out or (only is not None and name not in only):
            continue
        if not name or begins != end:
            out.append(Slice(0, start, end))
            if not name:
                out.append(STRAY_LINE)
            start = begins
        end = ends
    out.append(Slice(0, start, end))
    if end and head.raw[end - 2 : end] != b"\r\n":
        out.append(b"\r\n")
    return out
