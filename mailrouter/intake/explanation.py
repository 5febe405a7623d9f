"""Steps 2 and 3 for a message in hand: the plan without commit, as ``explain`` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailrouter.intake.decision import unfit, vacant
from mailrouter.intake.facts import Desk, earlier_ids, seed_of
from mailrouter.intake.handing import NO_HANDING, Handing, addressed, came_from, hand
from mailrouter.intake.rows import DAY_MS, day_of, milliseconds
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.message.trace import has_loop_mark, received_field
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import Answered, Plan, Reply, Situation
from mailrouter.routing.notices import Notice
from mailrouter.routing.plan import plan
from mailrouter.schedule.model import Role
from mailrouter.schedule.words import joined
from mailrouter.store.reader import StoreReader


@dataclass(frozen=True, slots=True)
class Explanation:
    """The plan with its reasons; no plan where the message would be refused.

    ``notices`` are our messages to partners about what it brings to an address of theirs, and ``about`` says what
    that is.
    """

    plan: Plan | None
    reasons: tuple[str, ...]
    notices: tuple[Notice, ...] = ()
    about: str = "handoff"


def explained(
    desk: Desk,
    store: StoreReader | None,
    head: Head,
    shape: Shape,
    roles: Sequence[Role],
    reverse_path: str,
    moment: datetime,
    recipients: Sequence[str] = (),
    raw: bytes | None = None,
) -> Explanation:
    """What the service would decide at ``moment``, with what the store remembers by now.

    Without ``recipients`` it is for ``roles`` as mail; with them it may be for a handoff address, and then
    ``raw`` is the whole message (see ``handing.hand``).
    """
    if (refusal := unfit(shape)) is not None:
        return Explanation(None, (refusal,))
    keys = desk.keys.accepted(milliseconds(moment))
    if any(has_loop_mark(head, key, role.address) for key in keys for role in roles):
        return Explanation(None, ("554 5.4.6 The message has been here before; a mailbox forwards it back",))
    if (refusal := vacant(desk, roles, moment)) is not None:
        return Explanation(None, (refusal,))
    received = received_field(
        helo="client.example", peer="127.0.0.1", by=desk.configuration.settings.hostname, protocol="ESMTP",
        queue_id="explain", when=moment.astimezone(roles[0].time_zone),
    )  # fmt: skip
    seed = seed_of(head.raw)
    ids = earlier_ids(head)
    to = addressed(desk, recipients)

    def facts(role: Role, *, to_handoff: bool) -> Situation:
        return desk.situation(
            role,
            head,
            reverse_path=reverse_path,
            moment=moment,
            received=received,
            seed=seed,
            handoff_seen=store.shown(desk.conversation(role, ids)) if store and ids else 0,
            to_handoff=to_handoff,
        )

    handing, to_handoff = NO_HANDING, frozenset[str]()
    if to.handoffs:
        targets = [(target, facts(target.role, to_handoff=True)) for target in to.handoffs]
        handing = hand(
            desk,
            store,
            targets,
            head,
            shape,
            raw,
            0,
            trusted=True,
            origin=came_from("127.0.0.1", "client.example"),
        )
        why = (*handing.reasons, "this is told as if one of our own servers had handed it over")
        if handing.refusal:
            return Explanation(None, (handing.refusal, *why))
        known = {role.key for role in to.roles}
        to_handoff = frozenset(role.key for role in (*handing.mail, *handing.plain)) - known
        roles = [role for role in roles if role.key in known | to_handoff]
        if not roles:
            return Explanation(Plan((), None, why), why, handing.notices, _about(handing))
    situations = [facts(role, to_handoff=role.key in to_handoff) for role in roles]
    found = plan(head, shape, situations)
    if store is not None and found.reply is not None:
        answered = _answered(store, found.reply, moment)
        if answered != Answered():
            found = plan(head, shape, [replace(situation, answered=answered) for situation in situations])
    return Explanation(found, (*handing.reasons, *found.reasons), handing.notices, _about(handing))


def _about(handing: Handing) -> str:
    return joined(dict.fromkeys(d.purpose.tag for d in handing.decided if d.handover.notices)) or "handoff"


def _answered(store: StoreReader, reply: Reply, moment: datetime) -> Answered:
    """What the store would say when it commits this reply."""
    now = int(moment.timestamp() * 1000)
    last = store.answered_at(reply.key)
    day = day_of(now)
    return Answered(
        already=last is not None and last > now - AGAIN_DAYS * DAY_MS,
        capped=any(store.replies(day, scope) >= most for scope, most in reply.caps),
    )
