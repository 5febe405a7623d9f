"""Absences from partners' calendars, laid beside those of a role's file. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from mailrouter.schedule.absences import Leaves
from mailrouter.schedule.model import Absence, Person, Role

Interval = tuple[datetime, datetime]
"""Two moments in UTC, half-open."""


def with_calendars(role: Role, busy: Mapping[str, Sequence[Interval]]) -> Role:
    """The role with its partners' calendar intervals as absences.

    They are by the partners' keys; their ``source`` is "calendar".

    Where the file has an absence of that partner, the file's holds alone, with its note and its cover. Only partners
    with a ``calendar`` get any. What an earlier call has laid in is replaced.
    """
    written = tuple(absence for absence in role.absences if absence.source == "file")
    if len(written) == len(role.absences) and not any(busy.values()):
        return role
    leaves = Leaves(replace(role, absences=written))
    found: list[Absence] = []
    for person in role.partners:
        intervals = union(busy.get(person.key, ()))
        if person.calendar is not None and intervals:
            own = leaves.between(person.key, intervals[0][0], intervals[-1][1])
            left = without(intervals, [(leave.start, leave.end) for leave in own])
            found += _absences(person, left, zone_of(person, role))
    absences = (*written, *found)
    return role if absences == role.absences else replace(role, absences=absences)


def zone_of(person: Person, role: Role) -> ZoneInfo:
    """The time zone of a partner's days and absences."""
    return person.time_zone or role.time_zone


def _absences(person: Person, intervals: Iterable[Interval], zone: ZoneInfo) -> Iterable[Absence]:
    """In wall times: in the hour that comes twice a year an absence may so grow to the whole of both."""
    cover = person.calendar.cover if person.calendar else None
    for bounds in intervals:
        start, end = (moment.astimezone(zone).replace(tzinfo=None) for moment in bounds)
        whole = start.time() == end.time() == datetime.min.time()
        yield Absence(person.key, start, end, "", cover, whole, whole, source="calendar")


def union(intervals: Iterable[Interval]) -> list[Interval]:
    """The moments of several intervals as disjoint intervals, in order."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def without(intervals: Iterable[Interval], taken: Iterable[Interval]) -> list[Interval]:
    """The rest of ``intervals`` outside ``taken``, as ``union`` gives it."""
    gaps = union(taken)
    found: list[Interval] = []
    for start, end in union(intervals):
        for begin, until in gaps:
            if until <= start or begin >= end:
                continue
            if begin > start:
                found.append((start, begin))
            start = until
        if start < end:
            found.append((start, end))
    return found
