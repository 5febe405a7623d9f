"""Reading the Date field (RFC 5322 §3.3, §4.3). Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_LONGEST = 100
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(
    r"\s*+(?:[A-Za-z]{3,9}\s*+,)?+\s*+([0-9]{1,2}+)\s++([A-Za-z]{3})[A-Za-z]*+\s++([0-9]{4}|[0-9]{2})\s++"
    r"([0-9]{1,2}+)\s*+:\s*+([0-9]{2})(?:\s*+:\s*+([0-9]{2}))?+\s*+([+-][0-9]{4}|[A-Za-z]{1,5})"
)
_ZONES = {"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8}


def sent_at(field: str) -> datetime | None:
    """The moment in a Date field, with its own offset. None where it can't be read.

    An offset of zero may mean that the sender's zone isn't told (``-0000``, and what many servers write).
    """
    found = _DATE.match(field[:_LONGEST])
    if not found:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    if month.lower() not in _MONTHS:
        return None
    number = int(year) + (0 if len(year) == 4 else 2000 if int(year) < 50 else 1900)
    try:
        return datetime(
            number,
            _MONTHS.index(month.lower()) + 1,
            int(day),
            int(hour),
            int(minute),
            min(int(second or 0), 59),  # a leap second
            tzinfo=_offset(zone),
        )
    except ValueError:
        return None


def _offset(zone: str) -> timezone:
    """Of ``+0100`` or ``PST``; other names say nothing (RFC 5322 §4.3)."""
    if zone[0] not in "+-":
        return timezone(timedelta(hours=_ZONES[zone.lower()])) if zone.lower() in _ZONES else UTC
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    return timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
