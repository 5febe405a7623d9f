"""The consequences of outcomes, worked out after they are recorded: alerts, notices and reports.

Each is on the store's list of what is owed until what follows from it is queued. A fault in
working it out, or an end of the process, costs neither the outcome nor, for ever, the telling: at the next start it is
begun again, one at a time, and one whose second try ended the process is told to the operator without reading its mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from mailrouter.errors import StoreError
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.delivery")

Follow = Callable[[Delivery, Outcome], Awaitable[Outcome]]
"""Gives an outcome with what it brings about (messages of ours, to be queued with it)."""
STEP = 20
"""Tellings in one transaction; each costs a millisecond or two to work out, and others have their turn between."""
GATHER = 0.25
"""Seconds before the first is worked out: where all copies of a mail fail at about the same time, one message says so."""


class Telling:
    """Works off what is owed. ``told`` is called when messages of ours lie in the store."""

    def __init__(
        self,
        store: Store,
        follow: Follow,
        plainly: Follow | None,
        told: Callable[[], None],
        again: float = 1.0,
    ) -> None:
        """``plainly`` tells the operator alone, without reading the mail; ``again``: seconds until the store is asked
        once more where it could not write."""
        self._store, self._follow, self._plainly, self._told, self._again = (
            store,
            follow,
            plainly,
            told,
            again,
        )
        self._waiting: deque[Outcome] = deque()
        self._work: asyncio.Task[None] | None = None
        self._resumed: asyncio.Task[None] | None = None
        self._ending = self._begun_again = False

    @property
    def busy(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._waiting) or (self._work is not None and not self._work.done())

    def add(self, outcome: Outcome) -> None:
        """Tell of an outcome that was recorded as owed."""
        self._waiting.append(outcome)
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._run())

    def resume(self) -> None:
        """Tell what the last process left; never raises."""
        self._resumed = asyncio.get_running_loop().create_task(self._resume())

    async def _resume(self) -> None:
        try:
            left = await self._store.reader.owed()
        except StoreError as error:
            log.error("what is still to be told can't be read: %s", error)
            return
        self._begun_again = bool(left)
        for one in left:
            try:
                await self._store.begin_telling(one.delivery)
                await self._pay([await self._followed(one.outcome, plain=one.tries > 0)])
            except StoreError as error:
                log.error("what is still to be told waits for the next start: %s", error)
                return
            await asyncio.sleep(0)

    async def _run(self) -> None:
        await asyncio.sleep(GATHER)
        while self._waiting and not self._ending:
            batch: list[Outcome] = []
            while self._waiting and len(batch) < STEP:
                batch.append(await self._followed(self._waiting.popleft()))
                await asyncio.sleep(0)
            while True:
                try:
                    await self._pay(batch)
                    break
                except StoreError as error:
                    log.error("what outcomes bring about can't be written yet: %s", error)
                    if self._ending:
                        return
                    await asyncio.sleep(self._again)

    async def _pay(self, batch: list[Outcome]) -> None:
        if await self._store.pay(batch):
            self._told()

    async def _followed(self, outcome: Outcome, plain: bool = False) -> Outcome:
        """The outcome with what it brings about; never raises."""
        ways = [self._plainly] if plain else [self._follow, self._plainly]
        if plain:
            log.error(
                "delivery %d: told to the operator alone; telling of it ended the service", outcome.delivery
            )
        for way in ways:
            try:
                delivery = await self._store.reader.delivery(outcome.delivery)
                if delivery is None or way is None:
                    break
                return await way(delivery, outcome)
            except Exception:
                # The failure is recorded in any case: the queue and the log show it.
                log.exception("delivery %d: nobody can be told of its outcome", outcome.delivery)
        return outcome._replace(consequences=())

    async def close(self) -> None:
        """Finish what is under way; the rest is told by the next start."""
        self._ending = True
        tasks = [task for task in (self._work, self._resumed) if task is not None and not task.done()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=2)
            for task in late:
                task.cancel()
        if self._begun_again:
            try:
                await self._store.forgive_tellings()
            except StoreError as error:
                log.error("what was begun to be told can't be marked: %s", error)
