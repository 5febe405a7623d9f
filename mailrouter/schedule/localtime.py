"""Wall times of a role's zone, turned into UTC. Pure.

Everything else compares in UTC: arithmetic on two datetimes of the same zone is wall-time arithmetic in
Python and ignores ``fold`` (PEP 495), so an hour would be lost or won twice a year.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes in a day of the wall clock."""


@lru_cache(maxsize=16384)
def to_utc(wall: datetime, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """The UTC moment at which clocks of ``zone`` show ``wall`` (naive).

    Where the clocks show it twice, a start is the first and an ``end`` the second of the two. Where they
    skip it, both are the moment of the skip: wall ranges that follow one another don't overlap there.
    """
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    if first <= second:
        return second if end else first
    # PEP 495: in a gap, fold=0 lands after the skip and fold=1 before it.
    return _skip_between(second, first, zone)


def _skip_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment, to the second, at which the zone's offset changes."""
    offset = after.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return before + timedelta(seconds=high)


@lru_cache(maxsize=16384)
def at_minute(day: date, minute: int, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """The UTC moment of ``minute`` of ``day``, since midnight. Above 1440 it is on the next day."""
    return to_utc(datetime.combine(day, time.min) + timedelta(minutes=minute), zone, end=end)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which ``day`` begins in ``zone``. A day that was skipped has no length."""
    return at_minute(day, 0, zone)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day of ``zone`` that holds ``moment``, by the bounds of ``day_start``.

    This is not always the date that the clocks show: where they go back over midnight, the old date is
    shown for a second time within the new day.
    """
    day = moment.astimezone(zone).date()
    following = day + timedelta(days=1)
    return following if moment >= day_start(following, zone) else day


def minutes_range(start: int, end: int) -> tuple[int, int]:
    """The range with its end after its start: 22:00 to 06:00 ends on the next day."""
    return (start, end) if end > start else (start, end + DAY)
