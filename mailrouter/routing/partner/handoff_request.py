"""Mail to a role's handoff address: the new handoff. Pure."""

from __future__ import annotations

from datetime import datetime

from mailrouter.routing.partner import handoff_notices as notices
from mailrouter.routing.partner.decision import Handed, Handover, PartnerRequest, question_of, too_large
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.quoted_text import forwarded
from mailrouter.routing.partner.sections import read_sections
from mailrouter.schedule.date_words import called, joined
from mailrouter.schedule.model import Person
from mailrouter.trust.confirmations import TAG


class HandoffRequest(PartnerRequest):
    """The purpose of the handoff address."""

    tag = TAG
    what = "handoff"
    a_what = "a handoff"
    quotes_nothing = True

    def written(self, mail: Handed, author: Person) -> Written:
        """Read the handoff, or the problem with it."""
        return too_large() if mail.contents is None else mail.contents.handoff

    def question(self, mail: Handed, author: Person, written: Written) -> Notice:
        """Ask, with the handoff as it was read."""
        return notices.confirm(mail.situation, mail.head, author, written, question_of(mail))

    def doubt(self, mail: Handed, written: Written) -> str:
        """The reason to ask whether an answer is an out-of-office.

        Nothing marks it as one, and it answers a message of ours.

        Our messages come from this very address, and who wrote an answer is proven by the mail server all the same.
        """
        head = mail.head
        about = f"handoff for {mail.situation.role.name}".casefold()
        answers = head.in_reply_to or head.references or about in (head.text("subject") or "").casefold()
        found = read_sections(written.text)
        if not answers or found.done or found.left or found.watch:
            return ""
        return "it answers another mail and has no heading, as a mailbox's own answer would"

    def done(self, mail: Handed, author: Person, written: Written, at: datetime) -> Handover:
        """Take the new handoff, and tell all partners how it was read."""
        role, text, source = mail.situation.role, written.text, written.source
        told = tuple(
            notices.taken(mail.situation, mail.head, person, author, written, at) for person in role.partners
        )
        reason = f"{source} is the new handoff by {called(role)[author.key]}; the partners are told how it was read"
        return Handover("set", (reason,), author, text, at, told)

    def unusable(self, mail: Handed, author: Person, written: Written) -> Handover:
        """Pass a mail that holds something to the others, with the reason."""
        role = mail.situation.role
        others = [person for person in role.partners if person.key != author.key]
        nothing = written.empty and not (written.quoted and forwarded(mail.head.text("subject") or ""))
        if nothing or not others:
            return super().unusable(mail, author, written)
        them = f"{joined(called(role)[person.key] for person in others)} {'get' if len(others) > 1 else 'gets'} it"
        because = self.because(written)
        reason = (
            f"it can't be used as the handoff, so {them} as it came, and the partners are told why{because}"
        )
        notes = tuple(
            notices.unusable(mail.situation, mail.head, person, author, written.problem, passed_to=them)
            for person in (author, *others)
        )
        return Handover("answer", (reason,), author, notices=notes, passed_on=True)
