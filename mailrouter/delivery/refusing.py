"""Judging a next hop's permanent refusals by what it took meanwhile.

In memory: a new process learns it again from the next refusals, and loses no mail by that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

from mailrouter.smtp.capabilities import Outgoing
from mailrouter.smtp.refusals import Judgement, about, judged
from mailrouter.smtp.replies import Reply
from mailrouter.store.ids import DeliveryId
from mailrouter.store.model import Delivery

MOST_REMEMBERED = 10_000
"""Deliveries that were held back without a second opinion; of one that was forgotten it is asked for once more."""
MOST_TAKEN = 8
"""Recipients whose mail was taken last, kept to be asked about."""
TO_PARTNERS = ("copy", "companion", "notice")

Siblings = Callable[[Delivery], Awaitable[Sequence[str]]]
"""Gives the recipients of a message's other copies."""


class Refusing:
    """Judges refusals. ``siblings`` are whom a second opinion is asked about first."""

    def __init__(self, siblings: Siblings) -> None:
        self._siblings = siblings
        self._taken = 0
        self._recipients: dict[str, None] = {}
        self._held: dict[DeliveryId, int] = {}

    async def another(self, delivery: Delivery) -> str:
        """Another recipient to ask the server about; ``""`` for nobody."""
        found = (*await self._siblings(delivery), *reversed(self._recipients))
        return next((one for one in found if one != delivery.recipient and _sayable(one)), "")

    def taken(self, delivery: Delivery) -> None:
        """Take note of a delivery that the server took."""
        self._held.pop(delivery.id, None)
        if delivery.kind in TO_PARTNERS:
            self._taken += 1
            self._recipients.pop(delivery.recipient, None)
            self._recipients[delivery.recipient] = None
            if len(self._recipients) > MOST_TAKEN:
                del self._recipients[next(iter(self._recipients))]

    def heard(self, delivery: Delivery, sent: Outgoing, reply: Reply) -> Judgement | Literal[""]:
        """The judgement on a final reply that is not positive; ``""`` for one that is not 5yz.

        What was held back without a second opinion, and is refused again although other partners' mail was taken
        meanwhile, is a verdict on that mail.
        """
        before = self._held.pop(delivery.id, None)
        if reply.code // 100 != 5:
            return ""
        found = judged(sent.stage, reply, sent.opinion)
        if found == "server" and sent.opinion is None and about(sent.stage, reply) == "unclear":
            if before is not None and before < self._taken:
                return "mail"
            if len(self._held) >= MOST_REMEMBERED:
                del self._held[next(iter(self._held))]
            self._held[delivery.id] = self._taken if before is None else before
        return found


def as_recorded(reply: Reply, judgement: Judgement | Literal[""]) -> Reply:
    """The reply as the dispatcher is told of it."""
    if judgement == "server":
        return reply._replace(waits="server")
    return reply._replace(waits="recipient") if judgement == "wait" else reply


def _sayable(address: str) -> bool:
    return address.isascii() and address.isprintable() and not set(address) & set("<> ")
