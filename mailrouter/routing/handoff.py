"""The handoff: when it travels, and under which name. Pure.

It is for partners. Stand-ins, senders and former partners never get it; who gets it is decided here and
checked again when the copy is sent.
"""

from __future__ import annotations

from mailrouter.routing.model import Draft, Situation
from mailrouter.routing.partner.sections import MAX_TEXT, Sections, read_sections
from mailrouter.routing.people import today_of
from mailrouter.routing.wording import CurrentHandoff, age_words
from mailrouter.schedule.model import Role

__all__ = ["MAX_TEXT", "Sections", "age_words", "attach_handoff", "handoff_filename", "read_sections"]


def attach_handoff(draft: Draft, situation: Situation) -> Draft:
    """The handoff on partners' copies: on the first mail of a conversation and when it has changed since."""
    role, handoff = situation.role, situation.handoff
    refusal = _no_handoff(draft, situation)
    if handoff is None or refusal:
        return draft._replace(reasons=(*draft.reasons, f"no handoff, because {refusal}"))
    words = situation.wording.handoff(role, handoff, today_of(role, situation.duty))
    if role.handoff == "always":
        why = "every mail carries it (handoff: always)"
    elif role.handoff == "new":
        why = "this mail begins a conversation"
    elif situation.handoff_seen:
        why = "it has changed since it was last shown in this conversation"
    else:
        why = "it is new in this conversation"
    reasons = (*draft.reasons, f"the handoff by {handoff.author}, because {why}")
    return draft._replace(handoff=handoff, handoff_words=words, reasons=reasons)


def _no_handoff(draft: Draft, situation: Situation) -> str:
    role, handoff = situation.role, situation.handoff
    if role.handoff == "never":
        return "the role never attaches it (handoff: never)"
    if handoff is None:
        return "there is none yet"
    if draft.own_mail:
        return "a partner wrote this mail"
    if draft.nature.quiet:
        return "this is list mail, automatic mail, a report or a calendar message"
    if role.forwarding == "untouched":
        return "copies stay as they came (forwarding: untouched)"
    if role.handoff == "new" and (draft.head.has("references") or draft.head.has("in-reply-to")):
        return "this mail answers another one (handoff: new)"
    if role.handoff == "thread" and situation.handoff_seen == handoff.version:
        return "this conversation has carried it already"
    return ""


def handoff_filename(role: Role, handoff: CurrentHandoff) -> str:
    """``Handoff vp-hr 2026-12-02.txt``."""
    return f"Handoff {role.key} {handoff.written_at.astimezone(role.time_zone):%Y-%m-%d}.txt"
