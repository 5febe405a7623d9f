"""What becomes of a message in hand: the door's answer and the plan, without a commit, as ``explain`` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mailrouter.intake.admission import (
    Admitted,
    Received,
    Refusal,
    admit,
    max_size,
    planned_deliveries,
    refused_by_partners,
    refused_recipient,
    too_many_deliveries,
)
from mailrouter.intake.feedback.bounces import Reported, read_reports, returned_to
from mailrouter.intake.partner.decide import NO_HANDING, Addressed, Handing, Incoming, addressed, hand
from mailrouter.message.head import Head
from mailrouter.message.provenance.received import received_field
from mailrouter.message.shape import Shape
from mailrouter.routing.autoreply import AGAIN_DAYS
from mailrouter.routing.model import Answered, Plan, Reply, Situation
from mailrouter.routing.partner.contents import contents_of
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.routing.partner.handoff_text import MAX_MAIL
from mailrouter.routing.plan import plan
from mailrouter.runtime.context import Desk, earlier_ids, seed_of
from mailrouter.runtime.origin import came_from, way_of
from mailrouter.runtime.rows import DAY_MS, day_of, milliseconds
from mailrouter.schedule.date_words import joined
from mailrouter.schedule.model import Role
from mailrouter.store.ids import NO_MESSAGE
from mailrouter.store.model import Delivery
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.trust.tokens import token_of
from mailrouter.turns import at_once


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
    """What the service would answer and decide at ``moment``, with what the store remembers by now.

    ``recipients`` are the envelope's; those that are none of ours are passed over. Where none is left, it is for
    ``roles`` as mail. ``raw`` is the whole message.
    """
    ours = [to for to in recipients if token_of(to) is not None or desk.role_of(to)[0] is not None]
    refusals = {to: refused_recipient(desk, store, to, moment) for to in ours}
    if ours and None not in refusals.values():
        return _refused(next(filter(None, refusals.values())))
    notes = [f"{to} would be refused: {refusal.reply}" for to, refusal in refusals.items() if refusal]
    to = addressed(desk, [one for one, refusal in refusals.items() if refusal is None])
    if not ours:
        to = replace(to, roles=list(roles))
    received = Received(head.raw, head, shape, reverse_path, tuple(recipients), moment, max_size(desk, None))
    reported = _reported(desk, store, received, to, raw or b"")
    admitted = admit(desk, received, to, reported)
    if isinstance(admitted, Refusal):
        return _refused(admitted, notes)
    if not admitted.roles:
        why = (*notes, *reported.reasons)
        return Explanation(Plan((), None, why), why)
    if admitted.by_hand:
        notes += reported.reasons
    return _planned(desk, store, received, admitted, raw, notes)


def _refused(refusal: Refusal, notes: Sequence[str] = ()) -> Explanation:
    return Explanation(None, (*refusal.why, *notes), refused=refusal.reply)


def _reported(
    desk: Desk, store: StoreReader | None, received: Received, to: Addressed, raw: bytes
) -> Reported:
    """What the message says to the return paths among its recipients; nothing is recorded of it."""
    if not to.returned or store is None or received.head is None:
        return Reported()
    at = milliseconds(received.moment)
    about = [returned_to(desk, store, address, at) for address in to.returned]
    ids = [found.id for found in about if isinstance(found, Delivery)]
    path, shape, moment = received.reverse_path, received.shape, received.moment
    return at_once(read_reports(desk, store, ids, received.head, shape, raw, path, moment))


def _planned(
    desk: Desk,
    store: StoreReader | None,
    received: Received,
    admitted: Admitted,
    raw: bytes | None,
    notes: Sequence[str],
) -> Explanation:
    """The plan for a message that is admitted, with ``notes`` before its reasons."""
    head, moment, to = received.head, received.moment, admitted.to
    assert head is not None
    trace = received_field(
        helo="client.example",
        peer="127.0.0.1",
        by=desk.configuration.settings.hostname,
        protocol="ESMTP",
        queue_id="explain",
        when=moment.astimezone(admitted.roles[0].time_zone),
    )
    seed = seed_of(head.raw)
    ids = earlier_ids(head)

    def facts(role: Role, *, to_handoff: bool) -> Situation:
        return desk.situation(
            role,
            head,
            reverse_path=received.reverse_path,
            moment=moment,
            received=trace,
            seed=seed,
            handoff_seen=store.shown(desk.conversation(role, ids)) if store and ids else 0,
            to_handoff=to_handoff,
        )

    handing, roles = NO_HANDING, list(admitted.roles)
    partners_alone = frozenset(role.key for role in roles) if to.returned else frozenset[str]()
    if to.handoffs:
        targets = [(target, facts(target.role, to_handoff=True)) for target in to.handoffs]
        way = way_of(desk.configuration.settings, head, None)
        origin = came_from(way, "127.0.0.1", "client.example")
        readable = raw if received.shape.size <= MAX_MAIL else None
        contents = contents_of(head, received.shape, readable) if readable is not None else None
        handing = hand(
            Incoming(desk, store, head, received.shape, contents, NO_MESSAGE, True, origin), targets
        )
        notes = (*notes, *handing.reasons, "this is told as if one of our own servers had handed it over")
        if refusal := refused_by_partners(handing):
            return Explanation(None, tuple(notes), refused=refusal.reply)
        known = {role.key for role in to.roles}
        partners_alone |= frozenset(role.key for role in (*handing.mail, *handing.plain)) - known
        roles = [role for role in roles if role.key in known | partners_alone]
        if not roles:
            return Explanation(Plan((), None, tuple(notes)), tuple(notes), handing.notices, _about(handing))
    situations = [facts(role, to_handoff=role.key in partners_alone) for role in roles]
    found = plan(head, received.shape, situations)
    if store is not None and found.reply is not None:
        answered = _answered(store, found.reply, moment)
        if answered != Answered():
            situations = [replace(situation, answered=answered) for situation in situations]
            found = plan(head, received.shape, situations)
    if refusal := too_many_deliveries(len(admitted.roles), planned_deliveries(found, handing)):
        return _refused(refusal, notes)
    return Explanation(found, (*notes, *found.reasons), handing.notices, _about(handing))


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
