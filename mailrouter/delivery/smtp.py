"""The SMTP transport: a bounded pool of pipelined connections to one next hop."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.smtp.client import Connection, Outgoing, PeerError, Reply, Timeouts
from mailrouter.store.model import Delivery

log = logging.getLogger("mailrouter.delivery")

Prepare = Callable[[Delivery], "Outgoing | None"]
"""Gives a delivery's transaction, or None where it must not leave as it stands (it is being planned anew then)."""

MAX_CONNECTIONS = 10
CROWD = 8
"""Another connection is opened when this many deliveries wait for each one that is open."""
IDLE = 4.0
"""Seconds an unused connection is kept."""
PAUSES = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds between probes of a next hop that can't be reached: the first retry comes well within 5 minutes."""


Taken = list[tuple[Outgoing, Delivery]]


class SmtpTransport:
    """Sends to ``host:port``."""

    def __init__(
        self, host: str, port: int, helo: str, dispatcher: Dispatcher, prepare: Prepare, timeouts: Timeouts | None = None
    ) -> None:
        self.name = f"smtp://{host}:{port}"
        self.max_size: int | None = None
        self.trouble = ""
        self._host, self._port, self._helo = host, port, helo
        self._dispatcher = dispatcher
        self._prepare = prepare
        self._timeouts = timeouts
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = 0
        self._more = asyncio.Event()
        self._failures = 0
        self._paused_until = 0.0
        self._ending = False
        self._watch: asyncio.TimerHandle | None = None

    def paused(self) -> bool:
        """True while the next hop can't be reached and its next probe is not due."""
        return asyncio.get_running_loop().time() < self._paused_until

    def wake(self) -> None:
        """Wake an idle connection, or open another one where many wait."""
        if self._idle:
            self._more.set()
        waiting = self._dispatcher.waiting
        if self._ending or self.paused() or not waiting or len(self._workers) >= MAX_CONNECTIONS:
            return
        # After a failure one connection probes alone.
        if not self._workers or (not self._failures and not self._idle and waiting > CROWD * len(self._workers)):
            self._open()
        elif self._watch is None:
            # One slow transaction must not hold up the few that wait behind it.
            self._watch = asyncio.get_running_loop().call_later(1.0, self._look_again)

    def _look_again(self) -> None:
        self._watch = None
        room = len(self._workers) < MAX_CONNECTIONS and not self._ending and not self.paused()
        if self._dispatcher.waiting and not self._idle and not self._failures and room:
            self._open()

    def _open(self) -> None:
        task = asyncio.get_running_loop().create_task(self._work())
        self._workers.add(task)
        task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        taken: Taken = []
        connection: Connection | None = None
        try:
            connection = await Connection.open(self._host, self._port, self._helo, self._timeouts)
            self.max_size = connection.max_size
            if self._failures:
                log.info("%s answers again", self.name)
            self._failures, self.trouble, self._paused_until = 0, "", 0.0
            self.wake()
            while not self._ending:
                await connection.deliver(lambda: self._take(taken), lambda sent, reply: self._settle(taken, sent, reply))
                if not await self._something_more():
                    break
            await connection.quit()
        except PeerError as error:
            self._give_back(taken, str(error))
            if connection is None or not connection.sent:
                self._pause(str(error))
        except Exception as error:
            log.exception("a connection to %s failed", self.name)
            self._give_back(taken, f"4.3.0 {type(error).__name__}")
            self._pause("an error of our own; the log has it")
        finally:
            if connection is not None:
                connection.abort()
            if not self._ending:
                asyncio.get_running_loop().call_soon(self.wake)

    async def _something_more(self) -> bool:
        if self._dispatcher.waiting:
            return not self._ending
        self._idle += 1
        try:
            self._more.clear()
            async with asyncio.timeout(IDLE):
                await self._more.wait()
            return not self._ending
        except TimeoutError:
            return False
        finally:
            self._idle -= 1

    def _take(self, taken: Taken) -> Outgoing | None:
        while not self._ending:
            delivery = self._dispatcher.take()
            if delivery is None:
                return None
            try:
                prepared = self._prepare(delivery)
            except Exception as error:
                log.error("%s to %s can't be read from the store", delivery.queue_id, delivery.recipient, exc_info=error)
                self._dispatcher.settle(delivery, Reply(451, "4.3.0 It could not be read from our store"))
                continue
            if prepared is None:
                continue
            taken.append((prepared, delivery))
            return prepared
        return None

    def _settle(self, taken: Taken, sent: Outgoing, reply: Reply) -> None:
        for index, (outgoing, delivery) in enumerate(taken):
            if outgoing is sent:
                del taken[index]
                self._dispatcher.settle(delivery, reply)
                return

    def _give_back(self, taken: Taken, why: str) -> None:
        for outgoing, delivery in reversed(taken):
            if outgoing.begun:
                # Perhaps it arrived: tried again later, with the same Message-ID.
                self._dispatcher.settle(delivery, Reply(451, f"4.4.2 {why}"))
            else:
                self._dispatcher.untake(delivery)
        taken.clear()

    def _pause(self, why: str) -> None:
        step = PAUSES[min(self._failures, len(PAUSES) - 1)]
        self._failures += 1
        self.trouble = why
        loop = asyncio.get_running_loop()
        self._paused_until = loop.time() + step * (1 - 0.2 * random.random())
        log.warning("%s can't be used, next try in %.0f s: %s", self.name, step, why)
        loop.call_at(self._paused_until + 0.01, self.wake)

    async def close(self, grace: float) -> None:
        """Let transactions end, for ``grace`` seconds at most."""
        self._ending = True
        self._more.set()
        if self._watch is not None:
            self._watch.cancel()
        if self._workers:
            _, late = await asyncio.wait(set(self._workers), timeout=grace)
            for task in late:
                task.cancel()
