"""The recipients of copies: both partners, always; and who is shown in its Cc. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from mailrouter.address import canonical
from mailrouter.message.head import Head
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.addressing import extendable
from mailrouter.routing.forwarding import way_of
from mailrouter.routing.model import CopyDraft, Draft, Situation
from mailrouter.schedule.date_words import joined
from mailrouter.schedule.model import Person


def copy_to_partners(draft: Draft, situation: Situation) -> Draft:
    """A copy for each partner, on duty or not; a partner's own mail goes to the others alone."""
    role = situation.role
    partners, reason = _partners(draft, situation)
    reasons = [reason]
    named = _addressed(draft.head)
    if twice := [person for person in partners if person.mailbox in named]:
        # Never nobody: the header may be forged or the other copy lost, and then the mail would be nowhere.
        if role.already_addressed == "skip" and len(twice) < len(partners):
            partners = [person for person in partners if person not in twice]
            reasons.append(
                f"{_names(twice)} {'has' if len(twice) == 1 else 'have'} it already, being in To or Cc"
                " (already_addressed: skip)"
            )
        else:
            reasons.append(
                f"{_names(twice)} {'stands' if len(twice) == 1 else 'stand'} in To or Cc as well"
                " and may get it twice"
            )
    stand_ins = _stand_ins(draft, situation)
    if stand_ins:
        verb = "stands in and gets" if len(stand_ins) == 1 else "stand in and get"
        reasons.append(f"{_names(stand_ins)} {verb} a copy, without the handoff")
    on = {person.key for person in situation.duty.on}
    copies = [
        CopyDraft(person, partner, person.key in on, *way_of(person, draft.nature, situation))
        for people, partner in ((partners, True), (stand_ins, False))
        for person in people
    ]
    return draft._replace(copies=tuple(copies), reasons=(*draft.reasons, *reasons))


def show_partners(draft: Draft, situation: Situation) -> Draft:
    """Show colleagues inside both partners in Cc, for Reply-all. Outside neither stands there."""
    role, sender = situation.role, draft.sender
    if draft.own_mail or draft.nature.quiet:
        return draft
    setting = role.copy_inside if sender.among_ourselves else role.copy_outside
    if setting != "cc":
        if role.copy_inside == "cc" and sender.inside:
            return _because(draft, "nobody is added to Cc, because somebody outside reads along")
        return draft
    named = _addressed(draft.head)
    show = tuple(
        Mailbox(person.name, person.email) for person in role.partners if person.mailbox not in named
    )
    if not show:
        return draft
    refusal = next((copy.why for copy in draft.copies if copy.way != "change"), "")
    if refusal and all(copy.way != "change" for copy in draft.copies):
        return _because(draft, f"nobody is added to Cc: {refusal}")
    if not extendable(draft.head.raw_values("cc")):
        return _because(draft, "nobody is added to Cc, because what stands there can't be read safely")
    where = "inside" if sender.among_ourselves else "outside"
    names = joined(mailbox.display for mailbox in show)
    reason = f"{names} {'is' if len(show) == 1 else 'are'} shown in Cc (copy: {where} cc)"
    return draft._replace(show=show, reasons=(*draft.reasons, reason))


def _partners(draft: Draft, situation: Situation) -> tuple[list[Person], str]:
    """The partners who are to have the mail, and why."""
    partners = list(situation.role.partners)
    author = next((person for person in partners if person.key == draft.sender.partner), None)
    if author is None:
        verb = {1: "gets", 2: "both get"}.get(len(partners), "all get")
        return partners, f"{_names(partners)} {verb} a copy, on duty or not"
    others = [person for person in partners if person is not author]
    if not others:
        # The mail went to the role for a reason, and a copy too many is better than a mail that is nowhere.
        return partners, f"{author.first_name} wrote it and is the only partner, so it comes back as a copy"
    verb = "gets" if len(others) == 1 else "get"
    return others, f"{author.first_name} wrote it, so {_names(others)} {verb} it, as it is"


def _stand_ins(draft: Draft, situation: Situation) -> list[Person]:
    """Outsiders to the role who cover somebody now, each once.

    A partner's own mail is for the other partner. A report is not for stand-ins: a bounce may hold the very
    copy that it returns, handoff and all. What came to the handoff address may be a handoff by somebody whom
    we don't know as a partner.
    """
    if draft.own_mail or draft.nature.report or not situation.reverse_path or situation.to_handoff:
        return []
    taken = {person.mailbox for person in situation.role.partners} | {draft.sender.address}
    found: dict[str, Person] = {}
    for away in situation.duty.away:
        for person in away.cover:
            if person.mailbox not in taken:
                found.setdefault(person.mailbox, person)
    return list(found.values())


def _addressed(head: Head) -> set[str]:
    return {canonical(mailbox.address) for name in ("to", "cc") for mailbox in head.mailboxes(name)}


def _names(people: Iterable[Person]) -> str:
    return joined(person.first_name for person in people)


def _because(draft: Draft, reason: str) -> Draft:
    return draft._replace(reasons=(*draft.reasons, reason))
