"""Content lines of iCalendar (RFC 5545 §3.1): escaped, folded, ended with CRLF. Pure."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

MAX_OCTETS = 75
"""Octets of one line without its line break (RFC 5545 §3.1)."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def content_line(name: str, value: str) -> bytes:
    """``NAME:value`` and CRLF, folded at 75 octets between characters.

    ``name`` may hold parameters. Longer lines go on after a line break and a space.
    """
    line = f"{name}:{value}".encode()
    if len(line) <= MAX_OCTETS:
        return line + b"\r\n"
    parts = []
    start, room = 0, MAX_OCTETS
    while len(line) - start > room:
        end = start + room
        while line[end] & 0xC0 == 0x80:  # in the middle of a character (UTF-8)
            end -= 1
        parts.append(line[start:end])
        start, room = end, MAX_OCTETS - 1
    return b"\r\n ".join((*parts, line[start:])) + b"\r\n"


def escaped(text: str) -> str:
    r"""A TEXT value (RFC 5545 §3.3.11): ``\``, ``;``, ``,`` and line breaks escaped, control characters left out.

    >>> print(escaped("Hours, 9; 5"))
    Hours\, 9\; 5
    """
    plain = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    for raw, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        plain = plain.replace(raw, written)
    return plain


def utc_form(moment: datetime) -> str:
    """An aware moment as ``20261203T170000Z`` (form 2 of RFC 5545 §3.3.5); seconds are cut, not rounded."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def date_form(day: date) -> str:
    """A day as ``20261203``."""
    return f"{day:%Y%m%d}"


def moment_line(name: str, moment: datetime, zone: ZoneInfo) -> bytes:
    """A date-time property in wall time of ``zone``, or in UTC. Wall time (form 3) is used where it is exact.

    A local time that comes twice means the first of the two (RFC 5545 §3.3.5), so the second is in UTC.
    """
    local = moment.astimezone(zone)
    if zone.key == "UTC" or local.fold:
        return content_line(name, utc_form(moment))
    return content_line(f"{name};TZID={zone.key}", f"{local:%Y%m%dT%H%M%S}")
