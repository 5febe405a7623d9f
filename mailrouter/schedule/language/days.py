"""Reading one day, or a time of it, without guessing. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from mailrouter.schedule.date_words import MONTHS, WEEKDAYS, clock_words, date_words
from mailrouter.schedule.language.lexer import Reader, Unclear

NOON = 12 * 60
"""Where a morning ends and an afternoon begins, in minutes."""
FAR_AHEAD = timedelta(days=300)
"""A date without a year that lies further ahead was probably meant to have been a few weeks ago."""
ONE_DAY = timedelta(days=1)
_LONGEST_LIST = 60
"""Words of a list of days: one month has 31."""

WEEKDAY = {
    short: number
    for number, name in enumerate(WEEKDAYS)
    for short in (
        name.lower(),
        name.lower()[:3],
        {1: "tues", 2: "weds", 3: "thurs"}.get(number, name.lower()),
    )
} | {"thur": 3}
MONTH = {short: n for n, name in enumerate(MONTHS, 1) for short in (name.lower(), name.lower()[:3])} | {
    "sept": 9
}
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s?(?:([ap])\.?m\.?)?\Z")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of the day in minutes, as it was ``typed``; ``other`` is what else it can mean, half a day later."""

    minute: int
    other: int | None = None
    typed: str = ""
    bare: bool = False
    """The time is a number alone, as the 2 in ``2-4``."""
    half: bool = False
    """The time was typed with am or pm."""

    @property
    def meanings(self) -> tuple[int, ...]:
        """All that it can mean."""
        return (self.minute,) if self.other is None else (self.minute, self.other)

    def before(self, end: Clock) -> Clock:
        """The nearest such time before ``end``, sharing its am or pm. ``2:00 - 2:30 pm`` is such a pair."""
        if not end.half or self.other is None:
            return self
        earlier = [minute for minute in self.meanings if minute < end.minute]
        return Clock(max(earlier), typed=self.typed) if earlier else self


def read_time(reader: Reader) -> Clock | None:
    """A time of the day, if one stands here. Raises Unclear."""
    reader.skip("at", "from")
    return clock(reader)


def clock(reader: Reader) -> Clock | None:
    """A time of the day, if one stands right here. Raises Unclear."""
    if reader.accept("noon"):
        return Clock(NOON, typed="noon")
    if reader.peek().kind != "clock":
        return None
    typed = reader.next()
    found = _CLOCK.match(typed.text)
    if found:
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
        if half and 1 <= hour <= 12 and minute < 60:
            return Clock((hour % 12 + (12 if half == "p" else 0)) * 60 + minute, typed=typed.typed, half=True)
        if not half and minute < 60 and hour * 60 + minute <= 24 * 60:
            at = hour * 60 + minute
            later = at + NOON if 1 <= hour < 12 and not found[1].startswith("0") else None
            return Clock(at, later, typed.typed)
    raise Unclear(f"{typed.typed} is no time; write it as 14:00 or 2 pm.")


def bare_clock(reader: Reader) -> Clock | None:
    """An hour from 1 to 12, given as a bare number."""
    token = reader.peek()
    if token.kind != "number" or token.typed != token.text or not 1 <= int(token.text) <= 12:
        return None
    reader.next()
    hour = int(token.text)
    return (
        Clock(NOON, None, token.typed, True)
        if hour == 12
        else Clock(hour * 60, hour * 60 + NOON, token.typed, True)
    )


def settled(
    reader: Reader, day: date, start: Clock | None, end: Clock | None
) -> tuple[int | None, int | None]:
    """The minutes of ``day`` for two times, either perhaps missing.

    Where they can be in the morning or the afternoon, the hours in which somebody works decide, if only one reading
    lies within them. Raises Unclear.
    """
    if start is not None and end is not None:
        start = start.before(end)
    typed = [time for time in (start, end) if time is not None]
    if reader.hours is None or not any(time.other is not None or time.bare for time in typed):
        return (start.minute if start else None), (end.minute if end else None)
    readings = [
        (first, last)
        for first in (start.meanings if start else (None,))
        for last in (end.meanings if end else (None,))
        if first is None or last is None or first < last
    ]
    hours, working = reader.hours(day)
    fitting = [found for found in readings if all(m is None or _within(m, hours) for m in found)]
    if len(fitting) == 1 and (working or not any(time.bare for time in typed)):
        return fitting[0]
    said = " to ".join(time.typed for time in typed)
    could = " or ".join(
        " to ".join(clock_words(minute) for minute in found if minute is not None) for found in readings[:4]
    )
    if not could:
        raise Unclear("It would end before it begins.")
    raise Unclear(f"Is {could} meant by {said}? Write it as 14:00 or 2 pm.")


def settled_start(reader: Reader, day: date, time: Clock | None) -> int | None:
    """As ``settled``, of one time."""
    return settled(reader, day, time, None)[0]


def _within(minute: int, hours: tuple[int, int]) -> bool:
    return hours[0] <= minute <= hours[1] or hours[0] <= minute + 2 * NOON <= hours[1]


def read_day(reader: Reader, today: date, after: date | None = None) -> date | None:
    """A day, if one stands here; with ``after`` it is the end of something that begins then. Raises Unclear."""
    here = reader.at
    reader.skip("on", "the")
    token = reader.peek()
    if reader.accept("day after tomorrow"):
        return today + 2 * ONE_DAY
    if token.text == "yesterday":
        raise Unclear("Yesterday is over already.")
    if token.text in ("today", "tonight", "tomorrow") and reader.next():
        if token.text == "tonight":
            raise Unclear('Write the hours instead of "tonight", as in "from 18:00".')
        return today + (token.text == "tomorrow") * ONE_DAY
    if token.text == "this" and reader.peek(1).text in ("morning", "afternoon"):
        reader.next()
        return today
    if token.text in ("this", "next") and reader.peek(1).text in WEEKDAY:
        reader.next()
        return _this_or_next(token.text, WEEKDAY[reader.next().text], today)
    if token.text in WEEKDAY:
        return _weekday(reader, today, after)
    found = calendar_day(reader, today, after)
    if found is None:
        reader.at = here
    return found


def _weekday(reader: Reader, today: date, after: date | None) -> date:
    weekday = WEEKDAY[reader.next().text]
    here = reader.at
    reader.skip(",", "the")
    named = calendar_day(reader, today, after)
    if named is not None:
        if named.weekday() != weekday:
            raise Unclear(f"{date_words(named, today)} is no {WEEKDAYS[weekday]}.")
        return named
    reader.at = here
    if (week := week_named(reader, today)) is not None:
        return week + timedelta(days=weekday)
    if after is not None:
        return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)
    ahead = (weekday - today.weekday()) % 7
    if ahead == 0:
        raise Unclear(f"Is today meant by {WEEKDAYS[weekday]}, or {short(today + timedelta(days=7))}?")
    return today + timedelta(days=ahead)


def week_named(reader: Reader, today: date) -> date | None:
    """The Monday of ``this week`` or ``next week``, where that stands here. Raises Unclear."""
    reader.skip("of")
    monday = today - timedelta(days=today.weekday())
    if reader.accept("this week"):
        return monday
    if reader.accept("next week"):
        if today.weekday() == 6:
            raise Unclear("Is the week that begins tomorrow meant, or the one after? Write its days.")
        return monday + timedelta(days=7)
    return None


def _this_or_next(which: str, weekday: int, today: date) -> date:
    ahead = weekday - today.weekday()
    name = WEEKDAYS[weekday]
    if which == "this":
        if ahead < 0:
            raise Unclear(f"This week's {name} is over; is {short(today + timedelta(days=ahead + 7))} meant?")
        return today + timedelta(days=ahead)
    first = today + timedelta(days=ahead % 7 or 7)
    second = first + timedelta(days=7)
    raise Unclear(f'Is {short(first)} meant by "next {name}", or {short(second)}? Write the date.')


def calendar_day(reader: Reader, today: date, after: date | None) -> date | None:
    """A day by its date, if one stands here: ``21 Dec``, ``December 21st, 2026``, ``2026-12-21``. Raises Unclear."""
    token = reader.peek()
    match token.kind:
        case "iso":
            reader.next()
            return _not_over(date_of(*map(int, token.text.split("-"))), today)
        case "slashed":
            reader.next()
            return _in_figures(token.text.split("/"), token.typed, today, after)
        case "dotted":
            reader.next()
            return _in_figures(token.text.rstrip(".").split("."), token.typed, today, after)
    here = reader.at
    day: int | None = None
    month: int | None = None
    if token.kind == "number":
        day = int(reader.next().text)
        reader.accept("of", ".")
        month = _month(reader) or _month_of_list(reader)
    elif (month := _month(reader)) is not None and reader.accept(".") in ("", "."):
        reader.accept("the")
        day = int(reader.next().text) if reader.peek().kind == "number" else None
    if day is None or month is None:
        reader.at = here
        if token.kind == "number":
            raise Unclear(f'Which day is meant by "{token.typed}"? Write it as 21 Dec, and a time as 14:00.')
        return None
    here = reader.at
    reader.accept(",")
    if reader.peek().kind == "number" and len(reader.peek().text) == 4:
        return _not_over(date_of(int(reader.next().text), month, day), today)
    reader.at = here
    return _nearest(month, day, today, after)


def month_at(reader: Reader, ahead: int) -> int | None:
    """The month that is named so many words further on."""
    if reader.peek(ahead).text == "of":
        ahead += 1
    return MONTH.get(reader.peek(ahead).text)


def _month_of_list(reader: Reader) -> int | None:
    """``4, 11 and 18 Dec``: the month that stands once, behind the last of several days."""
    ahead = 0
    while ahead < _LONGEST_LIST and reader.peek(ahead).text in (",", "and", "&"):
        ahead += 1
        if reader.peek(ahead).text == "and":
            ahead += 1
        if reader.peek(ahead).kind != "number":
            return None
        ahead += 1
        if (month := month_at(reader, ahead)) is not None:
            return month
    return None


def _month(reader: Reader) -> int | None:
    found = MONTH.get(reader.peek().text)
    if found is not None:
        reader.next()
    return found


def _in_figures(parts: list[str], typed: str, today: date, after: date | None) -> date:
    """``21/12``, ``12/21/2026``: only where one of the two can't be a month, or both are the same."""
    first, second = int(parts[0]), int(parts[1])
    if first <= 12 and second <= 12 and first != second:
        one, two = f"{first} {MONTHS[second - 1]}", f"{second} {MONTHS[first - 1]}"
        raise Unclear(f"{typed} can be {one} or {two}. Write the month as a word.")
    day, month = (first, second) if second <= 12 else (second, first)
    if len(parts) < 3:
        return _nearest(month, day, today, after)
    if len(parts[2]) != 4:
        raise Unclear(f"Write the year in {typed} with four figures.")
    return _not_over(date_of(int(parts[2]), month, day), today)


def _nearest(month: int, day: int, today: date, after: date | None) -> date:
    """The first such day from today, or from its range's beginning."""
    start = after or today
    try:
        found = date(start.year, month, day)
        if found < start:
            found = date(start.year + 1, month, day)
    except ValueError:
        raise Unclear(f"There is no {day} {MONTHS[month - 1] if 1 <= month <= 12 else month}.") from None
    if found - start > FAR_AHEAD:
        gone = date(found.year - 1, month, day) if (month, day) != (2, 29) else found
        raise Unclear(f"{date_words(gone, today)} is over. If {found.year} is meant, write the year.")
    return found


def date_of(year: int, month: int, day: int) -> date:
    """The date of a day as it was said. Raises Unclear where there is none."""
    try:
        return date(year, month, day)
    except ValueError:
        raise Unclear(f"There is no {year}-{month:02}-{day:02} in the calendar.") from None


def _not_over(day: date, today: date) -> date:
    if day < today:
        raise Unclear(f"{date_words(day, today)} is over already.")
    if day.year > today.year + 2:
        raise Unclear(f"Is the year {day.year} meant?")
    return day


def short(day: date) -> str:
    """``Monday 21 December``."""
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
