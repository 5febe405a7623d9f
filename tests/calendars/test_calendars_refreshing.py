"""Keeping calendars fresh: each when it is due, and one that can't be kept holds up no other."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.calendars.cache import folder_of, kept_of
from mailrouter.calendars.check import calendar_oddities
from mailrouter.calendars.refresh import AFTER_FAILURE, keep_fresh, sources
from mailrouter.config import load
from tests.calendars.ics import OOF, calendar
from tests.calendars.test_calendars_kept import configured

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Keeping:
    """``keep_fresh`` at work, with a clock that stands still until it is set."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.changes = 0
        self.configuration = configured(folder)
        self.wake = asyncio.Event()
        self._task = asyncio.create_task(
            keep_fresh(lambda: self.configuration, self._changed, self.wake, lambda: self.now)
        )

    def _changed(self) -> None:
        self.changes += 1

    async def once(self) -> None:
        """Wait for a whole look that begins now."""
        self.wake.set()
        async with asyncio.timeout(60):
            while self.wake.is_set():  # noqa: ASYNC110 (it is cleared when a look begins; nothing tells of that)
                await asyncio.sleep(0.005)
            self.wake.set()
            while self.wake.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        """Cancel it."""
        self._task.cancel()
        await asyncio.wait([self._task])


async def test_a_calendar_is_read_when_it_is_due(tmp_path: Path) -> None:
    """At once, then not before an hour has passed; what brought nothing new is not passed on."""
    source = tmp_path / "elaine.ics"
    source.write_bytes(calendar(f"DTSTART;VALUE=DATE:20261210\n{OOF}"))
    keeping = Keeping(tmp_path)
    role = keeping.configuration.roles[0]
    folder, elaine = folder_of(keeping.configuration), role.person("elaine")
    await keeping.once()
    assert len(kept_of(folder, role, elaine).busy) == 1
    assert keeping.changes == 1
    source.write_bytes(calendar(f"DTSTART;VALUE=DATE:20261210\n{OOF}", f"DTSTART;VALUE=DATE:20261220\n{OOF}"))
    keeping.now += timedelta(minutes=59)
    await keeping.once()
    assert len(kept_of(folder, role, elaine).busy) == 1
    keeping.now += timedelta(minutes=1)
    await keeping.once()
    assert len(kept_of(folder, role, elaine).busy) == 2
    keeping.now += timedelta(hours=1)
    await keeping.once()
    assert keeping.changes == 2
    await keeping.end()


async def test_a_former_partners_calendar_is_left_alone(tmp_path: Path) -> None:
    """Read up to their last day, and not from the next one on; nor is it missed."""
    (tmp_path / "elaine.ics").write_bytes(calendar(f"DTSTART;VALUE=DATE:20261210\n{OOF}"))
    configuration = configured(tmp_path)
    (role,) = configuration.roles
    leaving = [replace(p, until=NOW.date()) if p.key == "elaine" else p for p in role.partners]
    configuration = replace(configuration, roles=(replace(role, partners=tuple(leaving)),))
    for later, read in ((timedelta(), ["elaine"]), (timedelta(days=1), [])):
        assert [person.key for _, person in sources(configuration, NOW + later)] == read
        odd = [text for _, text in calendar_oddities(configuration, NOW + later)]
        assert ["has not been read yet" in text for text in odd] == [True] * len(read)


async def test_a_record_that_cant_be_written_is_told_once_in_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not each minute; the service goes on, and reads again when it can be."""
    (tmp_path / "elaine.ics").write_bytes(calendar(f"DTSTART;VALUE=DATE:20261210\n{OOF}"))
    run = load(configured(tmp_path).folder).settings.run_folder
    run.mkdir(parents=True)
    (run / "calendars").write_text("this should be a folder")
    keeping = Keeping(tmp_path)
    await keeping.once()
    await keeping.once()
    assert caplog.text.count("can't be kept") == 1
    (run / "calendars").unlink()
    keeping.now += AFTER_FAILURE
    await keeping.once()
    role = keeping.configuration.roles[0]
    assert kept_of(run / "calendars", role, role.person("elaine")).busy
    await keeping.end()
