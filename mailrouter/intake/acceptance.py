"""The rows of a message that is taken: everything that was decided about it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from mailrouter.address import canonical, split_tag
from mailrouter.intake.admission import Admitted, Refusal, too_many_deliveries
from mailrouter.intake.conversations import shown_by
from mailrouter.intake.effects import Effects
from mailrouter.intake.feedback.failures import of_expansion
from mailrouter.intake.partner.stored import changes_of
from mailrouter.intake.received import Received
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import deliveries_of, reply_of, request_of
from mailrouter.schedule.model import Role
from mailrouter.store.ids import delivery_of
from mailrouter.store.model import Acceptance, Consequence, Message

log = logging.getLogger("mailrouter.intake")


def acceptance_of(
    desk: Desk, received: Received, admitted: Admitted, effects: Effects
) -> Acceptance | Refusal:
    """The rows of what was decided, without the message's content; a Refusal where they are too many."""
    message = message_of(received, effects.plan.reasons)
    reply, memory = reply_of(message, effects.plan)
    deliveries = deliveries_of(message, effects.plan, desk.return_paths)
    if admitted.to.targets or admitted.to.returned or _of_ours(received, admitted):
        for delivery in deliveries:
            delivery.inside = True  # it may be a handoff that is not known as one, or return or quote one
    wanted = _expansion(desk, message, admitted.to.roles, received)
    for place, consequence in enumerate(wanted, len(deliveries)):
        consequence.delivery.id = delivery_of(message.id, place)
    if refusal := too_many_deliveries(len(admitted.roles), effects.deliveries + len(wanted)):
        return refusal
    changes = changes_of(message, effects.handing, len(deliveries) + len(wanted))
    shown = shown_by(desk, effects.plan, received, admitted.roles)
    return Acceptance(
        message, None, deliveries, reply, memory, shown, changes, list(effects.outcomes), wanted
    )


def message_of(received: Received, reasons: Sequence[str]) -> Message:
    """The row of the message itself."""
    shape, client = received.shape, received.client
    return Message(
        id=received.id,
        received_at=milliseconds(received.moment),
        reverse_path=received.reverse_path,
        recipients=received.recipients,
        size=shape.size,
        body_start=shape.body_start,
        client=client.address,
        helo=client.helo,
        message_id=received.message_id,
        eight_bit=shape.eight_bit or shape.header_eight_bit,
        smtputf8=received.envelope.smtputf8,
        reasons=tuple(reasons),
        dsn=request_of(received.envelope),
    )


def _of_ours(received: Received, admitted: Admitted) -> bool:
    """Whether somebody of the roles seems to have written: their answers quote the copies they got, handoff and all.

    Nothing is gained by forging it: less is told of what a server says of the mail. So it is taken for granted where a
    fault of ours leaves the author unknown.
    """
    people = {person.mailbox for role in admitted.roles for person in role.people}
    try:
        authors = received.head.mailboxes("from")
    except Exception:
        log.exception("the author of a mail can't be read")
        return True
    written_by = [canonical(received.reverse_path), *(canonical(author.address) for author in authors)]
    return any(address in people or split_tag(address)[0] in people for address in written_by if address)


def _expansion(desk: Desk, message: Message, roles: Sequence[Role], received: Received) -> list[Consequence]:
    """The reports of success that were asked for; a fault of ours in them does not hold up the mail."""
    if not message.dsn.notify:
        return []
    try:
        return of_expansion(desk, message, roles, received)
    except Exception:
        log.exception("%s: no report of success can be made", received.name)
        return []
