"""The last check of a copy's recipient, before it leaves.

A mail can wait for days while the partners' file changes, or a partner's last day passes. A copy with a handoff
goes only to somebody who is a partner of the handoff's role *now*, and none at all to a former partner; otherwise the
message is planned anew with the configuration in force, and the old copy is withdrawn.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from typing import Literal

from mailrouter import events
from mailrouter.address import canonical
from mailrouter.intake.admission import vacant
from mailrouter.intake.feedback.affected import repeated_in
from mailrouter.intake.feedback.failures import of_withdrawal
from mailrouter.intake.feedback.report_limits import told_once
from mailrouter.intake.purposes import addressed
from mailrouter.intake.release.read_again import arrival_of, scanned, until_unchanged
from mailrouter.routing.model import Plan
from mailrouter.routing.plan import mail_alone, plain_plan
from mailrouter.runtime.context import Context, Desk
from mailrouter.runtime.rows import deliveries_of
from mailrouter.schedule.model import Person, Role
from mailrouter.store import ids
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import Delivery, Message, QueueEntry
from mailrouter.store.protocols import Reading, Store

log = logging.getLogger("mailrouter.intake")

ARRIVED = "not true any more: the mail arrived, or is not tried any more"
"""Why a message of ours was withdrawn, as ``trace`` shows it."""


async def for_partners_alone(desk: Desk, reader: Reading, delivery: Delivery) -> bool:
    """Whether a copy's mail came to an address for partners alone.

    A return path counts as well: the mail may be a handoff, or quote one.

    Raises StoreError.
    """
    if delivery.kind != "copy" or not delivery.inside or delivery.handoff:
        return False
    entry = await reader.entry(delivery.message)
    to = addressed(desk, entry.message.recipients) if entry else None
    return to is not None and bool(to.targets or to.returned)


def may_have(desk: Desk, delivery: Delivery, moment: datetime, alone: bool = False) -> bool:
    """Whether the recipient may have this delivery as it stands, at ``moment``.

    The ``roles`` of a delivery with handoffs are those that they are of, and no other (see ``rows``). What is for
    partners ``alone`` is nobody else's, even where they had a part in the role before.
    """
    if delivery.kind not in ("copy", "companion", "notice"):
        return True
    wanted = canonical(delivery.recipient)
    known = {role.key: role for role in desk.configuration.roles}
    roles = [known.get(key) for key in delivery.roles]
    partner = [role is not None and _among(wanted, desk.role_at(role, moment).partners) for role in roles]
    if delivery.handoff or delivery.kind == "notice" or (alone and any(roles)):
        return all(partner)
    return any(partner) or not any(role is not None and _among(wanted, role.partners) for role in roles)


def _among(address: str, people: Iterable[Person]) -> bool:
    return any(person.mailbox == address for person in people)


async def may_be_told(
    reader: Reading, delivery: Delivery, trouble: bool, now: Milliseconds
) -> Literal["yes", "later", "never"]:
    """Whether a message of ours about a mail leaves now: it tends to wait behind the same dead server as that mail.

    A notice of a delay: later while there is ``trouble`` with the next server or a copy is due itself, never once
    somebody has the mail or nothing is tried any more. What claims that mail did not arrive: later while it is tried
    again, never once it arrived. Raises StoreError.
    """
    entry = await reader.entry(delivery.message)
    if delivery.claim:
        return "yes" if entry is None else _still_true(entry, delivery)
    copies = [other for other in entry.deliveries if other.kind == "copy"] if entry else []
    waiting = [copy for copy in copies if copy.state == "queued"]
    if not waiting or any(copy.state == "delivered" for copy in copies):
        return "never"
    return "later" if trouble or any(copy.next_at <= now for copy in waiting) else "yes"


def _still_true(entry: QueueEntry, told: Delivery) -> Literal["yes", "later", "never"]:
    repeated = repeated_in(entry)
    if told.claim == "nobody":
        states = {
            other.state
            for other in entry.deliveries
            if other.kind == "copy" and set(told.roles) <= set(other.roles) and other.id not in repeated
        }
    else:
        found, by_id = told.about, {other.id: other for other in entry.deliveries}
        while found in repeated:
            found = repeated[found].id
        states = {by_id[found].state} if found in by_id else set()
    if "delivered" in states:
        return "never"
    if told.claim == "failing":
        return "yes"
    return "later" if states & {"queued", "held"} else "yes"


def planned_for(desk: Desk, entry: QueueEntry) -> tuple[list[Role], set[str]]:
    """Tell the roles of a stored message, and those for partners alone. The latter are keys."""
    to = addressed(desk, entry.message.recipients)
    copied = {key for other in entry.deliveries if other.kind == "copy" for key in other.roles}
    # What came to a handoff address and was no mail stays what it was.
    roles = [*to.roles, *(role for role in to.partners_alone if role.key in copied)]
    alone = {role.key for role in to.partners_alone}
    if to.returned:
        # A person wrote to a return path, so that it is mail to the role; and it may quote what went out.
        known = [role for role in desk.configuration.roles if role.key in copied]
        roles += [role for role in known if role not in roles]
        alone |= {role.key for role in roles}
    return roles, alone


async def plan_anew(context: Context, store: Store, delivery: Delivery, now: Callable[[], int]) -> None:
    """Re-plan one delivery; retry while other deliveries of the message change at once. Raises as ``_replace`` does."""
    await until_unchanged(lambda: _replace(context, store, delivery, now))


async def _replace(context: Context, store: Store, delivery: Delivery, now: Callable[[], int]) -> None:
    """Withdraw ``delivery``; partners of today who have no copy of the message get a plain one.

    A notice is withdrawn, and nothing takes its place: it was for that partner, or is not true any more. Where the
    roles are gone, the recipient gets the mail itself, and nothing beside it. Raises StoreError, and ValueError for
    a message that is gone, or where nobody is a partner at the moment; then the delivery stays as it was.
    """
    if delivery.kind == "delay":
        _tell(delivery, "withdrawn", "a notice of its delay is not needed any more")
        await store.withdraw(delivery, now(), ARRIVED)
        return
    if delivery.claim and await may_be_told(store.reader, delivery, False, now()) == "never":
        _tell(delivery, "withdrawn", "what was to be told is not true any more")
        key = told_once("report", delivery.message, delivery.role) if delivery.kind == "report" else ""
        await store.withdraw(delivery, now(), ARRIVED, key)
        return
    if delivery.kind == "notice":
        _tell(delivery, "withdrawn", "this is not a partner any more")
        await store.replace_delivery(delivery, [], now())
        return
    entry = await store.reader.entry(delivery.message)
    if entry is None:
        raise ValueError("the message is gone")
    desk, message = context.desk, entry.message
    roles, alone = planned_for(desk, entry)
    if vacant(desk, roles, context.now()):
        raise ValueError("nobody is a partner of its role at the moment")
    have = {
        canonical(other.recipient)
        for other in entry.deliveries
        if other.kind == "copy"
        and other.id != delivery.id
        # What somebody has dropped does not come again.
        and (other.state != "withdrawn" or other.dropped)
    }
    first = ids.first_free(other.id for other in entry.deliveries)
    planned = await _plan(context, store, message, roles, alone, delivery)
    new = [
        d
        for d in deliveries_of(message, planned, desk.return_paths, first)
        if canonical(d.recipient) not in have
    ]
    for fresh in new:
        fresh.next_at = now()
    told = await of_withdrawal(desk, store.reader, delivery, context.now())
    await store.replace_delivery(delivery, new, now(), told, first)
    words = "this is not a partner any more and gets nothing of it"
    _tell(delivery, "planned_anew", words, copies=len(new))


def _tell(delivery: Delivery, event: str, words: str, copies: int | None = None) -> None:
    fields: events.Fields = {
        "kind": delivery.kind,
        "role": delivery.role,
        "to": delivery.recipient,
        "copies": copies,
    }
    events.tell(log, event, delivery.queue_id, fields, words=words)


async def _plan(
    context: Context,
    store: Store,
    message: Message,
    roles: Sequence[Role],
    to_handoff: Container[str],
    old: Delivery,
) -> Plan:
    desk = context.desk
    arrival = arrival_of(desk, message, context.now())
    why = "a handoff must not go to somebody who is no partner any more"
    if not roles:
        return mail_alone(old.recipient, old.roles, old.reverse_path, message.size, arrival.received, why)
    head, shape = await scanned(store, message)
    arrivals = ((role, arrival_of(desk, message, arrival.moment)) for role in roles)
    situations = [desk.situation(role, head, of, to_handoff=role.key in to_handoff) for role, of in arrivals]
    return plain_plan(head, shape, situations, why)
