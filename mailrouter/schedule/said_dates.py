"""Days and stretches of time in the words people use, and never a guess: what can mean two days is asked back. Pure.

>>> from datetime import datetime
>>> spans_in("21 Dec to 1 Jan", datetime(2026, 12, 3, 10))[0].last_day.isoformat()
'2027-01-01'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.said_words import Reader, Unclear, tokens
from mailrouter.schedule.words import MONTHS, WEEKDAYS, date_words

NOON = 12 * 60
"""Where a morning ends and an afternoon begins, in minutes."""
LONGEST = 400
"""Days of one absence: more is a slip of the pen, or a matter for the partners themselves."""
_FAR_AHEAD = timedelta(days=300)
"""A date without a year that lies further ahead was probably meant to have been a few weeks ago."""
_ONE_DAY = timedelta(days=1)

_WEEKDAYS = {
    short: number
    for number, name in enumerate(WEEKDAYS)
    for short in (
        name.lower(),
        name.lower()[:3],
        {1: "tues", 2: "weds", 3: "thurs"}.get(number, name.lower()),
    )
} | {"thur": 3}
_MONTHS = {short: n for n, name in enumerate(MONTHS, 1) for short in (name.lower(), name.lower()[:3])} | {
    "sept": 9
}
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s?(?:([ap])\.?m\.?)?\Z")
_BETWEEN = ("up to and including", "up to", "to", "until", "till", "through", "thru", "-")


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of time: wall times of the role's zone, ``end`` not included.

    ``whole_days``: it was said in days, without a time.
    """

    start: datetime
    end: datetime
    whole_days: bool = True

    @property
    def last_day(self) -> date:
        """The last day in it."""
        return (self.end - timedelta(microseconds=1)).date()


def spans_in(text: str, now: datetime) -> tuple[Said, ...]:
    """What ``text`` names and nothing else, seen from ``now`` (a wall time). Raises Unclear."""
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
        if span.end <= now:
            raise Unclear(f"{_day_words(span.last_day, now.date())} is over already.")
        if span.end - span.start > timedelta(days=LONGEST):
            raise Unclear(f"That is more than {LONGEST} days; write it into the file itself, if it is meant.")
    return found


def _spans(reader: Reader, now: datetime) -> tuple[Said, ...]:
    today = now.date()
    if week := _week(reader, today):
        return (week,)
    reader.skip("on", "for")
    if reader.accept("until", "till", "up to"):
        day, minute = _point(reader, today)
        if day is None and minute is None:
            raise reader.odd()
        return (_stretch(today, None, day or today, minute),)
    opened = reader.accept("starting from", "starting", "from", "between", "after")
    if (days := _days_of_one_month(reader, today)) is not None:
        return (_stretch(days[0], None, days[1], None),)
    first, minute = _point(reader, today)
    if first is None and minute is None:
        raise reader.odd()
    if first is not None and minute is None and (half := _half(reader, first)):
        return _and_more(reader, half, today)
    between = ("and", *_BETWEEN) if opened == "between" else _BETWEEN
    if reader.accept(*between) or (reader.peek(1).kind == "clock" and reader.accept("before")):
        return (_range(reader, first or today, minute, today),)
    if minute is not None:
        return (_stretch(first or today, minute, first or today, None),)
    assert first is not None
    if opened in ("starting", "starting from", "from", "between", "after"):
        raise Unclear(f'Until when? Write "from {_short(first)} to …".')
    reader.skip("all day", "the whole day")
    return _and_more(reader, _stretch(first, None, first, None), today)


def _range(reader: Reader, first: date, minute: int | None, today: date) -> Said:
    if reader.peek().kind == "number" and _month_at(reader, 1) is None:
        day = int(reader.next().text)
        if not first.day < day:
            raise Unclear(f"Which month is meant by the {day}?")
        return _stretch(first, minute, _date(first.year, first.month, day), None)
    last, until = _point(reader, today, after=first)
    if last is None and until is None:
        raise reader.odd()
    reader.skip("inclusive", "included")
    return _stretch(first, minute, last or first, until)


def _and_more(reader: Reader, first: Said, today: date) -> tuple[Said, ...]:
    """Further days: ``Thursday and Friday``, ``today, tomorrow and 21 Dec``. Days that touch are one stretch."""
    found = [first]
    while True:
        here = reader.at
        if not reader.accept(", and", "and", "&", ","):
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
        span = _half(reader, day) or _stretch(day, None, day, None)
        if span.start == found[-1].end:
            found[-1] = Said(found[-1].start, span.end, found[-1].whole_days and span.whole_days)
        else:
            found.append(span)
    return tuple(found)


def _stretch(first: date, minute: int | None, last: date, until: int | None) -> Said:
    start = _at(first, minute or 0)
    end = _at(last, until) if until is not None else _at(last + _ONE_DAY, 0)
    if end <= start:
        raise Unclear("It would end before it begins.")
    return Said(start, end, minute is None and until is None)


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time.min) + timedelta(minutes=minute)


def _week(reader: Reader, today: date) -> Said | None:
    sunday = today + timedelta(days=6 - today.weekday())
    here = reader.at
    reader.skip("all", "all of", "for", "the whole of")
    if reader.accept("next week", "all next week"):
        if today.weekday() == 6:
            raise Unclear("Is the week that begins tomorrow meant, or the one after? Write its days.")
        return _stretch(sunday + _ONE_DAY, None, sunday + timedelta(days=7), None)
    if reader.accept("the rest of the week", "the rest of this week", "rest of the week", "this week"):
        return _stretch(today, None, sunday, None)
    reader.at = here
    return None


def _half(reader: Reader, day: date) -> Said | None:
    reader.skip("in the")
    if reader.accept("morning"):
        return _stretch(day, None, day, NOON)
    if reader.accept("afternoon"):
        return _stretch(day, NOON, day, None)
    return None


def _point(reader: Reader, today: date, after: date | None = None) -> tuple[date | None, int | None]:
    """A day, a time or both, in either order."""
    day = read_day(reader, today, after)
    minute = None
    here = reader.at
    reader.accept("at", "from", "after", ", from", ", at", ",")
    minute = _time(reader)
    if minute is None:
        reader.at = here
    elif day is None:
        reader.accept("on")
        day = read_day(reader, today, after)
    return day, minute


def read_time(reader: Reader) -> int | None:
    """A time of the day in minutes, if one stands here. Raises Unclear."""
    reader.skip("at", "from")
    return _time(reader)


def _time(reader: Reader) -> int | None:
    if reader.accept("noon"):
        return NOON
    if reader.peek().kind != "clock":
        return None
    typed = reader.next()
    found = _CLOCK.match(typed.text)
    if found:
        hour, minute, half = int(found[1]), int(found[2] or 0), found[3]
        if half and 1 <= hour <= 12 and minute < 60:
            return (hour % 12 + (12 if half == "p" else 0)) * 60 + minute
        if not half and minute < 60 and hour * 60 + minute <= 24 * 60:
            return hour * 60 + minute
    raise Unclear(f"{typed.typed} is no time; write it as 14:00 or 2 pm.")


def read_day(reader: Reader, today: date, after: date | None = None) -> date | None:
    """A day, if one stands here; with ``after`` it is the end of something that begins then. Raises Unclear."""
    here = reader.at
    reader.skip("on", "the")
    token = reader.peek()
    if reader.accept("day after tomorrow"):
        return today + 2 * _ONE_DAY
    if token.text in ("today", "tonight", "tomorrow") and reader.next():
        if token.text == "tonight":
            raise Unclear('Write the hours instead of "tonight", as in "from 18:00".')
        return today + (token.text == "tomorrow") * _ONE_DAY
    if token.text == "this" and reader.peek(1).text in ("morning", "afternoon"):
        reader.next()
        return today
    if token.text in ("this", "next") and reader.peek(1).text in _WEEKDAYS:
        reader.next()
        return _this_or_next(token.text, _WEEKDAYS[reader.next().text], today)
    if token.text in _WEEKDAYS:
        return _weekday(reader, today, after)
    found = _calendar_day(reader, today, after)
    if found is None:
        reader.at = here
    return found


def _weekday(reader: Reader, today: date, after: date | None) -> date:
    weekday = _WEEKDAYS[reader.next().text]
    here = reader.at
    reader.skip(",", "the")
    named = _calendar_day(reader, today, after)
    if named is not None:
        if named.weekday() != weekday:
            raise Unclear(f"{_day_words(named, today)} is no {WEEKDAYS[weekday]}.")
        return named
    reader.at = here
    if after is not None:
        return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)
    ahead = (weekday - today.weekday()) % 7
    if ahead == 0:
        raise Unclear(f"Is today meant by {WEEKDAYS[weekday]}, or {_short(today + timedelta(days=7))}?")
    return today + timedelta(days=ahead)


def _this_or_next(which: str, weekday: int, today: date) -> date:
    ahead = weekday - today.weekday()
    name = WEEKDAYS[weekday]
    if which == "this":
        if ahead < 0:
            raise Unclear(
                f"This week's {name} is over; is {_short(today + timedelta(days=ahead + 7))} meant?"
            )
        return today + timedelta(days=ahead)
    first = today + timedelta(days=ahead % 7 or 7)
    second = first + timedelta(days=7)
    raise Unclear(f'Is {_short(first)} meant by "next {name}", or {_short(second)}? Write the date.')


def _calendar_day(reader: Reader, today: date, after: date | None) -> date | None:
    token = reader.peek()
    match token.kind:
        case "iso":
            reader.next()
            return _not_over(_date(*map(int, token.text.split("-"))), today)
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
        month = _month(reader)
    elif (month := _month(reader)) is not None and reader.accept(".") in ("", "."):
        reader.accept("the")
        day = int(reader.next().text) if reader.peek().kind == "number" else None
    if day is None or month is None:
        reader.at = here
        if token.kind == "number":
            raise Unclear(f'Which day is meant by "{token.typed}"? Write it as 21 Dec.')
        return None
    here = reader.at
    reader.accept(",")
    if reader.peek().kind == "number" and len(reader.peek().text) == 4:
        return _not_over(_date(int(reader.next().text), month, day), today)
    reader.at = here
    return _nearest(month, day, today, after)


def _days_of_one_month(reader: Reader, today: date) -> tuple[date, date] | None:
    """``21 to 23 Dec``, ``21-23 December 2026``."""
    if reader.peek().kind != "number" or reader.peek(2).kind != "number":
        return None
    if reader.peek(1).text not in ("to", "-", "until", "till") or _month_at(reader, 3) is None:
        return None
    here = reader.at
    first = int(reader.next().text)
    reader.next()
    last = _calendar_day(reader, today, None)
    if last is None or first >= last.day:
        reader.at = here
        return None
    found = _date(last.year, last.month, first)
    if found < today <= last and last - today > _FAR_AHEAD:
        raise Unclear(f"{_short(found)} is over; write the year.")
    return found, last


def _month_at(reader: Reader, ahead: int) -> int | None:
    if reader.peek(ahead).text == "of":
        ahead += 1
    return _MONTHS.get(reader.peek(ahead).text)


def _month(reader: Reader) -> int | None:
    found = _MONTHS.get(reader.peek().text)
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
    return _not_over(_date(int(parts[2]), month, day), today)


def _nearest(month: int, day: int, today: date, after: date | None) -> date:
    """The first such day from today, or from the beginning of what it ends."""
    start = after or today
    try:
        found = date(start.year, month, day)
        if found < start:
            found = date(start.year + 1, month, day)
    except ValueError:
        raise Unclear(f"There is no {day} {MONTHS[month - 1] if 1 <= month <= 12 else month}.") from None
    if found - start > _FAR_AHEAD:
        gone = date(found.year - 1, month, day) if (month, day) != (2, 29) else found
        raise Unclear(f"{_day_words(gone, today)} is over. If {found.year} is meant, write the year.")
    return found


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unclear(f"There is no {year}-{month:02}-{day:02} in the calendar.") from None


def _not_over(day: date, today: date) -> date:
    if day < today:
        raise Unclear(f"{_day_words(day, today)} is over already.")
    if day.year > today.year + 2:
        raise Unclear(f"Is the year {day.year} meant?")
    return day


def _day_words(day: date, today: date) -> str:
    return date_words(day, today)


def _short(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()]} {day.day} {MONTHS[day.month - 1]}"
