"""The note about who is away: when copies carry it. Pure."""

from __future__ import annotations

from mailrouter.routing.model import Draft, Situation


def add_absence_note(draft: Draft, situation: Situation) -> Draft:
    """Add the note, except to quiet mail and partners' own.

    It stands on every copy while somebody is away (or always).
    """
    role, duty = situation.role, situation.duty
    why = silence(draft, situation)
    if not why and role.note == "absence" and not duty.away:
        why = "nobody is away"
    if why:
        return draft._replace(reasons=(*draft.reasons, f"no note, because {why}"))
    text = situation.wording.note(role, duty, draft.sender.among_ourselves)
    away = situation.wording.away(role, duty)
    reason = f"a note, because {away}" if away else "a note, as always (note: always)"
    return draft._replace(note=text, reasons=(*draft.reasons, reason))


def silence(draft: Draft, situation: Situation) -> str:
    """The reason why copies carry no note, whoever is away; nothing where they may."""
    role = situation.role
    if role.note == "never":
        return "the role wants none (note: never)"
    if draft.own_mail:
        return "a partner wrote it"
    if draft.nature.quiet:
        return "it is list mail, automatic mail, a report or a calendar message"
    if role.forwarding == "untouched":
        return "copies stay as they came (forwarding: untouched)"
    return ""
