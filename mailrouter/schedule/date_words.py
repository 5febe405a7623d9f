"""Dates, times and names as people say them. Pure; independent of the machine's locale."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.localtime import DAY
from mailrouter.schedule.model import Role

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FAR = timedelta(days=180)


def date_words(day: date, reference: date) -> str:
    """``Thursday 3 December``, with the year where ``reference`` has another.

    >>> date_words(date(2026, 12, 3), date(2026, 1, 1)), date_words(date(2027, 1, 4), date(2026, 12, 30))
    ('Thursday 3 December', 'Monday 4 January 2027')
    """
    plain = f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
    return plain if day.year == reference.year else f"{plain} {day.year}"


def near_date_words(day: date, reference: date) -> str:
    """``Friday 1 January``, with the year from half a year's distance on.

    The weekday says enough until then, and the words stay the same at New Year.
    """
    return date_words(day, day if abs(day - reference) < _FAR else reference)


def short_date(day: date) -> str:
    """``Thu 3 Dec``, for tables."""
    return f"{WEEKDAYS[day.weekday()][:3]} {day.day} {MONTHS[day.month - 1][:3]}"


def clock_words(minute: int) -> str:
    """``09:00`` for 540 minutes since midnight; 1440 is ``24:00``, and 1800 is ``06:00`` of the next day."""
    minute = minute if minute <= DAY else minute - DAY
    return f"{minute // 60:02}:{minute % 60:02}"


def moment_words(moment: datetime, zone: ZoneInfo, reference: date) -> str:
    """``Monday 4 January at 09:00``: an aware moment as the clocks of ``zone`` show it."""
    local = moment.astimezone(zone)
    return f"{date_words(local.date(), reference)} at {local:%H:%M}"


def joined(words: Iterable[str]) -> str:
    """``Ann``, ``Ann and Ben``, ``Ann, Ben and Cleo``; nothing for nobody."""
    *most, last = tuple(words) or ("",)
    return f"{', '.join(most)} and {last}" if most else last


def called(role: Role) -> dict[str, str]:
    """Everybody's name by key: the first name, or the full name where two share the first."""
    firsts = [person.first_name for person in role.people]
    return {p.key: p.first_name if firsts.count(p.first_name) == 1 else p.name for p in role.people}
