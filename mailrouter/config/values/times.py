"""Dates and times as partners write them. Wall times of the role's zone; nothing here knows a time zone.

A time is ``9:00`` or ``09:00``, ``24:00`` ends a day; a range has a hyphen or a dash and may cross midnight;
a date is ``2026-12-21`` (ISO 8601), a moment a date and a time.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from mailrouter.config.values.date_guesses import date_meant, range_meant
from mailrouter.config.values.errors import Wrong, shown

DAY = 24 * 60
RANGE_HINT = "write it as 09:00-17:00"
DATE_HINT = "write it as 2026-12-21"
MOMENT_HINT = "write it as 2026-12-21 or 2026-12-21 13:00"

_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_RANGE = re.compile(
    r"((?:[^\s\u2013\u2014-]++|\s++(?![\u2013\u2014-]))*+)(\s*+[\u2013\u2014-]\s*+)(.*)", re.DOTALL
)
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_IN_WORDS = re.compile(r"(?:from )?(\S++)(\s++(?:to|till|until)\s++)(\S++)", re.IGNORECASE)
_MOMENT = re.compile(r"(\S[^\sT]*+)([ T]++)(\S++)")
_DAYS = re.compile(r"(\S+)(\s+(?:until|to|till|-|\u2013|\u2014)\s+)(\S+)", re.IGNORECASE)
_DAY_THEN = re.compile(r"(\S+)(\s+)(.+)")
_MOST_DAYS = 366
_FIRST_YEAR, _LAST_YEAR = 2000, 2199


def time_of_day(text: str, hint: str = "write it as 09:00") -> int:
    """Minutes since midnight, 0 to 1440. Raises Wrong."""
    found = _TIME.fullmatch(text)
    if found:
        hours, minutes = int(found[1]), int(found[2])
        if minutes < 60 and hours * 60 + minutes <= DAY:
            return hours * 60 + minutes
        if minutes < 60:
            raise Wrong(f"{shown(text)} is not a time", "the hours of a day go from 00:00 to 24:00")
    raise Wrong(f"{shown(text)} is not a time" if text else "a time is missing", hint)


def time_range(text: str) -> tuple[int, int]:
    """Start and end in minutes since midnight; an end on the next day is over 1440. Raises Wrong.

    >>> time_range("22:00-06:00")
    (1320, 1800)
    """
    found = _RANGE.fullmatch(text) or _IN_WORDS.fullmatch(text)
    if not found:
        raise Wrong(f"{shown(text)} is not a range of times", RANGE_HINT)
    hint = f"write it as {meant}" if (meant := range_meant(found[1], found[3])) else RANGE_HINT
    if found.re is _IN_WORDS:
        raise Wrong(f"{shown(text)} is not a range of times", hint)
    start = time_of_day(found[1], hint)
    try:
        end = time_of_day(found[3], hint)
    except Wrong as wrong:
        raise wrong.further(found.start(3)) from None
    if start == DAY:
        raise Wrong(
            "24:00 is the end of a day, so nothing can start then", "write 00:00 on the day that begins"
        )
    if start == end:
        raise Wrong(f"{shown(text)} starts and ends at the same time", "a whole day is 00:00-24:00")
    return start, end if end > start else end + DAY


def day(text: str) -> date:
    """A date. Raises Wrong."""
    if found := _ISO_DATE.fullmatch(text):
        year, month, day_ = int(found[1]), int(found[2]), int(found[3])
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise Wrong(f"the year {found[1]} can't be meant", f"years go from {_FIRST_YEAR} to {_LAST_YEAR}")
        try:
            return date(year, month, day_)
        except ValueError:
            raise Wrong(f"there is no {text} in the calendar", "a date is year-month-day") from None
    what, hint = date_meant(text) if len(text) < 40 else ("", "")
    raise Wrong(what or f"{shown(text)} is not a date", hint or DATE_HINT)


def days_between(text: str) -> tuple[date, date]:
    """The first and the last of some days: ``2026-12-24`` or ``2026-12-24 until 2026-12-31``. Raises Wrong."""
    found = _DAYS.fullmatch(text)
    if not found:
        on = day(text)
        return on, on
    first = day(found[1])
    try:
        last = day(found[3])
    except Wrong as wrong:
        raise wrong.further(found.start(3)) from None
    if last < first:
        raise Wrong(
            f"{found[3]} lies before {found[1]}", "write the earlier day first", offset=found.start(3)
        )
    if last - first > timedelta(days=_MOST_DAYS):
        raise Wrong("these are more days than a year has", "change the rota instead, or look at the years")
    return first, last


def day_and_hours(text: str) -> tuple[date, tuple[int, int] | None]:
    """A day, and the hours of it that may follow: ``2026-12-08 09:00-13:00``. Raises Wrong."""
    if _ISO_DATE.fullmatch(text):
        return day(text), None
    found = _MOMENT.fullmatch(text) or _DAY_THEN.fullmatch(text)
    if not found:
        return day(text), None
    on = day(found[1])
    try:
        return on, time_range(found[3])
    except Wrong as wrong:
        raise wrong.further(found.start(3)) from None


def moment(text: str) -> date | datetime:
    """A date, or a date with a time; ``24:00`` is the next midnight. Raises Wrong."""
    if _ISO_DATE.fullmatch(text):
        return day(text)
    found = _MOMENT.fullmatch(text)
    if not found:
        try:
            return day(text)
        except Wrong as wrong:
            guessed = wrong.hint != DATE_HINT or date_meant(text)[1]
            raise Wrong(wrong.what, wrong.hint if guessed else MOMENT_HINT) from None
    on = day(found[1])
    try:
        minutes = time_of_day(found[3], MOMENT_HINT)
    except Wrong as wrong:
        raise wrong.further(found.start(3)) from None
    return datetime(on.year, on.month, on.day) + timedelta(minutes=minutes)


def midnight(on: date) -> datetime:
    """The first moment of a day."""
    return datetime(on.year, on.month, on.day)
