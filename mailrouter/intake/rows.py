"""A plan as the rows that are stored for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from mailrouter.message import pieces
from mailrouter.message.pieces import Pieces
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import Plan
from mailrouter.routing.notices import Notice
from mailrouter.schedule.model import Role
from mailrouter.store.model import (
    DELIVERY_BITS,
    REPLY_NUMBER,
    Delivery,
    Kind,
    Message,
    Milliseconds,
    ReplyMemory,
)

DAY_MS = 86_400_000


def deliveries_of(message: Message, plan: Plan, first: int = 0) -> list[Delivery]:
    """A delivery for each copy, and one for each companion. Handoffs stand with the one that carries them.

    A delivery that carries handoffs names their roles alone, so that each of them can be checked when it
    leaves (``recheck.may_have``); ``Mailrouter-Role`` in the copy names all.
    """
    found: list[Delivery] = []

    def add(
        kind: Kind, roles: Sequence[str], recipient: str, path: str, content: Pieces, handoff: int
    ) -> None:
        found.append(
            _delivery(message, first + len(found), kind, ",".join(roles), recipient, path, content, handoff)
        )

    for copy in plan.copies:
        version = max(copy.handoffs, default=0)
        carrying = copy.handoff_roles or copy.roles
        if copy.companion is None:
            add("copy", carrying, copy.recipient, copy.reverse_path, copy.pieces, version)
        else:
            add("copy", copy.roles, copy.recipient, copy.reverse_path, copy.pieces, 0)
            add("companion", carrying, copy.recipient, copy.reverse_path, copy.companion, version)
    return found


def notices_of(message: Message, role: Role, notices: Sequence[Notice], first: int) -> list[Delivery]:
    """A delivery for each notice; its reverse-path is ``<>`` (see ``mailrouter.routing.notices``)."""
    return [
        _delivery(message, number, "notice", role.key, notice.recipient, "", notice.pieces, 0)
        for number, notice in enumerate(notices, first)
    ]


def reply_of(message: Message, plan: Plan) -> tuple[Delivery | None, ReplyMemory | None]:
    """The automatic reply's delivery (its reverse-path is ``<>``), and the memory it depends on."""
    reply = plan.reply
    if reply is None:
        return None, None
    delivery = _delivery(message, REPLY_NUMBER, "reply", reply.role, reply.recipient, "", reply.pieces, 0)
    again = message.received_at - AGAIN_DAYS * DAY_MS
    day = day_of(message.received_at)
    return delivery, ReplyMemory(reply.key, message.received_at, again, day, reply.caps)


def milliseconds(moment: datetime) -> Milliseconds:
    """A moment as it is stored."""
    return int(moment.timestamp() * 1000)


def day_of(milliseconds: int) -> str:
    """The day (UTC) by which replies are counted: ``2026-12-03``."""
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%d}"


def _delivery(
    message: Message,
    number: int,
    kind: Kind,
    roles: str,
    recipient: str,
    path: str,
    content: Pieces,
    handoff: int,
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
