"""Who gets a copy: both partners, always. Pure."""

from __future__ import annotations

from dataclasses import replace

from mailrouter.address import canonical
from mailrouter.message.head import Mailbox
from mailrouter.routing.model import CopyDraft, Draft, Situation
from mailrouter.schedule.model import Person
from mailrouter.schedule.words import joined


def copy_to_partners(draft: Draft, situation: Situation) -> Draft:
    """A copy for each partner, on duty or not; a partner's own mail goes to the others alone."""
    role, duty = situation.role, situation.duty
    partners = list(role.partners)
    reasons: list[str] = []
    if draft.own_mail:
        others = [person for person in partners if person.key != draft.sender.partner]
        author = role.person(draft.sender.partner or "")
        if others:
            reasons.append(f"{author.first_name} wrote it, so {_names(others)} gets it, as it is")
            partners = others
        else:
            reasons.append(f"{author.first_name} wrote it and is the only partner, so it comes back as a copy")
    else:
        reasons.append(f"{_names(partners)} {'both get' if len(partners) == 2 else 'gets' if len(partners) == 1 else 'all get'} a copy, on duty or not")
    if role.already_addressed == "skip":
        partners, skipped = _skip_addressed(draft, partners)
        reasons += [f"{person.first_name} has it already, as somebody it was written to (already_addressed: skip)" for person in skipped]
    else:
        named = _addressed(draft)
        reasons += [
            f"{person.first_name} stands in To or Cc as well and may get it twice" for person in partners if canonical(person.email) in named
        ]
    on = {person.key for person in duty.on}
    copies = [CopyDraft(person, True, person.key in on) for person in partners]
    if not draft.own_mail:
        stand_ins = _stand_ins(situation, {canonical(person.email) for person in role.partners} | {draft.sender.address})
        copies += [CopyDraft(person, False, person.key in on) for person in stand_ins]
        reasons += [f"{person.first_name} stands in and gets a copy, without the handoff" for person in stand_ins]
    return replace(draft, copies=tuple(copies), reasons=(*draft.reasons, *reasons))


def _stand_ins(situation: Situation, taken: set[str]) -> list[Person]:
    """Those from outside the role who cover somebody now; each once."""
    partners = {person.key for person in situation.role.partners}
    found: dict[str, Person] = {}
    for away in situation.duty.away:
        for person in away.cover:
            if person.key not in partners and canonical(person.email) not in taken:
                found.setdefault(canonical(person.email), person)
    return list(found.values())


def _addressed(draft: Draft) -> set[str]:
    return {canonical(mailbox.address) for mailbox in draft.head.mailboxes("to", "cc")}


def _skip_addressed(draft: Draft, partners: list[Person]) -> tuple[list[Person], list[Person]]:
    named = _addressed(draft)
    skipped = [person for person in partners if canonical(person.email) in named]
    left = [person for person in partners if person not in skipped]
    # Never nobody: the header may be forged or the other copy lost, and then the mail would be nowhere.
    return (left, skipped) if left else (partners, [])


def show_partners(draft: Draft, situation: Situation) -> Draft:
    """For colleagues inside, both partners stand in Cc, so that Reply-all reaches both; outside they stay private."""
    role = situation.role
    setting = role.copy_inside if draft.sender.inside else role.copy_outside
    if setting != "cc" or draft.own_mail or draft.nature.quiet:
        return draft
    named = _addressed(draft)
    show = tuple(Mailbox(person.name, person.email) for person in role.partners if canonical(person.email) not in named)
    if not show:
        return draft
    copies = tuple(replace(copy, show=show, keep_role_in_thread=role.reply_to == "sender-and-role") for copy in draft.copies)
    where = "inside" if draft.sender.inside else "outside"
    return replace(draft, copies=copies, reasons=(*draft.reasons, f"{joined(m.display for m in show)} are shown in Cc (copy: {where} cc)" if len(show) > 1 else f"{show[0].display} is shown in Cc (copy: {where} cc)"))


def _names(people: list[Person]) -> str:
    return joined(person.first_name for person in people)
