"""A plan as the rows that are stored for it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailrouter.message import pieces
from mailrouter.message.pieces import Pieces
from mailrouter.moments import DAY_MS, day_of
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import Plan
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.runtime.return_paths import ReturnPaths
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.store import ids
from mailrouter.store.ids import MessageId, Milliseconds
from mailrouter.store.model import NO_REQUEST, Delivery, DsnRequest, Kind, Message, ReplyMemory


def deliveries_of(message: Message, plan: Plan, paths: ReturnPaths, first: int = 0) -> list[Delivery]:
    """The deliveries of copies and companions, each with its return path.

    Handoffs stand with the one that carries them.

    A delivery that carries handoffs names their roles alone, so that each of them can be checked when it
    leaves (``recheck.may_have``); ``Mailrouter-Role`` in the copy names all.
    """
    found: list[Delivery] = []

    def add(
        kind: Kind, roles: Sequence[str], recipient: str, path: str, content: Pieces, handoff: int
    ) -> None:
        made = _delivery(message, first + len(found), kind, roles, recipient, content)
        made.handoff, made.inside = handoff, handoff > 0
        if path:  # ``<>`` stays what it is: nobody wants to hear of it
            made.reverse_path = paths.of(path, made.id, message.received_at)
        found.append(made)

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
    """A delivery for each notice; its reverse-path is ``<>`` (see ``mailrouter.routing.partner.handoff_notices``)."""
    return [
        _delivery(message, number, "notice", (role.key,), notice.recipient, notice.pieces)
        for number, notice in enumerate(notices, first)
    ]


def request_of(envelope: Envelope) -> DsnRequest:
    """The sender's request for reports."""
    if not (envelope.dsn or envelope.notify or envelope.orcpt):
        return NO_REQUEST
    mail = envelope.dsn
    return DsnRequest(mail.get("RET", ""), mail.get("ENVID", ""), envelope.notify, envelope.orcpt)


def own_message(
    message: MessageId,
    kind: Kind,
    role: str,
    recipient: str,
    content: Pieces,
    at: Milliseconds,
) -> Delivery:
    """A delivery of our own that an outcome of ``message`` causes. It has no number yet."""
    return Delivery(
        id=ids.unnumbered(message),
        kind=kind,
        roles=(role,),
        recipient=recipient,
        reverse_path="",
        pieces=pieces.encode(content),
        size=pieces.length(content),
        next_at=at,
        created_at=at,
    )


def reply_of(message: Message, plan: Plan) -> tuple[Delivery | None, ReplyMemory | None]:
    """The automatic reply's delivery, and the memory it depends on. Its reverse-path is ``<>``."""
    reply = plan.reply
    if reply is None:
        return None, None
    delivery = _delivery(message, ids.REPLY_NUMBER, "reply", (reply.role,), reply.recipient, reply.pieces)
    again = message.received_at - AGAIN_DAYS * DAY_MS
    day = day_of(message.received_at)
    return delivery, ReplyMemory(reply.key, message.received_at, again, day, reply.caps)


def _delivery(
    message: Message, number: int, kind: Kind, roles: Sequence[str], recipient: str, content: Pieces
) -> Delivery:
    return Delivery(
        id=ids.delivery_of(message.id, number),
        kind=kind,
        roles=tuple(roles),
        recipient=recipient,
        reverse_path="",
        pieces=pieces.encode(content),
        size=pieces.length(content),
        inside=kind == "notice",
        eight_bit=message.eight_bit and kind == "copy",
        smtputf8=message.smtputf8 and kind == "copy",
        next_at=message.received_at,
        created_at=message.received_at,
        made=content,
    )
