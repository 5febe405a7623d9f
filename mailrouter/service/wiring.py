"""The wiring of the service, to be read from top to bottom: build, listen, go by what is read anew, stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from itertools import filterfalse
from pathlib import Path
from typing import Any, cast

from mailrouter.calendars.cache import with_kept
from mailrouter.calendars.feeds import Feeds
from mailrouter.calendars.refresh import keep_fresh
from mailrouter.clock import now_ms
from mailrouter.config import Configuration, Settings
from mailrouter.config.last_good import Serving, keep_good, serving
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.maildir import MaildirTransport
from mailrouter.delivery.shadow import ShadowTransport
from mailrouter.delivery.smtp import SmtpTransport, pool_for
from mailrouter.delivery.under_way import UnderWay, is_incoming
from mailrouter.errors import MailrouterError, NoSuchRole, StoreError
from mailrouter.intake.acceptor import Acceptor
from mailrouter.intake.feedback.blamed import hold
from mailrouter.intake.feedback.hop_recovery import lasted, tell_of_recovery
from mailrouter.intake.feedback.outcomes import kept_mailboxes, learn, lost_lately, lost_words
from mailrouter.intake.release.queue_actions import Order, steer
from mailrouter.intake.release.release import Leaving
from mailrouter.intake.shadow import ShadowGate, shadow_settings
from mailrouter.moments import day_of
from mailrouter.runtime import keys
from mailrouter.runtime.context import Context, Desk
from mailrouter.runtime.keys import read_keys
from mailrouter.runtime.origin import trusts
from mailrouter.runtime.templates import templates_of
from mailrouter.schedule.duty import Roster
from mailrouter.service import lost_mail, weekly_mail
from mailrouter.service.control import Control
from mailrouter.service.process import as_root, give_back, places
from mailrouter.service.reload import Reloading
from mailrouter.service.tasks import Upkeep
from mailrouter.smtp.handler import Gate
from mailrouter.smtp.server import Door, Limits, Sessions, Traffic, work_ended
from mailrouter.store.ids import DeliveryId, Milliseconds, moment_of
from mailrouter.store.opening import open_store
from mailrouter.trust.tokens import VALID_DAYS
from mailrouter.web import calendar, health, metrics
from mailrouter.web.listener import Listener
from mailrouter.web.pages import Pages
from mailrouter.web.watched import Watched
from mailrouter.worker.worker import Worker

log = logging.getLogger("mailrouter")

GRACE = 7.0
"""Seconds that transactions under way have when the service stops, ours and the next hop's."""
END = 9.0
"""Seconds after which nothing more is waited for but the store."""
BACKLOG = 1024
GIVE_BACK_SECONDS = 1.0
"""From the end of a burst of mail to giving its memory back: its sessions have closed by then."""


def desk_of(configuration: Configuration, known: Mapping[str, Roster] = {}) -> Desk:
    """A configuration made ready for work; ``known`` are the rosters of the desk before. Raises MailrouterError."""
    settings = configuration.settings
    words, secrets = templates_of(settings.templates), read_keys(settings.run_folder / keys.NAME)
    return Desk(configuration, words, secrets, known=known)


class Service:
    """A running relay. ``addresses`` are those it listens on once ``start`` has returned.

    One on trial (``shadow``) has a store of its own, takes everything and delivers nothing.
    """

    def __init__(self, configuration: Configuration | Serving, shadow: bool = False) -> None:
        self.shadow = shadow
        loaded = configuration if isinstance(configuration, Serving) else Serving(configuration, {})
        self._loaded = self._in_force(loaded)
        self.addresses: list[str] = []
        self._servers: list[asyncio.Server] = []
        self.web: Listener | None = None
        self.traffic = Traffic()
        self.upkeep = Upkeep()
        self.reloading: Reloading | None = None
        self._rosters: Mapping[str, Roster] = {}
        self._limits = Limits(
            exempt=lambda address: trusts(self.configuration.settings.trusted_networks, address)
        )
        self._calendars_due = asyncio.Event()
        self.worker = Worker(
            (
                "mailrouter.routing.partner.contents",
                "mailrouter.config.proposals",
                "mailrouter.routing.partner.file.difference",
            )
        )

    def _in_force(self, read: Serving) -> Serving:
        if not self.shadow:
            return read
        settings = shadow_settings(read.configuration.settings)
        return replace(read, configuration=replace(read.configuration, settings=settings))

    async def start(self) -> None:
        """Open the store, take up what was left, and listen.

        Raises MailrouterError, OSError; then nothing is left open.
        """
        settings = self._loaded.configuration.settings
        self.store = open_store(settings.store)
        self.store.keep_history = settings.keep_history
        self.store.keep_bounced = 0 if self.shadow else settings.keep_bounced
        try:
            await self._listen()
        except BaseException:
            self.store.close()
            raise

    async def _listen(self) -> None:
        """Build all parts, take up what was left, and begin."""
        settings = self.configuration.settings
        desk = await self._build(settings)
        await self._take_up_files(desk)
        gate = ShadowGate(self.acceptor, self.store) if self.shadow else self.acceptor
        self.gate = cast(Gate, gate)  # its spools are all of one kind
        await self._open(settings)
        blamed = map(DeliveryId, filterfalse(is_incoming, self.under_way.blamed))
        for key in await hold(self.store, desk, blamed, self.context.now()):
            self.under_way.cleared(key)
        self.dispatcher.start(self.transport)
        await self._begin_upkeep()
        for server in self._servers:
            await server.start_serving()
        listening = [socket for server in self._servers for socket in server.sockets]
        self.addresses = [name_of(socket.getsockname()) for socket in listening]

    async def _build(self, settings: Settings) -> Desk:
        """Make the parts between the doors and the next server; gives the configuration made ready."""
        loop = asyncio.get_running_loop()
        limits = replace(self._limits, max_connections=places(self._limits.max_connections))
        self._sessions = Sessions(
            limits, loop, self.traffic, lambda: loop.call_later(GIVE_BACK_SECONDS, give_back)
        )
        self.under_way = UnderWay.open(self.store.journal)
        self.mailboxes = await kept_mailboxes(self.store, self._people())
        desk = self._make_desk(self.configuration)
        self.context = Context(desk)
        self.leaving = Leaving(self.context, self.store, settings.retry, lambda: self.transport.trouble)
        self.dispatcher = Dispatcher(
            self.store,
            self.leaving.follow,
            retry=settings.retry,
            watch=partial(learn, self.mailboxes),
            plainly=self.leaving.plainly,
            under_way=self.under_way,
        )
        self.dispatcher.on_clock_set = self.mailboxes.clock_was_set
        self.leaving.begin(self.dispatcher)
        self.transport = self._transport(settings)
        self.acceptor = Acceptor(
            self.context,
            self.store,
            self.dispatcher.offer,
            under_way=self.under_way,
            calls=self.worker,
        )
        return desk

    async def _take_up_files(self, desk: Desk) -> None:
        """Go by the files as they are now: changes that a crash left begun are finished first."""
        reloading = self.reloading = Reloading(
            self._loaded,
            self.context,
            self.store,
            self._make_desk,
            self._wake,
            self._read,
            self._taken_up,
            self._remember,
        )
        await reloading.take_up(desk, self._loaded)
        if await self.acceptor.files.recover(desk):
            await reloading.reload()
        self.acceptor.files.changed = lambda: reloading.reload(asked=False)

    async def _open(self, settings: Settings) -> None:
        """Take the addresses, and open the pages and the control socket; leaves nothing open where that fails."""
        socket = settings.run_folder / ("mailrouter.shadow.sock" if self.shadow else "mailrouter.sock")
        requests = {
            "queue": self._steer,
            "rotate-key": self._rotate_key,
            "probe": self._probe,
            "probed": self._probed,
        }
        self.control = Control(self.store, self.acceptor, socket, self.status, requests, self._wake)
        await self._bind(settings)
        try:
            await self._start_pages()
            await self.control.start()
        except BaseException:
            self._close_doors()
            if self.web is not None:
                await self.web.close()
            raise

    async def _begin_upkeep(self) -> None:
        """Start what the service does by itself beside mail."""
        if self.reloading is not None and self._loaded.texts:
            await self.reloading.settle()
            self.upkeep.run(self.reloading.watch())
        weekly = partial(weekly_mail.send_due, self.context, self.store)
        self.upkeep.repeat("a weekly mail", weekly, self._wake, weekly_mail.PAUSE)
        if not self.shadow:
            lost = partial(lost_mail.list_lost, self.context, self.store)
            self.upkeep.repeat("the list of lost mail", lost, self._wake, lost_mail.PAUSE)
        self._calendars = asyncio.get_running_loop().create_task(
            keep_fresh(lambda: self.configuration, self._take_up_calendars, self._calendars_due)
        )

    async def _bind(self, settings: Settings) -> None:
        """Take the addresses where mail comes in; raises MailrouterError where one can't be had."""
        loop = asyncio.get_running_loop()
        for host, port in settings.listen_smtp:
            try:
                server = await loop.create_server(
                    self._door, host or None, port, backlog=BACKLOG, start_serving=False
                )
            except OSError as error:
                self._close_doors()
                why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
                raise MailrouterError(f"Nothing can listen on {name_of((host, port))}: {why}.") from error
            self._servers.append(server)

    def _close_doors(self) -> None:
        for server in self._servers:
            server.close()

    async def _start_pages(self) -> None:
        """Serve the pages of ``web``; mail comes first, so where they can't be served the log says why."""
        if (web := self.configuration.settings.web) is None:
            return
        pages = Listener(*web, self._pages())
        try:
            await pages.start()
        except MailrouterError as error:
            log.error("the pages of web: are not served, mail is: %s", error)
            await pages.close()
        else:
            self.web = pages

    def _pages(self) -> Pages:
        """The pages that are served where ``web:`` says."""
        watched = Watched(
            self.store,
            self.dispatcher,
            self.transport,
            self.traffic,
            self._sessions,
            lambda: self.context.desk,
            lambda: self.reloading.errors if self.reloading is not None else 0,
            self._unreadable,
        )
        return {
            "/healthz": health.alive,
            "/readyz": health.Readiness(watched),
            "/metrics": metrics.Metrics(watched),
            "/calendar/{secret}.ics": calendar.Calendars(lambda: self._feeds),
        }

    def _door(self) -> Door:
        settings, loop = self.configuration.settings, asyncio.get_running_loop()
        return Door(self.gate, settings.hostname, self._sessions, loop)

    def _transport(self, settings: Settings) -> MaildirTransport | SmtpTransport | ShadowTransport:
        dispatcher = self.dispatcher
        if self.shadow:
            return ShadowTransport(dispatcher, self.leaving.check)
        to = settings.deliver
        if to.path is not None:
            return MaildirTransport(
                to.path, settings.hostname, dispatcher, self.leaving.blocks, self.leaving.check
            )
        pool = pool_for(settings.retry)
        transport = SmtpTransport(
            to.host,
            to.port,
            settings.hostname,
            dispatcher,
            self.leaving.prepare,
            settings.timeouts,
            pool,
            self.leaving.siblings,
            self.leaving.too_large,
        )
        transport.on_recovery = self._next_hop_recovered
        return transport

    def _next_hop_recovered(self, since: Milliseconds, words: str) -> None:
        """Tell the operator of a lasting trouble that is over."""
        if lasted(since, now_ms(), self.configuration.settings.retry.first):
            told = tell_of_recovery(
                self.context.desk, self.store, self.transport.name, since, words, self._wake
            )
            self.upkeep.run(told)

    def _people(self) -> set[str]:
        """The mailboxes of everybody behind a role."""
        return {p.mailbox for role in self.configuration.roles for p in role.people}

    def _wake(self) -> None:
        """Messages of ours lie in the store."""
        self.dispatcher.offer([])

    @property
    def configuration(self) -> Configuration:
        """The configuration in force; before the start, the one that was loaded."""
        return self._loaded.configuration if self.reloading is None else self.reloading.now.configuration

    async def reload(self) -> None:
        """Have the configuration read again; see ``Reloading.reload``."""
        if self.reloading is not None:
            await self.reloading.reload()

    def _remember(self, now: Serving, known: Mapping[str, bytes] | None) -> None:
        """For the next start. A trial leaves what a service of the same run folder goes back on as it is."""
        if not self.shadow:
            keep_good(now, known)

    def _read(self, folder: Path, missed: Mapping[str, bytes]) -> Serving:
        return self._in_force(serving(folder, missed=missed))

    def _make_desk(self, configuration: Configuration) -> Desk:
        """A desk for what was read, with the absences of partners' calendars. It takes a while."""
        desk = desk_of(with_kept(configuration), self._rosters)
        self._rosters = desk.rosters
        desk.read, desk.mailboxes = configuration, self.mailboxes
        desk.next_hop_size = lambda: self.transport.max_size
        return desk

    async def _taken_up(self, configuration: Configuration, desk: Desk) -> None:
        """Work by the configuration in force in all other parts."""
        self._lay(configuration, desk)
        self.store.keep_history = configuration.settings.keep_history
        self.store.keep_bounced = 0 if self.shadow else configuration.settings.keep_bounced
        self._calendars_due.set()
        for key in set(await self.store.reader.handoff_roles()).difference(desk.rosters):
            log.warning(
                "there is a handoff of %s, which is no role here (any more): if its file was renamed, the handoff "
                "does not follow; name the file as before, or set the handoff anew",
                key,
            )

    async def _steer(self, request: dict[str, Any]) -> dict[str, Any]:
        order = Order.of(request)
        done = await steer(self.store, order, self.context.desk, self.dispatcher)
        if order.action == "retry" and isinstance(self.transport, SmtpTransport):
            self.transport.probe()
        return done.data()

    async def _rotate_key(self, request: dict[str, Any]) -> dict[str, str]:
        """The next message is marked with the new key."""
        made = keys.rotate(self.configuration.settings.run_folder / keys.NAME, now_ms())
        assert self.reloading is not None
        await self.reloading.renew()
        log.warning("a new key was made; what the one before it made is taken for %d days", VALID_DAYS + 1)
        return {"until": keys.moment_written(made.earlier[0][1])}

    async def _probe(self, request: dict[str, Any]) -> dict[str, object]:
        """A role's probe: its address, and the number to ask by."""
        role = self.configuration.role_for(str(request.get("role")))
        if role is None:
            raise NoSuchRole(f"The running service knows no role {request.get('role')!r}.")
        number, address = self.acceptor.probes.make(self.context.desk, role, now_ms())
        return {"probe": number, "to": address}

    async def _probed(self, request: dict[str, Any]) -> int:
        return self.acceptor.probes.arrivals(int(request.get("probe", 0)))

    def _take_up_calendars(self) -> None:
        """A partner's calendar has brought other absences: the next message is planned by them."""
        self._lay(self.configuration, self.context.desk)

    def _lay(self, configuration: Configuration, desk: Desk) -> None:
        """Have feeds and desk hold what the calendars say by now: it may be newer than a desk that took a while."""
        self._feeds = Feeds(configuration, desk.keys.current, desk.keys.earlier)
        if self._feeds.configuration.roles != desk.configuration.roles:
            # Not a whole new desk: its templates alone take some 60 ms to compile.
            self.context.desk = replace(desk, configuration=self._feeds.configuration, known=desk.rosters)

    def _unreadable(self) -> str:
        return self.reloading.unreadable if self.reloading is not None else ""

    async def status(self) -> dict[str, object]:
        """The state of the queue and the next server, for people: where the service delivers, what is wrong there, how
        much waits for how long, and which mailboxes mail has not been reaching. Moments are milliseconds.
        """
        reader = self.store.reader
        oldest, queued = await reader.oldest(), await reader.waiting()
        capped, lost = await reader.capped(day_of(now_ms())), await lost_lately(reader, now_ms())
        desk, now = self.context.desk, self.context.now()
        # Of a former partner nothing has to arrive any more.
        roles = [desk.role_at(role, now) for role in desk.configuration.roles]
        people = {person.mailbox for role in roles for person in role.people}
        return {
            "delivers_to": self.transport.name,
            "listens_at": self.addresses,
            "trouble": self.transport.trouble,
            "advice": self.transport.advice,
            "troubled_since": self.transport.troubled_at if self.transport.trouble else None,
            "queued": queued,
            "as_root": as_root(),
            "configuration": self._unreadable(),
            "capped": capped,
            "oldest": None if oldest is None else moment_of(oldest),
            "failing": [
                {"mailbox": found.mailbox, "since": found.since, "words": found.words}
                for found in self.mailboxes.all_lasting(now_ms())
                if found.mailbox in people
            ],
            "lost": lost_words(lost),
        }

    async def state(self) -> str:
        """One line for whoever looks at the service: where mail comes in, and what keeps it from leaving."""
        try:
            waiting = f"{await self.store.reader.waiting()} to deliver"
        except StoreError as error:
            waiting = str(error)
        hop = self.transport
        trouble = f"; {hop.name} can't be used: {hop.trouble}" if hop.trouble else ""
        return f"smtp {' '.join(self.addresses)}; {waiting}{trouble}"

    async def stop(self) -> int | None:
        """No new mail; messages being committed are answered; transactions end; then the store closes.

        It takes ten seconds at most, whatever hangs. Gives how many deliveries wait for the next start; None where
        the store can't tell.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._close_doors()
        self._calendars.cancel()
        await self.upkeep.stop()
        for door in list(self._sessions):
            door.end_soon()
        try:
            async with asyncio.timeout_at(began + END):
                await work_ended(GRACE)
                await self.dispatcher.close(max(0.5, began + GRACE - loop.time()))
        except TimeoutError:
            log.error("what was under way did not end in time; the next start takes it up")
        await self.worker.close()
        if self.web is not None:
            await self.web.close(max(0.1, began + END - loop.time()))
        await self.control.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(began + END):
                await asyncio.wait([self._calendars])
        self.under_way.empty()
        waiting = None
        with contextlib.suppress(StoreError):
            waiting = await self.store.reader.waiting()
        if not self.store.close(max(0.5, began + END - loop.time())):
            log.error("the disk under the store has not answered; what it was asked to keep may not be kept")
        return waiting


def name_of(address: Any) -> str:
    """An address of a socket as it is written: ``127.0.0.1:25``, ``[::1]:25``."""
    host, port = address[0], address[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
