"""Absences as stretches in UTC: what touches or overlaps is one, as the person would tell it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.localtime import to_utc
from mailrouter.schedule.model import Absence, Role
from mailrouter.schedule.words import date_words

_FAR = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Placed:
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
    parts: tuple[Placed, ...]

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
        """``until Friday 1 January``, with a time where the absence ends within a day.

        The year is left out up to half a year: the weekday says enough, and the words stay the same at New
        Year.
        """
        end, day = self.last.end, self.last_day
        first = self.parts[0].absence.start.date()
        words = date_words(day, day if day - first < _FAR else first)
        return f"until {words}" if end.time() == time.min else f"until {words} at {end:%H:%M}"

    @property
    def by_calendar(self) -> str:
        """``, by their calendar``, where their own calendar says so and not the role's file."""
        own = [part.absence.source == "calendar" for part in self.parts]
        return ", by their calendar" if all(own) else ", in part by their calendar" if any(own) else ""

    def at(self, moment: datetime) -> tuple[Absence, ...]:
        """The absences of the stretch that hold ``moment``."""
        return tuple(p.absence for p in self.parts if p.start <= moment < p.end)


def cover_key(absence: Absence) -> str | None:
    """The key of the person who covers, a stand-in's as well as a partner's."""
    return absence.cover if absence.cover is None or isinstance(absence.cover, str) else absence.cover.key


def leaves(role: Role) -> tuple[Leave, ...]:
    """Every stretch of absence of everybody, by its start. An absence without length is none."""
    found: list[Leave] = []
    for person in role.people:
        placed = sorted(
            (
                Placed(a, to_utc(a.start, role.time_zone), to_utc(a.end, role.time_zone, end=True))
                for a in role.absences
                if a.who == person.key
            ),
            key=lambda part: part.start,
        )
        stretches: list[Leave] = []
        for part in placed:
            if part.start >= part.end:
                continue
            if stretches and part.start <= stretches[-1].end:
                open_ = stretches.pop()
                end = max(open_.end, part.end)
                stretches.append(Leave(person.key, open_.start, end, (*open_.parts, part)))
            else:
                stretches.append(Leave(person.key, part.start, part.end, (part,)))
        found += stretches
    return tuple(sorted(found, key=lambda leave: leave.start))
