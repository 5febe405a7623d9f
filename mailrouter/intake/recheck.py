"""The last look before a copy leaves: may this recipient still have what it carries?

A mail can wait for days while the partners' file changes. A copy with a handoff goes only to somebody who is a partner
of its roles *now*; otherwise the message is planned anew with the configuration in force, and the old copy is withdrawn.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable

from mailrouter.address import canonical
from mailrouter.intake.facts import Desk
from mailrouter.intake.gate import Intake
from mailrouter.intake.rows import REPLY_NUMBER, deliveries_of
from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.trace import received_field
from mailrouter.routing.plan import PLAIN, plan
from mailrouter.store.model import DELIVERY_BITS, Delivery, queue_id
from mailrouter.store.sqlite import SqliteStore

log = logging.getLogger("mailrouter.intake")


def may_have(desk: Desk, delivery: Delivery) -> bool:
    """Whether the recipient may have this delivery as it stands."""
    if not delivery.handoff:
        return True
    wanted = canonical(delivery.recipient)
    roles = {role.key: role for role in desk.configuration.roles}
    return all(
        key in roles and any(canonical(person.email) == wanted for person in roles[key].partners)
        for key in delivery.role.split(",")
    )


async def plan_anew(intake: Intake, store: SqliteStore, delivery: Delivery, now: Callable[[], int]) -> None:
    """Withdraw ``delivery``; partners of today who have no copy of the message get a plain one.

    Raises StoreError, and ValueError for a message whose roles are gone; then the delivery stays as it was.
    """
    entry = store.reader.entry(delivery.message)
    if entry is None:
        raise ValueError("the message is gone")
    desk, message = intake.desk, entry.message
    roles = {role.key: role for key in message.recipients if (role := desk.role_of(key)[0])}.values()
    if not roles:
        raise ValueError("its role is no longer configured")
    scanner = Scanner()
    async for block in store.read(message.id, 0, message.size):
        scanner.feed(block)
    shape, head = scanner.finish(), Head(scanner.head_bytes)
    moment = intake.now()
    settings = desk.configuration.settings
    received = received_field(
        helo=message.helo, peer=message.client, by=settings.hostname, protocol="ESMTP", queue_id=queue_id(message.id), when=moment
    )
    seed = os.urandom(32)
    situations = [
        desk.situation(role, head, reverse_path=message.reverse_path, moment=moment, received=received, seed=seed)
        for role in roles
    ]
    have = {canonical(d.recipient) for d in entry.deliveries if d.kind == "copy" and d.id != delivery.id}
    taken = [d.id & ((1 << DELIVERY_BITS) - 1) for d in entry.deliveries]
    first = max((number for number in taken if number != REPLY_NUMBER), default=-1) + 1
    new = [d for d in deliveries_of(message, plan(head, shape, situations, PLAIN), first) if canonical(d.recipient) not in have]
    for fresh in new:
        fresh.next_at = now()
    log.warning(
        "%s: %s is not a partner any more and does not get the handoff; %d copies planned anew",
        delivery.queue_id,
        delivery.recipient,
        len(new),
    )
    await store.replace_delivery(delivery, new, now())
