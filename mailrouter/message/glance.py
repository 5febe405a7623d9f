"""A look at a part's first octets, beyond its header. Pure; never raises."""

from __future__ import annotations

import re
from typing import NamedTuple

CALENDAR = 4 * 1024
"""Octets of a calendar in which its method is looked for: it stands above the first entry (RFC 5545 §3.6)."""
TEXT = 128
"""Octets of a text in which the mark of an encrypted one is looked for."""

_PGP = (b"-----BEGIN PGP MESSAGE-----", b"LS0tLS1CRUdJTiBQR1AgTUVTU0FHRS0tLS0t")
_FOLD = re.compile(rb"\r?\n[ \t]")
_METHOD = re.compile(rb"^METHOD(?:;[^:\r\n]*+)?:[ \t]*+([A-Za-z-]{1,20})[ \t]*+$", re.I | re.M)
_ENTRY = re.compile(rb"^BEGIN:(?!VCALENDAR)", re.I | re.M)


class Glance(NamedTuple):
    """A part whose first ``octets`` are wanted once they arrive.

    ``encoding`` is its transfer encoding in lower case. ``beside``: it stands beside other parts, as a file would,
    and not in the text's place.
    """

    octets: int
    encoding: str
    kind: str
    beside: bool


def begins_encrypted(octets: bytes) -> bool:
    """Whether a text is a PGP message, plainly or in base64. A signed text stays whole in any place."""
    return octets.lstrip().startswith(_PGP)


def method_of(calendar: bytes) -> str | None:
    """A calendar's method in upper case (RFC 5545 §3.7.2), if above entries.

    >>> method_of(b"BEGIN:VCALENDAR\\r\\nMETHOD:Reply\\r\\nBEGIN:VEVENT\\r\\n")
    'REPLY'
    """
    lines = _FOLD.sub(b"", calendar).replace(b"\r\n", b"\n")
    entry = _ENTRY.search(lines)
    found = _METHOD.search(lines, 0, entry.start() if entry else len(lines))
    return found[1].decode("ascii").upper() if found else None
