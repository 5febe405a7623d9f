"""The form of a received message, after its last octet. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of structure beyond which a message counts as hostile. Sizes in octets."""

    header_bytes: int = 256 * 1024
    fields: int = 1_000
    depth: int = 50
    parts: int = 1_000
    part_header_bytes: int = 32 * 1024
    dashed_lines: int = 10_000
    """Lines that start with ``--`` inside a multipart: 20 ms of work. Of a mail with more, copies go out untouched."""


class Shape(NamedTuple):
    """The form of one message; all offsets and sizes are octets of the message as received.

    The header section is ``raw[:header_end]``, its last CRLF included; the body is ``raw[body_start:]``.
    Without a blank line both are ``size``: everything is header.
    """

    size: int
    header_end: int
    body_start: int
    header_bytes: int
    header_eight_bit: bool
    eight_bit: bool
    """An octet above 127 stands in the body."""
    bare_cr: int
    bare_lf: int
    nul: int
    parts: int = 1
    """MIME entities, the message itself and those inside attached messages included."""
    depth: int = 0
    """Multiparts and attached messages around the innermost part."""
    content_types: frozenset[str] = frozenset()
    """Every part's media type in lower case, attached messages included."""
    malformed: str | None = None
    """Why readers may disagree on the structure (a phrase for people), or None."""
    calendar: bool = False
    """The mail is a calendar program's: an invitation, or an answer to one. What is inside attached messages is not."""
    calendar_method: str | None = None
    """The iTIP method in upper case (RFC 5546), of the first calendar part that names one."""
    calendar_file: bool = False
    """A calendar is attached as a file, which some servers make the whole message of."""
    tnef: bool = False
    signed: bool = False
    encrypted: bool = False
    report: bool = False
    too_deep: bool = False
    too_many_parts: bool = False
    too_many_fields: bool = False
    header_too_large: bool = False
