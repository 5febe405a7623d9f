"""Working hours of a day, for settling am or pm. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.language.lexer import Hours
from mailrouter.schedule.localtime import at_minute
from mailrouter.schedule.model import Role
from mailrouter.schedule.partnership import Terms


def hours_of(role: Role, author: str) -> Callable[[date], tuple[Hours, bool]]:
    """The outer bounds of a day's hours, and whether anybody works.

    They are the earliest beginning and the latest end of the role's hours and of that day's shifts, in wall minutes of
    the zone of ``author`` (a partner's key).
    """
    terms = Terms(role)
    zone = terms.zone(author)

    def hours(day: date) -> tuple[Hours, bool]:
        shifts = terms.shifts(day)
        spans = [
            (role.hours, role.time_zone),
            *(((s.start, s.end), s.zone or role.time_zone) for s in shifts),
        ]
        there = [tuple(minute + _ahead(day, own, zone) for minute in span) for span, own in spans]
        return (min(first for first, _ in there), max(last for _, last in there)), bool(shifts)

    return hours


def _ahead(day: date, one: ZoneInfo, other: ZoneInfo) -> int:
    """Minutes by which ``other`` is ahead of ``one`` at noon of ``day``."""
    if one.key == other.key:
        return 0
    noon = at_minute(day, 12 * 60, one)
    wall = [noon.astimezone(zone).replace(tzinfo=None) for zone in (one, other)]
    return int((wall[1] - wall[0]) / timedelta(minutes=1))
