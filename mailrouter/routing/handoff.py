"""The handoff: what its text says, when it travels, and with which words around it. Pure.

It is for partners. Stand-ins, senders and former partners never get it; who gets it is decided here and checked
again when the copy is sent.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from mailrouter.routing.absence import local_day
from mailrouter.routing.model import CurrentHandoff, Draft, Sections, Situation
from mailrouter.schedule.model import Role
from mailrouter.schedule.words import WEEKDAYS, date_words

STALE_DAYS = 7
MAX_TEXT = 200_000
"""Characters of a handoff: a summary, not an archive."""

_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s*|\*{1,2})?(?P<name>[A-Za-z' ]{2,40}?)\s*(?:\*{1,2})?\s*(?P<colon>:)?\s*(?:\*{1,2})?\s*(?P<rest>.*)$"
)
_MARK = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?")
_NAMES = {
    "done": ("done", "finished", "what is done", "what was done", "completed"),
    "left": ("left", "to do", "todo", "open", "still to do", "what is left", "left to do", "next"),
    "watch": ("watch", "watch out", "watch out for", "keep an eye on", "risks", "careful"),
}
_SECTION_OF = {name: section for section, names in _NAMES.items() for name in names}


def read_sections(text: str) -> Sections:
    """Sort the lines of a handoff under done, left and watch; what stands before or outside is ``other``.

    A heading is a line such as ``Done:``, ``## Left``, ``**Watch**`` or ``Done: the budget`` (its rest is a line).
    """
    found: dict[str, list[str]] = {"done": [], "left": [], "watch": [], "other": []}
    current = "other"
    for line in text.splitlines():
        heading = _HEADING.match(line)
        section = _SECTION_OF.get(heading["name"].strip().lower()) if heading else None
        marked = line.lstrip().startswith(("#", "**"))
        if heading and section and (heading["colon"] or marked or not heading["rest"]):
            current = section
            line = heading["rest"].strip("* ")
        elif line.lstrip().startswith("#"):
            current = "other"
            line = line.lstrip("# ")
        if line.strip():
            found[current].append(_MARK.sub("", line).strip())
    return Sections(*(tuple(found[name]) for name in ("done", "left", "watch", "other")))


def age_words(written: date, today: date) -> str:
    """``today``, ``yesterday``, or ``Wednesday, 3 days ago``; with the date once it is more than a week."""
    days = (today - written).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < STALE_DAYS:
        return f"{WEEKDAYS[written.weekday()]}, {days} days ago"
    return f"{date_words(written, today)}, {days} days ago"


def handoff_facts(role: Role, handoff: CurrentHandoff, today: date) -> dict[str, object]:
    """What the lines above a handoff are worded from."""
    written = _local(handoff.written_at, role)
    return {
        "role": role.name,
        "author": handoff.author,
        "written": date_words(written.date(), today),
        "time": f"{written:%H:%M}",
        "age": age_words(written.date(), today),
        "stale": (today - written.date()).days >= STALE_DAYS,
    }


def attach_handoff(draft: Draft, situation: Situation) -> Draft:
    """The handoff on partners' copies: on the first mail of a conversation and when it has changed since."""
    role, handoff = situation.role, situation.handoff
    refusal = _no_handoff(draft, situation)
    if handoff is None or refusal:
        return replace(draft, reasons=(*draft.reasons, f"no handoff, because {refusal}"))
    words = situation.words.render("handoff", handoff_facts(role, handoff, local_day(situation)))
    copies = tuple(
        replace(
            copy, handoff=handoff, handoff_words=words, keep_role_in_thread=role.reply_to == "sender-and-role"
        )
        if copy.partner
        else copy
        for copy in draft.copies
    )
    why = {
        "always": "every mail carries it",
        "new": "this mail begins a conversation",
    }.get(role.handoff) or ("it has changed since it was last shown in this conversation" if situation.handoff_seen else "it is new in this conversation")
    return replace(draft, copies=copies, reasons=(*draft.reasons, f"the handoff by {handoff.author}, because {why}"))


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
    if role.handoff == "new" and (draft.head.references or draft.head.in_reply_to):
        return "this mail answers another one (handoff: new)"
    if role.handoff == "thread" and situation.handoff_seen == handoff.version:
        return "this conversation has carried it already"
    return ""


def _local(moment: datetime, role: Role) -> datetime:
    return moment.astimezone(role.time_zone)
