"""A role's duty between two moments: every minute once, in UTC, with the reason in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import day_start
from mailrouter.schedule.model import Role


@dataclass(frozen=True, slots=True)
class Span:
    """The people ``on`` from ``start`` to ``end`` (UTC, half-open), and why. They are keys; nobody is ``()``."""

    start: datetime
    end: datetime
    on: tuple[str, ...]
    why: str


def timeline(role: Role, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The spans covering [start, end) exactly once, in order. Nothing for an empty range.

    Neighbours always differ in ``on`` or ``why``. Raises ValueError for moments without a zone.
    """
    return spans_of(Layers(role), start, end)


def spans_of(layers: Layers, start: datetime, end: datetime) -> tuple[Span, ...]:
    """The timeline's spans, from days that may be known already."""
    start, end = in_utc(start), in_utc(end)
    found: list[Span] = []
    day = layers.day_of(start)
    while start < end:
        for slot in layers.slots(day):
            if slot.end <= start or slot.start >= end:
                continue
            upto = min(slot.end, end)
            if found and (found[-1].on, found[-1].why) == (slot.on, slot.why):
                found[-1] = Span(found[-1].start, upto, slot.on, slot.why)
            else:
                found.append(Span(start, upto, slot.on, slot.why))
            start = upto
        day += timedelta(days=1)
    return tuple(found)


def in_utc(moment: datetime) -> datetime:
    """The moment in UTC. Raises ValueError where it has no zone: a guess would be wrong somewhere."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone; a schedule needs to know which moment is meant")
    return moment.astimezone(UTC)


def day_range(role: Role, first: date, last: date) -> tuple[datetime, datetime]:
    """The UTC bounds of the days from ``first`` through ``last``. Half-open; they are whole local days.

    It is the same with ``until`` in the file, so ``schedule --from D --to D`` shows the one day D. Raises
    ValueError where ``last`` lies before ``first``.
    """
    if last < first:
        raise ValueError(f"the last day, {last}, lies before the first, {first}")
    return day_start(first, role.time_zone), day_start(last + timedelta(days=1), role.time_zone)
