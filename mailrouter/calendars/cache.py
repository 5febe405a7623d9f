"""The last reading of each partner's calendar, in ``run_folder/calendars``: the intervals, never the calendar.

The last good reading stays until there is a better one, so a server that is away takes no absence with it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailrouter.config import Configuration
from mailrouter.config.atomic_write import give_to_owner_of, replace_private
from mailrouter.schedule.calendar_absences import Interval, with_calendars, zone_of
from mailrouter.schedule.model import Person, Role

FOLDER = "calendars"
TRIAL_FOLDER = "calendars.shadow"


@dataclass(frozen=True, slots=True)
class Kept:
    """One partner's calendar as it is known. Moments are in UTC; None: never.

    ``tried_at`` is the last attempt, ``read_at`` the last good one, ``changed_at`` when that last brought something
    new; ``failure`` is why the last attempt failed.
    """

    tried_at: datetime | None = None
    read_at: datetime | None = None
    changed_at: datetime | None = None
    failure: str = ""
    busy: tuple[Interval, ...] = ()
    events: int = 0
    left_out: tuple[str, ...] = ()

    def after(self, answer: dict[str, Any], now: datetime) -> Kept:
        """The record after an attempt at ``now`` with this answer (see ``mailrouter.calendars.worker``)."""
        if failure := answer.get("failure"):
            return replace(self, tried_at=now, failure=str(failure))
        busy = tuple((_moment(start), _moment(end)) for start, end in answer["busy"])
        new = self.read_at is None or busy != self.busy
        changed = now if new else self.changed_at
        return Kept(now, now, changed, "", busy, answer["events"], tuple(answer["left_out"]))


def with_kept(configuration: Configuration) -> Configuration:
    """The configuration with the absences last read from all calendars.

    The one place where they meet. Calendars that were never read, or whose record is damaged, give none.
    """
    folder = folder_of(configuration)
    roles = tuple(
        with_calendars(role, {p.key: kept_of(folder, role, p).busy for p in role.partners if p.calendar})
        for role in configuration.roles
    )
    return configuration if roles == configuration.roles else replace(configuration, roles=roles)


def folder_of(configuration: Configuration) -> Path:
    """The folder of this configuration's records; a trial leaves those of a service beside it as they are."""
    settings = configuration.settings
    return settings.run_folder / (TRIAL_FOLDER if settings.trial else FOLDER)


def kept_of(folder: Path, role: Role, person: Person) -> Kept:
    """The record of one partner's calendar; an empty one where there is none for the calendar as it is configured."""
    try:
        data = json.loads(_path(folder, role, person).read_bytes())
        if data["of"] != _mark(role, person):
            return Kept()
        tried, read, changed = (
            None if data[name] is None else _moment(data[name]) for name in ("tried", "read", "changed")
        )
        return Kept(
            tried,
            read,
            changed,
            failure=str(data["failure"]),
            busy=tuple((_moment(start), _moment(end)) for start, end in data["busy"]),
            events=int(data["events"]),
            left_out=tuple(map(str, data["left_out"])),
        )
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return Kept()


def keep(folder: Path, role: Role, person: Person, kept: Kept) -> None:
    """Write the record atomically, readable for the service alone. Raises OSError."""
    data = {
        "of": _mark(role, person),
        **{
            name: None if moment is None else int(moment.timestamp())
            for name, moment in (
                ("tried", kept.tried_at),
                ("read", kept.read_at),
                ("changed", kept.changed_at),
            )
        },
        "failure": kept.failure,
        "busy": [[int(start.timestamp()), int(end.timestamp())] for start, end in kept.busy],
        "events": kept.events,
        "left_out": kept.left_out,
    }
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        give_to_owner_of(folder.parent, folder)
    replace_private(_path(folder, role, person), json.dumps(data).encode())


def _path(folder: Path, role: Role, person: Person) -> Path:
    return folder / f"{role.key}--{person.key}.json"


def _mark(role: Role, person: Person) -> str:
    """The record's mark: another calendar, rule or zone makes it void. A hash, since a URL is a secret."""
    source = person.calendar
    words = (
        [source.file, source.url, *source.absent_when, person.email, zone_of(person, role).key]
        if source
        else []
    )
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
