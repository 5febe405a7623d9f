"""Warnings about holes in a rota, and about partners coming and going. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise

from mailrouter.schedule.date_words import WEEKDAYS, called, clock_words, date_words, joined
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import DAY, at_minute, minutes_range
from mailrouter.schedule.model import Role, Shift, Week

_FORESEEN = 60
"""Days within which a role without any partner is told of."""


def uncovered(role: Role, today: date, days: int) -> Iterator[str]:
    """Holes of the rota within working hours, by weekday and next day. They are on weekdays where it has somebody.

    Absences and holidays are not looked at: a visit to the dentist is no fault of the rota.
    """
    if all(_whole(week, role) for week in role.rota.weeks):
        return
    layers = Layers(replace(role, absences=(), swaps=(), special_days=()))
    found: dict[tuple[int, str], date] = {}
    for day in (today + timedelta(days=ahead) for ahead in range(days)):
        if layers.rostered(day):
            for begins, hole in _holes(layers, day):
                found.setdefault((begins.weekday(), hole), begins)
    for (weekday, hole), first in found.items():
        next_one = date_words(first, today)
        yield f"the rota has nobody on {WEEKDAYS[weekday]}s {hole}, within the role's hours; next on {next_one}"


def _whole(week: Week, role: Role) -> bool:
    """Whether each staffed day's shifts plainly cover the role's hours."""
    for weekday, shifts in enumerate(week):
        before = [(s.start - DAY, s.end - DAY) for s in week[weekday - 1]]
        spans = sorted([*before, *((s.start, s.end) for s in shifts)])
        if any(shift.zone for shift in shifts) or not (not shifts or _covered(spans, role)):
            return False
    return True


def _covered(spans: list[tuple[int, int]], role: Role) -> bool:
    for start, end in role.working_hours:
        reached = start
        for first, last in spans:
            if first <= reached < last:
                reached = last
        if reached < end:
            return False
    return True


def _holes(layers: Layers, day: date) -> Iterator[tuple[date, str]]:
    """``from 12:00 to 13:00``, for each hole in a day's hours.

    Each comes with the day that it begins on: of a night's hours that may be the next one.
    """
    zone = layers.zone
    for start, end in layers.role.working_hours:
        first, last = minutes_range(start, end)
        opens, closes = at_minute(day, first, zone), at_minute(day, last, zone, end=True)
        on = [slot for slot in layers.onwards(day, 1) if slot.on and slot.end > opens and slot.start < closes]
        edges: list[tuple[datetime, datetime]] = [
            (opens, opens),
            *((s.start, s.end) for s in on),
            (closes, closes),
        ]
        if not on:
            yield day, f"from {clock_words(first)} to {clock_words(last)}"
            continue
        for (_, left), (come, _) in pairwise(edges):
            if left < come:
                begins, ends = left.astimezone(zone), come.astimezone(zone)
                yield begins.date(), f"from {begins:%H:%M} to {ends:%H:%M}"


def comings_and_goings(role: Role, today: date, days: int) -> Iterator[str]:
    """Warnings about a role's partners and the days they come or go.

    A role may have no partner, an end may be near, somebody may leave unfollowed or have no hours.
    """
    names = called(role)
    ahead = (today + timedelta(days=more) for more in range(_FORESEEN))
    always = any(person.since is None and person.until is None for person in role.partners)
    vacant = None if always else next((day for day in ahead if not role.on_day(day).partners), None)
    if vacant is not None:
        since = "" if vacant == today else f"from {date_words(vacant, today)} "
        yield f"{since}nobody is a partner, and mail to the role has to wait: name a partner, or move an `until`"
    if role.until is not None and today <= role.until < today + timedelta(days=days):
        yield f"the arrangement ends on {date_words(role.until, today)}"
    if role.until is not None and role.until < today:
        yield f"the arrangement ended on {date_words(role.until, today)}; the partners still get the mail"
    in_rota = {shift.who for shift in _all_shifts(role)}
    followed = {person.follows for person in role.partners}
    for person in role.partners:
        last = person.until
        if (
            person.key in in_rota
            and last
            and today <= last < today + timedelta(days=days)
            and person.key not in followed
        ):
            yield f"{names[person.key]} is a partner until {date_words(last, today)}, and nobody follows in the rota"
        if person.follows and role.person(person.follows).until is None:
            former = names[person.follows]
            yield f"{names[person.key]} follows {former}, who has no `until` and so never makes room"
    idle = [
        p
        for p in role.partners
        if p.key not in in_rota and p.follows not in in_rota and not _gone(p.until, today)
    ]
    if idle and in_rota:
        who = joined(names[person.key] for person in idle)
        yield f"{who} {'has' if len(idle) == 1 else 'have'} no hours in the rota"


def _gone(until: date | None, today: date) -> bool:
    return until is not None and until < today


def _all_shifts(role: Role) -> Iterator[Shift]:
    for week in role.rota.weeks:
        for shifts in week:
            yield from shifts
    for _, shifts in role.special_days:
        yield from shifts
