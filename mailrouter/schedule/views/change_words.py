"""Changes of a schedule in words. Pure.

>>> span_words(datetime(2026, 12, 21), datetime(2027, 1, 2), date(2026, 12, 3))
'from Monday 21 December to Friday 1 January 2027'
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.date_words import MONTHS, called, clock_words, date_words, joined
from mailrouter.schedule.localtime import DAY
from mailrouter.schedule.model import FOREVER, Absence, Role, Swap
from mailrouter.schedule.nights import Nights
from mailrouter.schedule.swaps import swap_minutes


def swap_words(swap: Swap, role: Role, today: date) -> str:
    """A swap as a sentence. ``Laurie works on Thursday 3 December instead of Elaine, and Elaine on … in return.``"""
    names = called(role)
    others = _others(role, swap, swap.day, names)
    hours = ""
    if swap.start is not None and swap.end is not None:
        hours = f" from {clock_words(swap.start)} to {clock_words(swap.end)}"
    if any(end > DAY for _, end in swap_minutes(swap, role)):
        hours += f", {night_words(swap.day)},"
    words = f"{names[swap.who]} works on {date_words(swap.day, today)}{hours} instead of {others}"
    if swap.given_back:
        others = _others(role, swap, swap.given_back, names)
        words += f", and {others} on {date_words(swap.given_back, today)}"
        if swap.back_start is not None and swap.back_end is not None:
            words += f" from {clock_words(swap.back_start)} to {clock_words(swap.back_end)}"
        words += " in return"
    return f"{words}."


def _others(role: Role, swap: Swap, day: date, names: Mapping[str, str]) -> str:
    return joined(names[p.key] for p in role.partners if p.key != swap.who and p.is_partner_on(day))


def span_words(start: datetime, end: datetime, today: date) -> str:
    """``on Thursday 3 December``, ``on … from 14:00``, ``from … to …``: wall times, ``end`` not included.

    >>> span_words(datetime(2026, 12, 21), datetime(2027, 1, 2), date(2026, 12, 3))
    'from Monday 21 December to Friday 1 January 2027'
    """
    if end == FOREVER:
        return f"from {moment_said(start, today).removeprefix('on ')} until further notice"
    last = (end - timedelta(microseconds=1)).date()
    first_time = "" if start.time() == time.min else f"{start:%H:%M}"
    last_time = "" if end.time() == time.min else f"{end:%H:%M}"
    first_day, last_day = date_words(start.date(), today), date_words(last, today)
    if start.date() != last:
        at = f" at {first_time}" if first_time else ""
        return f"from {first_day}{at} to {last_day}" + (f" at {last_time}" if last_time else "")
    hours = f" from {first_time}" if first_time else ""
    hours += f" {'to' if first_time else 'until'} {last_time}" if last_time else ""
    return f"on {first_day}{hours}"


def away_words(role: Role, absence: Absence, today: date) -> str:
    """``span_words`` of an absence, with the night that it takes: ``…, the night of 8 to 9 December``."""
    words = span_words(absence.start, absence.end, today)
    if not absence.until_day or absence.open_ended or not Nights(role).night(absence.last_day, absence.who):
        return words
    one = absence.from_day and absence.start.date() == absence.last_day
    return through_night(words, absence.last_day, one=one)


def through_night(words: str, day: date, *, one: bool) -> str:
    """``words`` of a stretch that ends with its last night.

    The night begins on ``day``; ``one``: it is of that day alone.
    """
    return f"{words}, {night_words(day)}" if one else f"{words}, to the end of {night_words(day)}"


def night_words(day: date) -> str:
    """``the night of 8 to 9 December``: the one that begins on ``day``.

    >>> night_words(date(2026, 12, 31))
    'the night of 31 December to 1 January'
    """
    after = day + timedelta(days=1)
    month = "" if day.month == after.month else f" {MONTHS[day.month - 1]}"
    return f"the night of {day.day}{month} to {after.day} {MONTHS[after.month - 1]}"


def moment_said(moment: datetime, today: date) -> str:
    """``today``, ``on Monday 7 December from 10:00``: a wall time."""
    day = "today" if moment.date() == today else f"on {date_words(moment.date(), today)}"
    minute = moment.hour * 60 + moment.minute
    return f"{day} from {clock_words(minute)}" if minute else day


def times_of(role: Role, key: str) -> str:
    """`` (times of Europe/Berlin)``, where a partner's clocks aren't the role's."""
    zone = role.person(key).time_zone
    return f" (times of {zone.key})" if zone is not None and zone.key != role.time_zone.key else ""
