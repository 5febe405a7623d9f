"""The loop: what is due is claimed, handed to the transport, and its outcome recorded.

Freshly accepted mail goes to the transport straight from memory; what finds no room there stays in the store
and is claimed later. A next hop that can't be reached costs one probe, not one try a message: the transport
pauses, and nothing is claimed meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from typing import Protocol

from mailrouter.delivery.retry import DELAYED, outcome
from mailrouter.errors import StoreError
from mailrouter.smtp.client import Reply
from mailrouter.store.model import Delivery, Milliseconds, Outcome
from mailrouter.store.sqlite import SqliteStore
from mailrouter.store.timings import Timings

log = logging.getLogger("mailrouter.delivery")

MOST_READY = 2000
"""Deliveries held in memory, at most."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of messages held in memory with them."""
MOST_CLAIMED = 500
WAITED = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
"""Seconds from taking a message to its delivery: the classes that are counted."""
SETTLE_PAUSE = 0.01
"""Seconds in which outcomes gather into one write."""


class Transport(Protocol):
    """One way to the next hop. It takes from ``Dispatcher.take`` and reports to ``Dispatcher.settle``."""

    name: str

    def wake(self) -> None:
        """There is something to take."""

    def paused(self) -> bool:
        """True while the next hop can't be reached."""

    async def close(self, grace: float) -> None:
        """End within ``grace`` seconds; transactions under way are finished first."""


Follow = Callable[[Delivery, Outcome], Outcome]
"""Gives an outcome with what it brings about (messages of ours, to be queued with it)."""


class Dispatcher:
    """Feeds one transport from one store."""

    def __init__(self, store: SqliteStore, follow: Follow | None = None, again: float = 1.0) -> None:
        """``follow`` is asked about failures and long delays; ``again``: seconds until outcomes that the store did
        not take are offered to it once more."""
        self.attempts: Counter[tuple[str, str]] = Counter()
        """By kind of delivery, and what it came to: delivered, queued (tried again later) or failed."""
        self.waited = Timings(WAITED)
        self.delivered_at: Milliseconds = 0
        self._store = store
        self._follow = follow
        self._again = again
        self._transport: Transport | None = None
        self._ready: deque[Delivery] = deque()
        self._bytes = 0
        self._outcomes: list[Outcome] = []
        self._settling: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None
        self._ending = False
        self._backlog = True
        """Something that is due may lie in the store and not in memory."""

    def start(self, transport: Transport) -> None:
        """Begin to claim and deliver."""
        self._transport = transport
        self._pump = asyncio.get_running_loop().create_task(self._run())

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Take freshly accepted deliveries, which are in our hands; those without room go back to the store. None at
        all say that something due lies in the store."""
        if not deliveries:
            self._backlog = True
            self._wake.set()
            return
        size = sum(len(d.content or b"") for d in deliveries)
        if self._ending or len(self._ready) + len(deliveries) > MOST_READY or self._bytes + size > MOST_BYTES:
            self._store.release(deliveries)
            self._backlog = True
            if len(self._ready) < MOST_READY // 4:
                self._wake.set()  # no later take would do it
            return
        self._ready.extend(deliveries)
        self._bytes += size
        if self._transport is not None:
            self._transport.wake()

    def take(self) -> Delivery | None:
        """The next delivery to try, or None."""
        if not self._ready or self._ending:
            return None
        delivery = self._ready.popleft()
        self._bytes -= len(delivery.content or b"")
        if self._backlog and len(self._ready) < MOST_READY // 4:
            self._wake.set()
        return delivery

    def untake(self, delivery: Delivery) -> None:
        """Give back a delivery that was taken and not begun."""
        self._ready.appendleft(delivery)
        self._bytes += len(delivery.content or b"")

    @property
    def waiting(self) -> int:
        """How many deliveries could be taken now."""
        return len(self._ready)

    @property
    def unrecorded(self) -> int:
        """How many outcomes the store has not taken yet."""
        return len(self._outcomes)

    def settle(self, delivery: Delivery, reply: Reply) -> None:
        """Record a reply: it is written soon, together with others."""
        result = outcome(delivery, reply, now_ms(), random.random())
        self.attempts[delivery.kind, result.state] += 1
        if result.state == "delivered":
            self.waited.add((result.at - delivery.created_at) / 1000)
            self.delivered_at = result.at
        else:
            level = logging.ERROR if result.state == "failed" else logging.WARNING
            log.log(
                level, "%s to %s %s: %s", delivery.queue_id, delivery.recipient, result.state, result.reply
            )
            if result.state == "failed" or result.at - delivery.created_at >= DELAYED:
                result = self._followed(delivery, result)
        self.record(result)

    def _followed(self, delivery: Delivery, result: Outcome) -> Outcome:
        if self._follow is None:
            return result
        try:
            return self._follow(delivery, result)
        except Exception:
            # That it failed is recorded in any case: the queue and the log show it.
            log.exception("%s: nobody can be told of its failure", delivery.queue_id)
            return result

    def record(self, result: Outcome) -> None:
        """Record an outcome that did not come from a peer's reply."""
        self._outcomes.append(result)
        if self._settling is None or self._settling.done():
            self._settling = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while self._outcomes:
            if not self._ending:
                await asyncio.sleep(SETTLE_PAUSE)
            batch, self._outcomes = self._outcomes, []
            try:
                await self._store.settle(batch)
                if any(result.consequences for result in batch):
                    self.offer([])
            except Exception as error:
                # Delivered but not yet marked: kept in memory and tried until it works, so that nobody gets
                # it twice.
                log.error("outcomes can't be recorded yet: %s", error)
                self._outcomes = batch + self._outcomes
                if self._ending:
                    return
                await asyncio.sleep(self._again)

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            pause = 5.0
            try:
                pause = await self._round()
            except StoreError as error:
                log.error("the store can't be read: %s", error)
            except Exception:
                log.exception("a round of the delivery loop failed")
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _round(self) -> float:
        """Claim what is due, tidy a little; gives the seconds until the next round."""
        transport = self._transport
        if transport is None or transport.paused():
            return 1.0
        room = MOST_READY // 2 - len(self._ready)
        if room > 0:
            most = min(room, MOST_CLAIMED)
            claimed = await self._store.claim(most, now_ms())
            self._ready.extend(claimed)
            self._backlog = len(claimed) == most
        busy = bool(self._ready)
        if busy:
            transport.wake()
        # Under load large messages are still swept, or the disk would fill; giving pages back can wait.
        if await self._store.sweep(shrink=not busy):
            return 0.05 if busy else 0.0
        if busy:
            return 1.0
        due = self._store.next_due()
        return 30.0 if due is None else min(30.0, max(0.05, (due - now_ms()) / 1000))

    async def close(self, grace: float) -> None:
        """Stop claiming, let transactions end, record their outcomes."""
        self._ending = True
        if self._pump is not None:
            self._pump.cancel()
        if self._transport is not None:
            await self._transport.close(grace)
        if self._settling is not None:
            await asyncio.wait({self._settling}, timeout=5)
        await self._write()


def now_ms() -> Milliseconds:
    """The time of day, in milliseconds since the epoch."""
    return int(time.time() * 1000)
