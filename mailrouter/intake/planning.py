"""The decision about an admitted message, made whatever goes wrong meanwhile.

A fault of ours must neither lose nor hold up mail: where the full plan can't be made, plain copies are;
where even those can't, the whole message goes to every partner as it came.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from mailrouter.intake.admission import Admitted, Refusal
from mailrouter.intake.effects import NO_PLAN, Effects
from mailrouter.intake.feedback.bounces import Reported
from mailrouter.intake.partner.decide import NO_HANDING, Handing, Incoming, void_answer
from mailrouter.intake.partner.decide_apart import PartnerMail
from mailrouter.intake.purposes import Target
from mailrouter.intake.received import Received
from mailrouter.intake.resting import in_turns
from mailrouter.message.head import Head
from mailrouter.moments import milliseconds
from mailrouter.routing.model import NOT_ANSWERED, Answered, Plan, Situation
from mailrouter.routing.plan import last_resort, plain_plan, plan_in_steps
from mailrouter.runtime.context import Arrival, Desk
from mailrouter.schedule.model import Role
from mailrouter.store.protocols import Reading
from mailrouter.turns import Steps

log = logging.getLogger("mailrouter.intake")


class Case(NamedTuple):
    """An admitted message, with all that deciding about it needs.

    ``reported`` is what it says to return paths among its recipients. ``seen`` gives the handoff version that the
    conversation has carried in a role; ``answered`` is what is known of earlier replies (``explain`` alone asks
    before the commit does).
    """

    desk: Desk
    reader: Reading | None
    received: Received
    admitted: Admitted
    reported: Reported
    seen: Callable[[Role], Awaitable[int]]
    answered: Answered = NOT_ANSWERED


class _Copying(NamedTuple):
    """The copies of one message: for these roles, of which ``partners_alone`` (keys) got it at an address for
    partners, or at a return path, only. ``trace`` is our Received field."""

    case: Case
    roles: Sequence[Role]
    partners_alone: frozenset[str]
    trace: bytes


async def decide(case: Case, mail: PartnerMail) -> Effects | Refusal:
    """Decide for all recipients: partners' requests first, for what is none of them is mail, then the copies.

    A Refusal where a request of a partner's can't be decided now.
    """
    admitted, reported = case.admitted, case.reported
    outcomes = tuple(reported.outcomes)
    if not admitted.roles:
        return Effects(NO_PLAN._replace(reasons=tuple(reported.reasons)), outcomes=outcomes)
    at, targets = milliseconds(case.received.moment), admitted.to.targets
    if targets and (void := await void_answer(case.desk, case.reader, targets, at)):
        return Refusal(void)
    handing = NO_HANDING
    trace = case.received.trace(case.desk.hostname, admitted.roles[0])
    if targets:
        handing = await _handing(case, mail, trace)
        if handing.refusal:
            return Refusal(handing.refusal, handing.reasons)
    plan = await _copies(case, handing, trace)
    effects = Effects(plan, handing, outcomes)
    return effects.because(*reported.reasons) if admitted.by_hand else effects


async def _handing(case: Case, mail: PartnerMail, trace: bytes) -> Handing:
    """The decisions about addresses for partners; after a fault of ours their partners get the mail as it came."""
    received, targets = case.received, case.admitted.to.targets
    try:
        facts = await in_turns(_facts_of_each(case, received.head, trace))
    except Exception:
        log.exception("%s: who wrote it can't be told; every partner gets it as it came", received.name)
        return Handing(plain=[case.desk.role_at(target.role, received.moment) for target in targets])
    return await mail.decide(Incoming(case.desk, case.reader, received, received.head), facts)


def _facts_of_each(case: Case, head: Head, trace: bytes) -> Steps[list[tuple[Target, Situation]]]:
    found: list[tuple[Target, Situation]] = []
    for target in case.admitted.to.targets:
        situation = yield from _situation(case, target.role, head, trace, to_handoff=True)
        found.append((target, situation))
    return found


async def _copies(case: Case, handing: Handing, trace: bytes) -> Plan:
    """The plan for the message's roles, with all reasons so far."""
    desk, received, to = case.desk, case.received, case.admitted.to
    known = {role.key for role in to.roles}
    mail = {role.key: role for role in handing.mail if role.key not in known}
    plain = {role.key: role for role in handing.plain if role.key not in known and role.key not in mail}
    roles = [*to.roles, *mail.values()]
    # What came to a return path may quote the copy that it is about, handoff and all: for partners alone.
    alone = {role.key for role in case.admitted.roles} if to.returned else set(mail)
    made = NO_PLAN
    if roles:
        made = await _plan_or_less(_Copying(case, roles, frozenset(alone), trace))
    if plain:
        marks = [(role, desk.loop_marks[role.key]) for role in plain.values()]
        rest = last_resort(marks, received.shape.size, received.reverse_path, trace, handing.why)
        made = made._replace(copies=made.copies + rest.copies, reasons=made.reasons + rest.reasons)
    return made._replace(reasons=handing.reasons + made.reasons)


async def _plan_or_less(copying: _Copying) -> Plan:
    """The plan; after a fault of ours the most that can be had without what is at fault."""
    received, desk = copying.case.received, copying.case.desk
    try:
        # What the store knows is read first: planning doesn't wait.
        seen = {role.key: await copying.case.seen(role) for role in copying.roles}
        return await in_turns(_plan(copying, received.head, seen))
    except Exception as error:
        log.exception("%s: planning failed; plain copies are sent", received.name)
        fault = f"of a fault in planning ({type(error).__name__})"
    try:
        return await in_turns(_plan(copying, received.head, {}, fault))
    except Exception:
        log.exception("%s: planning plain copies failed; every partner gets the mail", received.name)
    roles = [(desk.role_at(role, received.moment), desk.loop_marks[role.key]) for role in copying.roles]
    return last_resort(roles, received.shape.size, received.reverse_path, copying.trace, fault)


def _plan(copying: _Copying, head: Head, seen: Mapping[str, int], fault: str = "") -> Steps[Plan]:
    """The full plan, or that of plain copies because of a ``fault``; ``seen`` are the handoff versions that the
    conversation has carried, by role."""
    case, situations = copying.case, list[Situation]()
    for role in copying.roles:
        alone, carried = role.key in copying.partners_alone, seen.get(role.key, 0)
        situations.append(
            (yield from _situation(case, role, head, copying.trace, to_handoff=alone, seen=carried))
        )
    if fault:
        return plain_plan(head, case.received.shape, situations, fault)
    return (yield from plan_in_steps(head, case.received.shape, situations))


def _situation(
    case: Case, role: Role, head: Head, trace: bytes, *, to_handoff: bool, seen: int = 0
) -> Steps[Situation]:
    """The facts of one role for what has arrived."""
    received = case.received
    yield from case.desk.rosters[role.key].duty_in_steps(received.moment)
    arrival = Arrival(
        received.reverse_path,
        received.moment,
        trace,
        received.seed,
        received.handed_in_by,
        received.next_hop_size,
    )
    found = case.desk.situation(role, head, arrival, handoff_seen=seen, to_handoff=to_handoff)
    return found._replace(answered=case.answered) if case.answered is not NOT_ANSWERED else found
