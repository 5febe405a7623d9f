"""Duty in one line a day, and schedules' differences, for people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from mailrouter.schedule.date_words import WEEKDAYS, called, clock_words, date_words, short_date
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import DAY, day_start
from mailrouter.schedule.model import Role

AHEAD = 400
"""Days that are compared: more than a year, so that next year's leave is seen."""
_OFTEN = 4
"""From so many on, the same difference on the same weekday is told once."""
_GOES_ON = timedelta(days=35)
"""What comes again in the last weeks that are looked at comes again after them."""
_ONE_DAY = timedelta(days=1)
NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Difference:
    """From ``first`` to ``last`` it was ``before`` and is ``after``: names with hours, ``nobody`` for nobody."""

    first: date
    last: date
    before: str
    after: str
    again: tuple[date, ...] = ()
    """The first days of the same difference on the same weekdays, later on."""
    goes_on: bool = False
    """Whether these go on as far as was looked."""

    def in_log(self, today: date) -> str:
        """``Thursday 3 December: elaine -> laurie``."""
        if self.again:
            return f"{self._times(today)}: {self.before} -> {self.after}"
        until = "" if self.first == self.last else f" to {date_words(self.last, today)}"
        return f"{date_words(self.first, today)}{until}: {self.before} -> {self.after}"

    def in_mail(self) -> str:
        """``Thu 3 Dec: Laurie (was: Elaine)``."""
        if self.again:
            return f"{self._times(self.first)}: {self.after} (was: {self.before})"
        until = "" if self.first == self.last else f" to {short_date(self.last)}"
        return f"{short_date(self.first)}{until}: {self.after} (was: {self.before})"

    def _times(self, today: date) -> str:
        """``each Tuesday from 1 December on``, or a number of times.

        ``Tuesday, 9 times from 1 December to 26 January 2027``.
        """
        day, last = (WEEKDAYS[day.weekday()] for day in (self.first, self.last))
        days = day if day == last else f"{day} to {last}"
        first, until = (date_words(day, today).partition(" ")[2] for day in (self.first, self.again[-1]))
        times = len(self.again) + 1
        if not self.goes_on:
            return f"{days}, {times} times from {first} to {until}"
        if (self.again[-1] - self.first).days == 7 * len(self.again):
            return f"each {days} from {first} on"
        return f"{days} from {first} on, {times} times in {AHEAD} days"


def summed_up(found: Iterable[Difference], today: date) -> list[Difference]:
    """The differences from ``today`` on, with weekly ones as one.

    Those that come again each week say that the rota has changed.
    """
    alike: dict[tuple[object, ...], list[Difference]] = {}
    for one in found:
        key = (one.first.weekday(), one.last - one.first, one.before, one.after)
        alike.setdefault(key, []).append(one)
    told: list[Difference] = []
    for same in alike.values():
        if len(same) >= _OFTEN:
            goes_on = today + timedelta(days=AHEAD) - same[-1].last <= _GOES_ON
            told.append(replace(same[0], again=tuple(one.first for one in same[1:]), goes_on=goes_on))
        else:
            told += same
    return sorted(told, key=lambda one: one.first)


def week_lines(role: Role, first: date, last: date) -> list[str]:
    """``Thu 3 Dec: Elaine``, for each day with or without somebody.

    A day that should be somebody's has a line as well.
    """
    layers, names = Layers(role), called(role)
    found = []
    for day in _days(first, last):
        who = _who(layers, day, names)
        if who != NOBODY or layers.rostered(day):
            found.append(f"{short_date(day)}: {who}")
    return found


def differences(
    old: Role, new: Role, today: date, *, by_key: bool = False, ahead: int = AHEAD
) -> list[Difference]:
    """The days on which it differs who is in, from ``today`` on.

    Days that follow each other with the same difference are one, with days between them on which nobody works anyway.
    """
    before, after = Layers(old), Layers(new)
    old_names = {p.key: p.key for p in old.people} if by_key else called(old)
    new_names = {p.key: p.key for p in new.people} if by_key else called(new)
    found: list[Difference] = []
    open_ = False
    for day in _days(today, today + timedelta(days=ahead)):
        was, now = _who(before, day, old_names), _who(after, day, new_names)
        if was == now:
            open_ = open_ and was == NOBODY
        elif open_ and (found[-1].before, found[-1].after) == (was, now):
            found[-1] = Difference(found[-1].first, day, was, now)
        else:
            found.append(Difference(day, day, was, now))
            open_ = True
    return found


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _ONE_DAY


def _who(layers: Layers, day: date, names: Mapping[str, str]) -> str:
    """``Laurie``, or with hours where they aren't the role's: ``Laurie 09:00-13:00, Elaine 12:00-17:00``."""
    hours: dict[str, list[tuple[datetime, datetime]]] = {}
    for slot in layers.slots(day):
        for key in slot.on:
            parts = hours.setdefault(key, [])
            if parts and parts[-1][1] == slot.start:
                parts[-1] = (parts[-1][0], slot.end)
            else:
                parts.append((slot.start, slot.end))
    words = []
    for key, parts in sorted(hours.items(), key=lambda pair: pair[1][0][0]):
        clock = [_clock(layers, day, part) for part in parts]
        whole = clock == [layers.role.hours]
        words.append(names[key] + ("" if whole else " " + " and ".join(map(_range_words, clock))))
    return ", ".join(words) or NOBODY


def _clock(layers: Layers, day: date, part: tuple[datetime, datetime]) -> tuple[int, int]:
    """The minutes that the clocks show; the end of the day is 1440."""
    start, end = (moment.astimezone(layers.zone) for moment in part)
    last = part[1] == day_start(day + _ONE_DAY, layers.zone).astimezone(UTC)
    return start.hour * 60 + start.minute, DAY if last else end.hour * 60 + end.minute


def _range_words(minutes: tuple[int, int]) -> str:
    return f"{clock_words(minutes[0])}-{clock_words(minutes[1])}"
