"""The loop: what is due is claimed, handed to the transport, and its outcome recorded.

Freshly accepted mail goes to the transport straight from memory; what finds no room there stays in the store
and is claimed later. A next hop that can't be reached costs one probe, not one try a message: the transport
pauses, and nothing is claimed meanwhile (``overdue`` sees to it that time runs all the same).
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from itertools import filterfalse
from typing import Protocol

from mailrouter import events
from mailrouter.clock import now_ms
from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.clock_steps import ClockSteps, stopped_for
from mailrouter.delivery.overdue import Overdue
from mailrouter.delivery.retry import outcome, takes_long
from mailrouter.delivery.suspects import Suspects
from mailrouter.delivery.telling import Follow, Telling
from mailrouter.delivery.under_way import UnderWay, is_incoming
from mailrouter.errors import StoreError
from mailrouter.smtp.replies import Reply
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.protocols import Store
from mailrouter.store.timings import Timings

log = logging.getLogger("mailrouter.delivery")

MOST_READY = 2000
"""Deliveries held in memory, at most."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of messages held in memory with them."""
MOST_CLAIMED = 500
WAITED = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
"""Seconds from taking a message to its delivery: the classes that are counted."""
SEEN_EVERY = 60.0
"""Seconds between two notes that the service runs."""
LATER = 60.0
"""Seconds by which moments may differ from what was meant."""
SETTLE_PAUSE = 0.01
"""Seconds in which outcomes gather into one write."""


_NAMES = {"queued": ("deferred", logging.INFO), "failed": ("failed", logging.ERROR)}
"""What an outcome is called in the log, where that is not its state, and its level."""


class Transport(Protocol):
    """One way to the next hop. It takes from ``Dispatcher.take`` and reports to ``Dispatcher.settle``."""

    name: str
    trouble: str
    """What is wrong with the next hop, in words of ours and its codes; ``""`` for nothing."""
    advice: str
    """What there is to do about it, for whoever runs the next server; ``""`` where that is not known."""
    troubled_at: Milliseconds
    """When that began."""

    def wake(self) -> None:
        """Look for something to take."""

    def paused(self) -> bool:
        """True while the next hop can't be reached."""

    async def close(self, grace: float) -> None:
        """End within ``grace`` seconds; transactions under way are finished first."""


Watch = Callable[[Delivery, Outcome, Reply], bool]
"""Hears every outcome of an attempt with the reply that it was made of; True where there is something to follow though
the mail is still tried."""


class Dispatcher:
    """Feeds one transport from one store."""

    def __init__(
        self,
        store: Store,
        follow: Follow | None = None,
        again: float = 1.0,
        retry: Retry | None = None,
        clock: Callable[[], Milliseconds] | None = None,
        steady: Callable[[], float] | None = None,
        watch: Watch | None = None,
        plainly: Follow | None = None,
        under_way: UnderWay | None = None,
    ) -> None:
        """Make a dispatcher that asks ``follow`` about failures and delays.

        It is asked about long delays, and where ``watch`` says so; ``again``: seconds until outcomes that the store did
        not take are offered to it once more; ``plainly`` is asked in the place of ``follow`` where that failed;
        ``under_way`` is the journal, whose suspects are tried before all others.
        """
        self.attempts: Counter[tuple[str, str]] = Counter()
        """By kind of delivery, and what it came to: delivered, queued (tried again later) or failed."""
        self.waited = Timings(WAITED)
        self.delivered_at: Milliseconds = 0
        self._retry = retry or Retry()
        self._clock = clock or now_ms
        self._steady = steady or (time.monotonic if clock is None else None)
        """None: an injected clock that is not compared with another."""
        self._steps = ClockSteps(self._clock(), self._steady()) if self._steady else None
        self._stepped: Milliseconds = 0
        """By how much the clock was set and what waits was not yet."""
        self._seen_at = float("-inf")
        self.on_clock_set: Callable[[Milliseconds], None] = lambda step: None
        """Called with the step when the clock was set."""
        self._watch = watch
        self._latest = max(self._retry.most, self._retry.first, Retry().first) + LATER
        """Seconds: nothing is tried later than this from now."""
        self._overdue = Overdue(store.reader, self._retry, self, self._trouble)
        self._looking: asyncio.Task[None] | None = None
        self._store = store
        self._under_way = under_way or UnderWay()
        self._suspects = Suspects(store, map(DeliveryId, filterfalse(is_incoming, self._under_way.suspects)))
        self._follow = follow
        self._telling = Telling(store, follow, plainly, lambda: self.offer([]), again) if follow else None
        self._again = again
        self._transport: Transport | None = None
        self._ready: deque[Delivery] = deque()
        self._kept_back: set[DeliveryId] = set()
        self._bytes = 0
        self._outcomes: list[Outcome] = []
        self._settling: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._asleep_until: Milliseconds = 0
        self._pump: asyncio.Task[None] | None = None
        self._reports: list[Outcome] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._ending = False
        self._backlog = True
        """Something that is due may lie in the store and not in memory."""

    def start(self, transport: Transport) -> None:
        """Begin to claim and deliver."""
        self._transport = transport
        self._pump = asyncio.get_running_loop().create_task(self._run())
        if self._telling is not None:
            self._telling.resume()

    def offer(self, deliveries: Sequence[Delivery]) -> None:
        """Take freshly accepted deliveries, which are in our hands; those without room go back to the store. None at
        all say that something due lies in the store."""
        if not deliveries:
            self._backlog = True
            self._wake.set()
            return
        size = sum(len(d.content or b"") for d in deliveries)
        full = len(self._ready) + len(deliveries) > MOST_READY or self._bytes + size > MOST_BYTES
        if self._ending or full or self._suspects:
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
        if self._kept_back and delivery.id in self._kept_back:
            self._kept_back.discard(delivery.id)
            self._store.release([delivery])
            return self.take()
        if self._backlog and len(self._ready) < MOST_READY // 4:
            self._wake.set()
        self._under_way.begin(delivery.id)
        if self._suspects:
            self._suspects.taken(delivery.id)
        return delivery

    def gone(self, delivery: DeliveryId) -> None:
        """A delivery that was taken is in the transport's hands no more."""
        self._under_way.end(delivery)
        if self._suspects:
            self._suspects.ended(delivery)
            self._wake.set()

    def untake(self, delivery: Delivery) -> None:
        """Give back a delivery that was taken and not begun."""
        self._under_way.untried(delivery.id)
        self._ready.appendleft(delivery)
        self._bytes += len(delivery.content or b"")

    def recall(self, deliveries: Collection[DeliveryId]) -> list[DeliveryId]:
        """Take these back from those that wait here; gives what was found, which is in the caller's hands now."""
        wanted = set(deliveries)
        found = [delivery for delivery in self._ready if delivery.id in wanted]
        if found:
            self._ready = deque(delivery for delivery in self._ready if delivery.id not in wanted)
            self._bytes -= sum(len(delivery.content or b"") for delivery in found)
            self._backlog = True
        return [delivery.id for delivery in found]

    def keep_back(self, deliveries: Iterable[DeliveryId]) -> None:
        """Don't take these again should they be given back untried. They were put on hold while they are being sent."""
        self._kept_back.update(deliveries)

    def let_pass(self, deliveries: Iterable[DeliveryId]) -> None:
        """The end of ``keep_back``."""
        self._kept_back.difference_update(deliveries)

    @property
    def waiting(self) -> int:
        """The number of deliveries that could be taken now."""
        return len(self._ready)

    @property
    def unrecorded(self) -> int:
        """The number of outcomes the store has not taken yet."""
        return len(self._outcomes)

    def settle(self, delivery: Delivery, reply: Reply) -> None:
        """Record a reply: it is written soon, together with others."""
        self._kept_back.discard(delivery.id)
        now = self._clock()
        sure = self._look_at_clock(now)
        retry = self._retry if sure else replace(self._retry, give_up=math.inf, delay_notice=None)
        result = outcome(delivery, reply, now, random.random(), retry)
        tell = self._watch is not None and self._watch(delivery, result, reply)
        self.attempts[delivery.kind, result.state] += 1
        if result.state == "delivered":
            self.waited.add((result.at - delivery.created_at) / 1000)
            self.delivered_at = result.at
        else:
            tell = tell or result.state == "failed" or takes_long(delivery, result.at, retry)
        self._log(delivery, result, reply)
        # What follows from it is worked out once it is recorded: nothing in between can lose it.
        self.record(result._replace(tell=True) if tell and self._telling is not None else result)

    def _log(self, delivery: Delivery, result: Outcome, reply: Reply) -> None:
        wait = max(0, result.retry_at - result.at) // 1000 if result.state == "queued" else None
        fields: events.Fields = {
            "kind": delivery.kind,
            "role": delivery.role,
            "to": delivery.recipient,
            "size": delivery.size,
            "relay": self._transport.name if self._transport is not None else None,
            "delay": round(max(0, result.at - delivery.created_at) / 1000, 3),
            "attempts": delivery.attempts + 1,
            "dsn": reply.status or None,
            "status": reply.brief,
            "next_hop_id": reply.next_hop_id,
            "next_try": wait,
        }
        name, level = _NAMES.get(result.state, (result.state, logging.INFO))
        events.tell(log, name, delivery.queue_id, fields, level=level)

    def _sure(self) -> bool:
        return self._steps is None or self._steady is None or self._steps.sure(self._steady())

    def _look_at_clock(self, now: Milliseconds) -> bool:
        """See whether the clock, which says ``now``, was set; what waits is set with it in the next round. False where
        moments may still be of before."""
        if self._steps is None or self._steady is None:
            return True
        steady = self._steady()
        if step := self._steps.look(now, steady):
            log.error("the clock was set by %+.0f s; what waits is set with it", step / 1000)
            self._stepped += step
            self.on_clock_set(step)
            self._wake.set()
        return self._steps.sure(steady)

    async def _set_times(self) -> None:
        """Set what waits as the clock was set. Remember once a minute that the service runs. Raises StoreError."""
        now = self._clock()
        self._look_at_clock(now)
        if self._steady is None:
            return
        if self._seen_at == float("-inf"):
            seen = await self._store.reader.ran_at()
            self._stepped += stopped_for(seen, now) if seen is not None else 0
        if step := self._stepped:
            await self._store.shift_times(step, now, now + int(1000 * self._retry.most))
            self._stepped -= step
            for delivery in self._ready:
                delivery.created_at = min(delivery.created_at + step, now)
        if step or self._steady() - self._seen_at >= SEEN_EVERY:
            await self._store.saw(now)
            self._seen_at = self._steady()

    async def _followed(self, delivery: Delivery, result: Outcome) -> Outcome:
        if self._follow is None:
            return result
        try:
            return await self._follow(delivery, result)
        except Exception:
            # The failure is recorded in any case: the queue and the log show it.
            log.exception("%s: nobody can be told of its failure", delivery.queue_id)
            return result

    def give_up(self, delivery: Delivery, outcome: Outcome) -> bool:
        """End a delivery whose time is over though nothing could be sent; False while an attempt is under way."""
        kept = [ready for ready in self._ready if ready.id != delivery.id]
        if len(kept) < len(self._ready):
            self._ready = deque(kept)
            self._bytes = sum(len(ready.content or b"") for ready in kept)
        elif not self._store.seize([delivery.id]):
            return False
        late = {**_about(delivery), "attempts": delivery.attempts, "dsn": "4.4.7"}
        late["delay"] = max(0, outcome.at - delivery.created_at) / 1000
        events.tell(log, "failed", delivery.queue_id, late, level=logging.ERROR, words="its time is over")
        self.record(outcome._replace(tell=self._telling is not None))
        return True

    async def tell_delay(self, delivery: Delivery, words: str) -> None:
        """Have the sender told that nobody has the mail yet; the delivery stays as it is."""
        said = Outcome(delivery.id, "queued", words, self._clock(), delivery.next_at)
        if consequences := (await self._followed(delivery, said)).consequences:
            self._reports.append(Outcome(delivery.id, "queued", words, said.at, consequences=consequences))

    async def write_told(self) -> None:
        """Write what ``tell_delay`` found. Raises StoreError; then it is found again at the next look."""
        if self._reports:
            reports, self._reports = self._reports, []
            await self._store.report(reports)
            self.offer([])

    def recovered(self, failures: int, put_off: Collection[DeliveryId] = ()) -> None:
        """The next hop takes mail again after ``failures`` failed probes: what waits for its own next try because of
        them goes now, and so do those that it had ``put_off``."""
        task = asyncio.get_running_loop().create_task(self._bring_forward(failures, frozenset(put_off)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _bring_forward(self, failures: int, put_off: Collection[DeliveryId]) -> None:
        try:
            if self._outcomes and put_off:
                await asyncio.sleep(2 * SETTLE_PAUSE)  # what was put off last is being written
            await self._store.bring_forward(self._clock(), failures, put_off)
            self.offer([])
        except StoreError as error:
            log.error("what waits can't be brought forward: %s", error)

    def _trouble(self) -> str:
        return self._transport.trouble if self._transport is not None else ""

    async def look_for_overdue(self) -> None:
        """Look through all that is queued; never raises."""
        try:
            await self._overdue.look(self._clock)
        except StoreError as error:
            log.error("what is overdue can't be told: %s", error)
        except Exception:
            log.exception("what is overdue can't be told")

    def record(self, result: Outcome) -> None:
        """Record an outcome that did not come from a peer's reply."""
        self.gone(result.delivery)
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
                for result in batch:
                    if result.tell and self._telling is not None:
                        self._telling.add(result)
                if any(result.consequences for result in batch):
                    self.offer([])
                if any(0 < result.retry_at < self._asleep_until for result in batch):
                    self._wake.set()
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
            # The next hop may get into trouble meanwhile, and nothing but this loop looks for what is overdue then.
            pause = min(pause, max(0.05, self._overdue.every / 1000))
            self._asleep_until = self._clock() + int(pause * 1000)
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _round(self) -> float:
        """Claim what is due, tidy a little; gives the seconds until the next round."""
        transport = self._transport
        await self._set_times()
        if (
            self._overdue.due(self._clock())
            and self._sure()
            and (self._looking is None or self._looking.done())
        ):
            self._looking = asyncio.get_running_loop().create_task(self.look_for_overdue())
        if transport is None or transport.paused():
            # What waits here needs the room of what was delivered.
            return 0.05 if await self._store.sweep(shrink=False) else 1.0
        if self._suspects:
            return await self._try_alone(transport)
        room = MOST_READY // 2 - len(self._ready)
        if room > 0:
            most = min(room, MOST_CLAIMED)
            now = self._clock()
            claimed = await self._store.claim(most, now, now + int(1000 * self._latest))
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
        due = await self._store.next_due()
        return 30.0 if due is None else min(30.0, max(0.05, (due - self._clock()) / 1000))

    async def _try_alone(self, transport: Transport) -> float:
        """Hand over the next suspect once the one before it was tried; gives the seconds until the next look."""
        delivery, gone = await self._suspects.next(self._ready)
        for id_ in gone:
            self._under_way.cleared(id_)
        if delivery is not None:
            self._ready.append(delivery)
            transport.wake()
        self._backlog = True
        return 0.5 if self._suspects else 0.0

    async def close(self, grace: float) -> None:
        """Stop claiming, let transactions end, record their outcomes."""
        self._ending = True
        if self._pump is not None:
            self._pump.cancel()
        if self._looking is not None:
            self._looking.cancel()
        if self._transport is not None:
            await self._transport.close(grace)
        if self._settling is not None:
            await asyncio.wait({self._settling}, timeout=5)
        await self._write()
        if self._telling is not None:
            await self._telling.close()


def _about(delivery: Delivery) -> dict[str, events.Value]:
    """Log fields that say which delivery a line is about."""
    return {
        "kind": delivery.kind,
        "role": delivery.role,
        "to": delivery.recipient,
        "size": delivery.size,
    }
