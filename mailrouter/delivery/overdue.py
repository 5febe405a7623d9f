"""Expiry and delay notices while the next hop can't be used. The time that mail is given runs then, too.

Nothing is claimed while the next hop is paused, so no attempt would ever notice that a mail is four hours or five days
old. Once a minute what is queued is looked through by the index of what is due, page by page: a delivery's id begins
with its message's time, so the index alone tells which are old enough to be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from mailrouter.config.retry_settings import Retry
from mailrouter.config.values.durations import span
from mailrouter.delivery.retry import gives_up, takes_long
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, Milliseconds, first_delivery_at
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.protocols import Reading

EVERY = 60_000
"""Milliseconds between two looks; less where messages are tried more often than that."""
PAGE = 5000
"""Entries of the index read at once: about 2 ms."""
STEP = 20
"""Deliveries worked on before others have their turn: telling of one costs a millisecond or two."""


class Ended(Protocol):
    """The dispatcher's part about a delivery whose time is over."""

    def give_up(self, delivery: Delivery, outcome: Outcome) -> bool:
        """Record the outcome; False where an attempt is under way, whose end will tell."""

    async def tell_delay(self, delivery: Delivery, words: str) -> None:
        """Have the sender told, if that was not done."""

    async def write_told(self) -> None:
        """Write what is to be told by now. Raises StoreError."""


class Overdue:
    """Looks for what is overdue.

    ``trouble`` gives what is wrong with the next hop, ``""`` for nothing. It has none of the server's words: it is told
    of every message, and to its sender.
    """

    def __init__(
        self, reader: Reading, retry: Retry, ended: Ended, trouble: Callable[[], str], rest: float = 0.05
    ) -> None:
        """``rest``: seconds between two steps."""
        self._reader = reader
        self._retry = retry
        self._ended = ended
        self._trouble = trouble
        self._rest = rest
        self.every: Milliseconds = min(EVERY, int(1000 * retry.most))
        """Between two looks."""
        self._last: Milliseconds = -EVERY
        self._told_up_to = ids.NO_DELIVERY
        """Everything up to this id that was queued was looked at for its notice."""

    def due(self, now: Milliseconds) -> bool:
        """Whether it is time for a look. While the next hop is well, attempts tell the same sooner."""
        return bool(self._trouble()) and (now - self._last >= self.every or now < self._last)

    async def look(self, clock: Callable[[], Milliseconds]) -> int:
        """Go through all that is queued; gives how many deliveries' time was over. Raises StoreError."""
        now = self._last = clock()
        over = first_delivery_at(now - int(1000 * self._retry.give_up))
        late = ids.NO_DELIVERY
        if self._retry.delay_notice is not None:
            late = first_delivery_at(now - int(1000 * self._retry.delay_notice))
        # Where the clock was set back, ids run ahead of it and tell nothing of an age.
        ahead = first_delivery_at(now + EVERY)
        seen: tuple[Milliseconds, DeliveryId] = (-1, ids.NO_DELIVERY)
        ended = 0
        while page := await self._reader.queued_after(seen, PAGE):
            seen = page[-1]
            found = [id_ for _, id_ in page if id_ < over or self._told_up_to <= id_ < late or id_ > ahead]
            for first in range(0, len(found), STEP):
                if not self._trouble():
                    return ended  # it takes mail again: attempts tell the rest
                for delivery in await self._reader.deliveries(found[first : first + STEP]):
                    ended += await self._one(delivery, now)
                await self._ended.write_told()
                await asyncio.sleep(self._rest)
            await asyncio.sleep(0)
        self._told_up_to = max(self._told_up_to, late)
        return ended

    async def _one(self, delivery: Delivery, now: Milliseconds) -> bool:
        if delivery.state != "queued":
            return False
        trouble = self._trouble()
        if gives_up(delivery, now, self._retry):
            # RFC 3463 §3.5: X.4.7, delivery time expired
            words = f"451 4.4.7 Not delivered within {span(self._retry.give_up)}: {trouble}"
            return self._ended.give_up(delivery, Outcome(delivery.id, "failed", words, now, expired=True))
        if takes_long(delivery, now, self._retry):
            await self._ended.tell_delay(delivery, f"451 4.4.1 {trouble}")
        return False
