"""Stretches of time in the words people use, and never a guess: what can mean two things is asked back. Pure.

>>> from datetime import datetime
>>> spans_in("21 Dec to 1 Jan", datetime(2026, 12, 3, 10))[0].last_day.isoformat()
'2027-01-01'
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.date_words import MONTHS, date_words
from mailrouter.schedule.language.days import (
    FAR_AHEAD,
    MONTH,
    NOON,
    ONE_DAY,
    WEEKDAY,
    Clock,
    bare_clock,
    calendar_day,
    clock,
    date_of,
    month_at,
    read_day,
    settled,
    settled_start,
    short,
    week_named,
)
from mailrouter.schedule.language.lexer import Reader, Unclear, tokens
from mailrouter.schedule.model import FOREVER

LONGEST = 400
"""Days of one absence: more is a slip of the pen, or a matter for the partners themselves."""
_BETWEEN = ("up to and including", "up to", "to", "until", "till", "through", "thru", "-")
_BEGINS = {*WEEKDAY, *MONTH, "today", "tomorrow", "the", "next", "this", "noon", "further"}
"""Words with which a day or a time begins."""
_OPEN = "further notice"
_NUMBERS = {
    word: number
    for number, word in enumerate(("one", "two", "three", "four", "five", "six", "seven", "eight"), 1)
} | {"a": 1, "an": 1}
_GRACE = timedelta(hours=1)
"""How long ago "from 14:00" may lie: a mail is written, sent and read meanwhile."""
_REST_OF_TODAY = (
    *("the rest of the day", "the rest of today", "rest of the day", "rest of today"),
    *("from now", "now", "right now", "immediately"),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of time: wall times, ``end`` not included; ``FOREVER`` where nobody knows yet.

    ``from_day`` and ``until_day``: that bound was said as a day, without a time.
    """

    start: datetime
    end: datetime
    from_day: bool = True
    until_day: bool = True

    @property
    def whole_days(self) -> bool:
        """Whether the stretch was said in days alone."""
        return self.from_day and self.until_day

    @property
    def last_day(self) -> date:
        """The last day in it."""
        return (self.end - timedelta(microseconds=1)).date()


def spans_in(text: str, now: datetime) -> tuple[Said, ...]:
    """The stretches that ``text`` consists of, seen from ``now``. A wall time. Raises Unclear."""
    reader = Reader(tokens(text))
    found = read_spans(reader, now)
    if not reader.ended:
        raise reader.odd()
    return found


def day_in(text: str, today: date) -> date:
    """The one day that ``text`` names. Raises Unclear."""
    reader = Reader(tokens(text))
    found = read_day(reader, today)
    if found is None or not reader.ended:
        raise reader.odd()
    return found


def read_spans(reader: Reader, now: datetime) -> tuple[Said, ...]:
    """One stretch, or several days (``Thursday and Friday``). Raises Unclear where none stands here."""
    found = _spans(reader, now)
    for span in found:
        not_over(span, now)
        if span.end != FOREVER and span.end - span.start > timedelta(days=LONGEST):
            raise Unclear(f"That is more than {LONGEST} days; write it into the file itself, if it is meant.")
    return found


def not_over(span: Said, now: datetime) -> Said:
    """The stretch itself. Raises Unclear where it has ended."""
    if span.end <= now:
        raise Unclear(f"{date_words(span.last_day, now.date())} is over already.")
    return span


def _spans(reader: Reader, now: datetime) -> tuple[Said, ...]:
    today = now.date()
    plural = reader.peek(reader.peek().text == "on").text
    if plural in ("every", "each") or (plural.endswith("s") and plural[:-1] in WEEKDAY and len(plural) > 5):
        raise Unclear(
            'What comes round is written into the file, as "every: friday"; answer "send file" to get it.'
        )
    if stretched := _week(reader, today) or _for_so_long(reader, today):
        return (stretched,)
    reader.skip("on", "for")
    if reader.accept(*_REST_OF_TODAY):
        return (stretch(today, now.hour * 60 + now.minute, today, None),)
    if reader.accept("until", "till", "up to"):
        if reader.accept(_OPEN):
            return (_open_from(today, None),)
        day, time = _point(reader, today)
        if day is None and time is None:
            raise reader.odd()
        return (stretch(today, None, day or today, settled_start(reader, day or today, time)),)
    here = reader.at
    opened = reader.accept("starting from", "starting", "from", "between", "after")
    if (days := _days_of_a_week(reader, today) or _days_of_one_month(reader, today)) is not None:
        return (stretch(days[0], None, days[1], None),)
    opens = reader.at
    reader.at = here
    if (hours := two_times(reader)) is not None:
        reader.skip("on", ",")
        day = read_day(reader, today)
        if day is not None or not hours[0].bare:
            return (timed(reader, now, day or today, *hours),)
    reader.at = opens
    first, time = _point(reader, today)
    if first is None and time is None:
        raise reader.odd()
    if first is not None and time is None:
        if half := _half(reader, first):
            return _and_more(reader, half, today)
        if span := _hours_of(reader, first, now):
            return (span,)
    between: tuple[str, ...] = ("and", *_BETWEEN) if opened == "between" else _BETWEEN
    if reader.peek().text == "-" and reader.peek(1).kind == "word" and reader.peek(1).text not in _BEGINS:
        between = ()  # "off Monday - Elaine covers"
    minute = settled_start(reader, first or today, time) if time else None
    if reader.accept(*between) or (reader.peek(1).kind == "clock" and reader.accept("before")):
        return (not_passed(_range(reader, first or today, minute, today), minute, now),)
    if reader.accept(_OPEN):
        return (not_passed(_open_from(first or today, minute), minute, now),)
    if minute is not None:
        return (not_passed(stretch(first or today, minute, first or today, None), minute, now),)
    assert first is not None
    if opened in ("starting", "starting from", "from", "between", "after"):
        raise Unclear(
            f'Until when? Write "from {short(first)} to …", or "from {short(first)} until further notice".'
        )
    reader.skip("all day", "the whole day")
    return _and_more(reader, stretch(first, None, first, None), today)


def timed(reader: Reader, now: datetime, day: date, start: Clock | None, end: Clock | None) -> Said:
    """A part of ``day`` between two times; from its beginning, or to its end, where one is None. Raises Unclear."""
    first, last = settled(reader, day, start, end)
    return not_passed(stretch(day, first, day, last), first, now)


def not_passed(span: Said, minute: int | None, now: datetime) -> Said:
    """The stretch itself. Raises Unclear where the time that it begins at has passed today: tomorrow's may be meant."""
    if minute is not None and span.start.date() == now.date() and span.start + _GRACE < now:
        raise Unclear(
            f"{span.start:%H:%M} today, {short(now.date())}, has passed. Write the day, and from when to when, as in "
            f'"off {(now.date() + ONE_DAY).day} {MONTHS[(now.date() + ONE_DAY).month - 1]} from 14:00 to 16:00".'
        )
    return span


def _hours_of(reader: Reader, first: date, now: datetime) -> Said | None:
    """Two times behind the day ``first``: ``14:00 to 16:00``, ``2-4``, ``18:00 to 09:00 on Sunday``. Raises Unclear."""
    named = reader.tokens[reader.at - 1].text
    here = reader.at
    reader.accept(",")
    hours = two_times(reader)
    if hours is None:
        reader.at = here
        return None
    if hours[0].bare and named in WEEKDAY and int(hours[0].typed) == first.day:
        # "Monday 7-9" may be the days from Monday the 7th.
        raise Unclear(
            f"Are days or hours meant by {hours[0].typed}-{hours[1].typed}? Write hours as 14:00 or 2 pm."
        )
    here = reader.at
    reader.skip("on", ",")
    last = read_day(reader, now.date(), after=first) if _day_stands_here(reader) else None
    if last is None or last == first:
        reader.at = here if last is None else reader.at
        return timed(reader, now, first, *hours)
    start, end = settled_start(reader, first, hours[0]), settled_start(reader, last, hours[1])
    return not_passed(stretch(first, start, last, end), start, now)


def _day_stands_here(reader: Reader) -> bool:
    return reader.peek().text in _BEGINS or reader.peek().kind in ("iso", "dotted", "slashed")


def _range(reader: Reader, first: date, minute: int | None, today: date) -> Said:
    if reader.accept(_OPEN):
        return _open_from(first, minute)
    if reader.peek().kind == "number" and month_at(reader, 1) is None:
        day = int(reader.next().text)
        if not first.day < day:
            raise Unclear(f"Which month is meant by the {day}?")
        return stretch(first, minute, date_of(first.year, first.month, day), None)
    last, time = _point(reader, today, after=first)
    if last is None and time is None:
        raise reader.odd()
    reader.skip("inclusive", "included")
    if minute is not None and last is None and time is not None:
        return stretch(first, minute, first, settled(reader, first, Clock(minute), time)[1])
    return stretch(first, minute, last or first, settled_start(reader, last or first, time))


def _and_more(reader: Reader, first: Said, today: date) -> tuple[Said, ...]:
    """Further days: ``Thursday and Friday``, ``today, tomorrow and 21 Dec``. Days that touch are one stretch."""
    found = [first]
    while True:
        here = reader.at
        if not reader.accept(", and", "and", "&", ",", "/"):
            break
        reader.skip("on")
        try:
            day = read_day(reader, today, after=found[-1].last_day)
        except Unclear:
            if reader.at == here:
                break
            raise
        if day is None:
            reader.at = here
            break
        span = _half(reader, day) or stretch(day, None, day, None)
        if span.start == found[-1].end:
            found[-1] = Said(found[-1].start, span.end, found[-1].from_day, span.until_day)
        else:
            found.append(span)
    return tuple(found)


def stretch(first: date, minute: int | None, last: date, until: int | None) -> Said:
    """A stretch from a day, or its minute, to another.

    It begins with the first and ends with the second, or before a minute of it. Raises Unclear.
    """
    start = _at(first, minute or 0)
    end = _at(last, until) if until is not None else _at(last + ONE_DAY, 0)
    if end <= start:
        raise Unclear("It would end before it begins.")
    return Said(start, end, minute is None, until is None)


def _open_from(first: date, minute: int | None) -> Said:
    return Said(_at(first, minute or 0), FOREVER, minute is None)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time.min) + timedelta(minutes=minute)


def _week(reader: Reader, today: date) -> Said | None:
    """A week from Monday to Sunday; of this one, what is left."""
    sunday = today + timedelta(days=6 - today.weekday())
    here = reader.at
    reader.skip("for", "on", "in")
    if reader.accept("the week"):
        reader.skip("of", "beginning", "starting", "commencing", "from", "on", "with")
        if (day := read_day(reader, today)) is None:
            raise reader.odd()
        monday = day - timedelta(days=day.weekday())
        return stretch(max(monday, today), None, monday + timedelta(days=6), None)
    if reader.accept(
        "the rest of the week", "the rest of this week", "rest of the week", "rest of this week"
    ):
        return stretch(today, None, sunday, None)
    whole = reader.accept("all of", "all", "the whole of", "the whole", "the entire", "whole")
    if (monday_named := week_named(reader, today)) is not None:
        first = max(monday_named, today)
        return stretch(first, None, monday_named + timedelta(days=6), None)
    if whole and reader.accept("week"):
        return stretch(today, None, sunday, None)
    reader.at = here
    return None


def _for_so_long(reader: Reader, today: date) -> Said | None:
    """``for two weeks from 7 Dec``, ``for 3 days``: all days are counted, the first one too."""
    here = reader.at
    if reader.accept("for"):
        token = reader.next()
        number = int(token.text) if token.kind == "number" else _NUMBERS.get(token.text)
        unit = reader.accept("days", "day", "weeks", "week")
        if number and unit and number <= LONGEST:
            first: date | None = today
            if reader.accept("starting from", "starting on", "starting", "beginning", "from"):
                first = read_day(reader, today)
            if first is not None:
                days = number * (7 if unit.startswith("week") else 1)
                return stretch(first, None, first + timedelta(days=days - 1), None)
    reader.at = here
    return None


def _days_of_a_week(reader: Reader, today: date) -> tuple[date, date] | None:
    """``Monday to Wednesday next week``."""
    here = reader.at
    first, last = WEEKDAY.get(reader.peek().text), WEEKDAY.get(reader.peek(2).text)
    if first is not None and last is not None and first < last:
        reader.at += 1
        if reader.accept(*_BETWEEN):
            reader.at += 1
            if (monday := week_named(reader, today)) is not None:
                return monday + timedelta(days=first), monday + timedelta(days=last)
    reader.at = here
    return None


def two_times(reader: Reader) -> tuple[Clock, Clock] | None:
    """``14:00 to 16:00``, ``2:00 - 2:30 pm``, ``from 2 to 4``: two times that stand right here, with nothing between
    them. None where there are none, or where numbers may be days."""
    here = reader.at
    opened = reader.accept("from", "between", "at")
    start = clock(reader) or bare_clock(reader)
    if start is not None and reader.accept(
        "to", "-", "until", "till", *(["and"] if opened == "between" else [])
    ):
        end = clock(reader) or bare_clock(reader)
        ahead = int(reader.peek().text == ".")
        days = end is not None and end.bare and month_at(reader, ahead) is not None
        if end is not None and not days and (start.bare or not end.bare):
            return start, end
    reader.at = here
    return None


def _half(reader: Reader, day: date) -> Said | None:
    reader.skip("in the")
    if reader.accept("morning"):
        return stretch(day, None, day, NOON)
    if reader.accept("afternoon"):
        return stretch(day, NOON, day, None)
    return None


def _point(reader: Reader, today: date, after: date | None = None) -> tuple[date | None, Clock | None]:
    """A day, a time or both, in either order."""
    day = read_day(reader, today, after)
    here = reader.at
    reader.accept("at", "from", "after", ", from", ", at", ",")
    time = clock(reader)
    if time is None:
        reader.at = here
    elif day is None:
        reader.accept("on")
        day = read_day(reader, today, after)
    return day, time


def _days_of_one_month(reader: Reader, today: date) -> tuple[date, date] | None:
    """``21 to 23 Dec``, ``21-23 December 2026``."""
    if reader.peek().kind != "number" or reader.peek(2).kind != "number":
        return None
    if reader.peek(1).text not in ("to", "-", "until", "till") or month_at(reader, 3) is None:
        return None
    here = reader.at
    first = int(reader.next().text)
    reader.next()
    last = calendar_day(reader, today, None)
    if last is None or first >= last.day:
        reader.at = here
        return None
    found = date_of(last.year, last.month, first)
    if found < today <= last and last - today > FAR_AHEAD:
        raise Unclear(f"{short(found)} is over; write the year.")
    return found, last


def read_part(reader: Reader, now: datetime) -> tuple[date, int | None, int | None] | None:
    """One day, or a part of it in minutes: ``Thursday``, ``Thursday afternoon``, ``Thursday from 13:00 to 17:00``.
    None where no day stands here. Raises Unclear."""
    day = read_day(reader, now.date())
    if day is None:
        return None
    half = _half(reader, day)
    if half is not None:
        return day, *((0, NOON) if half.start.time() == time.min else (NOON, 2 * NOON))
    here = reader.at
    reader.accept(",")
    if (hours := two_times(reader)) is not None:
        start, end = settled(reader, day, *hours)
        if start is not None and end is not None and start < end:
            return day, start, end
        raise Unclear("It would end before it begins.")
    reader.at = here
    reader.accept("from", "between", ", from", ",")
    if clock(reader) is not None:
        raise Unclear('Until when? Write both hours, as in "from 13:00 to 17:00".')
    reader.at = here
    return day, None, None
