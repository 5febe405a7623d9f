"""The SMTP transport: a bounded pool of pipelined connections to one next hop."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from mailrouter import events
from mailrouter.clock import now_ms
from mailrouter.config.retry_settings import Retry, Timeouts
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.hop_health import ENOUGH, PuttingOff, of_server
from mailrouter.delivery.refusing import Refusing, Siblings, as_recorded
from mailrouter.smtp.capabilities import Outgoing
from mailrouter.smtp.client import Connection
from mailrouter.smtp.refusals import advice, advice_in
from mailrouter.smtp.replies import PeerError, Reply, slow_after
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import Delivery

log = logging.getLogger("mailrouter.delivery")

Prepare = Callable[[Delivery], "Awaitable[Outgoing | None]"]
"""Gives a delivery's transaction, or None where it must not leave as it stands (it is being planned anew
then)."""

TooLarge = Callable[[Delivery, Reply, int | None], Awaitable[bool]]
SAID_EVERY = 600.0
"""Seconds between two lines at ERROR about one trouble; the probes between them are logged as warnings."""
LASTING = 300_000
"""Milliseconds after which a server that can't be reached is logged at ERROR too; before, it may be a restart."""
LOOK = 1.0
"""Seconds between two looks at connections that may say nothing, while mail waits."""
MOST_PUT_OFF = 500
"""Of so many that a server in trouble put off it is remembered, so that they go as soon as it is well."""

Taken = list[tuple[Outgoing, Delivery]]
"""What one connection has taken and not settled: the message under way, and perhaps the one after it."""


async def _no_siblings(delivery: Delivery) -> tuple[str, ...]:
    return ()


async def _not_too_large(delivery: Delivery, reply: Reply, limit: int | None) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Pool:
    """The number of connections, and their times. Seconds."""

    most: int = 10
    crowd: int = 8
    """Another connection is opened when this many deliveries wait for each one that is open."""
    idle: float = 4.0
    """An unused connection is kept so long."""
    patience: float = 1.0
    """So long one slow transaction may hold up the few that wait behind it."""
    full: float = 30.0
    """So long no more connections are tried where the next hop took no more."""
    pauses: tuple[float, ...] = (2.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
    """Between probes of a next hop that can't be used: the first retry comes well within 5 minutes."""


def pool_for(retry: Retry) -> Pool:
    """The usual pool, probing as often as a message is tried. Its probes are never further apart than these tries."""
    return Pool(pauses=tuple(min(pause, retry.most) for pause in Pool().pauses))


@dataclass(eq=False, slots=True)
class _Way:
    """A connection, or the attempt to open one. ``connection`` is None then; it is slow from ``slow_at`` on."""

    began_at: float
    slow_at: float
    connection: Connection | None = None

    def silent(self, now: float, since: float) -> bool:
        """Whether the server owes an answer since ``since``, or for unusually long."""
        if self.connection is not None:
            return self.connection.silent(since)
        return self.began_at <= since or self.slow_at <= now


class SmtpTransport:
    """Sends to ``host:port``."""

    def __init__(
        self,
        host: str,
        port: int,
        helo: str,
        dispatcher: Dispatcher,
        prepare: Prepare,
        timeouts: Timeouts | None = None,
        pool: Pool | None = None,
        siblings: Siblings = _no_siblings,
        too_large: TooLarge = _not_too_large,
    ) -> None:
        """Make a transport that asks ``siblings`` for second opinions.

        These are the recipients of a message's other copies, who are asked about where it was refused; ``too_large`` is
        asked about what was refused with 552, and says whether it takes care of it.
        """
        self.name = f"smtp://{host}:{port}"
        self.max_size: int | None = None
        self.trouble = self.advice = ""
        self.refuses = False
        """The trouble is that it answers, and refuses us."""
        self.troubled_at = 0
        self.on_recovery: Callable[[Milliseconds, str], None] = lambda since, trouble: None
        """Called when the next hop works again, with when its trouble began and what it was."""
        self._host, self._port, self._helo = host, port, helo
        self._dispatcher = dispatcher
        self._prepare = prepare
        self._timeouts = timeouts
        self._pool = pool or Pool()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ways: set[_Way] = set()
        self._asked_at = -math.inf
        """When somebody last said that the next hop works again: what was silent then is no longer waited for."""
        self._idle = 0
        self._more = asyncio.Event()
        self._failures = 0
        self._putting_off = PuttingOff()
        self._refusing = Refusing(siblings)
        self._too_large = too_large
        self._said_at = -SAID_EVERY
        self._reason = ""
        """Why the trouble began, or what was refused last: a lost connection in between tells less."""
        self._put_off: set[DeliveryId] = set()
        self._answering = False
        """The trouble is that it answers, and takes nothing."""
        self._paused_until = 0.0
        self._full_until = 0.0
        self._useful_at = 0.0
        """When a connection last heard a reply that spoke of a message."""
        self._ending = False
        self._watch: asyncio.TimerHandle | None = None
        self._silence: asyncio.TimerHandle | None = None

    def paused(self) -> bool:
        """Whether the next hop is in trouble, its next probe not due."""
        return asyncio.get_running_loop().time() < self._paused_until

    def probe(self) -> None:
        """Try the next hop now, though its next probe is not due: somebody says that it works again."""
        self._paused_until = self._full_until = 0.0
        self._asked_at = asyncio.get_running_loop().time()
        self.wake()

    def wake(self) -> None:
        """Wake an idle connection, or open another one where many wait."""
        if self._idle:
            self._more.set()
            return
        waiting = self._dispatcher.waiting
        if not waiting or self._ending:
            return
        if self._silence is None and not self.paused():
            self._silence = asyncio.get_running_loop().call_later(LOOK, self._look_at_silence)
        if not self._may_open():
            return
        alive = len(self._alive())
        if not alive or waiting > self._pool.crowd * alive:
            self._connect()
        elif self._watch is None:
            self._watch = asyncio.get_running_loop().call_later(self._pool.patience, self._look_again)

    def _alive(self, but: _Way | None = None) -> list[_Way]:
        """The connections and attempts that may still be waited for; never ``but``."""
        now = asyncio.get_running_loop().time()
        return [way for way in self._ways if way is not but and not way.silent(now, self._asked_at)]

    def _may_open(self) -> bool:
        """Whether another connection may be opened now.

        One is opened at a time, so a next hop that is down is probed once; and after a failure one connection alone has
        to settle a message before there are others. One that is silent stands in nobody's way.
        """
        if self._ending or self.paused() or len(self._ways) >= self._pool.most:
            return False
        alive = self._alive()
        if any(way.connection is None for way in alive):
            return False
        return not alive or (not self._failures and asyncio.get_running_loop().time() >= self._full_until)

    def _look_again(self) -> None:
        self._watch = None
        if self._dispatcher.waiting and not self._idle and self._may_open():
            self._connect()

    def _look_at_silence(self) -> None:
        """See whether mail waits for connections that all say nothing: that is a trouble, and is probed."""
        self._silence = None
        if not self._dispatcher.waiting or self._idle or self._ending or self.paused():
            return
        if self._ways and not self._alive():
            self._unreachable(PeerError("It does not answer"))
        self.wake()

    def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        patience = (self._timeouts or Timeouts()).reply
        way = _Way(loop.time(), loop.time() + slow_after(patience))
        self._ways.add(way)
        task = loop.create_task(self._work(way))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, way: _Way) -> Connection | None:
        try:
            return await Connection.open(self._host, self._port, self._helo, self._timeouts)
        except PeerError as error:
            failed = error
        except Exception:
            log.exception("%s can't be reached", self.name)
            failed = PeerError("an error of our own; the log has it")
        # Where another connection has served meanwhile, the server is well.
        if self._useful_at < way.began_at:
            self._unreachable(failed, way)
        return None

    async def _work(self, way: _Way) -> None:
        try:
            way.connection = connection = await self._open(way)
            if connection is not None:
                await self._use(way, connection)
        finally:
            self._ways.discard(way)

    async def _use(self, way: _Way, connection: Connection) -> None:
        self.max_size = connection.max_size
        if not self._answering:
            self._paused_until = 0.0
        opened_at = asyncio.get_running_loop().time()
        taken: Taken = []
        reused = orderly = False
        try:
            self.wake()
            while not self._ending and not connection.lost:
                await connection.deliver(
                    lambda: self._take(taken), lambda sent, reply: self._settle(taken, sent, reply)
                )
                if self.paused() or not await self._something_more():
                    break
                reused = True
            orderly = not connection.lost
        except PeerError as error:
            self._give_back(taken, str(error), reused or connection.settled > 0)
            # Where another connection has served meanwhile, the server is well.
            if not reused and not connection.useful and self._useful_at < opened_at:
                self._unreachable(error, way)
        except Exception as error:
            log.exception("a message could not be sent to %s", self.name)
            self._give_back(taken, type(error).__name__, False)
        finally:
            self._ways.discard(way)
            # Before the goodbye: nobody waits for it.
            asyncio.get_running_loop().call_soon(self.wake)
            if orderly:
                await connection.quit()
            connection.abort()

    async def _something_more(self) -> bool:
        if self._dispatcher.waiting or self._ending:
            return not self._ending
        self._idle += 1
        try:
            self._more.clear()
            async with asyncio.timeout(self._pool.idle):
                await self._more.wait()
            return not self._ending
        except TimeoutError:
            return False
        finally:
            self._idle -= 1

    async def _take(self, taken: Taken) -> Outgoing | None:
        while not self._ending and not (self._answering and self.paused()):
            delivery = self._dispatcher.take()
            if delivery is None:
                return None
            try:
                prepared = await self._prepare(delivery)
            except Exception as error:
                log.error(
                    "%s to %s can't be read from the store",
                    delivery.queue_id,
                    delivery.recipient,
                    exc_info=error,
                )
                self._dispatcher.settle(
                    delivery, Reply(451, "4.3.0 It could not be read from our store", own=True)
                )
                continue
            if prepared is None:
                continue
            prepared.another = partial(self._refusing.another, delivery)
            taken.append((prepared, delivery))
            return prepared
        return None

    async def _settle(self, taken: Taken, sent: Outgoing, reply: Reply) -> None:
        for index, (outgoing, delivery) in enumerate(taken):
            if outgoing is sent:
                del taken[index]
                if reply.code == 552 and await self._too_large(delivery, reply, self.max_size):
                    break  # it is planned anew
                if reply.positive:
                    self._refusing.taken(delivery)
                    self._takes_mail()
                    self._dispatcher.settle(delivery, reply)
                    break
                judgement = self._refusing.heard(delivery, sent, reply)
                # An answer that names nobody tells nothing of a mailbox.
                nobody = sent.stage in ("mail", "data") and of_server(sent.stage, reply)
                told = reply._replace(own=True) if nobody else as_recorded(reply, judgement)
                self._dispatcher.settle(delivery, told)
                if judgement == "server":
                    self._refuses_us(delivery, sent.stage, reply)
                    return
                if self._puts_off(delivery, sent.stage, reply):
                    return
                break
        if reply.code != 421:
            self._useful_at = asyncio.get_running_loop().time()
        if self._failures and reply.code != 421 and not (reply.own and self._answering):
            self._well_again()

    def _puts_off(self, delivery: Delivery, stage: str, reply: Reply) -> bool:
        """Whether a reply shows a server that puts everything off.

        It is in trouble then: there is a pause, and a probe.
        """
        in_trouble = self._putting_off.heard(
            delivery.message, delivery.recipient, stage, reply, 1 if self._failures else ENOUGH
        )
        if not of_server(stage, reply):
            if not self._failures and not reply.own:
                self._put_off.clear()
            return False
        self._forward_later(delivery)
        if in_trouble:
            self._answers_and_takes_nothing("It puts off every mail", stage, reply)
        return in_trouble or self._answering

    def _takes_mail(self) -> None:
        """Forget what was put off: it was no trouble of the server's."""
        self._putting_off.forget()
        if not self._failures:
            self._put_off.clear()

    def _refuses_us(self, delivery: Delivery, stage: str, reply: Reply) -> None:
        """Pause and probe a server that refuses whatever we bring.

        The first such refusal is enough, for no mail is to be lost by it; if it was no more than one mail's trouble,
        the probe with another mail ends it.
        """
        self._forward_later(delivery)
        self._answers_and_takes_nothing("It refuses us", stage, reply, advice(reply), refuses=True)

    def _forward_later(self, delivery: Delivery) -> None:
        if len(self._put_off) < MOST_PUT_OFF:
            self._put_off.add(delivery.id)

    def _answers_and_takes_nothing(
        self, what: str, stage: str, reply: Reply, advice: str = "", refuses: bool = False
    ) -> None:
        if self.paused():
            return  # several connections may hear it of what they had begun: that is one probe
        self._answering = True
        self._putting_off.forget()
        self._pause(PeerError(what, reply), advice, refuses)

    def _well_again(self) -> None:
        lasted = max(0, now_ms() - self.troubled_at) // 1000
        ended: events.Fields = {"relay": self.name, "lasted": lasted, "probes": self._failures}
        events.tell(log, "next_hop_recovered", fields=ended, words=f"{self.name} takes mail again")
        self._dispatcher.recovered(self._failures, self._put_off)
        self.on_recovery(self.troubled_at, self._reason)
        self._failures, self.trouble, self.advice, self._paused_until = 0, "", "", 0.0
        self._said_at, self.refuses = -SAID_EVERY, False
        self._answering, self._put_off = False, set()
        asyncio.get_running_loop().call_soon(self.wake)

    def _give_back(self, taken: Taken, why: str, stale: bool) -> None:
        """Of two, the second was not begun, and goes back.

        The first is tried later where content was sent: perhaps it arrived, and a repeat has the same
        Message-ID. It is also where a fresh connection broke on it: it must not stand in the others' way for
        ever. On a connection that had served before (``stale``), the peer may have closed for reasons of its
        own, and the message goes back.
        """
        for index in range(len(taken) - 1, -1, -1):
            outgoing, delivery = taken[index]
            if outgoing.begun or (index == 0 and not stale):
                self._dispatcher.settle(delivery, Reply(451, f"4.4.2 {why}", own=True))
            else:
                self._dispatcher.untake(delivery)
        taken.clear()

    def _unreachable(self, why: PeerError, own: _Way | None = None) -> None:
        """No connection, or none that settles anything: pause; beside others that work, only open no more."""
        loop = asyncio.get_running_loop()
        if beside := sum(way.connection is not None for way in self._alive(but=own)):
            self._full_until = loop.time() + self._pool.full
            words = f"{self.name} takes no more connections beside {beside}: {why}"
            events.tell(log, "next_hop_full", fields={"relay": self.name, "connections": beside}, words=words)
            return
        self._answering = False
        told = advice_in(why.in_full)
        self._pause(why, told, bool(told))

    def _pause(self, why: PeerError, advice: str = "", refuses: bool = False) -> None:
        loop = asyncio.get_running_loop()
        pauses = self._pool.pauses
        step = pauses[min(self._failures, len(pauses) - 1)]
        if not self._failures:
            self.troubled_at = now_ms()
        if not self._failures or refuses:
            self._reason = str(why)
        self._failures += 1
        self.trouble, self.advice, self.refuses = str(why), advice, refuses
        self._paused_until = loop.time() + step * (1 - 0.2 * random.random())
        level = logging.WARNING
        lasting = self._answering or now_ms() - self.troubled_at >= LASTING
        if lasting and loop.time() - self._said_at >= SAID_EVERY:
            self._said_at, level = loop.time(), logging.ERROR
        said = f"{why} {advice}".strip()
        words = f"{self.name} can't be used, next try in {step:.0f} s: {said}"
        fields: events.Fields = {"relay": self.name, "probes": self._failures, "next_try": round(step, 1)}
        events.tell(log, "next_hop_trouble", fields=fields, level=level, words=words)
        loop.call_at(self._paused_until + 0.01, self.wake)

    async def close(self, grace: float) -> None:
        """Let transactions end, for ``grace`` seconds at most."""
        self._ending = True
        self._more.set()
        for timer in (self._watch, self._silence):
            if timer is not None:
                timer.cancel()
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)
