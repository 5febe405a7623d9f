"""A plan as the rows that are stored for it. Pure."""

from __future__ import annotations

import time

from mailrouter.message import pieces
from mailrouter.message.pieces import Pieces
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import Plan
from mailrouter.store.model import DELIVERY_BITS, Delivery, Kind, Message, ReplyMemory

DAY_MS = 86_400_000
REPLY_NUMBER = (1 << DELIVERY_BITS) - 1
"""The reply has the last number, so that it never takes a copy's."""


def deliveries_of(message: Message, plan: Plan, first: int = 0) -> list[Delivery]:
    """A delivery for each copy, and one for each companion. The handoff stands with the one that carries it."""
    found: list[Delivery] = []

    def add(kind: Kind, roles: tuple[str, ...], recipient: str, path: str, content: Pieces, handoff: int) -> None:
        number = first + len(found)
        found.append(_delivery(message, number, kind, ",".join(roles), recipient, path, content, handoff))

    for copy in plan.copies:
        version = copy.handoffs[0] if copy.handoffs else 0
        add("copy", copy.roles, copy.recipient, copy.reverse_path, copy.pieces, 0 if copy.companion else version)
        if copy.companion is not None:
            add("companion", copy.roles, copy.recipient, copy.reverse_path, copy.companion, version)
    return found


def reply_of(message: Message, plan: Plan) -> tuple[Delivery | None, ReplyMemory | None]:
    """The automatic reply's delivery (its reverse-path is ``<>``), and the memory it depends on."""
    reply = plan.reply
    if reply is None:
        return None, None
    delivery = _delivery(message, REPLY_NUMBER, "reply", reply.role, reply.recipient, "", reply.pieces, 0)
    delivery.eight_bit = False
    day = time.strftime("%Y-%m-%d", time.gmtime(message.received_at // 1000))
    again = message.received_at - AGAIN_DAYS * DAY_MS
    return delivery, ReplyMemory(reply.key, message.received_at, again, day, reply.caps)


def _delivery(
    message: Message, number: int, kind: Kind, roles: str, recipient: str, path: str, content: Pieces, handoff: int
) -> Delivery:
    return Delivery(
        id=(message.id << DELIVERY_BITS) + number,
        kind=kind,
        role=roles,
        recipient=recipient,
        reverse_path=path,
        pieces=pieces.encode(content),
        size=pieces.length(content),
        handoff=handoff,
        eight_bit=message.eight_bit and kind == "copy",
        smtputf8=message.smtputf8 and kind == "copy",
        next_at=message.received_at,
        created_at=message.received_at,
    )
