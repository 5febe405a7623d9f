"""Sending a too large changed copy untouched, with a companion.

The mail itself is not too large for the next server. When the copy was made, that server's SIZE was not known yet.
"""

from __future__ import annotations

from collections.abc import Callable

from mailrouter.address import canonical
from mailrouter.intake.release.read_again import arrival_of, scanned, until_unchanged
from mailrouter.intake.release.recheck import planned_for
from mailrouter.moments import moment_at
from mailrouter.routing.model import Plan
from mailrouter.routing.plan import plan
from mailrouter.runtime.context import Context
from mailrouter.runtime.rows import deliveries_of
from mailrouter.smtp.replies import Reply
from mailrouter.store import ids
from mailrouter.store.model import Delivery, QueueEntry
from mailrouter.store.protocols import Reading, Store

MARKS = 4096
"""Octets that an untouched copy is larger than the mail, at most: trace fields and marks."""


async def smaller_fits(reader: Reading, delivery: Delivery, reply: Reply, limit: int | None) -> bool:
    """Whether a copy refused for its size would fit unchanged.

    Such a refusal is 552 with 5.3.4, or to MAIL with SIZE (RFC 1870 §6). ``limit`` is the next server's SIZE, if it
    names one. Raises StoreError.
    """
    by_size = reply.code == 552 and ("5.3.4" in reply.text[:12] or reply.stage == "mail")
    if delivery.kind != "copy" or not by_size:
        return False
    entry = await reader.entry(delivery.message)
    if entry is None:
        return False
    least = entry.message.size + MARKS
    return delivery.size > least and least <= (limit or delivery.size)


async def send_smaller(
    context: Context, store: Store, delivery: Delivery, limit: int, now: Callable[[], int]
) -> None:
    """Put an untouched copy and its companion in the place of ``delivery``; from the beginning where another copy was
    planned anew in the same moment. Raises StoreError, ValueError for a message that is gone."""
    await until_unchanged(lambda: _replace(context, store, delivery, limit, now))


async def _replace(
    context: Context, store: Store, delivery: Delivery, limit: int, now: Callable[[], int]
) -> None:
    entry = await store.reader.entry(delivery.message)
    if entry is None:
        raise ValueError("the message is gone")
    planned = await _plan(context, store, entry, delivery, limit)
    mine = tuple(c for c in planned.copies if canonical(c.recipient) == canonical(delivery.recipient))
    first = ids.first_free(other.id for other in entry.deliveries)
    new = deliveries_of(entry.message, planned._replace(copies=mine), context.desk.return_paths, first)
    if not new:
        raise ValueError("nobody is a partner of its role at the moment")
    for fresh in new:
        fresh.next_at, fresh.inside = now(), delivery.inside
    await store.replace_delivery(delivery, new, now(), known=first)


async def _plan(context: Context, store: Store, entry: QueueEntry, old: Delivery, limit: int) -> Plan:
    desk, message = context.desk, entry.message
    head, shape = await scanned(store, message)
    roles, alone = planned_for(desk, entry)
    carrying = old.roles if old.handoff else ()
    situations = []
    for role in roles:
        known = desk.handoffs.get(role.key)
        # What the old copy did not carry, this one does not either.
        seen = 0 if role.key in carrying or known is None else known.version
        arrival = arrival_of(desk, message, moment_at(message.received_at), limit)
        to_handoff = role.key in alone
        situations.append(desk.situation(role, head, arrival, handoff_seen=seen, to_handoff=to_handoff))
    return plan(head, shape, situations)
