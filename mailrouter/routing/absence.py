"""The note about who is away, and the facts that notes and replies are worded from. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from mailrouter.routing.model import Draft, Situation
from mailrouter.schedule.model import Emergency, Role
from mailrouter.schedule.words import called, date_words


def people_facts(situation: Situation) -> dict[str, object]:
    """Names and dates for a template: ``role``, ``today``, ``on`` (names), ``away`` (who, until, back, cover),
    ``next`` (who, day). Dates are words; nothing here says why somebody is away."""
    role, duty = situation.role, situation.duty
    today = local_day(situation)
    names = called(role)
    zone = role.time_zone

    def day(moment: object) -> str:
        return date_words(moment.astimezone(zone).date(), today) if hasattr(moment, "astimezone") else ""

    return {
        "role": role.name,
        "role_address": role.address,
        "today": date_words(today, today),
        "on": [names.get(person.key, person.first_name) for person in duty.on],
        "away": [
            {
                "who": names.get(away.person.key, away.person.first_name),
                "until": date_words(away.last_day, today),
                "today_only": away.last_day == today,
                "back": day(away.back),
                "cover": [names.get(person.key, person.first_name) for person in away.cover],
            }
            for away in duty.away
        ],
        "next": [
            {"who": names.get(person.key, person.first_name), "day": day(start)}
            for person, start in sorted(duty.next_on, key=lambda item: (item[1] is None, item[1] or duty.moment))
            if start is not None
        ],
        "back": day(duty.gap.end) if duty.gap and duty.gap.end else "",
    }


def local_day(situation: Situation) -> date:
    """Today, as the role's clocks have it."""
    return situation.duty.moment.astimezone(situation.role.time_zone).date()


def emergency_for(role: Role, inside: bool) -> Emergency | None:
    """The emergency contact, if this audience may hear of it."""
    emergency = role.emergency
    if emergency is None or emergency.tell == "nobody" or (emergency.tell == "inside" and not inside):
        return None
    return emergency


def add_absence_note(draft: Draft, situation: Situation) -> Draft:
    """A note on every copy while somebody is away (or always), except on quiet and on a partner's own mail."""
    role, duty = situation.role, situation.duty
    if role.note == "never":
        return _because(draft, "no note (note: never)")
    if draft.own_mail:
        return _because(draft, "no note, because a partner wrote it")
    if draft.nature.quiet:
        return _because(draft, "no note, because it is list mail, automatic mail, a report or a calendar message")
    if role.forwarding == "untouched":
        return _because(draft, "no note (forwarding: untouched)")
    if role.note == "absence" and not duty.away:
        return _because(draft, "no note, because nobody is away")
    facts = people_facts(situation) | {"emergency": emergency_for(role, draft.sender.inside)}
    text = situation.words.render("note", facts)
    copies = tuple(replace(copy, note=text, keep_role_in_thread=role.reply_to == "sender-and-role") for copy in draft.copies)
    names = called(role)
    why = "; ".join(f"{names.get(a.person.key)} is away until {date_words(a.last_day, local_day(situation))}" for a in duty.away)
    return replace(draft, copies=copies, reasons=(*draft.reasons, f"a note, because {why}" if why else "a note (note: always)"))


def _because(draft: Draft, reason: str) -> Draft:
    return replace(draft, reasons=(*draft.reasons, reason))
