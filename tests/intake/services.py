"""A desk and an intake with a real store, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import cast

from mailrouter.config import Configuration
from mailrouter.config.settings import Destination, Settings
from mailrouter.delivery.content import whole
from mailrouter.intake.acceptor import Acceptor
from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.text.writing import quoted_printable
from mailrouter.moments import milliseconds
from mailrouter.routing.wording import Words
from mailrouter.runtime.context import Context, Desk, current
from mailrouter.runtime.keys import Keys
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.store.ids import first_message_at
from mailrouter.store.model import Delivery
from mailrouter.store.protocols import Store
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.turns import drive
from tests.routing.situations import templates
from tests.support.waiting import Waiting

KEY = b"k" * 32
CLIENT = Client("127.0.0.1", "client.example.test", "ESMTP")
"""A server of our own."""


def configuration(*roles: Role, authserv_id: str | None = None) -> Configuration:
    """A configuration of these roles."""
    settings = Settings(
        hostname="mx.example.test",
        our_domains=frozenset({"example.test"}),
        postmaster="it@example.test",
        deliver=Destination("smtp", "127.0.0.1", 25),
        store=Path("mailrouter.db"),
        run_folder=Path("run"),
        authserv_id=authserv_id,
    )
    return Configuration(Path("config"), settings, roles)


def desk(*roles: Role, words: Words | None = None, authserv_id: str | None = None) -> Desk:
    """A desk for these roles, with the shipped templates."""
    return Desk(configuration(*roles, authserv_id=authserv_id), words or templates(), Keys(KEY))


@dataclass
class Service:
    """An intake, its store, and what it has offered for delivery."""

    acceptor: Acceptor
    store: SqliteStore
    offered: list[Delivery] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    read: Callable[[bytes], Head] = Head

    @property
    def context(self) -> Context:
        """What it decides by."""
        return self.acceptor.context

    async def send(
        self, raw: bytes, *recipients: str, sender: str = "jane@example.test", notify: str = "", ret: str = ""
    ) -> str:
        """What the door says to a message."""
        scanner = Scanner()
        spool = self.acceptor.spool()
        scanner.feed(raw)
        if spool.hold(raw):
            await spool.flush()
        shape = scanner.finish()
        envelope = Envelope(sender, list(recipients) or ["vp-hr@example.test"])
        if ret:
            envelope.dsn["RET"] = ret
        if notify:
            envelope.notify = dict.fromkeys(envelope.recipients, notify)
        head = self.read(scanner.head.raw)
        self.said.append(await self.acceptor.accept(CLIENT, envelope, spool, shape, head))
        return self.said[-1]

    def sent(self, kind: str = "copy") -> dict[str, bytes]:
        """The bytes of what was offered of this kind, by the recipient's local part."""
        found = {}
        for delivery in self.offered:
            if delivery.kind == kind:
                found[delivery.recipient.partition("@")[0]] = drive(whole(self.store, delivery)) or b""
        return found

    async def hand_over(self, role: str, text: str) -> int:
        """A new handoff, as the running service takes it."""
        version = await self.store.add_handoff(
            role, "Laurie", 1_796_200_000_000, text, quoted_printable(text)
        )
        stored = await self.store.reader.handoff(role)
        assert stored is not None
        self.context.desk.handoffs[role] = current(stored)
        return version


@asynccontextmanager
async def service(
    folder: Path, of: Desk, moment: datetime, read: Callable[[bytes], Head] = Head, waiting: bool = False
) -> AsyncIterator[Service]:
    """An intake whose clock stands at ``moment``; ``waiting``: the store's answers have to be waited for."""
    store = SqliteStore.open(folder / "mailrouter.db")
    # The store numbers its messages by the time of day.
    store._last_id = max(store._last_id, first_message_at(milliseconds(moment)))
    offered: list[Delivery] = []
    try:
        asked = cast(Store, Waiting(store)) if waiting else store
        acceptor = Acceptor(Context(of, lambda: moment), asked, offered.extend)
        yield Service(acceptor, store, offered, read=read)
    finally:
        store.close()
