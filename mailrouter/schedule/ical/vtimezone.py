"""A time zone as VTIMEZONE (RFC 5545 §3.6.5), exact within a range. Pure.

Rules (``RRULE``) would have to be guessed from a zone whose data are changes; a feed is read again each hour
and covers a known range, so the changes themselves are exact, in Casablanca too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.ical.text import content_line

_STEP = timedelta(days=1)
_BEFORE = timedelta(days=400)
"""How long before the range the first change may lie: a whole year of changes is always there."""

Clock = tuple[timedelta, bool, str]
"""What the clocks of a zone do: their offset from UTC, whether it is daylight saving time, and its short name."""


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """The changes of the clocks within (start, end], to the second. Changes a day apart are found."""
    while start < end:
        upto = min(start + _STEP, end)
        if _clock(start, zone) != _clock(upto, zone):
            low, high = 0, int((upto - start).total_seconds())
            while high - low > 1:
                middle = (low + high) // 2
                if _clock(start + timedelta(seconds=middle), zone) == _clock(start, zone):
                    low = middle
                else:
                    high = middle
            yield start + timedelta(seconds=high)
        start = upto


def vtimezone(zone: ZoneInfo, start: datetime, end: datetime) -> bytes:
    """The component for times between ``start`` and ``end`` (aware); nothing for UTC, which needs none."""
    if zone.key == "UTC":
        return b""
    first = start - _BEFORE
    parts = [content_line("BEGIN", "VTIMEZONE"), content_line("TZID", zone.key)]
    before = _clock(first, zone)
    parts += _observance(datetime(1970, 1, 1), before, before)
    for moment in changes(zone, first, end):
        after = _clock(moment, zone)
        # The onset is told in the wall time that the change ends (RFC 5545 §3.6.5).
        parts += _observance(moment.replace(tzinfo=None) + before[0], before, after)
        before = after
    return b"".join((*parts, content_line("END", "VTIMEZONE")))


def _observance(onset: datetime, before: Clock, after: Clock) -> Iterator[bytes]:
    kind = "DAYLIGHT" if after[1] else "STANDARD"
    yield content_line("BEGIN", kind)
    yield content_line("DTSTART", f"{onset:%Y%m%dT%H%M%S}")
    yield content_line("TZOFFSETFROM", _offset(before[0]))
    yield content_line("TZOFFSETTO", _offset(after[0]))
    yield content_line("TZNAME", after[2])
    yield content_line("END", kind)


def _offset(offset: timedelta) -> str:
    """``-0800``; with seconds only where there are some (RFC 5545 §3.3.14)."""
    seconds = abs(int(offset.total_seconds()))
    sign = "-" if offset < timedelta(0) else "+"
    rest = f"{seconds % 60:02}" if seconds % 60 else ""
    return f"{sign}{seconds // 3600:02}{seconds % 3600 // 60:02}{rest}"


def _clock(moment: datetime, zone: ZoneInfo) -> Clock:
    local = moment.astimezone(zone)
    return local.utcoffset() or timedelta(0), bool(local.dst()), local.tzname() or zone.key
