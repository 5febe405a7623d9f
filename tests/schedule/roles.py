"""Roles written in a few words, so that a table of examples can be read by the people it is about.

away elaine 2026-12-21..2027-01-01 cover laurie
away elaine 2026-12-03 13:00..2026-12-03 15:00
swap 2026-12-03 laurie for 2026-12-08
swap 2026-12-03 laurie 12:00-17:00
holidays US CA          (the role's; also 2026-12-24 adds a day, never 2026-12-25 takes one out)
holidays elaine DE BY   (hers alone)
rota mon laurie, sun elaine 22:00-06:00
weeks 2026-01-05 mon laurie / mon elaine
hours 22:00-06:00 | zone Europe/Berlin | partners laurie elaine carmen
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.duty import Roster
from mailrouter.schedule.localtime import to_utc
from mailrouter.schedule.model import Absence, HolidayRule, Person, Role, Rota, Shift, Swap, Week

LAURIE = Person("laurie", "Laurie Cremona", "laurie@example.test", "+1 650 555 0101")
ELAINE = Person("elaine", "Elaine Miller", "elaine@example.test")
CARMEN = Person("carmen", "Carmen Díaz", "carmen@example.test")
PAT = Person("pat@example.test", "Pat Quinn", "pat@example.test")
PEOPLE = {"laurie": LAURIE, "elaine": ELAINE, "carmen": CARMEN, "pat": PAT}

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = "mon laurie, tue laurie, wed laurie 09:00-13:00, wed elaine 12:00-17:00, thu elaine, fri elaine"


def role_of(text: str = "") -> Role:
    """The role of Laurie and Elaine in Los Angeles, changed by the clauses of ``text`` (split by ``;``)."""
    people = dict(PEOPLE)
    role = Role(
        key="vp-hr",
        address="vp-hr@example.test",
        name="VP Human Resources",
        time_zone=ZoneInfo("America/Los_Angeles"),
        partners=(LAURIE, ELAINE),
        rota=Rota((week_of(EXAMPLE),)),
    )
    for clause in filter(None, map(str.strip, text.split(";"))):
        verb, _, rest = clause.partition(" ")
        words = rest.split()
        if verb == "zone":
            role = replace(role, time_zone=ZoneInfo(rest))
        elif verb == "hours":
            role = replace(role, hours=minutes_of(rest))
        elif verb == "partners":
            role = replace(role, partners=tuple(people[key] for key in words))
        elif verb == "rota":
            role = replace(role, rota=Rota((week_of(rest),)))
        elif verb == "weeks":
            starting, _, weeks = rest.partition(" ")
            role = replace(
                role, rota=Rota(tuple(map(week_of, weeks.split("/"))), date.fromisoformat(starting))
            )
        elif verb == "swap":
            role = replace(role, swaps=(*role.swaps, swap_of(words)))
        elif verb == "away":
            role = replace(role, absences=(*role.absences, absence_of(rest, people)))
        elif verb == "holidays" and words[0] in people:
            key, *place = words
            people[key] = replace(people[key], holidays=rule_of(place))
            role = replace(role, partners=tuple(people.get(p.key, p) for p in role.partners))
        elif verb == "holidays":
            role = replace(role, holidays=rule_of(words))
        elif verb in ("also", "never") and role.holidays:
            day = date.fromisoformat(words[0])
            changed = {"also": ((day, " ".join(words[1:])),)} if verb == "also" else {"never": (day,)}
            role = replace(role, holidays=replace(role.holidays, **changed))
        else:
            raise ValueError(clause)
    return role


def minutes_of(hours: str) -> tuple[int, int]:
    """``22:00-06:00`` in minutes, the end after the start."""
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours.split("-"))
    return start, end if end > start else end + 1440


def week_of(text: str) -> Week:
    """Seven days of shifts; 09:00 to 17:00 unless said otherwise."""
    days: dict[str, list[Shift]] = {day: [] for day in DAYS}
    for entry in text.split(","):
        day, who, *hours = entry.split()
        days[day].append(Shift(who, *minutes_of(hours[0] if hours else "09:00-17:00")))
    return tuple(tuple(shifts) for shifts in days.values())


def swap_of(words: list[str]) -> Swap:
    day, who, *rest = words
    back = date.fromisoformat(rest.pop(rest.index("for") + 1)) if "for" in rest else None
    hours = [word for word in rest if word != "for"]
    start, end = minutes_of(hours[0]) if hours else (None, None)
    return Swap(who, date.fromisoformat(day), back, start, end)


def absence_of(text: str, people: dict[str, Person]) -> Absence:
    who, _, rest = text.partition(" ")
    span, _, cover = rest.partition(" cover ")
    first, _, last = span.partition("..")
    start, end = datetime.fromisoformat(first), datetime.fromisoformat(last or first)
    whole = len(last or first) == len("2026-12-03")
    by = people[cover] if cover == "pat" else cover or None
    key = people[who].key
    return Absence(
        key, start, end + timedelta(days=1) if whole else end, "", by, len(first) == len("2026-12-03"), whole
    )


def at(role: Role, wall: str) -> datetime:
    """The moment of ``2026-11-01 01:30`` in the role's zone, ``… again`` the second time; ``…Z`` is UTC."""
    if wall.endswith("Z"):
        return datetime.fromisoformat(wall)
    text, _, again = wall.partition(" again")
    fold = 1 if wall != text + again else 0
    return datetime.fromisoformat(text).replace(tzinfo=role.time_zone, fold=fold).astimezone(UTC)


def ends_the_night(roster: Roster, absence: Absence, moment: datetime, zone: ZoneInfo) -> bool:
    """Whether at ``moment`` somebody who is off from that day on still works on from the evening before."""
    midnight = to_utc(absence.start, zone)
    through = roster.timeline(midnight - timedelta(minutes=1), moment)
    return absence.from_day and all(absence.who in span.on for span in through)


def rule_of(place: list[str]) -> HolidayRule:
    """Country and, if there is one, its part."""
    country, *parts = place
    return HolidayRule(country, parts[0] if parts else None)
