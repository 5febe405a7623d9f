"""A calendar's zones and events as content lines (RFC 5545 §3.1, §3.4). Pure.

This stands before any parser. What an absence doesn't need (descriptions, places, alarms, attachments) is never
looked into, so nothing in it can do harm or come to light.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mailrouter.calendars import limits
from mailrouter.errors import CalendarError

DATES = frozenset(
    ("UID", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE")
)
"""What says when an event is."""
SIGNS = frozenset(("STATUS", "TRANSP", "CATEGORIES", "SUMMARY", "ATTENDEE", "X-MICROSOFT-CDO-BUSYSTATUS"))
"""What says whether it is an absence."""
_OF_ZONES = frozenset(
    ("BEGIN", "END", "TZID", "DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE")
)
_OBSERVANCES: tuple[list[str], ...] = ([], ["STANDARD"], ["DAYLIGHT"])
_CUT_OFF = "it is cut off: the last END is missing"
_TYPED = re.compile(rb"[^\r\n]+")
_NAME = re.compile(rb"([A-Za-z0-9-]+)[ \t]*(?=[;:])")


@dataclass(slots=True)
class Event:
    """One VEVENT: its date lines as they are, its signs as name and rest; ``number`` is the line it begins on.

    ``wrong`` says why it can't be used.
    """

    number: int
    dates: list[str] = field(default_factory=list)
    signs: list[tuple[str, str]] = field(default_factory=list)
    wrong: str = ""

    @property
    def uid(self) -> str:
        """The event's UID, or a made-up word where it has none."""
        found = (line.partition(":")[2].strip() for line in self.dates if line[:3].upper() == "UID")
        return next(found, "") or f"line {self.number}"

    def values(self, name: str) -> list[str]:
        """The values of a date property, without its parameters. A quoted parameter may hold a colon."""
        size = len(name)
        found = (
            line
            for line in self.dates
            if line[:size].upper() == name.upper() and line[size : size + 1] in (";", ":")
        )
        return [value_of(line) for line in found]


@dataclass(slots=True)
class Contents:
    """The zones (each as its lines) and the events of a calendar."""

    zones: list[list[str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


def contents_of(data: bytes) -> Contents:
    """The zones and events in ``data``.

    Raises CalendarError where it is no calendar, or not a whole one, or too large.
    """
    if len(data) > limits.MAX_BYTES:
        raise CalendarError(f"it is larger than {limits.MAX_BYTES >> 20} MiB")
    found = Contents()
    open_: list[str] = []
    calendars = 0
    for number, raw in _unfolded(data):
        match = _NAME.match(raw)
        name = match[1].decode("ascii").upper() if match else ""
        if name == "BEGIN":
            open_.append(_component(raw))
            if len(open_) > limits.MAX_DEPTH:
                raise CalendarError(f"line {number}: it is nested deeper than {limits.MAX_DEPTH}")
            _begin(found, open_, number)
            calendars += open_ == ["VCALENDAR"]
        if open_[:2] == ["VCALENDAR", "VTIMEZONE"] and name in _OF_ZONES and open_[2:] in _OBSERVANCES:
            zone = found.zones[-1]
            if len(raw) <= limits.MAX_LINE and len(zone) < limits.MAX_LINES_OF_EVENT:
                zone.append(raw.decode("utf-8", "replace"))
        elif open_ == ["VCALENDAR", "VEVENT"] and (name in DATES or name in SIGNS):
            _add(found.events[-1], name, raw)
        if name == "END":
            begun, word = open_.pop() if open_ else "", _component(raw)
            if begun != word:
                cut = begun and begun.startswith(word) and not data[-1:].isspace()
                raise CalendarError(_CUT_OFF if cut else f"line {number}: an END that no BEGIN belongs to")
    if not calendars:
        raise CalendarError("it is not an iCalendar file: there is no BEGIN:VCALENDAR")
    if open_:
        raise CalendarError(_CUT_OFF)
    return found


def _begin(found: Contents, open_: list[str], number: int) -> None:
    if open_ == ["VCALENDAR", "VEVENT"]:
        found.events.append(Event(number))
        if len(found.events) > limits.MAX_EVENTS:
            raise CalendarError(f"it has more than {limits.MAX_EVENTS} events")
    elif open_ == ["VCALENDAR", "VTIMEZONE"]:
        found.zones.append([])
        if len(found.zones) > limits.MAX_ZONES:
            raise CalendarError(f"it has more than {limits.MAX_ZONES} time zones")


def _add(event: Event, name: str, raw: bytes) -> None:
    if len(raw) > limits.MAX_LINE:
        if name in DATES:
            event.wrong = f"its {name} is longer than {limits.MAX_LINE >> 10} KiB"
        return
    if len(event.dates) + len(event.signs) >= limits.MAX_LINES_OF_EVENT:
        event.wrong = f"it has more than {limits.MAX_LINES_OF_EVENT} lines"
        return
    line = "".join(c for c in raw.decode("utf-8", "replace") if c.isprintable()).rstrip()
    if name in DATES:  # some write BYDAY=MO, TU
        event.dates.append(line.replace(" ", "") if name == "RRULE" else line)
    else:
        event.signs.append((name, line[len(name) :]))


def _component(raw: bytes) -> str:
    return raw.partition(b":")[2].strip().decode("ascii", "replace").upper()


def _unfolded(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each logical line with its number; CR, LF and CRLF all end one, and empty ones are passed over.

    What goes on over many lines is kept only up to what is needed to see that it is too long.
    """
    parts: list[bytes] = []
    size = start = total = 0
    number, before = 1, 0
    for found in _TYPED.finditer(data, 3 if data.startswith(b"\xef\xbb\xbf") else 0):
        raw, place = found[0], found.start()
        number += max(data.count(b"\n", before, place), data.count(b"\r", before, place))
        before = found.end()
        total += 1
        if total > limits.MAX_LINES:
            raise CalendarError(f"it has more than {limits.MAX_LINES:,} lines")
        if raw[0] in b" \t" and parts:
            if size <= limits.MAX_LINE:
                parts.append(raw[1:])
                size += len(raw) - 1
            continue
        if parts:
            yield start, b"".join(parts)
        parts, size, start = [raw], len(raw), number
    if parts:
        yield start, b"".join(parts)


def value_of(line: str) -> str:
    """The value after the first colon outside double quotes (RFC 5545 §3.1)."""
    quoted = False
    for place, character in enumerate(line):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return line[place + 1 :]
    return ""
