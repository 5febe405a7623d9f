"""Facts, written as a person would write them in a file: the way back from ``facts()``. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time

from mailrouter.config.settings import HostPort, Settings
from mailrouter.config.values.durations import span
from mailrouter.config.values.recurrence import every_words
from mailrouter.schedule.date_words import clock_words
from mailrouter.schedule.model import (
    BEGINNING,
    Absence,
    CalendarSource,
    Emergency,
    HolidayRule,
    Minute,
    Person,
    Role,
    Shift,
    Swap,
    Weekly,
)

Written = str | Sequence["Written"] | Mapping[str, "Written"] | None
"""Texts in lists and mappings; None is nothing after the colon."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLAIN = re.compile(r"[\w/+.(][\w/+.@()&' =;!*-]*(:[\w/+.@*\[\]-]+)*[\w/+.@()!;&'-]?|[\w/.]")
# Words that other readers of YAML take for something else than the text that stands there.
_LOADED = re.compile(
    r"y|n|yes|no|on|off|true|false|null|~|[-+]?[0-9_]+(:[0-9]+)*(\.[0-9_]*)?(e[-+]?[0-9]+)?", re.IGNORECASE
)


def scalar(text: str) -> str:
    """``text`` as YAML, in double quotes where it needs them.

    >>> print(scalar("VP Human Resources"), scalar("+1 650"), scalar("NO"), scalar("[::1]:25"))
    VP Human Resources +1 650 "NO" "[::1]:25"
    """
    if _PLAIN.fullmatch(text) and not _LOADED.fullmatch(text) and not text.endswith((" ", ":")):
        return text
    return json.dumps(text, ensure_ascii=False)


def flow(written: Written) -> str:
    """``written`` as YAML on one line.

    >>> flow({"starting": "2026-01-05", "weeks": [{"monday": "laurie"}]})
    '{starting: 2026-01-05, weeks: [{monday: laurie}]}'
    """
    match written:
        case None:
            return ""
        case str():
            return scalar(written)
        case Mapping():
            return "{" + ", ".join(f"{scalar(name)}: {flow(value)}" for name, value in written.items()) + "}"
        case _:
            return "[" + ", ".join(map(flow, written)) + "]"


def settings_written(settings: Settings) -> dict[str, Written]:
    """Every key of ``mailrouter.yaml``."""
    return {
        "hostname": settings.hostname,
        "our_domains": sorted(settings.our_domains),
        "postmaster": settings.postmaster,
        "listen": {"smtp": _one_or_more(list(map(_place, settings.listen_smtp)))},
        "trusted_networks": list(map(str, settings.trusted_networks)),
        "authserv_id": settings.authserv_id,
        "return_domain": settings.return_domain,
        "deliver": str(settings.deliver),
        "store": f"sqlite:{settings.store}",
        "max_size": None if settings.max_size is None else _size(settings.max_size),
        "web": _place(settings.web) if settings.web else None,
        "templates": str(settings.templates) if settings.templates else None,
        "run_folder": str(settings.run_folder),
        "timeouts": {
            "connect": span(settings.timeouts.connect),
            "reply": span(settings.timeouts.reply),
            "data_end": span(settings.timeouts.data_end),
        },
        "retry": {
            "first": span(settings.retry.first),
            "most": span(settings.retry.most),
            "give_up": span(settings.retry.give_up),
            "delay_notice": span(settings.retry.delay_notice),
        },
        "keep_history": span(settings.keep_history / 1000),
        "keep_bounced": span(settings.keep_bounced / 1000) if settings.keep_bounced else "0 s",
        "log": {"format": settings.log_format},
        "calendar_url": settings.calendar_url,
        "calendar_hosts": sorted(settings.calendar_hosts),
    }


def _one_or_more(values: list[str]) -> Written:
    return values[0] if len(values) == 1 else values


def _place(at: HostPort) -> str:
    host, port = at
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def partners(role: Role) -> dict[str, Written]:
    """The value of ``partners:``, those of all times."""
    return {person.key: _person(person) for person in role.partners}


def lunch(role: Role) -> str | None:
    """The value of ``lunch:``, by the clock."""
    return hours(*(minute % 1440 for minute in role.lunch)) if role.lunch else None


def absences(role: Role) -> list[Written]:
    """The value of ``absences:``: those of the file, and none of a calendar."""
    return [absence_written(absence) for absence in role.absences if absence.source == "file"]


def weekly(weekly: Weekly | None) -> Written:
    """The value of ``weekly_mail:``."""
    if weekly is None:
        return None
    return {
        "to": list(weekly.to),
        "on": _WEEKDAYS[weekly.weekday],
        "at": clock_words(weekly.minute),
        "picture": "month" if weekly.picture else "none",
    }


def _size(octets: int) -> str:
    for unit, name in ((10**6, "MB"), (2**20, "MiB")):
        if octets % unit == 0:
            return f"{octets // unit} {name}"
    return str(octets)


def _given(**pairs: Written) -> dict[str, Written]:
    """The pairs that say something; ``from_`` and ``for_`` stand for words that Python keeps for itself."""
    return {name.removesuffix("_"): value for name, value in pairs.items() if value}


def _person(person: Person) -> dict[str, Written]:
    return _given(
        name=person.name,
        email=person.email,
        phone=person.phone,
        time_zone=person.time_zone.key if person.time_zone else None,
        holidays=holidays(person.holidays),
        from_=person.since.isoformat() if person.since else None,
        until=person.until.isoformat() if person.until else None,
        follows=person.follows,
        calendar=_calendar(person.calendar),
    )


def _calendar(source: CalendarSource | None) -> dict[str, Written] | None:
    if source is None:
        return None
    when = list(source.absent_when)
    return _given(file=source.file, url=source.url, absent_when=when, cover=source.cover)


def holidays(rule: HolidayRule | None) -> dict[str, Written] | str | None:
    """The value of ``holidays:``, of a role or of a person."""
    if rule is None or not rule.country:
        return None if rule is None else "none"
    also: dict[str, Written] = {day.isoformat(): name for day, name in rule.also}
    never = [day.isoformat() for day in rule.never]
    return _given(country=rule.country, subdivision=rule.subdivision, also=also, never=never)


def rota(role: Role) -> dict[str, Written]:
    """The value of ``rota:``."""
    rota = role.rota
    weeks = [
        {name: _day(shifts, role) for name, shifts in zip(_WEEKDAYS, week, strict=True)}
        for week in rota.weeks
    ]
    return (
        dict(weeks[0]) if rota.starting is None else {"starting": rota.starting.isoformat(), "weeks": weeks}
    )


def special_days(role: Role) -> dict[str, Written]:
    """The value of ``special_days:``."""
    return {day.isoformat(): _day(shifts, role) for day, shifts in role.special_days}


def _day(shifts: Iterable[Shift], role: Role) -> Written:
    """Hours beside a name would be read in that person's own time; so the role's hours stand for themselves."""
    zones = {person.key: person.time_zone for person in role.partners}
    written = [
        shift.who if zones.get(shift.who) != shift.zone else f"{shift.who} {hours(shift.start, shift.end)}"
        for shift in shifts
    ]
    written = list(dict.fromkeys(written))
    return written[0] if len(written) == 1 else written or "nobody"


def hours(start: Minute, end: Minute) -> str:
    """Hours of a day, as a range."""
    return f"{clock_words(start)}-{clock_words(end)}"


def absence_written(absence: Absence) -> dict[str, Written]:
    """One entry of ``absences:``, as ``from`` and ``until``; what comes round may have neither."""
    start = absence.start
    day = absence.from_day and start.time() == time.min
    since = start.date().isoformat() if day else _moment(start)
    cover = _person(absence.cover) if isinstance(absence.cover, Person) else absence.cover
    return _given(
        partner=absence.who,
        every=every_words(absence.every) if absence.every else None,
        from_=None if start == BEGINNING and absence.every else since,
        until=None if absence.every and absence.open_ended else absence_end(absence),
        hours=hours(*absence.hours) if absence.hours else None,
        note=absence.note,
        cover=cover,
    )


def absence_end(absence: Absence) -> str:
    """The value of ``until:``: a last day, a moment, or ``further notice``."""
    if absence.open_ended:
        return "further notice"
    if absence.until_day and absence.end.time() == time.min:
        return absence.last_day.isoformat()
    return _moment(absence.end)


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def swap_written(swap: Swap) -> dict[str, Written]:
    """One entry of ``swaps:``."""
    part = None if swap.start is None or swap.end is None else (swap.start, swap.end)
    given_back = swap.given_back.isoformat() if swap.given_back else None
    if given_back and swap.back_start is not None and swap.back_end is not None:
        given_back += f" {hours(swap.back_start, swap.back_end)}"
    return _given(
        date=swap.day.isoformat(), partner=swap.who, for_=given_back, hours=hours(*part) if part else None
    )


def emergency(contact: Emergency | None) -> Written:
    """The value of ``emergency:``."""
    if contact is None:
        return None
    return _given(name=contact.name, phone=contact.phone, email=contact.email, tell=contact.tell)
