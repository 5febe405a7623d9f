"""The absences of a calendar: its events, expanded within a window. Deterministic; needs ``calendars``.

The libraries see as little as can be: the lines of one event and its exceptions that say when, after
``lines``, ``signs`` and ``rules`` have looked at them. An event they can't cope with is left out, and said.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from mailrouter.calendars import limits
from mailrouter.calendars.absence_rule import Rule, Verdict, verdict
from mailrouter.calendars.lines import Contents, Event, contents_of
from mailrouter.calendars.rules import too_much
from mailrouter.errors import CalendarError
from mailrouter.schedule.calendar_absences import Interval, union
from mailrouter.schedule.localtime import day_start, to_utc

_MARK = "X-VERDICT"
_DAY_DIGITS = re.compile(r"[0-9]{8}")
_DAY = timedelta(days=1)

Guard = Callable[[], AbstractContextManager[Any]]
"""Bounds the time of the work within; raises TooSlow."""


class TooSlow(BaseException):
    """The work on one event took too long. Not an Exception: no library is to take it for one of its own."""


@dataclass(slots=True)
class Found:
    """The findings of a calendar: intervals in UTC, joined and in order; how many events it has; what was left out."""

    busy: list[Interval] = field(default_factory=list)
    events: int = 0
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, words: str) -> None:
        """Note something that was left out, up to a bounded number."""
        if len(self.left_out) < limits.MAX_LEFT_OUT:
            self.left_out.append(words)
        elif len(self.left_out) == limits.MAX_LEFT_OUT:
            self.left_out.append("and more")


def absences_in(
    data: bytes,
    rule: Rule,
    zone: ZoneInfo,
    start: datetime,
    end: datetime,
    guard: Guard = nullcontext,
) -> Found:
    """Intervals within [start, end) in which ``rule`` makes the owner absent.

    ``zone`` is the owner's: days and times without a zone are theirs. Raises CalendarError where the whole can't be
    used: no calendar, cut off, too large, too many occurrences.
    """
    contents = contents_of(data)
    found = Found(events=len(contents.events))
    groups = _groups(contents, rule)
    if groups:
        _take_up_zones(contents, found, guard)
    intervals: list[Interval] = []
    slow = 0
    for group in groups:
        if _elsewhere(group, start, end):
            continue
        place = f"the event in line {group.events[0].number}"
        if words := _wrong(group):
            found.leave_out(f"{place}: {words}")
            continue
        try:
            with guard():
                intervals += _expanded(group, zone, start, end)
        except TooSlow:
            slow += 1
            if slow > limits.MAX_SLOW:
                raise CalendarError(f"more than {limits.MAX_SLOW} of its events take too long") from None
            found.leave_out(f"{place}: it takes too long to work out")
        except Exception as error:
            found.leave_out(
                f"{place}: one of its dates, times or rules can't be read ({type(error).__name__})"
            )
        if len(intervals) > limits.MAX_TIMES:
            raise CalendarError(f"it has more than {limits.MAX_TIMES} absences before overlaps are joined")
    found.busy = union(intervals)
    if len(found.busy) > limits.MAX_ABSENCES:
        raise CalendarError(f"it has more than {limits.MAX_ABSENCES} separate absences")
    return found


@dataclass(slots=True)
class _Group:
    """A recurring event with its exceptions, and the rule's word on each. They share a UID."""

    events: list[Event] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)


def _groups(contents: Contents, rule: Rule) -> list[_Group]:
    """The events that may be absences; whole groups that can't be are not looked at any further."""
    groups: dict[str, _Group] = {}
    for event in contents.events:
        group = groups.setdefault(event.uid, _Group())
        group.events.append(event)
        group.verdicts.append(verdict(event, rule))
    return [group for group in groups.values() if set(group.verdicts) != {"no"}]


def _wrong(group: _Group) -> str:
    for event in group.events:
        if event.wrong:
            return event.wrong
        if (starts := len(event.values("DTSTART"))) != 1:
            return f"it has {starts} DTSTART lines in place of one" if starts else "it has no DTSTART"
        if event.values("EXRULE"):
            return "it has an EXRULE, which RFC 5545 has done away with"
        for rule in event.values("RRULE"):
            if words := too_much(rule):
                return words
    return ""


def _elsewhere(group: _Group, start: datetime, end: datetime) -> bool:
    """Whether it is plainly before or after the window: most of a calendar is years ago, and costs nothing so."""
    (event, *exceptions) = group.events
    if exceptions or any(event.values(name) for name in ("RRULE", "RDATE", "DURATION", "EXRULE")):
        return False
    days = [value[:8] for name in ("DTSTART", "DTEND") for value in event.values(name)]
    if not days or not all(_DAY_DIGITS.fullmatch(day) for day in days):
        return False
    first, last = (f"{moment:%Y%m%d}" for moment in (start - 2 * _DAY, end + 2 * _DAY))
    return max(days) < first or min(days) > last


def _take_up_zones(contents: Contents, found: Found, guard: Guard) -> None:
    """Register the calendar's own zones with the library, beside the tz database's."""
    import icalendar

    icalendar.use_zoneinfo()  # type: ignore[no-untyped-call]  # forgets the zones of a calendar before
    for lines in contents.zones:
        name = next((line.partition(":")[2] for line in lines if line[:5].upper() == "TZID:"), "")
        # A zone's clocks change some times a year. Anything finer would be expanded from 1601 on.
        rules = (line.upper() for line in lines if line[:5].upper() == "RRULE")
        fine = any(too_much(line.partition(":")[2]) or "DAILY" in line or "WEEKLY" in line for line in rules)
        try:
            if fine:
                raise ValueError(name)
            with guard(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                icalendar.Calendar.from_ical(_text(lines))
        except (TooSlow, Exception):
            found.leave_out(
                f"the time zone {name[:60]!r} can't be used; its events are read in the partner's"
            )


def _expanded(group: _Group, zone: ZoneInfo, start: datetime, end: datetime) -> list[Interval]:
    """Raises whatever the libraries raise."""
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]

    lines: list[str] = []
    for event, said in zip(group.events, group.verdicts, strict=True):
        lines += ["BEGIN:VEVENT", *event.dates, f"{_MARK}:{said}"]
        lines += [] if any(line[:3].upper() == "UID" for line in event.dates) else ["UID:one of its own"]
        lines += ["END:VEVENT"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # guesses about zones: what they come to is in the docs
        calendar = icalendar.Calendar.from_ical(_text(lines))
        # Bounds without a zone compare with all kinds of times; two days more on each side hold every zone's.
        first, last = ((start - 2 * _DAY).replace(tzinfo=None), (end + 2 * _DAY).replace(tzinfo=None))
        # The library takes an end for a length of wall time; where the clocks change in between, that is another moment.
        times = calendar.events if _once(group) else recurring_ical_events.of(calendar).between(first, last)
    if len(times) > limits.MAX_TIMES_OF_EVENT:
        raise OverflowError
    return list(_within(times, zone, start, end))


def _once(group: _Group) -> bool:
    """Whether an event happens once and says when it ends."""
    (event, *exceptions) = group.events
    again = any(event.values(name) for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    return not exceptions and not again and len(event.values("DTEND")) == 1


def _within(
    times: Iterable[Mapping[str, Any]], zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[Interval]:
    for one in times:
        said = str(one.get(_MARK, "no"))
        begin, until = one["DTSTART"].dt, one["DTEND"].dt
        whole = not isinstance(begin, datetime)
        if whole and until <= begin:
            until = begin + _DAY  # a day without an end is that day (RFC 5545 §3.6.1)
        bounds = _moment(begin, zone), _moment(until, zone, end=True)
        bounds = min(bounds), max(bounds)  # some programs write them the wrong way round
        if said == "yes" or (said == "all-day" and (whole or _midnights(bounds, zone))):
            clipped = max(bounds[0], start), min(bounds[1], end)
            if clipped[0] < clipped[1]:
                yield clipped


def _moment(value: date, zone: ZoneInfo, *, end: bool = False) -> datetime:
    """In UTC: a day is the owner's, a time without a zone as well (RFC 5545 §3.3.5, form 1)."""
    if not isinstance(value, datetime):
        return day_start(value, zone)
    return value.astimezone(UTC) if value.tzinfo is not None else to_utc(value, zone, end=end)


def _midnights(bounds: Interval, zone: ZoneInfo) -> bool:
    """Whether the event is whole days of the owner's, as in Outlook."""
    walls = [moment.astimezone(zone) for moment in bounds]
    return bounds[0] < bounds[1] and all(wall.time() == time.min for wall in walls)


def _text(lines: Iterable[str]) -> bytes:
    return "\r\n".join(("BEGIN:VCALENDAR", *lines, "END:VCALENDAR", "")).encode()
