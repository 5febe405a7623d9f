"""The weekly mail's due moment, and the days it tells of. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from mailrouter.schedule.localtime import at_minute
from mailrouter.schedule.model import Weekly

MOST_LATE = timedelta(hours=24)
"""A mail that could not be sent for longer than this is left out: the next one tells more."""
_NOON = 12 * 60


def last_due(weekly: Weekly, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment, in UTC, at which the mail was due: its hour on its weekday, by the clocks of ``zone``."""
    today = now.astimezone(zone).date()
    day = today - timedelta(days=(today.weekday() - weekly.weekday) % 7)
    due = at_minute(day, weekly.minute, zone)
    return due if due <= now else at_minute(day - timedelta(days=7), weekly.minute, zone)


def days_told(weekly: Weekly, zone: ZoneInfo, due: datetime) -> tuple[date, date]:
    """The seven days that a mail tells of: from that day if it is sent before noon, else from the next."""
    day = due.astimezone(zone).date()
    first = day if weekly.minute < _NOON else day + timedelta(days=1)
    return first, first + timedelta(days=6)
