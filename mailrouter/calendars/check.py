"""Oddities of the partners' calendars, for ``mailrouter check``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.util import find_spec

from mailrouter.calendars.cache import folder_of, kept_of
from mailrouter.calendars.refresh import sources
from mailrouter.config import Configuration
from mailrouter.extras import installing
from mailrouter.schedule.date_words import moment_words
from mailrouter.schedule.model import Person, Role

STALE = timedelta(days=1)
"""Without a good reading for so long, the reading before is doubtful even where nothing failed: nobody reads."""


def calendar_oddities(configuration: Configuration, now: datetime) -> Iterator[tuple[str, str]]:
    """Role and sentence for each calendar unread for a day or unreadable."""
    for role, person in sources(configuration, now):
        yield from ((role.key, words) for words in _of(configuration, role, person, now))


def _of(configuration: Configuration, role: Role, person: Person, now: datetime) -> Iterator[str]:
    whose = f"{person.first_name}'s calendar"
    if find_spec("icalendar") is None or find_spec("recurring_ical_events") is None:
        yield f"{whose} is not read: this needs what is not installed; {installing('calendars')}"
        return
    kept = kept_of(folder_of(configuration), role, person)
    today = now.astimezone(role.time_zone).date()
    since = f" since {moment_words(kept.read_at, role.time_zone, today)}" if kept.read_at else ""
    if kept.failure:
        stays = "; what was read then stays in force" if since else ""
        yield f"{whose} could not be read{since}: {kept.failure}{stays}"
    elif kept.read_at is None:
        yield f"{whose} has not been read yet; `serve` reads it each hour, `mailrouter calendars --refresh` now"
    elif now - kept.read_at > STALE:
        yield f"{whose} has not been read{since}; `serve` does it each hour"
    if kept.left_out:
        more = f", and {len(kept.left_out) - 1} more" if len(kept.left_out) > 1 else ""
        yield f"{whose}: left out is {kept.left_out[0]}{more}; `mailrouter calendars {role.key}` tells all"
