"""Calendars written in a few lines for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.occurrences import Found, absences_in

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2027, 12, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OOF = "X-MICROSOFT-CDO-BUSYSTATUS:OOF"


def calendar(*events: str, zones: str = "") -> bytes:
    """A calendar of events, each the lines of a VEVENT without its BEGIN, END and UID (unless it has one)."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *zones.split("\n")]
    for number, event in enumerate(events):
        lines += [
            "BEGIN:VEVENT",
            *([] if "UID:" in event else [f"UID:{number}"]),
            *event.split("\n"),
            "END:VEVENT",
        ]
    return "".join(f"{line}\r\n" for line in (*lines, "END:VCALENDAR") if line).encode()


def found(*events: str, zones: str = "", rule: tuple[str, ...] = ("busy",), email: str = "") -> Found:
    """What is read of such a calendar, for somebody in Berlin, in November 2026 and the year after it."""
    return absences_in(calendar(*events, zones=zones), Rule(rule, email), BERLIN, START, END)


def told(*events: str, zones: str = "", rule: tuple[str, ...] = ("busy",), email: str = "") -> list[str]:
    """The absences as ``2026-12-01 09:00+2:00`` in UTC with their length; and what was left out."""
    read = found(*events, zones=zones, rule=rule, email=email)
    return [
        f"{start:%Y-%m-%d %H:%M}+{end - start}".removesuffix(":00") for start, end in read.busy
    ] + read.left_out
