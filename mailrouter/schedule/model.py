"""The partners' file as facts. Pure; made by ``mailrouter.config``.

Times here are *wall* times of the role's zone (naive ``datetime``, ``date``, minutes since midnight);
``mailrouter.schedule.timeline`` is the only place that turns them into UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from mailrouter.address import canonical

BEGINNING, FOREVER = datetime(1970, 1, 1), datetime(9999, 1, 1)
"""The bounds of what has none: an absence that always came round, one that lasts until further notice."""

Minute = int
"""Minutes since midnight of the shift's day: 0 to 1440, more where a shift ends after midnight."""


@dataclass(frozen=True, slots=True)
class HolidayRule:
    """Public holidays by country, with days added or left out by hand.

    They are those of the ``holidays`` library (ISO 3166 codes).

    ``country`` is ``""`` for none on purpose.
    """

    country: str
    subdivision: str | None = None
    also: tuple[tuple[date, str], ...] = ()
    never: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class CalendarSource:
    """A partner's own calendar: a ``file``'s path or a ``url``, as written, one of the two.

    ``absent_when`` says which of its events are absences: ``out-of-office``, ``busy``, ``all-day``, ``category X``,
    ``title X``. ``cover`` is the key of the partner who works meanwhile.
    """

    file: str = ""
    url: str = ""
    absent_when: tuple[str, ...] = ("out-of-office",)
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A partner, or a stand-in. ``key`` is the short name used in the file (a stand-in's is their address).

    ``time_zone`` is the one that the person's own hours, absences and holidays are written in; None is the
    role's. A partner is one from the day ``since`` to the day ``until``, both included, and in the rota has
    the hours of the former partner ``follows`` (a key) as well.
    """

    key: str
    name: str
    email: str
    phone: str | None = None
    holidays: HolidayRule | None = None
    time_zone: ZoneInfo | None = None
    since: date | None = None
    until: date | None = None
    follows: str | None = None
    calendar: CalendarSource | None = None
    mailbox: str = field(init=False, repr=False, compare=False)
    """``email`` as addresses are compared (``mailrouter.address.canonical``)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "mailbox", canonical(self.email))

    def is_partner_on(self, day: date) -> bool:
        """Whether they are a partner on ``day``, of the role's zone."""
        return (self.since is None or day >= self.since) and (self.until is None or day <= self.until)

    @property
    def first_name(self) -> str:
        """The name people use when they speak of them: the first word of ``name``."""
        return self.name.split()[0] if self.name.split() else self.key


@dataclass(frozen=True, slots=True)
class Shift:
    """``who`` (a partner's key) works from ``start`` to ``end``; an end at or below the start is made end + 1440.

    ``zone`` is the one the times, and the weekday, are of; None is the role's.
    """

    who: str
    start: Minute
    end: Minute
    zone: ZoneInfo | None = None


Week = tuple[tuple[Shift, ...], ...]
"""Seven tuples of shifts, Monday first."""


@dataclass(frozen=True, slots=True)
class Rota:
    """The weeks that repeat. With several, week 0 is the one that holds ``starting`` (never ISO week numbers)."""

    weeks: tuple[Week, ...]
    starting: date | None = None


@dataclass(frozen=True, slots=True)
class Every:
    """Days that come round: some ``weekdays`` (0 is Monday), each or only the ``nth`` of the month (-1: the last).

    ``weeks`` is 2 for every other week; they are counted from the week in which the absence starts.
    """

    weekdays: tuple[int, ...]
    nth: int | None = None
    weeks: int = 1


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which somebody is away.

    From ``start`` until ``end`` (wall times, end exclusive; a date's end is the next midnight).

    The times are those of the person's own zone. ``end`` is ``FOREVER`` until further notice. A bound that was given as
    a day, ``from_day`` or ``until_day``, is that of the shifts that begin on it (``nights``). With ``every``
    it is only on days that come round, with ``hours`` only in those hours of each day, between the two.
    ``note`` is for partners only, and goes into no mail but the answer to its writer. ``cover`` is a partner's key,
    or a stand-in. ``last_day`` is the ``until`` that was written, for people ("away until Friday 1 January").
    ``source`` tells whether it was written in the role's file or comes from the partner's calendar.
    """

    who: str
    start: datetime
    end: datetime
    note: str = ""
    cover: str | Person | None = None
    from_day: bool = True
    until_day: bool = True
    every: Every | None = None
    hours: tuple[Minute, Minute] | None = None
    source: Literal["file", "calendar"] = "file"

    @property
    def whole_days(self) -> bool:
        """Whether both bounds were given as days."""
        return self.from_day and self.until_day

    @property
    def recurs(self) -> bool:
        """Whether the absence has several stretches, at most one a day."""
        return self.every is not None or self.hours is not None

    @property
    def open_ended(self) -> bool:
        """Whether nobody knows yet when it ends."""
        return self.end >= FOREVER

    @property
    def last_day(self) -> date:
        """The last day of the absence, as a person would say it."""
        last = self.end.date()
        return date.fromordinal(last.toordinal() - 1) if self.end.time() == datetime.min.time() else last


@dataclass(frozen=True, slots=True)
class Swap:
    """``who`` works on ``day`` instead of everyone there; ``given_back`` is the day the others take in return.

    ``start`` and ``end`` are minutes of ``day``; None means the role's hours. ``back_start`` and ``back_end``
    are minutes of the day given back; None means all hours that ``who`` has there.
    """

    who: str
    day: date
    given_back: date | None = None
    start: Minute | None = None
    end: Minute | None = None
    back_start: Minute | None = None
    back_end: Minute | None = None


@dataclass(frozen=True, slots=True)
class Emergency:
    """The contact for what can't wait, and who hears of it."""

    name: str
    phone: str | None = None
    email: str | None = None
    tell: Literal["inside", "everyone", "nobody"] = "inside"


Answer = Literal["never", "nobody", "absence", "always"]


@dataclass(frozen=True, slots=True)
class Weekly:
    """The weekly mail about who is in: to whom, on which weekday (Monday is 0) and at which minute of the day, and
    whether a ``picture`` of the month goes with it."""

    to: tuple[str, ...]
    weekday: int = 4
    minute: Minute = 15 * 60
    picture: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """One role: its addresses, its people, their schedule and how mail to it is treated.

    ``key`` is the file's short name; ``address`` and ``aliases`` are canonical (see ``mailrouter.address``).
    ``partners`` are all there ever are in the file: who is one *on a day* is said by ``on_day``. ``lunch`` is
    no part of the role's ``hours``. ``special_days`` have shifts of their own in place of the rota's, and no
    holidays. Before the day ``since`` and after the day ``until`` nobody has hours.
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
    forwarding: Literal["auto", "wrap", "companion", "untouched"] = "auto"
    already_addressed: Literal["copy", "skip"] = "copy"
    lunch: tuple[Minute, Minute] | None = None
    special_days: tuple[tuple[date, tuple[Shift, ...]], ...] = ()
    since: date | None = None
    until: date | None = None
    weekly: Weekly | None = None

    @property
    def working_hours(self) -> tuple[tuple[Minute, Minute], ...]:
        """The role's hours without its lunch break: one range, or two."""
        return hours_without(self.hours, self.lunch)

    def on_day(self, day: date) -> Role:
        """The role with only the partners of ``day`` (its zone's).

        Whoever asks who may have mail, a handoff or a say asks this one.
        """
        partners = tuple(person for person in self.partners if person.is_partner_on(day))
        return self if len(partners) == len(self.partners) else replace(self, partners=partners)

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


def hours_without(
    hours: tuple[Minute, Minute], lunch: tuple[Minute, Minute] | None
) -> tuple[tuple[Minute, Minute], ...]:
    """``hours`` without the break that lies within them.

    >>> hours_without((540, 1020), (750, 780))
    ((540, 750), (780, 1020))
    """
    if lunch is None or not hours[0] < lunch[0] < lunch[1] < hours[1]:
        return (hours,)
    return (hours[0], lunch[0]), (lunch[1], hours[1])
