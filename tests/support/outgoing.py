"""A store, a dispatcher and an SMTP transport put together as the service does, for tests of delivery."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from mailrouter.clock import now_ms
from mailrouter.config.retry_settings import Retry
from mailrouter.delivery import content
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.smtp import Pool, SmtpTransport
from mailrouter.smtp.client import Outgoing, Timeouts
from mailrouter.store.model import Delivery
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import PARTNERS, SMALL, put, until

TIMEOUTS = Timeouts(connect=5, reply=0.8, data_end=0.8)
POOL = Pool(idle=0.2, patience=0.02, full=0.1, pauses=(0.05,))


class Outbound:
    """One store delivering to one next hop. ``delivered`` and the like count what the store says."""

    def __init__(
        self, path: Path, port: int, timeouts: Timeouts, pool: Pool, retry: Retry | None = None
    ) -> None:
        self.store = SqliteStore.open(path)
        self.dispatcher = Dispatcher(self.store, again=0.02, retry=retry)
        self.transport = SmtpTransport(
            "127.0.0.1", port, "client.test", self.dispatcher, self.prepare, timeouts, pool, self.siblings
        )

    async def siblings(self, delivery: Delivery) -> list[str]:
        """The recipients of the message's other copies."""
        entry = await self.store.reader.entry(delivery.message)
        return [other.recipient for other in entry.deliveries] if entry else []

    async def prepare(self, delivery: Delivery) -> Outgoing | None:
        """The transaction of a delivery, streamed where it is large."""
        whole = await content.whole(self.store, delivery)
        stream = None if whole is not None else lambda: content.stream(self.store, delivery)
        return Outgoing(
            delivery.reverse_path, delivery.recipient, delivery.size, content=whole or b"", stream=stream
        )

    async def accept(
        self, content: bytes = SMALL, recipients: tuple[str, ...] = PARTNERS, offer: bool = True
    ) -> list[Delivery]:
        """Accept a message now, and hand it over as the intake does."""
        queued = await put(self.store, content, recipients, now_ms())
        if offer:
            self.dispatcher.offer(queued)
        else:
            self.store.release(queued)
        return queued

    def count(self, state: str) -> int:
        """Deliveries in this state."""
        rows = self.store.reader._rows("SELECT count(*) FROM delivery WHERE state = ?", (state,))
        return int(rows[0][0])

    def attempts(self) -> list[tuple[str, str, int]]:
        """Each delivery's recipient, state and attempts, in order of ids."""
        return self.store.reader._rows("SELECT recipient, state, attempts FROM delivery ORDER BY id")

    async def settled(self, state: str, number: int, seconds: float = 10.0) -> None:
        """Once ``number`` deliveries are in this state."""
        await until(lambda: self.count(state) >= number, seconds)
        assert self.count(state) == number


@contextlib.asynccontextmanager
async def outbound(
    path: Path, port: int, timeouts: Timeouts = TIMEOUTS, pool: Pool = POOL, retry: Retry | None = None
) -> AsyncIterator[Outbound]:
    """Running; stopped in the service's order at the end."""
    found = Outbound(path, port, timeouts, pool, retry)
    found.dispatcher.start(found.transport)
    try:
        yield found
    finally:
        await found.dispatcher.close(1)
        found.store.close()
