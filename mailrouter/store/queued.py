"""Log lines of messages of ours that were queued: replies, notices, alerts and reports."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

from mailrouter import events
from mailrouter.store.ids import number_of
from mailrouter.store.model import Consequence, Delivery, Outcome

log = logging.getLogger("mailrouter.intake")


def tell(deliveries: Iterable[Delivery]) -> None:
    """Log each of these messages that is of our own. Copies of somebody's mail have no line."""
    for delivery in deliveries:
        if delivery.kind not in ("copy", "companion"):
            fields: events.Fields = {
                "kind": delivery.kind,
                "role": delivery.role,
                "to": delivery.recipient,
                "size": delivery.size,
            }
            events.tell(log, "queued", delivery.queue_id, fields)


def tell_of(outcomes: Iterable[Outcome]) -> None:
    """Log what committed ``outcomes`` have queued."""
    for outcome in outcomes:
        for consequence in outcome.consequences:
            tell(_queued(consequence))


def _queued(consequence: Consequence) -> Iterator[Delivery]:
    """The queued deliveries of a consequence and its substitutes. They got a number in the transaction."""
    one: Consequence | None = consequence
    while one is not None:
        if number_of(one.delivery.id):
            yield one.delivery
        one = one.otherwise
