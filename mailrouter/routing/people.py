"""The facts about people that notes and answers are worded from: names, dates, and no reasons. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.date_words import WEEKDAYS, called, date_words, near_date_words
from mailrouter.schedule.duty import Away, Duty
from mailrouter.schedule.model import Emergency, Person, Role
from mailrouter.schedule.rota import monday_of, shifts_on

_Names = Callable[[Iterable[Person]], list[str]]


def today_of(role: Role, duty: Duty) -> date:
    """Today's date by the role's clocks, at the moment of ``duty``."""
    return duty.moment.astimezone(role.time_zone).date()


def on_day(moment: datetime, role: Role, today: date) -> str:
    """``today`` or ``on Friday 1 January``, as the role's clocks have it."""
    day = moment.astimezone(role.time_zone).date()
    return "today" if day == today else f"on {near_date_words(day, today)}"


def people_facts(role: Role, duty: Duty, *, inside: bool, names: bool) -> dict[str, object]:
    """The facts of a note or an answer; without ``names`` every list of names is empty.

    ``on``: who is in now, ``in_now`` whether anybody is. ``away``: entries of ``who``, ``many`` (is it more
    than one), ``when`` (``until Friday 1 January``), ``back`` (``on Thursday 7 January``, or nothing) and
    ``cover``. ``next``: ``who`` is in next, ``many``, ``day``, ``time``, and ``told`` where ``away`` says it
    already; or None. ``nobody``: nobody is in for the rest of today and the next working day, and
    ``reopens`` the day on which that ends. ``week``: ``who`` is in on which ``days`` by the rota, ``usual``
    where it is so every week. ``emergency``: name, phone and email, or None.
    """
    today = today_of(role, duty)
    known = called(role)

    def who(people: Iterable[Person]) -> list[str]:
        return [known.get(person.key, person.first_name) for person in people] if names else []

    return {
        "role": role.name,
        "role_address": role.address,
        "today": date_words(today, today),
        "inside": inside,
        "on": who(duty.on),
        "in_now": bool(duty.on),
        "away": _away_facts(role, duty, today, who),
        "next": _next_facts(role, duty, today, who),
        "nobody": duty.gap is not None,
        "reopens": on_day(duty.gap.end, role, today) if duty.gap and duty.gap.end else "",
        "week": _week_facts(role, today, who),
        "usual": len(role.rota.weeks) == 1,
        "emergency": emergency_for(role, inside),
    }


def away_reason(role: Role, duty: Duty) -> str:
    """``Elaine is away until Friday 1 January``, in words for partners; nothing where nobody is."""
    names, today = called(role), today_of(role, duty)
    return "; ".join(
        f"{names.get(a.person.key, a.person.first_name)} is away {_when(a, role, today)}" for a in duty.away
    )


def _away_facts(role: Role, duty: Duty, today: date, who: _Names) -> list[dict[str, object]]:
    """The people who are away, those with the same dates together."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[Person]] = {}
    for away in duty.away:
        key = (_when(away, role, today), _back(away, role, today), tuple(p.key for p in away.cover))
        groups.setdefault(key, []).append(away.person)
    covers = {tuple(p.key for p in away.cover): away.cover for away in duty.away}
    return [
        {"who": who(people), "many": len(people) > 1, "when": when, "back": back, "cover": who(covers[keys])}
        for (when, back, keys), people in groups.items()
    ]


def _when(away: Away, role: Role, today: date) -> str:
    """An absence's end in words.

    ``today``, ``today until 15:00``, ``until Friday 1 January`` or ``until Friday 1 January at 12:00``.
    """
    if away.open_ended:
        return "until further notice"
    if away.until.astimezone(away.person.time_zone or role.time_zone).time() == time.min:
        return "today" if away.last_day == today else f"until {near_date_words(away.last_day, today)}"
    until = away.until.astimezone(role.time_zone)
    if until.date() == today:
        return f"today until {until:%H:%M}"
    return f"until {near_date_words(until.date(), today)} at {until:%H:%M}"


def _back(away: Away, role: Role, today: date) -> str:
    """``on Thursday 7 January``; nothing where it is not known, or where the absence's end says it."""
    if away.back is None:
        return ""
    local = away.back.astimezone(role.time_zone)
    if away.back == away.until and local.time() != time.min:
        return ""
    return f"today at {local:%H:%M}" if local.date() == today else on_day(away.back, role, today)


def _next_facts(role: Role, duty: Duty, today: date, who: _Names) -> dict[str, object] | None:
    starts = [start for _, start in duty.next_on if start is not None]
    if not starts:
        return None
    first = min(starts)
    people = [person for person, start in duty.next_on if start == first]
    back = {away.person.key for away in duty.away if away.back == first}
    time_words = f"{first.astimezone(role.time_zone):%H:%M}"
    return {
        "who": who(people),
        "many": len(people) > 1,
        "told": all(person.key in back for person in people),
        "day": on_day(first, role, today),
        "time": time_words,
    }


def _week_facts(role: Role, today: date, who: _Names) -> list[dict[str, object]]:
    """The rota's days of the week that holds today, partner by partner."""
    monday = monday_of(today)
    days: dict[str, list[str]] = {}
    for ahead, name in enumerate(WEEKDAYS):
        for shift in shifts_on(role.rota, monday + timedelta(days=ahead)):
            if name not in days.setdefault(shift.who, []):
                days[shift.who].append(name)
    people = [person for person in role.partners if person.key in days]
    return [{"who": name, "days": days[p.key]} for p in people for name in who([p])]


def emergency_for(role: Role, inside: bool) -> Emergency | None:
    """The emergency contact, if this audience may hear of it."""
    emergency = role.emergency
    if emergency is None or emergency.tell == "nobody" or (emergency.tell == "inside" and not inside):
        return None
    return emergency
