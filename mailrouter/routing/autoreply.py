"""Automatic replies for the role, and reasons against (RFC 3834, RFC 5230). Pure.

Every reason for silence is given, not only the first, so that ``explain`` answers "why did nobody tell me?"
at once.
"""

from __future__ import annotations

from datetime import datetime

from mailrouter.address import domain_of, mailbox_of, split_tag
from mailrouter.message.classify import autoreply_refusals
from mailrouter.message.head import Head
from mailrouter.message.provenance.senders import untagged
from mailrouter.routing.model import Draft, ReplyDraft, Situation
from mailrouter.schedule.date_words import called, joined
from mailrouter.schedule.model import Role

AGAIN_DAYS = 7
"""Days after which the same sender is told again in the same period (RFC 5230 §4.1)."""
CAPS = (("domain", 20), ("role", 200), ("all", 1000))
"""Replies a day, at most: to one sender's domain, from one role, and over all."""

_TO_ME = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")


def reply_automatically(draft: Draft, situation: Situation) -> Draft:
    """Answer the sender for the role, if schedule and mail allow it."""
    occasion, period = _occasion(draft, situation)
    if silence := [*([] if period else [occasion]), *refusals(draft, situation)]:
        return _silent(draft, silence)
    # To the sender alone, so it does not matter who else reads the mail.
    text = situation.wording.reply(situation.role, situation.duty, draft.sender.inside)
    reasons = (*draft.reasons, f"an automatic reply, because {occasion}")
    return draft._replace(reply=ReplyDraft(text, period), reasons=reasons)


def _silent(draft: Draft, silence: list[str]) -> Draft:
    reasons = [f"no automatic reply, because {why}" for why in silence]
    return draft._replace(reasons=(*draft.reasons, *reasons))


def _occasion(draft: Draft, situation: Situation) -> tuple[str, str]:
    """The reason and the period of an answer, by the schedule. No period where it does not call for one.

    The period is named by its start, so that it stays the same until it ends.
    """
    role, duty = situation.role, situation.duty
    audience = "inside" if draft.sender.inside else "outside"
    setting = role.reply_inside if draft.sender.inside else role.reply_outside
    if setting == "never":
        return f"the role answers no senders {audience} (auto_reply: never)", ""
    if duty.gap is not None:
        return "nobody is in for the rest of today and the next working day", _stamp("nobody", duty.gap.start)
    names = called(role)
    if setting == "nobody":
        if duty.on:
            who = joined(names.get(person.key, person.first_name) for person in duty.on)
            return f"{who} {'is' if len(duty.on) == 1 else 'are'} in (auto_reply: nobody)", ""
        return "somebody is in later today or on the next working day (auto_reply: nobody)", ""
    if duty.away:
        who = joined(names.get(away.person.key, away.person.first_name) for away in duty.away)
        since = min(away.since for away in duty.away)
        return f"{who} {'is' if len(duty.away) == 1 else 'are'} away", _stamp("away", since)
    if setting == "absence":
        return "nobody is away (auto_reply: absence)", ""
    return "the role tells every sender who is in (auto_reply: always)", "always"


def refusals(draft: Draft, situation: Situation) -> list[str]:
    """Every reason to stay silent that is not the schedule's."""
    found = list(autoreply_refusals(draft.head, draft.shape, draft.nature, situation.reverse_path))
    if not situation.reverse_path.isascii():
        found.append("its return path has letters that not every mail server takes (RFC 6531)")
    if draft.own_mail:
        found.append("a partner wrote it")
    elif draft.sender.ours:
        found.append("the sender is one of our own addresses")
    if not to_me(draft.head, situation.role):  # RFC 5230 §4.5
        found.append("the role stands in none of To, Cc, Bcc and Resent-To")
    if situation.to_handoff:
        found.append("it came to an address of the role that answers partners alone")
    if situation.verdicts.spam:
        found.append("our mail server takes it for spam")
    if situation.verdicts.dmarc_fail:
        found.append("our mail server found the sender's address to be forged (DMARC)")
    if situation.answered.already:
        found.append("this sender was told already in this period")
    if situation.answered.capped:
        found.append("enough replies went out today")
    return found


def to_me(head: Head, role: Role) -> bool:
    """Whether a field for recipients names the role's addresses."""
    mine = {role.address, *role.aliases}
    return any(
        split_tag(mailbox.address)[0] in mine
        for name in _TO_ME
        if head.has(name)
        for mailbox in head.mailboxes(name)
    )


def memory_key(role: Role, sender: str, period: str) -> str:
    """The key under which a reply is remembered: the sender's mailbox, role and period, never the text.

    A tag that the sender's server puts before the address (BATV) is new each day and makes no new sender.
    """
    return f"{role.key} {mailbox_of(untagged(sender))} {period}"


def caps(role: Role, sender: str) -> tuple[tuple[str, int], ...]:
    """The counters a reply falls under, each with the most a day."""
    scopes = {"domain": f"domain {domain_of(sender)}", "role": f"role {role.key}", "all": "all"}
    return tuple((scopes[name], most) for name, most in CAPS)


def _stamp(kind: str, since: datetime) -> str:
    return f"{kind} {since:%Y-%m-%dT%H:%MZ}"
