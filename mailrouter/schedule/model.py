"""What the partners wrote in their file, as facts. Pure; made by ``mailrouter.config``.

Times here are *wall* times of the role's zone (naive ``datetime``, ``date``, minutes since midnight);
``mailrouter.schedule.timeline`` is the only place that turns them into UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

Minute = int
"""Minutes since midnight of the shift's day: 0 to 1440, more where a shift ends after midnight."""


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Public holidays by the ``holidays`` library (ISO 3166 codes), more or fewer days by hand."""

    country: str
    subdivision: str | None = None
    also: tuple[tuple[date, str], ...] = ()
    never: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A partner, or a stand-in. ``key`` is the short name used in the file (a stand-in's is their address)."""

    key: str
    name: str
    email: str
    phone: str | None = None
    holidays: HolidayRule | None = None

    @property
    def first_name(self) -> str:
        """The name people use when they speak of them: the first word of ``name``."""
        return self.name.split()[0] if self.name.split() else self.key


@dataclass(frozen=True, slots=True)
class Shift:
    """``who`` (a partner's key) works from ``start`` to ``end``; an end at or below the start is made end + 1440."""

    who: str
    start: Minute
    end: Minute


Week = tuple[tuple[Shift, ...], ...]
"""Seven tuples of shifts, Monday first."""


@dataclass(frozen=True, slots=True)
class Rota:
    """The weeks that repeat. With several, week 0 is the one that holds ``starting`` (never ISO week numbers)."""

    weeks: tuple[Week, ...]
    starting: date | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away from ``start`` until ``end`` (wall times, end exclusive; a date's end is the next midnight).

    ``note`` is for partners only and never goes into mail. ``cover`` is a partner's key, or a stand-in.
    ``last_day`` is the ``until`` that was written, for people ("away until Friday 1 January").
    """

    who: str
    start: datetime
    end: datetime
    note: str = ""
    cover: str | Person | None = None
    whole_days: bool = True

    @property
    def last_day(self) -> date:
        """The last day of the absence, as a person would say it."""
        last = self.end.date()
        return date.fromordinal(last.toordinal() - 1) if self.end.time() == datetime.min.time() else last


@dataclass(frozen=True, slots=True)
class Swap:
    """``who`` works on ``day`` instead of everyone there; ``given_back`` is the day the others take in return.

    ``start`` and ``end`` are minutes of ``day``; None means the role's hours.
    """

    who: str
    day: date
    given_back: date | None = None
    start: Minute | None = None
    end: Minute | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """How to reach someone when it can't wait, and who may be told."""

    name: str
    phone: str | None = None
    email: str | None = None
    tell: Literal["inside", "everyone", "nobody"] = "inside"


Answer = Literal["never", "nobody", "absence", "always"]


@dataclass(frozen=True, slots=True)
class Weekly:
    """The weekly mail about who is in: to whom, on which weekday (Monday is 0) and at which minute of the day."""

    to: tuple[str, ...]
    weekday: int = 4
    minute: Minute = 15 * 60


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its addresses, its people, their schedule and how mail to it is treated.

    ``key`` is the file's short name; ``address`` and ``aliases`` are canonical (see ``mailrouter.address``).
    """

    key: str
    address: str
    name: str
    time_zone: ZoneInfo
    partners: tuple[Person, ...]
    rota: Rota
    aliases: tuple[str, ...] = ()
    hours: tuple[Minute, Minute] = (9 * 60, 17 * 60)
    holidays: HolidayRule | None = None
    absences: tuple[Absence, ...] = ()
    swaps: tuple[Swap, ...] = ()
    emergency: Emergency | None = None
    note: Literal["absence", "always", "never"] = "absence"
    handoff: Literal["thread", "always", "new", "never"] = "thread"
    reply_inside: Answer = "nobody"
    reply_outside: Answer = "nobody"
    copy_inside: Literal["cc", "hidden"] = "cc"
    copy_outside: Literal["cc", "hidden"] = "hidden"
    reply_to: Literal["sender-and-role", "sender"] = "sender-and-role"
    forwarding: Literal["auto", "wrap", "companion", "munge", "untouched"] = "auto"
    already_addressed: Literal["copy", "skip"] = "copy"
    weekly: Weekly | None = None

    def person(self, key: str) -> Person:
        """The partner or stand-in with this key. Raises KeyError."""
        for person in self.people:
            if person.key == key:
                return person
        raise KeyError(key)

    @property
    def people(self) -> tuple[Person, ...]:
        """The partners, then every stand-in named in an absence, each once."""
        found = {p.key: p for p in self.partners}
        for absence in self.absences:
            if isinstance(absence.cover, Person):
                found.setdefault(absence.cover.key, absence.cover)
        return tuple(found.values())
