"""Mail that goes round: what came back to us is refused at the door, and the operator is told."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mailrouter.address import canonical
from mailrouter.intake.feedback.alerts import told_key
from mailrouter.intake.received import Received
from mailrouter.message.provenance.received import has_loop_mark, received_count
from mailrouter.moments import HOUR_MS, day_of, milliseconds
from mailrouter.routing.letters.undelivered import Trouble, operator_alert
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import own_message
from mailrouter.schedule.model import Role
from mailrouter.store.ids import NO_MESSAGE
from mailrouter.store.model import Acceptance, Delivery, Message, ReplyMemory
from mailrouter.store.protocols import Reading

MAX_RECEIVED = 100
"""Received fields of a message that goes round in circles (RFC 5321 §6.3)."""
TOO_MANY = "554 5.4.6 The message has passed too many servers"
BEEN_HERE = "The message has been here before"
CAME_BACK = f"554 5.4.6 {BEEN_HERE}; a mailbox forwards it back"


def too_far_travelled(received: Received) -> bool:
    """Whether more servers than any mail needs have handled it."""
    return received_count(received.head) > MAX_RECEIVED


def came_back(desk: Desk, received: Received, roles: Sequence[Role]) -> list[Role]:
    """The ``roles`` whose mark, by keys then good, the message bears."""
    keys = desk.keys.accepted(milliseconds(received.moment))
    return [role for role in roles if any(has_loop_mark(received.head, key, role.address) for key in keys)]


async def of_loop(
    desk: Desk, reader: Reading, received: Received, role: Role, of: Delivery | None
) -> Acceptance | None:
    """The alert that a copy of ours came back to ``role``.

    It is a message of its own (id 0, to be given); None within an hour of the last one.

    ``of`` is the delivery that came back, where its return path tells.
    """
    now = received.moment
    at, postmaster = milliseconds(now), desk.configuration.settings.postmaster
    recipient = of.recipient if of else ""
    # A bounce has this key as well: the refusal will come back to us as one.
    key = told_key(desk, "trouble" if of else "loop", role.key, canonical(recipient), canonical(postmaster))
    last = await reader.answered_at(key)
    if last is not None and last > at - HOUR_MS:
        return None
    trouble = Trouble(
        news="loop",
        role=role,
        recipient=recipient,
        words="",
        queue=of.queue_id if of else "",
        sender=received.client.address,
        subject="",
        message_id=received.message_id,
        arrived=now,
        moment=now,
        hostname=desk.configuration.settings.hostname,
        loop_mark=desk.loop_marks[role.key],
        seed=os.urandom(32),
    )
    made = operator_alert(trouble, postmaster, desk.wording)
    message = Message(
        NO_MESSAGE, at, "", (role.address,), 0, 0, reasons=("a copy came back to the role: refused",)
    )
    alert = own_message(NO_MESSAGE, "alert", role.key, postmaster, made, at)
    return Acceptance(message, b"", (), alert, ReplyMemory(key, at, at - HOUR_MS, day_of(at), ()))
