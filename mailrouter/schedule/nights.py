"""The end of a day in roles that work over midnight: with the shifts that begin on it. Pure.

A day's absence takes the shifts that begin on that day, as swaps and special days do. So its bounds are not midnight
where a shift runs over midnight, but the end of that shift.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.localtime import DAY, at_minute, day_start, minutes_range, to_utc
from mailrouter.schedule.model import BEGINNING, FOREVER, Absence, Role, Shift
from mailrouter.schedule.partnership import Terms
from mailrouter.schedule.swaps import swap_minutes

_ONE_DAY = timedelta(days=1)


class Nights:
    """The shifts of one role that run over midnight."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._terms = Terms(role)
        self._swaps = tuple(
            (swap.day, swap.who, minutes) for swap in role.swaps for minutes in swap_minutes(swap, role)
        )
        # In another zone than the role's, any shift may run over somebody's midnight.
        self.any = bool(self._terms.zones) or works_nights(role)

    def zone(self, who: str) -> ZoneInfo:
        """The zone in which a person's days begin."""
        return self._terms.zone(who)

    def begins(self, day: date, who: str) -> datetime:
        """The moment, in UTC, at which ``day`` begins for a person: midnight, or the end of the shift that runs over it.

        It is never later than the beginning of a shift of their own.
        """
        zone = self._terms.zone(who)
        midnight = day_start(day, zone)
        if not self.any:
            return midnight
        placed = list(self._around(day))
        over = max((end for _, start, end in placed if start < midnight < end), default=midnight)
        return min(
            (start for key, start, _ in placed if key == who and midnight <= start < over), default=over
        )

    def bounds(self, absence: Absence) -> tuple[datetime, datetime]:
        """The bounds in UTC of an absence that doesn't come round; one of no time ends before it begins, or then."""
        zone = self._terms.zone(absence.who)
        start, end = to_utc(absence.start, zone), to_utc(absence.end, zone, end=True)
        if self.any:
            if absence.from_day and absence.start > BEGINNING:
                start = self.begins(absence.start.date(), absence.who)
            if absence.until_day and absence.end < FOREVER:
                end = self.begins(absence.end.date(), absence.who)
        return start, end

    def night(self, day: date, who: str) -> bool:
        """Whether a shift of theirs runs over the end of ``day``."""
        midnight = day_start(day + _ONE_DAY, self._terms.zone(who))
        return self.any and any(
            key == who and start < midnight < end for key, start, end in self._around(day + _ONE_DAY)
        )

    def _around(self, day: date) -> Iterator[tuple[str | None, datetime, datetime]]:
        """Shifts near the beginning of ``day``, by rota and swaps, in UTC."""
        for ahead in (-2, -1, 0, 1) if self._terms.zones else (-1, 0):
            begin = day + ahead * _ONE_DAY
            if not self._terms.runs(begin):
                continue
            for shift in self._terms.shifts(begin):
                zone = shift.zone or self._role.time_zone
                first, last = minutes_range(shift.start, shift.end)
                who = self._terms.instead(shift.who, begin)
                yield who, at_minute(begin, first, zone), at_minute(begin, last, zone, end=True)
            for swapped, who, (first, last) in self._swaps:
                if swapped == begin:
                    zone = self._role.time_zone
                    yield who, at_minute(begin, first, zone), at_minute(begin, last, zone, end=True)


def works_nights(role: Role) -> bool:
    """Whether shifts of the role run over midnight: by its hours, its rota, a special day or a swap."""
    shifts: list[Shift] = [shift for week in role.rota.weeks for day in week for shift in day]
    shifts += [shift for _, special in role.special_days for shift in special]
    swaps = [swap_minutes(swap, role) for swap in role.swaps]
    return (
        any(_over(shift.start, shift.end) for shift in shifts)
        or any(_over(*minutes) for parts in swaps for minutes in parts)
        or _over(*role.hours)
    )


def _over(start: int, end: int) -> bool:
    return minutes_range(start, end)[1] > DAY
