"""The decision about one message: a list of steps, and what they come to. Pure.

A new behaviour is one function and one word in ``STEPS``. Every step leaves its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mailrouter.message import pieces
from mailrouter.message.classify import classify
from mailrouter.message.head import Head
from mailrouter.message.pieces import Slice
from mailrouter.message.shape import Shape
from mailrouter.routing.autoreply import reply_automatically
from mailrouter.routing.copies import copy_to_partners, show_partners
from mailrouter.routing.copy_builder import make_copies
from mailrouter.routing.handoff import attach_handoff
from mailrouter.routing.letters.letter import make_reply
from mailrouter.routing.letters.unreached import tell_of_unreached
from mailrouter.routing.model import Copy, Draft, Plan, Reply, Situation
from mailrouter.routing.note import add_absence_note
from mailrouter.routing.sender import sender_of
from mailrouter.schedule.model import Role
from mailrouter.turns import Steps, at_once

Step = Callable[[Draft, Situation], Draft]

STEPS: tuple[Step, ...] = (
    copy_to_partners,
    show_partners,
    attach_handoff,
    add_absence_note,
    tell_of_unreached,
    reply_automatically,
)
PLAIN: tuple[Step, ...] = (copy_to_partners,)
"""What is left when a fault of ours keeps the rest from being planned: the copies, as they came."""


def plan(head: Head, shape: Shape, situations: Sequence[Situation], steps: Sequence[Step] = STEPS) -> Plan:
    """The plan for a message to one role or several. One Situation each, at least one."""
    return at_once(plan_in_steps(head, shape, situations, steps))


def plan_in_steps(
    head: Head, shape: Shape, situations: Sequence[Situation], steps: Sequence[Step] = STEPS
) -> Steps[Plan]:
    """The plan, with a rest after each role and each copy. There may be a hundred."""
    nature = classify(head, shape)
    drafts: list[Draft] = []
    for situation in situations:
        yield
        draft = Draft(head, shape, nature, sender_of(head, situation))
        for step in steps:
            draft = step(draft, situation)
        drafts.append(draft)
    copies, form_reasons = yield from make_copies(drafts, situations)
    reply, reply_reasons = _one_reply(drafts, situations)
    reasons = (*_told(drafts, situations), *reply_reasons, *form_reasons)
    shown = {pair for copy in copies for pair in zip(copy.handoff_roles, copy.handoffs, strict=True)}
    return Plan(copies, reply, reasons, tuple(sorted(shown)))


def plain_plan(head: Head, shape: Shape, situations: Sequence[Situation], fault: str) -> Plan:
    """The copies without anything that could go wrong; ``fault`` says what did."""
    found = plan(head, shape, situations, PLAIN)
    return found._replace(reasons=(*found.reasons, f"only plain copies, because {fault}"))


def last_resort(
    roles: Sequence[tuple[Role, str]], size: int, reverse_path: str, received: bytes, fault: str
) -> Plan:
    """A whole unreadable message to every partner of every role.

    ``roles`` come with their loop marks, ``size`` is the message's, in octets. Nothing is looked at but the
    partners' addresses, so nothing of the message can be at fault.
    """
    marks = b"".join(f"Mailrouter-Loop: {mark}\r\n".encode("ascii") for _, mark in roles)
    made = pieces.join((received, marks, Slice(0, 0, size)))
    found: dict[str, tuple[str, list[Role]]] = {}
    for role, _ in roles:
        for person in role.partners:
            found.setdefault(person.mailbox, (person.email, []))[1].append(role)
    copies = tuple(
        Copy(email, tuple(role.key for role in of), of[0].address if reverse_path else "", made)
        for email, of in found.values()
    )
    return Plan(copies, None, (f"the mail goes to every partner as it came, because {fault}",))


def mail_alone(
    recipient: str, roles: Sequence[str], reverse_path: str, size: int, received: bytes, why: str
) -> Plan:
    """The message as it came, to one whose roles (keys) are gone."""
    made = pieces.join((received, Slice(0, 0, size)))
    return Plan(
        (Copy(recipient, tuple(roles), reverse_path, made),), None, (f"the mail alone, because {why}",)
    )


def _one_reply(
    drafts: Sequence[Draft], situations: Sequence[Situation]
) -> tuple[Reply | None, tuple[str, ...]]:
    """The first role's answer that is due; a sender hears from one, though the mail was for several."""
    answering = [
        (draft, draft.reply, situation)
        for draft, situation in zip(drafts, situations, strict=True)
        if draft.reply is not None
    ]
    if not answering:
        return None, ()
    more = ("one automatic reply is enough for a mail to several roles",) if len(answering) > 1 else ()
    return make_reply(*answering[0]), more


def _told(drafts: Sequence[Draft], situations: Sequence[Situation]) -> list[str]:
    """All reasons; with the role that each is of where there are several."""
    if len(drafts) == 1:
        return list(drafts[0].reasons)
    return [
        f"{situation.role.key}: {reason}"
        for draft, situation in zip(drafts, situations, strict=True)
        for reason in draft.reasons
    ]
