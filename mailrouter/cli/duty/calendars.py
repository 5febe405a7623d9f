"""``mailrouter calendars``: what was read of the partners' own calendars, and reading them now."""

from __future__ import annotations

import argparse
import asyncio
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime

from mailrouter.calendars.cache import Kept, folder_of, kept_of
from mailrouter.calendars.refresh import refresh, sources
from mailrouter.cli.common import load, print_json, role_named, width
from mailrouter.config import Configuration
from mailrouter.errors import StoreError
from mailrouter.schedule.date_words import moment_words
from mailrouter.schedule.model import Person, Role


def calendars(options: argparse.Namespace) -> int:
    """List every partner's calendar; 1 if one can't be read."""
    configuration = load(options)
    wanted = role_named(configuration, options.role).key if options.role else None
    now = datetime.now(UTC)
    found = [(role, person) for role, person in sources(configuration, now) if wanted in (None, role.key)]
    kept = [_kept(configuration, role, person, now, options.refresh) for role, person in found]
    if options.json:
        print_json([_as_data(*each) for each in zip(found, kept, strict=True)])
    elif not found:
        print("no partner has a calendar of their own here")
    else:
        lines = (line for each in zip(found, kept, strict=True) for line in told(*each, now))
        print("\n".join(textwrap.fill(line, width(), subsequent_indent="    ") for line in lines))
    return 1 if any(one.failure for one in kept) else 0


def _kept(configuration: Configuration, role: Role, person: Person, now: datetime, read_now: bool) -> Kept:
    if not read_now:
        return kept_of(folder_of(configuration), role, person)
    try:
        return asyncio.run(refresh(configuration, role, person, now))
    except OSError as error:
        raise StoreError(f"{folder_of(configuration)} can't be written: {error.strerror}.") from error


def told(of: tuple[Role, Person], kept: Kept, now: datetime) -> Iterator[str]:
    """The state of one calendar, in sentences."""
    role, person = of

    def at(moment: datetime) -> str:
        return moment_words(moment, role.time_zone, now.astimezone(role.time_zone).date())

    if kept.read_at is None:
        state = "has not been read yet"
    else:
        absences = "1 absence" if len(kept.busy) == 1 else f"{len(kept.busy)} absences"
        events = "1 event" if kept.events == 1 else f"{kept.events} events"
        state = f"read on {at(kept.read_at)}: {absences} in {events}"
    yield f"{role.key}: {person.first_name}'s calendar: {state}"
    if kept.failure and kept.tried_at:
        stays = "; what was read before stays in force" if kept.read_at else ""
        yield f"  on {at(kept.tried_at)} it could not be read: {kept.failure}{stays}"
    yield from (f"  left out: {words}" for words in kept.left_out)


def _as_data(of: tuple[Role, Person], kept: Kept) -> dict[str, object]:
    role, person = of
    return {
        "role": role.key,
        "partner": person.key,
        "tried_at": kept.tried_at.isoformat() if kept.tried_at else None,
        "read_at": kept.read_at.isoformat() if kept.read_at else None,
        "failure": kept.failure or None,
        "events": kept.events,
        "absences": [[start.isoformat(), end.isoformat()] for start, end in kept.busy],
        "left_out": list(kept.left_out),
    }
