"""The people who are in, in one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from mailrouter.schedule.date_words import called, date_words, joined
from mailrouter.schedule.duty import Away, Duty, Roster
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Person, Role

_NEAR = timedelta(days=180)
_LONGEST = timedelta(days=14)
"""How far the end of somebody's hours is looked for."""


def briefly(roster: Roster, moment: datetime) -> str:
    """``Laurie is in until 13:00; Elaine from 12:00. Back: …``: who is in, who is next, when those away are back."""
    role, duty = roster.role, roster.duty(moment)
    today = local_day(duty.moment, role.time_zone)
    names = called(role)
    line = _in_words(duty, ends(roster, duty), role, today) or "Nobody is in"
    back = {away.person.key: away.back for away in duty.away}
    coming = [(p, start) for p, start in following(duty) if not duty.on or back.get(p.key) != start]
    if coming:
        line += f"; {joined(names[p.key] for p, _ in coming)} from {moment_words(coming[0][1], role, today)}"
    told = {person.key for person, _ in coming}
    away = [
        f"{names[one.person.key]} {_back(one, role, today)}"
        for one in duty.away
        if one.person.key not in told
    ]
    if away:
        line += f". Back: {'; '.join(away)}"
    return f"{line}."


def ends(roster: Roster, duty: Duty) -> dict[str, datetime | None]:
    """Until when each of those on is in without a break (UTC); None is more than two weeks."""
    spans = roster.timeline(duty.moment, duty.moment + _LONGEST)
    return {p.key: next((span.start for span in spans if p.key not in span.on), None) for p in duty.on}


def following(duty: Duty) -> list[tuple[Person, datetime]]:
    """The others who begin next, all at the first such moment. Nobody where all are on."""
    starts = [
        (person, start) for person, start in duty.next_on if start is not None and person not in duty.on
    ]
    first = min((start for _, start in starts), default=None)
    return [(person, start) for person, start in starts if start == first]


def moment_words(moment: datetime, role: Role, today: date, at: str = "") -> str:
    """A moment in few words, as the role's clocks have it.

    ``13:00``, ``tomorrow 09:00`` or ``Thursday 3 December 09:00``.

    ``at`` stands before the time where a day stands before it. The year is said of days half a year away.
    """
    local = moment.astimezone(role.time_zone)
    day = local.date()
    if day == today:
        return f"{local:%H:%M}"
    if day == today + timedelta(days=1):
        return "24:00" if local.time() == datetime.min.time() else f"tomorrow {at}{local:%H:%M}"
    return f"{date_words(day, day if day - today < _NEAR else today)} {at}{local:%H:%M}"


def _in_words(duty: Duty, until: dict[str, datetime | None], role: Role, today: date) -> str:
    """Absences with one end told together, in the role's order."""
    names = called(role)
    groups: dict[datetime | None, list[str]] = {}
    for person in duty.on:
        groups.setdefault(until[person.key], []).append(names[person.key])
    said = [
        f"{joined(who)} {'is' if len(who) == 1 else 'are'} in{_until(end, role, today)}"
        for end, who in groups.items()
    ]
    return "; ".join(said)


def _until(end: datetime | None, role: Role, today: date) -> str:
    return f" until {moment_words(end, role, today)}" if end else ""


def _back(away: Away, role: Role, today: date) -> str:
    cover = f" ({_names(away.cover)} {'covers' if len(away.cover) == 1 else 'cover'})" if away.cover else ""
    if away.open_ended:
        return f"not known, away until further notice{cover}"
    if away.back is None:
        return f"not within a year{cover}"
    words = moment_words(away.back, role, today, "at ")
    return f"{'' if words.startswith('tomorrow') else 'at ' if words[0].isdigit() else 'on '}{words}{cover}"


def _names(people: Iterable[Person]) -> str:
    return joined(person.first_name for person in people)
