"""The decision about one message: a list of steps, and what they come to. Pure.

A new behaviour is one function and one word in ``STEPS``. Every step leaves its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mailrouter.message.classify import classify
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing.absence import add_absence_note
from mailrouter.routing.autoreply import reply_automatically
from mailrouter.routing.copies import copy_to_partners, show_partners
from mailrouter.routing.form import make_copies, make_reply
from mailrouter.routing.handoff import attach_handoff
from mailrouter.routing.model import Draft, Plan, Situation
from mailrouter.routing.sender import sender_of

Step = Callable[[Draft, Situation], Draft]

STEPS: tuple[Step, ...] = (copy_to_partners, show_partners, attach_handoff, add_absence_note, reply_automatically)
PLAIN: tuple[Step, ...] = (copy_to_partners,)
"""What is left when a fault of ours keeps the rest from being planned: the copies, as they came."""


def plan(head: Head, shape: Shape, situations: Sequence[Situation], steps: Sequence[Step] = STEPS) -> Plan:
    """The plan for a message to one role, or to several at once (one Situation each, at least one)."""
    nature = classify(head, shape)
    drafts: list[Draft] = []
    for situation in situations:
        draft = Draft(head, shape, nature, sender_of(head, situation))
        for step in steps:
            draft = step(draft, situation)
        drafts.append(draft)
    copies, form_reasons = make_copies(drafts, situations)
    answering = next((index for index, draft in enumerate(drafts) if draft.reply is not None), None)
    reply = None if answering is None else make_reply(drafts[answering], situations[answering])
    reasons = [reason for draft in drafts for reason in draft.reasons]
    if sum(draft.reply is not None for draft in drafts) > 1:
        reasons.append("one automatic reply is enough for a mail to several roles")
    shown = {
        (situation.role.key, copy.handoff.version)
        for draft, situation in zip(drafts, situations, strict=True)
        for copy in draft.copies
        if copy.handoff is not None
    }
    return Plan(copies, reply, (*dict.fromkeys(reasons), *form_reasons), tuple(sorted(shown)))


def plain_plan(head: Head, shape: Shape, situations: Sequence[Situation], fault: str) -> Plan:
    """The copies without anything that could go wrong; ``fault`` says what did."""
    found = plan(head, shape, situations, PLAIN)
    return replace(found, reasons=(*found.reasons, f"only plain copies, because {fault}"))
