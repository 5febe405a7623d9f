"""A role's days one by one, for tables and pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mailrouter.schedule.layers import Layers, Slot
from mailrouter.schedule.model import Role
from mailrouter.schedule.rota import monday_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a day with the same people ``on`` (keys). Never nobody; bounds in UTC."""

    start: datetime
    end: datetime
    on: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """One local day. ``parts`` are in order; ``working`` says that the rota gives hours to somebody without a holiday;
    ``as_rota`` that everybody is on just as the rota alone has it; ``why`` has each reason beyond the rota once."""

    date: date
    parts: tuple[Stretch, ...]
    working: bool
    as_rota: bool
    why: tuple[str, ...]

    @property
    def on(self) -> tuple[str, ...]:
        """Everybody on at some time of the day, in order."""
        return tuple(dict.fromkeys(key for part in self.parts for key in part.on))


def days(role: Role, first: date, last: date) -> tuple[Day, ...]:
    """The days from ``first`` to ``last``, both included; a day that the zone skipped has no parts."""
    layers, plain = Layers(role), Layers(_plain(role))
    return tuple(_day(layers, plain, day) for day in dates(first, last))


def dates(first: date, last: date) -> Iterator[date]:
    """Each date from ``first`` to ``last``."""
    for ahead in range((last - first).days + 1):
        yield first + timedelta(days=ahead)


def weeks_of_month(day: date) -> tuple[date, date]:
    """Monday and Sunday around the weeks of the month of ``day``."""
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return monday_of(day.replace(day=1)), monday_of(following - timedelta(days=1)) + timedelta(days=6)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month of ``day``."""
    following = (day.replace(day=1) + timedelta(days=31)).replace(day=1)
    return day.replace(day=1), following - timedelta(days=1)


def _plain(role: Role) -> Role:
    partners = tuple(replace(person, holidays=None) for person in role.partners)
    return replace(role, partners=partners, holidays=None, absences=(), swaps=(), special_days=())


def _day(layers: Layers, plain: Layers, day: date) -> Day:
    slots = layers.slots(day)
    parts = tuple(_parts(slots))
    ordinary = {(slot.on, slot.why) for slot in plain.slots(day)}
    why = dict.fromkeys(slot.why for slot in slots if (slot.on, slot.why) not in ordinary)
    as_rota = parts == tuple(_parts(plain.slots(day)))
    told = tuple(words for words in why if words != "outside hours")
    return Day(day, parts, layers.working_day(day), as_rota, told)


def _parts(slots: tuple[Slot, ...]) -> Iterator[Stretch]:
    """The slots with somebody on, joined where the people stay."""
    open_: Stretch | None = None
    for slot in slots:
        if open_ and open_.on == slot.on and open_.end == slot.start:
            open_ = replace(open_, end=slot.end)
            continue
        if open_:
            yield open_
        open_ = Stretch(slot.start, slot.end, slot.on) if slot.on else None
    if open_:
        yield open_
