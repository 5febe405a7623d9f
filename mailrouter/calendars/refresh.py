"""Reading partners' calendars again: each in a process of its own, once an hour. The loop never waits for one."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mailrouter import events
from mailrouter.calendars import limits
from mailrouter.calendars.cache import Kept, folder_of, keep, kept_of
from mailrouter.config import Configuration
from mailrouter.schedule.calendar_absences import zone_of
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Person, Role

log = logging.getLogger("mailrouter.calendars")

EVERY = timedelta(hours=1)
AFTER_FAILURE = timedelta(minutes=15)
LOOK = 60.0
"""Seconds between two looks at what is due."""
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONTZPATH", "LANG")
_ROOT = Path(__file__).resolve().parents[2]


def sources(configuration: Configuration, now: datetime) -> Iterator[tuple[Role, Person]]:
    """The calendars of all partners whose last day is not over. What the others do is nobody's concern any more."""
    for role in configuration.roles:
        today = local_day(now, role.time_zone)
        for person in role.partners:
            if person.calendar is not None and (person.until is None or today <= person.until):
                yield role, person


def is_due(kept: Kept, now: datetime) -> bool:
    """Whether the calendar should be read again; a clock that was set back makes it so."""
    if kept.tried_at is None or kept.tried_at > now:
        return True
    return now - kept.tried_at >= (AFTER_FAILURE if kept.failure else EVERY)


async def refresh(configuration: Configuration, role: Role, person: Person, now: datetime) -> Kept:
    """Read one calendar now and keep what it gives; within a minute. Raises OSError from writing."""
    folder = folder_of(configuration)
    before = kept_of(folder, role, person)
    after = before.after(await read(request_for(configuration, role, person, now)), now)
    keep(folder, role, person, after)
    if after.failure and after.failure != before.failure:
        log.warning("%s: the calendar of %s can't be read: %s", role.key, person.key, after.failure)
    elif after.changed_at != before.changed_at:
        words = f"{role.key}: the calendar of {person.key} was read: {len(after.busy)} absences"
        events.tell(log, "calendar_read", fields={"role": role.key, "person": person.key}, words=words)
    return after


def request_for(configuration: Configuration, role: Role, person: Person, now: datetime) -> dict[str, Any]:
    """The request to the reading process (see ``mailrouter.calendars.worker``)."""
    source = person.calendar
    assert source is not None
    return {
        "file": str(configuration.folder.absolute().parent / source.file) if source.file else "",
        "url": source.url,
        "hosts": sorted(configuration.settings.calendar_hosts),
        "absent_when": source.absent_when,
        "email": person.email,
        "zone": zone_of(person, role).key,
        "start": int((now - limits.BEFORE).timestamp()),
        "end": int((now + limits.AHEAD).timestamp()),
    }


async def read(request: dict[str, Any], seconds: float = limits.WALL_SECONDS) -> dict[str, Any]:
    """The answer of a reading process; one that dies or takes too long has failed as well. None outlives this."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "mailrouter.calendars.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": str(_ROOT)},
        )
    except OSError as error:
        return {"failure": f"the reading process can't be started: {error.strerror}"}
    try:
        out, _ = await asyncio.wait_for(process.communicate(json.dumps(request).encode()), seconds)
        answer: dict[str, Any] = json.loads(out)
        return answer
    except TimeoutError:
        return {"failure": f"it was not read within {seconds:.0f} seconds"}
    except ValueError:  # nothing, or half an answer: the kernel has ended it
        return {"failure": "it takes too much time or memory"}
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def keep_fresh(
    configuration: Callable[[], Configuration],
    changed: Callable[[], None],
    wake: asyncio.Event,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Until cancelled: read what is due, one after another, and call ``changed`` after what brought something new.

    It looks once a minute, and as soon as ``wake`` is set.
    A record that somebody else wrote (``mailrouter calendars --refresh``) counts as well.
    """
    known: dict[tuple[str, str], datetime | None] = {}
    unkept: dict[tuple[str, str], datetime] = {}
    while True:
        wake.clear()
        try:
            for role, person in sources(configuration(), clock()):
                await _refresh_due(configuration(), role, person, clock, unkept)
            now_known = {
                (role.key, person.key): kept_of(folder_of(configuration()), role, person).changed_at
                for role, person in sources(configuration(), clock())
            }
            if now_known != known:
                known = now_known
                changed()
        except Exception:
            log.exception("the partners' calendars can't be looked at")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), LOOK)


async def _refresh_due(
    configuration: Configuration,
    role: Role,
    person: Person,
    clock: Callable[[], datetime],
    unkept: dict[tuple[str, str], datetime],
) -> None:
    """Read one calendar if it is time; where its record can't be written (``unkept``: since when), not each minute."""
    name, now = (role.key, person.key), clock()
    waited = name not in unkept or now - unkept[name] >= AFTER_FAILURE
    if not waited or not is_due(kept_of(folder_of(configuration), role, person), now):
        return
    try:
        await refresh(configuration, role, person, now)
        unkept.pop(name, None)
    except OSError as error:
        unkept[name] = now
        words = error.strerror or str(error)
        log.error("%s: what the calendar of %s gives can't be kept: %s", role.key, person.key, words)
