"""The fate of a message in hand: the door's answer and the plan, without a commit, as ``explain`` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from mailrouter.intake.admission import Refusal, admit, max_size, refused_recipient, too_many_deliveries
from mailrouter.intake.conversations import version_seen
from mailrouter.intake.effects import Effects
from mailrouter.intake.feedback.bounces import reports_of
from mailrouter.intake.partner.decide import Handing
from mailrouter.intake.partner.decide_apart import PartnerMail
from mailrouter.intake.planning import Case, decide
from mailrouter.intake.purposes import Addressed, addressed, recipient_of
from mailrouter.intake.received import Received
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.moments import DAY_MS, day_of, milliseconds
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import NOT_ANSWERED, Answered, Plan, Reply
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.runtime.context import Desk, seed_of
from mailrouter.schedule.date_words import joined
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.store.ids import NO_MESSAGE
from mailrouter.store.protocols import Reading
from mailrouter.turns import drive
from mailrouter.worker.worker import CallsHere

CLIENT = Client("127.0.0.1", "client.example", "ESMTP")
AS_OURS = "this is told as if one of our own servers had handed it over"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The plan with its reasons; no plan where the message would be refused, and the door's reply in ``refused``.

    ``notices`` are our messages to partners about what it brings to an address of theirs, and ``about`` says what
    that is.
    """

    plan: Plan | None
    reasons: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    about: str = "handoff"
    refused: str = ""


def in_hand(
    desk: Desk, head: Head, shape: Shape, envelope: Envelope, moment: datetime, raw: bytes = b""
) -> Received:
    """A message as one of our own servers would hand it in. It comes at ``moment``; ``raw`` is the whole of it."""

    async def content(most: int) -> bytes:
        return raw

    seed, size = seed_of(head.raw), max_size(desk, None)
    return Received(
        NO_MESSAGE, "explain", CLIENT, envelope, head, shape, moment, size, None, seed, content, True
    )  # fmt: skip


def explained(desk: Desk, store: Reading | None, received: Received, roles: Sequence[Role]) -> Explanation:
    """The service's answer and decision at that moment, by the store's memory.

    Recipients that are none of ours are passed over. Where none is left, it is for ``roles`` as mail.
    """
    ours = [to for to in received.recipients if recipient_of(desk, to).kind != "not ours"]
    refusals = {to: refused_recipient(desk, to, received.moment) for to in ours}
    if ours and None not in refusals.values():
        return _refused(next(filter(None, refusals.values())))
    notes = [f"{to} would be refused: {refusal.reply}" for to, refusal in refusals.items() if refusal]
    to = addressed(desk, [one for one, refusal in refusals.items() if refusal is None])
    if not ours:
        to = to._replace(roles=tuple(roles))
    return drive(_explained(desk, store, received, to, notes))


async def _explained(
    desk: Desk, store: Reading | None, received: Received, to: Addressed, notes: list[str]
) -> Explanation:
    """The service's decision, with ``notes`` before its reasons."""
    reported = await reports_of(desk, store, received, to.returned)
    admitted = admit(desk, received, to, reported)
    if isinstance(admitted, Refusal):
        return _refused(admitted, notes)
    seen = _never if store is None else partial(version_seen, desk, store, received)
    case = Case(desk, store, received, admitted, reported, seen)
    effects = await decide(case, PartnerMail(CallsHere()))
    if store is not None and isinstance(effects, Effects) and effects.plan.reply is not None:
        answered = await _answered(store, effects.plan.reply, received.moment)
        if answered != NOT_ANSWERED:
            effects = await decide(case._replace(answered=answered), PartnerMail(CallsHere()))
    as_ours = (AS_OURS,) if to.targets else ()
    if isinstance(effects, Refusal):
        return _refused(effects, (*notes, *as_ours))
    if refusal := too_many_deliveries(len(admitted.roles), effects.deliveries):
        return _refused(refusal, notes)
    handing, plan = effects.handing, effects.plan
    return Explanation(plan, (*notes, *plan.reasons, *as_ours), handing.notices, _about(handing))


def _refused(refusal: Refusal, notes: Sequence[str] = ()) -> Explanation:
    return Explanation(None, (*refusal.why, *notes), refused=refusal.reply)


async def _never(role: Role) -> int:
    """Without a store no conversation has carried anything."""
    return 0


def _about(handing: Handing) -> str:
    return joined(dict.fromkeys(d.request.tag for d in handing.decided if d.handover.notices)) or "handoff"


async def _answered(store: Reading, reply: Reply, moment: datetime) -> Answered:
    """The plan, with what the store would say of its reply."""
    now = milliseconds(moment)
    last = await store.answered_at(reply.key)
    day = day_of(now)
    return Answered(
        already=last is not None and last > now - AGAIN_DAYS * DAY_MS,
        capped=any([await store.replies(day, scope) >= most for scope, most in reply.caps]),
    )
