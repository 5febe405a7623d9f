"""The five layers of a day's duty, from rota to absence. Pure.

1. the rota says who works when, or the line of a special day does; nobody outside their time as a partner;
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

from mailrouter.schedule.absences import Leave, Leaves, cover_key
from mailrouter.schedule.holidays import holiday_of
from mailrouter.schedule.localtime import at_minute, day_start, local_day, minutes_range
from mailrouter.schedule.model import Role, Swap
from mailrouter.schedule.partnership import Terms
from mailrouter.schedule.reasons import Reasons
from mailrouter.schedule.swaps import Swapped, swapped, takes_over

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
    """A shift of ``who`` beginning on ``day``, bounds in UTC."""

    who: str
    day: date
    start: datetime
    end: datetime


class Layers:
    """A role's days, worked out when first asked for, then kept."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.zone = role.time_zone
        self.leaves = Leaves(role)
        self.terms = Terms(role)
        self._people = {person.key: person for person in role.people}
        self._order = {key: place for place, key in enumerate(self._people)}
        self._reasons = Reasons(role)
        self._swaps = tuple(swapped(role))
        self._days: dict[date, tuple[Slot, ...]] = {}
        self._rostered: dict[date, tuple[str, ...]] = {}
        # What began the day before may reach into this one: past midnight, or longer as the clocks go back. Two zones
        # are up to 26 hours apart.
        self._reach = (-2, -1, 0, 1, 2) if self.terms.zones else (-1, 0)

    def slots(self, day: date) -> tuple[Slot, ...]:
        """The slots of a local day, from end to end. None if the day was skipped."""
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
        """The name of this person's holiday on ``day``, one of their days."""
        person = self._people.get(key)
        return holiday_of(person, self.role, day) if person else None

    def own_day(self, key: str, slot: Slot) -> date:
        """The day that this person's own calendar shows in the slot."""
        zone = self.terms.zones.get(key)
        return local_day(slot.start, zone) if zone else slot.day

    def rostered(self, day: date) -> tuple[str, ...]:
        """The people with rota hours that begin on ``day``, in order."""
        known = self._rostered.get(day)
        if known is None:
            if len(self._rostered) >= _KEPT_DAYS:
                self._rostered.clear()
            shifts = self.terms.shifts(day) if self.terms.runs(day) else ()
            found = (self.terms.instead(shift.who, day) for shift in shifts)
            known = self._rostered[day] = tuple(dict.fromkeys(key for key in found if key is not None))
        return known

    def working_day(self, day: date) -> bool:
        """Whether the rota gives ``day`` to anybody without a holiday."""
        rostered = self.rostered(day)
        return any(self.terms.special(day) or self.holiday(key, day) is None for key in rostered)

    def away(self, key: str, moment: datetime) -> Leave | None:
        """The stretch of absence in which this person is at ``moment``."""
        return self.leaves.at(key, moment)

    def ordinary(self, day: date, besides: Swap | None = None) -> bool:
        """Whether only the rota, or a special day, speaks of ``day``. The night after it counts as well.

        As far as that is cheap to know: no holiday of those who work, no absence, no swap but ``besides``, no zone of
        somebody's own.
        """
        if self.terms.zones or not self.terms.runs(day):
            return False
        if not self.terms.special(day) and any(self.holiday(key, day) for key in self.rostered(day)):
            return False
        start, end = day_start(day, self.zone), day_start(day + 2 * _ONE_DAY, self.zone)
        for entry in self._swaps:
            back = entry.swap.given_back
            if entry.swap is not besides and (
                (entry.start < end and entry.end > start) or (back and 0 <= (day - back).days <= 1)
            ):
                return False
        return not self.leaves.any(start, end)

    def anybody(self, day: date) -> bool:
        """Whether somebody is on duty at some time of ``day``; found out without working out all of it."""
        known = self._days.get(day)
        simple = known is None and not self.terms.zones and self.terms.runs(day)
        if simple and any(
            self._plainly_there(shift, day) for shift in self._shifts(day)
        ):  # mostly the first one is
            return True
        return any(slot.on for slot in (self._cut(day) if known is None else known))

    def _plainly_there(self, shift: _Placed, day: date) -> bool:
        """Whether nothing keeps somebody from beginning this shift of ``day``."""
        who = self.terms.instead(shift.who, day)
        if who is None or any(s.takes(shift.start) or s.gives(shift.start, day) for s in self._swaps):
            return False
        free = not self.terms.special(day) and self.holiday(who, day) is not None
        return shift.start < shift.end and not free and not self.away(who, shift.start)

    def by_rota(self, key: str, day: date) -> bool:
        """Whether the rota alone gives this person hours within ``day``. Holidays are not looked at."""
        start, end = day_start(day, self.zone), day_start(day + _ONE_DAY, self.zone)
        return self.terms.runs(day) and any(
            self.terms.instead(shift.who, day) == key and shift.start < end and shift.end > start
            for begin in self._reach
            for shift in self._shifts(day + begin * _ONE_DAY)
        )

    def _cut(self, day: date) -> Iterator[Slot]:
        """Cut the day at every bound, and settle each slot. The bounds are those of shifts, swaps and absences."""
        first, last = day_start(day, self.zone), day_start(day + _ONE_DAY, self.zone)
        if first >= last:
            return
        if not self.terms.runs(day):
            yield Slot(first, last, day, (), self._reasons.not_running(day))
            return
        begins = [day + ahead * _ONE_DAY for ahead in self._reach]
        shifts = [shift for begin in begins for shift in self._shifts(begin)]
        swaps = [s for s in self._swaps if s.swap.day in begins or s.swap.given_back in begins]
        edges = {first, last}
        edges.update(edge for shift in shifts for edge in (shift.start, shift.end))
        edges.update(edge for entry in swaps for edge in entry.edges())
        edges.update(self.leaves.edges(first, last))
        for zone in set(self.terms.zones.values()):  # holidays are days of each person's own
            edges.update(day_start(begin, zone) for begin in begins)
        for start, end in pairwise(sorted(edge for edge in edges if first <= edge <= last)):
            on, why = self._settle(day, start, shifts, swaps)
            yield Slot(start, end, day, tuple(sorted(on, key=self._order.__getitem__)), why)

    def _shifts(self, day: date) -> Iterator[_Placed]:
        for shift in self.terms.shifts(day):
            first, last = minutes_range(shift.start, shift.end)
            zone = shift.zone or self.zone
            yield _Placed(shift.who, day, at_minute(day, first, zone), at_minute(day, last, zone, end=True))

    def _settle(
        self, day: date, moment: datetime, shifts: list[_Placed], swaps: list[Swapped]
    ) -> tuple[set[str], str]:
        """All layers for the slot of ``day`` that begins at ``moment``: who is on, and why."""
        say = self._reasons
        rota, gone_for_good = dict[str, _Placed](), list[str]()
        for shift in shifts:
            if shift.start <= moment < shift.end:
                who = self.terms.instead(shift.who, day)
                if who is None:
                    gone_for_good.append(shift.who)
                else:
                    rota[who] = shift
        out = {
            who: name
            for who, shift in rota.items()
            if not self.terms.special(shift.day) and (name := self._holiday_of(who, shift))
        }
        begun = {who: shift.day for who, shift in rota.items() if who not in out}
        begun, by_swap, parts = self._swap(begun, day, moment, swaps)
        gone = {who: leave for who in begun if (leave := self.away(who, moment))}
        on = begun.keys() - gone.keys()
        by_rota = {who: begun[who] for who in on if who not in by_swap}
        parts += say.rota({who: d for who, d in by_rota.items() if not self.terms.special(d)})
        parts += say.special({who: d for who, d in by_rota.items() if self.terms.special(d)})
        for who in sorted(gone, key=self._order.__getitem__):
            covering, kept = self._cover(gone[who], day, moment, rota.get(who))
            parts.append(say.away(gone[who], covering - on, kept))
            on |= covering
        parts += say.holidays(out, rota)
        if not on:
            parts += (say.no_partner(who, day) for who in dict.fromkeys(gone_for_good))
        if not parts and self.terms.special(day) and not self.terms.shifts(day):
            parts.append(say.special_nobody(day))
        return on, say.whole(parts)

    def _swap(
        self, begun: dict[str, date], day: date, moment: datetime, swaps: list[Swapped]
    ) -> tuple[dict[str, date], set[str], list[str]]:
        """Apply layer 3, swaps, in the order of the file. So a day given back may be swapped again.

        Gives who is on with the day on which that began, who of them by a swap, and the words for it.
        """
        by_swap, words = set[str](), list[str]()
        for entry in swaps:
            swap = entry.swap
            if entry.takes(moment) and begun.keys() != {swap.who} and self.terms.partner(swap.who, day):
                words = [self._reasons.swap(swap, begun)]
                begun, by_swap = {swap.who: swap.day}, {swap.who}
            if entry.gives(moment, begun.get(swap.who)):
                takers = takes_over(swap, self.role, self.terms)
                new = [who for who in takers if who not in begun]
                if takers:
                    words.append(self._reasons.returned(swap, new))
                    begun = {who: d for who, d in begun.items() if who != swap.who}
                    begun |= dict.fromkeys(new, swap.given_back or swap.day)
                    by_swap = (by_swap - {swap.who}) | set(new)
        return begun, by_swap, words

    def _cover(
        self, leave: Leave, day: date, moment: datetime, shift: _Placed | None
    ) -> tuple[set[str], dict[str, str]]:
        """Layer 5: who covers for somebody who is away, and who would, with what keeps them from it.

        ``shift`` is the one that is covered, None where it is theirs by a swap.
        """
        covering, kept = set[str](), dict[str, str]()
        for key in dict.fromkeys(filter(None, map(cover_key, leave.at(moment)))):
            if not self.terms.partner(key, day):
                kept[key] = "is no partner on that day"
            elif own := self.away(key, moment):
                kept[key] = f"is away {own.until}"
            elif not self.terms.special(shift.day if shift else day) and (
                name := self._holiday_of(key, shift) if shift else self._holiday_at(key, day, moment)
            ):
                kept[key] = f"has a holiday: {name}"
            else:
                covering.add(key)
        return covering, kept

    def _holiday_of(self, key: str, shift: _Placed) -> str | None:
        """The holiday that takes a shift: one of the day on which it begins, in the person's own calendar."""
        zone = self.terms.zones.get(key)
        return self.holiday(key, local_day(shift.start, zone) if zone else shift.day)

    def _holiday_at(self, key: str, day: date, moment: datetime) -> str | None:
        zone = self.terms.zones.get(key)
        return self.holiday(key, local_day(moment, zone) if zone else day)
