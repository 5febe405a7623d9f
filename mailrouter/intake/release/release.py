"""Deliveries as they leave: whether each may still go, what is sent of it, and what its outcome brings about.

It stands between delivery, which knows nothing of roles, and what was decided about the mail.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from mailrouter import events
from mailrouter.clock import now_ms
from mailrouter.config.retry_settings import Retry
from mailrouter.delivery import content
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.retry import takes_long
from mailrouter.errors import StoreError
from mailrouter.intake.feedback.failures import of_delay, of_failure, of_lasting
from mailrouter.intake.feedback.incident import Answer
from mailrouter.intake.feedback.plain_alerts import of_untold
from mailrouter.intake.release.recheck import for_partners_alone, may_be_told, may_have, plan_anew
from mailrouter.intake.release.resizing import send_smaller, smaller_fits
from mailrouter.runtime.context import Context
from mailrouter.smtp.capabilities import Outgoing
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")


class Leaving:
    """The late checks that a transport and the dispatcher ask for. ``begin`` names the dispatcher, made after it."""

    def __init__(self, context: Context, store: Store, retry: Retry, trouble: Callable[[], str]) -> None:
        """``trouble`` tells what is wrong with the next server; ``""`` for nothing."""
        self._context, self._store, self._retry, self._trouble = context, store, retry, trouble
        self._anew: set[asyncio.Task[None]] = set()

    def begin(self, dispatcher: Dispatcher) -> None:
        """From now on there is something to deliver."""
        self._dispatcher = dispatcher

    async def follow(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        """The outcome of a failed or long attempt, with its consequences."""
        desk, reader, now = self._context.desk, self._store.reader, self._context.now()
        if outcome.state == "failed":
            told = await of_failure(desk, reader, delivery, Answer("failed", outcome.reply), now)
        else:
            told = await of_lasting(desk, reader, delivery, outcome.reply, now)
            if takes_long(delivery, outcome.at, self._retry):
                until = datetime.fromtimestamp(delivery.created_at / 1000 + self._retry.give_up, UTC)
                told += await of_delay(desk, reader, delivery, outcome.reply, now, until)
        return outcome._replace(consequences=told)

    async def plainly(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        """The outcome with an alert to the operator, the mail unread."""
        entry = await self._store.reader.entry(delivery.message)
        message = entry.message if entry else None
        told = of_untold(self._context.desk, message, delivery, outcome, self._context.now())
        return outcome._replace(consequences=told)

    async def siblings(self, delivery: Delivery) -> list[str]:
        """The recipients of the message's other copies that may still arrive."""
        try:
            entry = await self._store.reader.entry(delivery.message)
        except StoreError:
            return []
        others = entry.deliveries if entry else ()
        return [d.recipient for d in others if d.kind == "copy" and d.state in ("queued", "delivered")]

    def blocks(self, delivery: Delivery) -> AsyncIterator[bytes]:
        """The delivery's bytes."""
        return content.stream(self._store, delivery)

    async def check(self, delivery: Delivery) -> bool:
        """Whether a delivery may leave as it stands; if not, it is being planned anew."""
        if delivery.kind == "delay" or delivery.claim:
            now = now_ms()
            told = await may_be_told(self._store.reader, delivery, bool(self._trouble()), now)
            if told == "later":
                after = now + int(1000 * self._retry.first)
                later = Outcome(delivery.id, "queued", "the mail itself goes first", now, after)
                self._dispatcher.record(later)
                return False
            if told == "yes" and await self._may_have(delivery):
                return True
        elif await self._may_have(delivery):
            return True
        self._begin(self._plan_anew(delivery))
        return False

    async def _may_have(self, delivery: Delivery) -> bool:
        alone = delivery.inside and await for_partners_alone(self._context.desk, self._store.reader, delivery)
        return may_have(self._context.desk, delivery, self._context.now(), alone)

    async def too_large(self, delivery: Delivery, reply: Reply, limit: int | None) -> bool:
        """Whether a copy refused for its size is being planned anew. It goes untouched; ``limit`` is the server's SIZE.

        Once: the untouched copy is no larger than it has to be.
        """
        try:
            if not await smaller_fits(self._store.reader, delivery, reply, limit):
                return False
        except StoreError:
            return False
        self._begin(self._send_smaller(delivery, reply, limit or delivery.size - 1))
        return True

    async def _send_smaller(self, delivery: Delivery, reply: Reply, limit: int) -> None:
        try:
            await send_smaller(self._context, self._store, delivery, limit, now_ms)
            fields: events.Fields = {"kind": delivery.kind, "role": delivery.role, "to": delivery.recipient}
            words = "the copy was too large; it is sent untouched"
            events.tell(log, "planned_anew", delivery.queue_id, fields, words=words)
            self._dispatcher.offer([])
        except Exception:
            log.exception("%s can't be made smaller", delivery.queue_id)
            self._dispatcher.settle(delivery, reply)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._anew.add(task)
        task.add_done_callback(self._anew.discard)

    async def _plan_anew(self, delivery: Delivery) -> None:
        try:
            await plan_anew(self._context, self._store, delivery, now_ms)
            self._dispatcher.gone(delivery.id)
            self._dispatcher.offer([])  # what takes its place lies in the store, and is due
        except Exception as error:
            log.exception("%s can't be planned anew", delivery.queue_id)
            reply = Reply(451, f"4.3.5 It can't be planned anew: {error}", own=True)
            self._dispatcher.settle(delivery, reply)

    async def prepare(self, delivery: Delivery) -> Outgoing | None:
        """The delivery's transaction, or None where it must not leave so."""
        if not await self.check(delivery):
            return None
        whole = await content.whole(self._store, delivery)
        return Outgoing(
            delivery.reverse_path,
            delivery.recipient,
            delivery.size,
            delivery.eight_bit,
            delivery.smtputf8,
            whole or b"",
            None if whole is not None else lambda: content.stream(self._store, delivery),
            delivery.queue_id,
        )
