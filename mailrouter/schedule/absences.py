"""Absences as stretches in UTC: what touches or overlaps is one, as the person would tell it. Pure.

Absences with a beginning and an end are joined once, and found by their order. Those that come round (every first
Friday, two hours each Wednesday) have no end; they are worked out for the days that somebody asks about.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.date_words import near_date_words
from mailrouter.schedule.model import Absence, Every, Role
from mailrouter.schedule.nights import Nights

_ONE_DAY = timedelta(days=1)
_JOINED = 400
"""Absences that come round, joined into one stretch at the most: somebody who is away every day is away for good."""
_KEPT_DAYS = 4000


@dataclass(frozen=True, slots=True)
class AbsenceSpan:
    """One absence and its bounds in UTC, half-open."""

    absence: Absence
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Leave:
    """A stretch in which ``who`` is away without a break; bounds in UTC, half-open; ``parts`` in order."""

    who: str
    start: datetime
    end: datetime
    parts: tuple[AbsenceSpan, ...]

    @property
    def last(self) -> Absence:
        """The absence that ends last."""
        return max(self.parts, key=lambda part: part.end).absence

    @property
    def last_day(self) -> date:
        """The last day of the stretch, as a person would say it."""
        return self.last.last_day

    @property
    def until(self) -> str:
        """``until Friday 1 January``, with any time within a day."""
        if self.last.open_ended:
            return "until further notice"
        end = self.last.end
        words = near_date_words(self.last_day, self.parts[0].absence.start.date())
        return f"until {words}" if end.time() == time.min else f"until {words} at {end:%H:%M}"

    @property
    def by_calendar(self) -> str:
        """``, by their calendar``, for an absence from a calendar alone."""
        own = [part.absence.source == "calendar" for part in self.parts]
        return ", by their calendar" if all(own) else ", in part by their calendar" if any(own) else ""

    def at(self, moment: datetime) -> tuple[Absence, ...]:
        """The absences of the stretch that hold ``moment``."""
        return tuple(p.absence for p in self.parts if p.start <= moment < p.end)


class Leaves:
    """All absences of a role, by person."""

    def __init__(self, role: Role) -> None:
        zones = {person.key: person.time_zone or role.time_zone for person in role.people}
        of = {
            key: [a for a in role.absences if a.who == key]
            for key in dict.fromkeys(a.who for a in role.absences)
        }
        nights = Nights(role)
        self._of = {
            key: _Own(key, absences, zones.get(key, role.time_zone), nights) for key, absences in of.items()
        }
        self._edges = sorted(
            {edge for own in self._of.values() for part in own.placed for edge in (part.start, part.end)}
        )

    def at(self, key: str, moment: datetime) -> Leave | None:
        """The stretch in which this person is away at ``moment``."""
        own = self._of.get(key)
        return own.at(moment) if own else None

    def rounds(self, key: str) -> bool:
        """Whether this person has absences that come round."""
        own = self._of.get(key)
        return own is not None and own.comes_round

    def between(self, key: str, start: datetime, end: datetime) -> Iterator[Leave]:
        """The stretches of this person that reach into [start, end), in order."""
        own = self._of.get(key)
        while own is not None and start < end:
            leave = own.at(start) or own.next_after(start, end)
            if leave is None:
                return
            yield leave
            start = leave.end

    def any(self, start: datetime, end: datetime) -> bool:
        """Whether somebody is away at some time within [start, end)."""
        return any(own.any(start, end) for own in self._of.values())

    def edges(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The moments in [start, end] at which an absence begins or ends."""
        yield from self._edges[bisect_left(self._edges, start) : bisect_right(self._edges, end)]
        for own in self._of.values():
            for part in own.rounds(start, end):
                yield from (part.start, part.end)


class _Own:
    """One person's absences; ``placed`` are those that don't come round, by their start."""

    def __init__(self, who: str, absences: Iterable[Absence], zone: ZoneInfo, nights: Nights) -> None:
        self.who, self.zone, self._nights = who, zone, nights
        absences = [_as_one(absence) for absence in absences]
        self.placed = sorted((p for a in absences if not a.recurs if (p := self._placed(a))), key=_start)
        self._round = tuple(a for a in absences if a.recurs)
        self._stretches = _joined(who, self.placed)
        self._starts = [stretch.start for stretch in self._stretches]
        self._days: dict[date, tuple[AbsenceSpan, ...]] = {}

    @property
    def comes_round(self) -> bool:
        """Whether some have no end."""
        return bool(self._round)

    def at(self, moment: datetime) -> Leave | None:
        """The stretch that holds ``moment``."""
        stretch = self._stretch(moment)
        if not self._round:
            return stretch
        parts = [*(stretch.parts if stretch else ()), *self._holding(moment)]
        if not parts:
            return None
        # What touches it at either end is the same stretch, and so on.
        known = set(parts)
        start, end = min(p.start for p in parts), max(p.end for p in parts)
        for _ in range(_JOINED):
            near = (self._stretch(start - timedelta.resolution), self._stretch(end))
            more = [p for s in near if s for p in s.parts] + [*self._touching(start), *self._touching(end)]
            if not (more := [p for p in dict.fromkeys(more) if p not in known]):
                break
            parts += more
            known.update(more)
            start, end = min(start, *(p.start for p in more)), max(end, *(p.end for p in more))
        parts.sort(key=_start)
        return Leave(self.who, parts[0].start, max(p.end for p in parts), tuple(parts))

    def any(self, start: datetime, end: datetime) -> bool:
        """Whether there is an absence within [start, end)."""
        place = bisect_left(self._starts, end) - 1
        if place >= 0 and self._stretches[place].end > start:
            return True
        return any(part.start < end and part.end > start for part in self.rounds(start, end))

    def next_after(self, moment: datetime, end: datetime) -> Leave | None:
        """The first stretch that begins after ``moment`` and before ``end``."""
        place = bisect_right(self._starts, moment)
        found = self._starts[place] if place < len(self._starts) else end
        day = moment
        while self._round and day < end and day < found:
            upto = min(day + 30 * _ONE_DAY, end)
            starts = [p.start for p in self.rounds(day, upto) if p.start > moment]
            found = min([found, *starts])
            day = upto
        return self.at(found) if found < end else None

    def rounds(self, start: datetime, end: datetime) -> Iterator[AbsenceSpan]:
        """The absences that come round and touch [start, end]."""
        if self._round:
            day, last = _day(start, self.zone) - _ONE_DAY, _day(end, self.zone)
            while day <= last:
                yield from (part for part in self._on(day) if part.start <= end and part.end >= start)
                day += _ONE_DAY

    def _stretch(self, moment: datetime) -> Leave | None:
        place = bisect_right(self._starts, moment) - 1
        stretch = self._stretches[place] if place >= 0 else None
        return stretch if stretch and moment < stretch.end else None

    def _holding(self, moment: datetime) -> Iterator[AbsenceSpan]:
        day = _day(moment, self.zone)
        parts = (*self._on(day - _ONE_DAY), *self._on(day))
        return (part for part in parts if part.start <= moment < part.end)

    def _touching(self, moment: datetime) -> Iterator[AbsenceSpan]:
        return self.rounds(moment, moment)

    def _on(self, day: date) -> tuple[AbsenceSpan, ...]:
        """The absences that come round and begin on ``day``."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            found = (occurrence(absence, day) for absence in self._round)
            known = self._days[day] = tuple(p for o in found if o if (p := self._placed(o)))
        return known

    def _placed(self, absence: Absence) -> AbsenceSpan | None:
        """The absence with its bounds; one without length is none."""
        start, end = self._nights.bounds(absence)
        return AbsenceSpan(absence, start, end) if start < end else None


def _as_one(absence: Absence) -> Absence:
    """A daily absence of whole days as one stretch. Joined day by day, it costs seconds."""
    daily = absence.every is None or absence.every == Every(tuple(range(7)))
    if absence.recurs and daily and absence.hours in (None, (0, 24 * 60)):
        return replace(absence, every=None, hours=None, from_day=True, until_day=True)
    return absence


def occurrence(absence: Absence, day: date) -> Absence | None:
    """The absence of ``day`` alone, of one that comes round, or None."""
    if not absence.start.date() <= day <= absence.last_day or not falls_on(absence, day):
        return None
    first, last = absence.hours or (0, 24 * 60)
    midnight = datetime.combine(day, time.min)
    start, end = midnight + timedelta(minutes=first), midnight + timedelta(minutes=last)
    whole = absence.hours is None
    return replace(absence, start=start, end=end, from_day=whole, until_day=whole, every=None, hours=None)


def falls_on(absence: Absence, day: date) -> bool:
    """Whether ``day`` is one of those on which the absence comes round; with hours alone each is."""
    every = absence.every
    if every is None:
        return True
    if day.weekday() not in every.weekdays:
        return False
    weeks = (day.toordinal() - 1) // 7 - (absence.start.date().toordinal() - 1) // 7
    return weeks % every.weeks == 0 and _is_nth(every, day)


def _is_nth(every: Every, day: date) -> bool:
    """Of its weekday within the month."""
    if every.nth is None:
        return True
    return (
        (day + timedelta(days=7)).month != day.month
        if every.nth == -1
        else (day.day - 1) // 7 + 1 == every.nth
    )


def cover_key(absence: Absence) -> str | None:
    """The covering person's key, a partner's or a stand-in's."""
    return absence.cover if absence.cover is None or isinstance(absence.cover, str) else absence.cover.key


def _start(part: AbsenceSpan) -> datetime:
    return part.start


def _day(moment: datetime, zone: ZoneInfo) -> date:
    return moment.astimezone(zone).date()


def _joined(who: str, placed: Iterable[AbsenceSpan]) -> list[Leave]:
    """The stretches of absences that are in order of their start."""
    found: list[Leave] = []
    parts: list[AbsenceSpan] = []
    end: datetime | None = None
    for part in placed:
        if end is not None and part.start > end:
            found.append(Leave(who, parts[0].start, end, tuple(parts)))
            parts, end = [], None
        parts.append(part)
        end = part.end if end is None else max(end, part.end)
    if end is not None:
        found.append(Leave(who, parts[0].start, end, tuple(parts)))
    return found
