"""The five layers that make a day's duty out of what the partners wrote. Pure.

1. the rota says who works when;
2. each person's holidays are taken out;
3. a swap replaces everyone on its day or hours, and its day given back goes to the others;
4. absences are taken out: somebody absent is never on duty;
5. cover puts its person on for the hours the absence took out, less that person's own holidays and absences.

A local day is cut wherever a shift, a swap or an absence begins or ends. Within such a *slot* nothing
changes, so that each layer is plain work on the few people of one slot.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from mailrouter.schedule.holidays import holiday_of
from mailrouter.schedule.leave import Leave, cover_key, leaves
from mailrouter.schedule.localtime import at_minute, day_start, local_day, minutes_range
from mailrouter.schedule.model import Role, Swap
from mailrouter.schedule.reasons import Reasons
from mailrouter.schedule.rota import shifts_on

_ONE_DAY = timedelta(days=1)
_KEPT_DAYS = 2000
"""Days kept once worked out: more than one look ahead and one look back of 400 days each."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of the local ``day`` without a change; bounds in UTC, half-open; ``on`` in the role's order."""

    start: datetime
    end: datetime
    day: date
    on: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class _Placed:
    """A shift of ``who`` that begins on ``day``, with its bounds in UTC."""

    who: str
    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Swapped:
    """A swap with the bounds, in UTC, of the hours it takes on its own day."""

    swap: Swap
    start: datetime
    end: datetime


class Layers:
    """The days of one role, worked out when they are first asked for and kept."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.zone = role.time_zone
        self.leaves = leaves(role)
        self._people = {person.key: person for person in role.people}
        self._order = {key: place for place, key in enumerate(self._people)}
        self._reasons = Reasons(role)
        self._swaps = tuple(_Swapped(swap, *swapped_hours(swap, role)) for swap in role.swaps)
        self._days: dict[date, tuple[Slot, ...]] = {}

    def slots(self, day: date) -> tuple[Slot, ...]:
        """The slots of the local day, without a break from end to end; none if the day was skipped."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _KEPT_DAYS:
                self._days.clear()
            known = self._days[day] = tuple(self._cut(day))
        return known

    def day_of(self, moment: datetime) -> date:
        """The local day that holds ``moment``."""
        return local_day(moment, self.zone)

    def onwards(self, day: date, days: int) -> Iterator[Slot]:
        """The slots of ``day`` and of the ``days`` after it, in order."""
        for ahead in range(days + 1):
            yield from self.slots(day + timedelta(days=ahead))

    def holiday(self, key: str, day: date) -> str | None:
        """The name of the holiday that this person has on ``day``."""
        person = self._people.get(key)
        return holiday_of(person, self.role, day) if person else None

    def rostered(self, day: date) -> tuple[str, ...]:
        """The people to whom the rota gives hours that begin on ``day``, each once, in its order."""
        return tuple(dict.fromkeys(shift.who for shift in shifts_on(self.role.rota, day)))

    def working_day(self, day: date) -> bool:
        """Whether the rota gives hours on ``day``, and not only to people who have a holiday."""
        return any(self.holiday(key, day) is None for key in self.rostered(day))

    def away(self, key: str, moment: datetime) -> Leave | None:
        """The stretch of absence in which this person is at ``moment``."""
        return next((x for x in self.leaves if x.who == key and x.start <= moment < x.end), None)

    def by_rota(self, key: str, day: date) -> bool:
        """Whether the rota alone gives this person hours within the local ``day``."""
        start, end = day_start(day, self.zone), day_start(day + _ONE_DAY, self.zone)
        shifts = (*self._shifts(day - _ONE_DAY), *self._shifts(day))
        return any(shift.who == key and shift.start < end and shift.end > start for shift in shifts)

    def _cut(self, day: date) -> Iterator[Slot]:
        """Cut the day at every bound of a shift, swap or absence, and settle each slot."""
        first, last = day_start(day, self.zone), day_start(day + _ONE_DAY, self.zone)
        # What began the day before may reach into this one: past midnight, or longer as the clocks go back.
        begins = (day - _ONE_DAY, day)
        shifts = [shift for begin in begins for shift in self._shifts(begin)]
        swaps = [s for s in self._swaps if s.swap.day in begins or s.swap.given_back in begins]
        edges = {first, last}
        edges.update(edge for shift in shifts for edge in (shift.start, shift.end))
        edges.update(edge for entry in swaps for edge in (entry.start, entry.end))
        edges.update(edge for leave in self.leaves for part in leave.parts for edge in (part.start, part.end))
        for start, end in pairwise(sorted(edge for edge in edges if first <= edge <= last)):
            on, why = self._settle(day, start, shifts, swaps)
            yield Slot(start, end, day, tuple(sorted(on, key=self._order.__getitem__)), why)

    def _shifts(self, day: date) -> Iterator[_Placed]:
        for shift in shifts_on(self.role.rota, day):
            first, last = minutes_range(shift.start, shift.end)
            start = at_minute(day, first, self.zone)
            end = at_minute(day, last, self.zone, end=True)
            yield _Placed(shift.who, day, start, end)

    def _settle(
        self, day: date, moment: datetime, shifts: list[_Placed], swaps: list[_Swapped]
    ) -> tuple[set[str], str]:
        """All layers for the slot of ``day`` that begins at ``moment``: who is on, and why."""
        say = self._reasons
        rota = {shift.who: shift.day for shift in shifts if shift.start <= moment < shift.end}
        out = {who: name for who in rota if (name := self.holiday(who, day))}
        begun = {who: begins for who, begins in rota.items() if who not in out}
        begun, swapped, parts = self._swap(begun, moment, swaps)
        gone = {who: leave for who in begun if (leave := self.away(who, moment))}
        on = begun.keys() - gone.keys()
        parts += say.rota({who: begun[who] for who in on if who not in swapped})
        for who in sorted(gone, key=self._order.__getitem__):
            covering, kept = self._cover(gone[who], day, moment)
            parts.append(say.away(gone[who], covering - on, kept))
            on |= covering
        parts += say.holidays(out, rota)
        return on, say.whole(parts)

    def _swap(
        self, begun: dict[str, date], moment: datetime, swaps: list[_Swapped]
    ) -> tuple[dict[str, date], set[str], list[str]]:
        """Layer 3, in the order of the file, so that a day given back may be swapped again.

        Gives who is on with the day on which that began, who of them by a swap, and the words for it.
        """
        swapped, words = set[str](), list[str]()
        for entry in swaps:
            swap = entry.swap
            if entry.start <= moment < entry.end and begun.keys() != {swap.who}:
                words = [self._reasons.swap(swap, begun)]
                begun, swapped = {swap.who: swap.day}, {swap.who}
            if swap.given_back is not None and begun.get(swap.who) == swap.given_back:
                takers = takes_over(swap, self.role)
                new = [who for who in takers if who not in begun]
                if takers:
                    words.append(self._reasons.returned(swap, new))
                    begun = {who: day for who, day in begun.items() if who != swap.who}
                    begun |= dict.fromkeys(new, swap.given_back)
                    swapped = (swapped - {swap.who}) | set(new)
        return begun, swapped, words

    def _cover(self, leave: Leave, day: date, moment: datetime) -> tuple[set[str], dict[str, str]]:
        """Layer 5: who covers for somebody who is away, and who would, with what keeps them from it."""
        covering, kept = set[str](), dict[str, str]()
        for key in dict.fromkeys(filter(None, map(cover_key, leave.at(moment)))):
            if own := self.away(key, moment):
                kept[key] = f"is away {own.until}"
            elif name := self.holiday(key, day):
                kept[key] = f"has a holiday: {name}"
            else:
                covering.add(key)
        return covering, kept


def swap_minutes(swap: Swap, role: Role) -> tuple[int, int]:
    """The minutes of its day that a swap takes: its own, else the role's hours."""
    start = role.hours[0] if swap.start is None else swap.start
    end = role.hours[1] if swap.end is None else swap.end
    return minutes_range(start, end)


def swapped_hours(swap: Swap, role: Role) -> tuple[datetime, datetime]:
    """The moments, in UTC, between which a swap replaces everyone."""
    start, end = swap_minutes(swap, role)
    return at_minute(swap.day, start, role.time_zone), at_minute(swap.day, end, role.time_zone, end=True)


def takes_over(swap: Swap, role: Role) -> tuple[str, ...]:
    """Who works on the day given back: those whom the swap replaces, else the other partners."""
    start, end = swap_minutes(swap, role)
    shifts = [shift for shift in shifts_on(role.rota, swap.day) if shift.who != swap.who]
    replaced = [shift.who for shift in shifts if shift.start < end and shift.end > start]
    others = [person.key for person in role.partners if person.key != swap.who]
    return tuple(dict.fromkeys(replaced or [shift.who for shift in shifts] or others))
