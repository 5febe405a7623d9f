"""The people on duty, away and next at a moment. A mail that arrives then needs to know all three. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from mailrouter.schedule.absences import Leave, cover_key
from mailrouter.schedule.layers import Layers, Slot
from mailrouter.schedule.localtime import day_start
from mailrouter.schedule.model import Absence, Person, Role
from mailrouter.schedule.timeline import Span, in_utc, spans_of
from mailrouter.turns import Steps, at_once

LOOK_AHEAD = 400
"""Days to look for a next or a last duty: more than a year, so that a yearly pattern is found."""

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT_STRETCHES = 2048
"""Answers kept: a year of changes and more."""


@dataclass(frozen=True, slots=True)
class Away:
    """A partner who is away at the moment asked for; moments in UTC.

    By an ``absence`` (the one that holds the moment), or by a ``holiday`` (its name) that took out hours
    they would have worked today. ``since`` and ``until`` bound the whole stretch: absences of theirs that
    touch or overlap are one. ``back`` is the start of their first shift after it, None if none is found in
    400 days. ``cover`` are those named to cover now who are not absent themselves. ``open_ended``: until
    further notice; ``until`` and ``last_day`` are far away then.
    """

    person: Person
    absence: Absence | None
    holiday: str | None
    since: datetime
    until: datetime
    last_day: date
    back: datetime | None
    cover: tuple[Person, ...]
    open_ended: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """The time, in UTC, from the last duty's end to the next.

    ``end`` is None if no duty is found in 400 days ahead; ``start`` is 1 January 1970 if none is found in
    400 days before, so that the same gap keeps the same start.
    """

    start: datetime
    end: datetime | None


class Duty(NamedTuple):
    """The schedule's answer for one ``moment``; all moments in UTC.

    ``on`` are those on duty, stand-ins too. ``away`` are partners of that day; ``next_on`` has each of them, and
    who will be one, with the start of the next duty that they begin after the moment. ``gap`` is set when nobody
    is on duty for the rest of today and all of the role's next working day. ``working_day``: today the rota
    gives hours, and not only to people with a holiday.
    """

    moment: datetime
    on: tuple[Person, ...]
    away: tuple[Away, ...]
    next_on: tuple[tuple[Person, datetime | None], ...]
    gap: Gap | None
    working_day: bool


class Roster:
    """One role's schedule, for many questions about the same days. What it has worked out, it keeps."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self._layers = Layers(role)
        self._facts: dict[datetime, Duty] = {}
        self._roles: dict[tuple[str, ...], Role] = {}
        self._slot = Slot(_EVER, _EVER, _EVER.date(), (), "")
        self._day: date | None = None
        self._role_of_day = role

    def timeline(self, start: datetime, end: datetime) -> tuple[Span, ...]:
        """As ``mailrouter.schedule.timeline.timeline`` for this role."""
        return spans_of(self._layers, start, end)

    def duty(self, moment: datetime) -> Duty:
        """The duty at ``moment``: who is on, away and next. Raises ValueError for a moment without a zone.

        Between two changes of the schedule only ``moment`` differs, so the rest is worked out once a slot.
        """
        return at_once(self.duty_in_steps(moment))

    def duty_in_steps(self, moment: datetime) -> Steps[Duty]:
        """The duty at ``moment``, with a rest after each day looked at.

        Where nobody is there for years, these days are hundreds.
        """
        moment = in_utc(moment)
        slot = self._slot
        if not slot.start <= moment < slot.end:
            slot = self._slot = self._slot_at(moment)
        facts = self._facts.get(slot.start)
        if facts is None:
            if len(self._facts) >= _KEPT_STRETCHES:
                self._facts.clear()
            facts = self._facts[slot.start] = yield from self._duty_of(slot)
        return Duty(moment, facts.on, facts.away, facts.next_on, facts.gap, facts.working_day)

    def role_at(self, moment: datetime) -> Role:
        """The role with nobody but its partners at ``moment``; the very same object while they are the same."""
        slot = self._slot  # mostly the one that ``duty`` was asked about just now
        day = slot.day if slot.start <= moment < slot.end else self._layers.day_of(moment)
        if day != self._day:
            role = self.role.on_day(day)
            known = self._roles.setdefault(tuple(person.key for person in role.partners), role)
            self._day, self._role_of_day = day, known
        return self._role_of_day

    def _slot_at(self, moment: datetime) -> Slot:
        slots = self._layers.slots(self._layers.day_of(moment))
        return slots[bisect_right(slots, moment, key=lambda slot: slot.start) - 1]

    def _duty_of(self, slot: Slot) -> Steps[Duty]:
        away: list[Away] = []
        for person in self.role.partners:
            if person.is_partner_on(slot.day) and (found := (yield from self._away(person, slot))):
                away.append(found)
        return Duty(
            slot.start,
            tuple(map(self.role.person, slot.on)),
            tuple(away),
            (yield from self._next_on(slot)),
            (yield from self._gap(slot)),
            self._layers.working_day(slot.day),
        )

    def _away(self, person: Person, slot: Slot) -> Steps[Away | None]:
        leave = self._layers.away(person.key, slot.start)
        if leave is not None:
            return (yield from self._absent(person, leave, slot))
        day = self._layers.own_day(person.key, slot)
        name = self._layers.holiday(person.key, day)
        if name is None or not self._missed(person, slot):
            return None
        zone = self._layers.terms.zone(person.key)
        since, until = day_start(day, zone), day_start(day + timedelta(days=1), zone)
        back = yield from self._back(person, until)
        return Away(person, None, name, since, until, day, back, ())

    def _absent(self, person: Person, leave: Leave, slot: Slot) -> Steps[Away]:
        now = leave.at(slot.start)
        keys = dict.fromkeys(filter(None, map(cover_key, now)))
        cover = tuple(
            self.role.person(key)
            for key in keys
            if self._layers.terms.partner(key, slot.day) and not self._layers.away(key, slot.start)
        )
        open_ended = leave.last.open_ended
        back = None if open_ended else (yield from self._back(person, leave.end))
        return Away(person, now[0], None, leave.start, leave.end, leave.last_day, back, cover, open_ended)

    def _missed(self, person: Person, slot: Slot) -> bool:
        """Whether their holiday took hours of today that no swap returned."""
        due = self._layers.by_rota(person.key, slot.day)
        return due and not any(person.key in of_today.on for of_today in self._layers.slots(slot.day))

    def _back(self, person: Person, until: datetime) -> Steps[datetime | None]:
        """The first moment from ``until`` at which this person is on duty."""
        for slot in self._layers.onwards(self._layers.day_of(until), LOOK_AHEAD):
            yield
            if slot.start >= until and person.key in slot.on:  # days are cut at the end of every absence
                return slot.start
        return None

    def _next_on(self, slot: Slot) -> Steps[tuple[tuple[Person, datetime | None], ...]]:
        partners = [p for p in self.role.partners if p.until is None or p.until >= slot.day]
        found: dict[str, datetime | None] = {person.key: None for person in partners}
        sought = set(found)
        before = slot
        for later in self._layers.onwards(slot.day, LOOK_AHEAD):
            yield
            if later.start <= slot.start:
                continue
            for key in sought.intersection(later.on).difference(before.on):
                found[key] = later.start
                sought.remove(key)
            if not sought:
                break
            before = later
        return tuple((person, found[person.key]) for person in partners)

    def _gap(self, slot: Slot) -> Steps[Gap | None]:
        if slot.on or any(later.on for later in self._layers.slots(slot.day) if later.start > slot.start):
            return None
        working_day = self._next_working_day(slot.day)
        if working_day is not None and any(later.on for later in self._layers.slots(working_day)):
            return None
        return Gap((yield from self._last_end(slot)), (yield from self._next_start(slot)))

    def _next_working_day(self, today: date) -> date | None:
        days = (today + timedelta(days=ahead) for ahead in range(1, LOOK_AHEAD + 1))
        return next(filter(self._layers.working_day, days), None)

    def _next_start(self, slot: Slot) -> Steps[datetime | None]:
        for later in self._layers.onwards(slot.day, LOOK_AHEAD):
            yield
            if later.on and later.start > slot.start:
                return later.start
        return None

    def _last_end(self, slot: Slot) -> Steps[datetime]:
        for back in range(LOOK_AHEAD + 1):
            yield
            for earlier in reversed(self._layers.slots(slot.day - timedelta(days=back))):
                if earlier.on:  # of today's slots only those before this one can be: else it were no gap
                    return earlier.end
        return _EVER
