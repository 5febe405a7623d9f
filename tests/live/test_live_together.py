"""What changes under a running service at the same moment: files, keys, calendars; the newest of each holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.calendars.cache import Kept, folder_of, keep, kept_of
from mailrouter.clock import now_ms
from mailrouter.config import Configuration
from mailrouter.config.last_good import serving
from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS
from mailrouter.runtime.context import Desk
from mailrouter.runtime.keys import read_keys
from mailrouter.service import main
from mailrouter.service.systemd import Supervisor
from mailrouter.service.wiring import Service
from tests.end_to_end.test_calendars import with_calendar
from tests.support.relay import write_configuration


@asynccontextmanager
async def started(config: Path) -> AsyncIterator[Service]:
    """A service in this process."""
    service = Service(serving(config, starting=True))
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Return once it is true."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - other threads and processes are at work
            await asyncio.sleep(0.01)


class Slow:
    """Makes desks as the service does, and gives the first one away only when it may."""

    def __init__(self, service: Service) -> None:
        assert service.reloading is not None
        self._make = service._make_desk
        self.made, self.may_go = threading.Event(), threading.Event()
        service.reloading._make_desk = self

    def __call__(self, configuration: Configuration) -> Desk:
        """A desk."""
        desk = self._make(configuration)
        if not self.made.is_set():
            self.made.set()
            assert self.may_go.wait(20)
        return desk


async def test_a_key_made_during_a_reload_is_the_one(tmp_path: Path) -> None:
    """The desk of the reload was made with the key before it."""
    config = write_configuration(tmp_path)
    async with started(config) as service:
        slow = Slow(service)
        reloading = asyncio.create_task(service.reload())
        await until(slow.made.is_set)
        rotating = asyncio.create_task(service._rotate_key({}))
        await asyncio.sleep(0)
        slow.may_go.set()
        await asyncio.gather(reloading, rotating)
        keys = read_keys(service.configuration.settings.run_folder / "mailrouter.key")
        assert keys.earlier
        assert service.context.desk.keys == keys


async def test_a_calendar_read_during_a_reload_holds(tmp_path: Path) -> None:
    """The desk of the reload was made with what was known of it before."""
    config = with_calendar(tmp_path, "file: none.ics")
    async with started(config) as service:
        role, folder = service.configuration.roles[0], folder_of(service.configuration)
        await until(lambda: bool(kept_of(folder, role, role.person("elaine")).failure))
        slow = Slow(service)
        reloading = asyncio.create_task(service.reload())
        await until(slow.made.is_set)
        now = datetime.now(UTC).replace(microsecond=0)
        kept = Kept(now, now, now, busy=((now - timedelta(days=1), now + timedelta(days=7)),), events=1)
        keep(folder, role, role.person("elaine"), kept)
        service._calendars_due.set()
        await until(lambda: bool(service.context.desk.configuration.roles[0].absences))
        slow.may_go.set()
        await reloading
        assert [a.who for a in service.context.desk.configuration.roles[0].absences] == ["elaine"]
        assert service.context.desk.read == service.configuration


async def test_settings_for_the_next_start_do_nothing_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A run folder that is to be another one from the next start on gets no key, and nothing is marked by it."""
    config = write_configuration(tmp_path)
    async with started(config) as service:
        key = service.context.desk.keys
        file = config / "mailrouter.yaml"
        file.write_text(file.read_text() + "run_folder: elsewhere\nmax_size: 1 MB\n")
        await service.reload()
        assert "the configuration was read again; run_folder: at a restart" in caplog.messages
        assert not (tmp_path / "elsewhere").exists()
        assert service.context.desk.keys == key
        assert service.acceptor.max_size() == 1_000_000
        told = len(caplog.messages)
        await service.reloading.reload(asked=False)  # type: ignore[union-attr]
        assert len(caplog.messages) == told
        await service._rotate_key({})
        assert not (tmp_path / "elsewhere").exists()


async def test_a_reload_that_fails_has_ended_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or what started the service would wait for READY."""
    said: list[str] = []

    async def fails() -> None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(Supervisor, "_tell", lambda self, *lines: said.append(lines[0]))
    async with started(write_configuration(tmp_path)) as service:
        monkeypatch.setattr(service, "reload", fails)
        await main.reload(service, Supervisor({}))
    assert said == ["RELOADING=1", "READY=1"]


async def test_a_former_partners_mailbox_is_nothing_that_is_wrong(tmp_path: Path) -> None:
    """``check --live`` asks for those whose mail matters."""
    config = write_configuration(tmp_path)
    role = config / "roles" / "vp-hr.yaml"
    gone = "  zoe: {name: Zoe Old, email: zoe@example.test, until: 2026-01-31}\nrota:"
    role.write_text(role.read_text().replace("rota:", gone))
    async with started(config) as service:
        for mailbox in ("zoe@example.test", "laurie@example.test"):
            for at in (now_ms() - 2 * DAY_MS, now_ms()):
                service.mailboxes.failed(mailbox, at, "550 5.1.1 no such user")
        failing = (await service.status())["failing"]
        assert [one["mailbox"] for one in failing] == ["laurie@example.test"]  # type: ignore[attr-defined]
