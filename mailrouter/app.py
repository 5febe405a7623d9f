"""The wiring, to be read from top to bottom: load, check, build, listen, stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailrouter.config import Configuration, Settings
from mailrouter.config.serving import Serving, serving
from mailrouter.control import Control
from mailrouter.delivery import content
from mailrouter.delivery.dispatch import Dispatcher, now_ms
from mailrouter.delivery.maildir import MaildirTransport
from mailrouter.delivery.retry import GIVE_UP
from mailrouter.delivery.smtp import SmtpTransport
from mailrouter.errors import MailrouterError
from mailrouter.intake.aftermath import of_delay, of_failure
from mailrouter.intake.facts import Desk, read_key
from mailrouter.intake.gate import Intake
from mailrouter.intake.recheck import may_have, plan_anew
from mailrouter.intake.templates import Templates
from mailrouter.live.reloading import Reloading
from mailrouter.live.upkeep import Upkeep
from mailrouter.live.weekly import weekly_mails
from mailrouter.smtp.client import Outgoing, Reply
from mailrouter.smtp.server import Door, Limits, work_ended
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.sqlite import SqliteStore

log = logging.getLogger("mailrouter")

GRACE = 8.0
"""Seconds that transactions under way have when the service stops."""
BACKLOG = 1024


def desk_of(configuration: Configuration) -> Desk:
    """A configuration made ready for work. Raises MailrouterError."""
    settings = configuration.settings
    return Desk(
        configuration, Templates(settings.templates), read_key(settings.run_folder / "mailrouter.key")
    )


class Service:
    """A running relay. ``addresses`` are those it listens on once ``start`` has returned."""

    def __init__(self, configuration: Configuration | Serving) -> None:
        self._loaded = configuration if isinstance(configuration, Serving) else Serving(configuration, {})
        self.addresses: list[str] = []
        self._upkeep = Upkeep()
        self.reloading: Reloading | None = None
        self._sessions: set[Door] = set()
        self._anew: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the store, take up what was left, and listen.

        Raises MailrouterError, OSError; then nothing is left open.
        """
        self.store = SqliteStore.open(self._loaded.configuration.settings.store)
        try:
            await self._listen()
        except BaseException:
            self.store.close()
            raise

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        settings = self._loaded.configuration.settings
        desk = desk_of(self._loaded.configuration)
        self.dispatcher = Dispatcher(self.store, self._follow)
        self.transport = self._transport(settings)
        self.intake = Intake(desk, self.store, self.dispatcher.offer, lambda: self.transport.max_size)
        reloading = self.reloading = Reloading(self._loaded, self.intake, self.store, desk_of, self._wake)
        reloading.take_up(desk, self._loaded)
        if await self.intake.files.recover(desk):
            await reloading.reload()
        self.intake.files.changed = lambda: reloading.reload(asked=False)
        self.control = Control(
            self.store, self.intake, settings.run_folder / "mailrouter.sock", self.status, self._wake
        )
        host, port = settings.listen_smtp
        self._server = await loop.create_server(
            self._door, host or None, port, backlog=BACKLOG, start_serving=False
        )
        try:
            await self.control.start()
        except BaseException:
            self._server.close()
            raise
        self.dispatcher.start(self.transport)
        if self._loaded.texts:
            await reloading.settle()
            self._upkeep.run(reloading.watch())
        self._upkeep.run(weekly_mails(self.intake, self.store, self._wake))
        await self._server.start_serving()
        self.addresses = [_name(listening.getsockname()) for listening in self._server.sockets]

    def _door(self) -> Door:
        settings = self.configuration.settings
        return Door(self.intake, settings.hostname, Limits(), self._sessions, asyncio.get_running_loop())

    def _transport(self, settings: Settings) -> MaildirTransport | SmtpTransport:
        dispatcher = self.dispatcher
        to = settings.deliver
        if to.path is not None:
            return MaildirTransport(to.path, settings.hostname, dispatcher, self._blocks, self._check)
        return SmtpTransport(to.host, to.port, settings.hostname, dispatcher, self._prepare)

    def _follow(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        """What an attempt that failed, or has long been trying, brings about."""
        desk, reader, now = self.intake.desk, self.store.reader, self.intake.now()
        if outcome.state == "failed":
            told = of_failure(desk, reader, delivery, "failed", outcome.reply, now)
        else:
            until = datetime.fromtimestamp((delivery.created_at + GIVE_UP) / 1000, UTC)
            told = of_delay(desk, reader, delivery, outcome.reply, now, until)
        return replace(outcome, consequences=told)

    def _blocks(self, delivery: Delivery) -> AsyncIterator[bytes]:
        return content.stream(self.store, delivery)

    def _check(self, delivery: Delivery) -> bool:
        """Whether a delivery may leave as it stands; if not, it is being planned anew."""
        if may_have(self.intake.desk, delivery):
            return True
        task = asyncio.get_running_loop().create_task(self._plan_anew(delivery))
        self._anew.add(task)
        task.add_done_callback(self._anew.discard)
        return False

    async def _plan_anew(self, delivery: Delivery) -> None:
        try:
            await plan_anew(self.intake, self.store, delivery, now_ms)
        except Exception as error:
            log.exception("%s can't be planned anew", delivery.queue_id)
            self.dispatcher.settle(delivery, Reply(451, f"4.3.5 It can't be planned anew: {error}"))

    def _prepare(self, delivery: Delivery) -> Outgoing | None:
        if not self._check(delivery):
            return None
        whole = content.whole(self.store, delivery)
        return Outgoing(
            delivery.reverse_path,
            delivery.recipient,
            delivery.size,
            delivery.eight_bit,
            delivery.smtputf8,
            whole or b"",
            None if whole is not None else lambda: content.stream(self.store, delivery),
        )

    def _wake(self) -> None:
        """Messages of ours lie in the store."""
        self.dispatcher.offer([])

    @property
    def configuration(self) -> Configuration:
        """The configuration in force; before the start, the one that was loaded."""
        return self._loaded.configuration if self.reloading is None else self.reloading.now.configuration

    def reload(self) -> None:
        """Have the configuration read again; see ``Reloading.reload``."""
        if self.reloading is not None:
            self._upkeep.run(self.reloading.reload())

    def status(self) -> dict[str, object]:
        """What a person before the queue wants to know: where the service delivers, and what is wrong there."""
        broken = [found.key for found in self.reloading.now.broken] if self.reloading else []
        return {"delivers_to": self.transport.name, "trouble": self.transport.trouble, "broken": broken}

    async def stop(self) -> int:
        """No new mail; messages being committed are answered; transactions end; then the store closes.

        Gives how many deliveries wait for the next start.
        """
        self._server.close()
        await self._upkeep.stop()
        for door in list(self._sessions):
            door.end_soon()
        deadline = asyncio.get_running_loop().time() + GRACE
        await work_ended(GRACE)
        await self.dispatcher.close(max(0.5, deadline - asyncio.get_running_loop().time()))
        await self.control.close()
        waiting = self.store.reader.waiting()
        self.store.close()
        return waiting


async def serve(configuration: Serving, tell: Callable[[str], None]) -> None:
    """Run until SIGTERM or SIGINT; ``tell`` hears one line once mail is taken, and one at the end.

    SIGHUP has the configuration read again. Raises MailrouterError, OSError.
    """
    service = Service(configuration)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, ended.set)
    await service.start()
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    # What is there by now stays: the collector need not walk through it for each message.
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 50)
    tell(f"mailrouter ready: smtp {' '.join(service.addresses)}, delivers to {service.transport.name}")
    await ended.wait()
    waiting = await service.stop()
    tell(
        f"mailrouter stopped; {waiting} still to deliver"
        if waiting
        else "mailrouter stopped; everything is delivered"
    )


def run(folder: Path, tell: Callable[[str], None]) -> None:
    """Load the configuration in ``folder`` and serve. Raises MailrouterError."""
    now = serving(folder, starting=True)
    _raise_file_limit()
    # The store's thread takes the interpreter's lock a few times a commit; the default of 5 ms would stall it each time.
    sys.setswitchinterval(0.0005)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(now, tell))
    except OSError as error:
        host, port = now.configuration.settings.listen_smtp
        why = os.strerror(error.errno) if error.errno else str(error)
        raise MailrouterError(f"Nothing can listen on {_name((host, port))}: {why}.") from error


def _raise_file_limit() -> None:
    """A thousand sessions need more than the usual soft limit of 1,024 descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _loop_factory() -> Any:
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None


def _name(address: Any) -> str:
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
