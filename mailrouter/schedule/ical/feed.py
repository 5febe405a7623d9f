"""A role's schedule as an iCalendar feed (RFC 5545): who is in, or one partner's own shifts. Pure.

The same role, range and ``changed`` give the same bytes, so that a client which asks again can be told that
nothing is new. There is no METHOD: this is a calendar to read, not a scheduling message (RFC 5546), so DTSTAMP
is when its facts last changed (RFC 5545 §3.8.7.2).

Whoever *subscribes* gets the whole feed again and drops what has vanished. Whoever *imports* it as a file keeps
what was there, so a shift of the rota that an absence, a swap or somebody's calendar has taken out stays in, with
its UID and STATUS:CANCELLED. Nothing need be remembered for that: the rota says what would have been.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from mailrouter.address import domain_of
from mailrouter.schedule.absences import Leave
from mailrouter.schedule.date_words import called, date_words
from mailrouter.schedule.ical.text import content_line, date_form, escaped, moment_line, utc_form
from mailrouter.schedule.ical.vtimezone import vtimezone
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import day_start, local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import in_utc, spans_of

OURS = re.compile(r"mailrouter-[0-9a-f]{32}@")
"""How the UID of every event of ours begins: importing a calendar leaves these out, or a partner who copied the
feed into it would be away whenever they are on duty."""

TTL = "PT1H"
"""How long a client may keep the feed before it asks again (RFC 7986 §5.7)."""

_AROUND = timedelta(days=8)
_ADDRESS_TOLD = timedelta(days=21)
"""Before an address ends, so long it is told in the calendar itself."""
_LONGEST = timedelta(hours=24)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Shift:
    """``who`` is on duty from ``start`` to ``end`` (UTC), because of ``why``."""

    who: str
    start: datetime
    end: datetime
    why: tuple[str, ...] = ()


def feed(
    role: Role,
    start: datetime,
    end: datetime,
    changed: datetime,
    partner: str | None = None,
    address_until: datetime | None = None,
) -> bytes:
    """The feed of shifts and absences within [start, end) (aware moments).

    Shifts begin in that range, absences lie in it.

    Everybody's, without notes and reasons, for colleagues; or ``partner``'s own (their key), with both.
    ``changed`` is when the facts last changed. With ``address_until`` an event says that the address that the feed is
    read from ends then: a calendar that silently stayed as it was would be believed. Raises KeyError for a partner who
    is none, ValueError for moments without a zone.
    """
    start, end = in_utc(start), in_utc(end)
    name = f"{role.name}: {role.person(partner).first_name}" if partner else role.name
    layers = Layers(role)
    on = shifts(layers, start, end)
    known = {(shift.who, shift.start) for shift in on}
    by_rota = shifts(Layers(replace(role, absences=(), swaps=())), start, end)
    off = [shift for shift in by_rota if (shift.who, shift.start) not in known]
    stamp = _stamp(in_utc(changed))
    parts = [
        content_line("BEGIN", "VCALENDAR"),
        content_line("VERSION", "2.0"),
        content_line("PRODID", "-//mailrouter//schedule//EN"),
        content_line("CALSCALE", "GREGORIAN"),
        content_line("NAME", escaped(name)),
        content_line("X-WR-CALNAME", escaped(name)),
        content_line("X-WR-TIMEZONE", role.time_zone.key),
        content_line("REFRESH-INTERVAL;VALUE=DURATION", TTL),
        content_line("X-PUBLISHED-TTL", TTL),
        vtimezone(role.time_zone, start, end + _AROUND),
    ]
    for kept, state in ((on, "CONFIRMED"), (off, "CANCELLED")):
        for shift in kept:
            if partner in (None, shift.who):
                parts += _shift(shift, role, partner is not None, state, stamp)
    for person in role.partners:
        if partner in (None, person.key):
            for leave in layers.leaves.between(person.key, start, end):
                upto = end if leave.last.open_ended else leave.end
                parts += _leave(leave, upto, role, partner is not None, stamp)
    if address_until is not None:
        parts += _address_ends(role, partner, in_utc(address_until), stamp)
    return b"".join((*parts, content_line("END", "VCALENDAR")))


def shifts(layers: Layers, start: datetime, end: datetime) -> list[Shift]:
    """Each person's shifts that begin within [start, end).

    The reasons don't matter; one over 24 hours is cut at midnights.

    A shift has the same bounds whichever range it is looked for in, so it has the same UID.
    """
    found: list[Shift] = []
    open_: dict[str, Shift] = {}
    for span in spans_of(layers, start - _AROUND, end + _AROUND):
        for who in [who for who in open_ if who not in span.on]:
            found += _by_day(open_.pop(who), layers)
        for who in span.on:
            known = open_.get(who, Shift(who, span.start, span.end))
            open_[who] = Shift(who, known.start, span.end, (*known.why, span.why))
    for left in open_.values():
        found += _by_day(left, layers)
    return sorted((s for s in found if start <= s.start < end), key=lambda s: (s.start, s.who))


def _by_day(shift: Shift, layers: Layers) -> Iterator[Shift]:
    if shift.end - shift.start <= _LONGEST:
        yield shift
        return
    start = shift.start
    while start < shift.end:
        midnight = day_start(layers.day_of(start) + timedelta(days=1), layers.zone)
        yield replace(shift, start=start, end=min(midnight, shift.end))
        start = midnight


def _shift(shift: Shift, role: Role, own: bool, state: str, stamp: Sequence[bytes]) -> Iterator[bytes]:
    zone = role.time_zone
    yield content_line("BEGIN", "VEVENT")
    yield content_line("UID", _uid(role, "on", shift.who, shift.start))
    yield from stamp
    yield moment_line("DTSTART", shift.start, zone)
    yield moment_line("DTEND", shift.end, zone)
    # A stand-in of whom nothing but a shift that was cancelled is left has no name any more.
    yield content_line("SUMMARY", escaped(role.name if own else called(role).get(shift.who, shift.who)))
    if own and state == "CONFIRMED":
        yield content_line("DESCRIPTION", escaped("\n".join(dict.fromkeys(shift.why))))
    yield from _last_lines(state)


def _leave(leave: Leave, upto: datetime, role: Role, own: bool, stamp: Sequence[bytes]) -> Iterator[bytes]:
    yield content_line("BEGIN", "VEVENT")
    yield content_line("UID", _uid(role, "away", leave.who, leave.start))
    yield from stamp
    days = whole_days(leave.start, upto, role)
    if days:
        yield content_line("DTSTART;VALUE=DATE", date_form(days[0]))
        yield content_line("DTEND;VALUE=DATE", date_form(days[1]))
    else:
        yield moment_line("DTSTART", leave.start, role.time_zone)
        yield moment_line("DTEND", upto, role.time_zone)
    name = called(role)[leave.who]
    yield content_line("SUMMARY", escaped(f"Away ({role.name})" if own else f"{name} is away"))
    notes = dict.fromkeys(part.absence.note for part in leave.parts if part.absence.note)
    if own and notes:
        yield content_line("DESCRIPTION", escaped("\n".join(notes)))
    yield from _last_lines("CONFIRMED")


def _address_ends(
    role: Role, partner: str | None, until: datetime, stamp: Sequence[bytes]
) -> Iterator[bytes]:
    last = local_day(until, role.time_zone)
    command = f"mailrouter calendar-address {role.key}" + (f" --partner {partner}" if partner else "")
    yield content_line("BEGIN", "VEVENT")
    yield content_line("UID", _uid(role, "address", partner or "", until))
    yield from stamp
    yield content_line("DTSTART;VALUE=DATE", date_form(last - _ADDRESS_TOLD))
    yield content_line("DTEND;VALUE=DATE", date_form(last + timedelta(days=1)))
    yield content_line("SUMMARY", escaped(f"{role.name}: ask IT for this calendar's new address"))
    words = f"The address that this calendar is read from ends on {date_words(last, last)}. IT has the new one: {command}"
    yield content_line("DESCRIPTION", escaped(words))
    yield from _last_lines("CONFIRMED")


def _last_lines(state: str) -> Iterator[bytes]:
    """The last lines of an event that makes nobody busy.

    Being on duty, or somebody else's absence, must not keep people from meetings.
    """
    yield content_line("STATUS", state)
    yield content_line("TRANSP", "TRANSPARENT")
    yield content_line("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
    yield content_line("END", "VEVENT")


def whole_days(start: datetime, end: datetime, role: Role) -> tuple[date, date] | None:
    """First day and day after the last, of the role's whole days. None for another range."""
    zone = role.time_zone
    first, after = local_day(start, zone), local_day(end, zone)
    return (first, after) if (day_start(first, zone), day_start(after, zone)) == (start, end) else None


def _stamp(changed: datetime) -> tuple[bytes, ...]:
    """DTSTAMP, LAST-MODIFIED and a SEQUENCE that only grows: minutes since 2020, so that it needs no memory."""
    minutes = max(0, int((changed - _EPOCH).total_seconds()) // 60)
    moment = utc_form(changed)
    return (
        content_line("DTSTAMP", moment),
        content_line("LAST-MODIFIED", moment),
        content_line("SEQUENCE", str(minutes)),
    )


def _uid(role: Role, kind: str, who: str, start: datetime) -> str:
    """A UID that stays while role, person and beginning do.

    See RFC 7986 §5.3. The beginning counts by its wall time.
    """
    local = start.astimezone(role.time_zone)
    text = f"{role.address}\0{kind}\0{who}\0{local:%Y-%m-%dT%H:%M:%S}\0{local.fold}"
    return f"mailrouter-{hashlib.sha256(text.encode()).hexdigest()[:32]}@{domain_of(role.address)}"
