"""Swaps as they lie in time: the hours they take, and the hours they give back. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from mailrouter.schedule.localtime import at_minute, minutes_range
from mailrouter.schedule.model import Minute, Role, Swap
from mailrouter.schedule.partnership import Terms


@dataclass(frozen=True, slots=True)
class Swapped:
    """A swap with its hours taken and given back, in UTC. It takes them on its own day.

    One of a day with a lunch break is two of these. Without ``back`` whatever its person has on the day given
    back is given back.
    """

    swap: Swap
    start: datetime
    end: datetime
    back: tuple[datetime, datetime] | None = None

    def takes(self, moment: datetime) -> bool:
        """Whether its person is on at ``moment`` in place of everyone."""
        return self.start <= moment < self.end

    def gives(self, moment: datetime, begun: date | None) -> bool:
        """Whether ``moment`` is given back of hours from day ``begun``. The hours are its person's."""
        if self.swap.given_back is None or begun != self.swap.given_back:
            return False
        return self.back is None or self.back[0] <= moment < self.back[1]

    def edges(self) -> tuple[datetime, ...]:
        """All bounds."""
        return (self.start, self.end, *(self.back or ()))


def swapped(role: Role) -> Iterator[Swapped]:
    """The swaps of a role, in the order of its file."""
    zone = role.time_zone
    for swap in role.swaps:
        back = None
        if swap.given_back is not None and swap.back_start is not None and swap.back_end is not None:
            first, last = minutes_range(swap.back_start, swap.back_end)
            day = swap.given_back
            back = at_minute(day, first, zone), at_minute(day, last, zone, end=True)
        for start, end in swap_minutes(swap, role):
            start_at, end_at = at_minute(swap.day, start, zone), at_minute(swap.day, end, zone, end=True)
            yield Swapped(swap, start_at, end_at, back)


def swap_minutes(swap: Swap, role: Role) -> tuple[tuple[Minute, Minute], ...]:
    """The minutes of its day that a swap takes: its own, else the role's working hours."""
    if swap.start is None and swap.end is None:
        return tuple(minutes_range(*hours) for hours in role.working_hours)
    start = role.hours[0] if swap.start is None else swap.start
    end = role.hours[1] if swap.end is None else swap.end
    return (minutes_range(start, end),)


def takes_over(swap: Swap, role: Role, terms: Terms) -> tuple[str, ...]:
    """The people who work on the day given back: those whom the swap replaces, else the other partners of that day."""
    day = swap.given_back or swap.day
    (start, _), *_ = hours = swap_minutes(swap, role)
    end = hours[-1][1]
    shifts = [shift for shift in terms.shifts(swap.day) if terms.instead(shift.who, swap.day) != swap.who]
    replaced = [shift.who for shift in shifts if shift.start < end and shift.end > start]
    others = [person.key for person in role.partners if person.key != swap.who and person.is_partner_on(day)]
    who = replaced or [shift.who for shift in shifts] or others
    found = (terms.instead(key, day) for key in who)
    return tuple(dict.fromkeys(key for key in found if key is not None and key != swap.who))
