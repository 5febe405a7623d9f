"""The decision about a mail to one of a role's addresses for partners: done, asked, answered, or mail. Pure.

Only a partner's mail does anything; everybody else's is mail to the role like any other, and outsiders hear
nothing. Who wrote it, and what proves that, is the same for all of these addresses; what it is for is told by a
``Purpose``: the handoff here, the schedule in ``mailrouter.routing.partner.schedule_request``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

from mailrouter.address import canonical
from mailrouter.message.classify import autoreply_refusals, classify
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing.model import Situation
from mailrouter.routing.partner import handoff_notices
from mailrouter.routing.partner.confirmation import says_yes
from mailrouter.routing.partner.contents import Contents
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.routing.partner.handoff_text import MAX_MAIL, Written
from mailrouter.routing.partner.proof import named_author, unproven
from mailrouter.routing.partner.quoted_text import forwarded
from mailrouter.routing.partner.sections import read_sections
from mailrouter.schedule.date_words import called, joined
from mailrouter.schedule.model import Person
from mailrouter.trust.confirmations import MOST_ASKED, TAG

Act = Literal["set", "ask", "again", "answer", "later", "nothing", "mail"]
"""What is done: what was asked for, a question to the partner, the question once more, an answer that changes nothing,
a request to send it again later, nothing at all, or it is treated as mail to the role."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that waits for its confirmation: asked for at ``mailbox`` (canonical), written ``at``."""

    mailbox: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail to one of the partners' addresses of one role, with all facts about it.

    ``contents`` is what it says, None where it is larger than ``MAX_MAIL``. ``trusted``: it came from one of
    our own servers. ``waiting`` is what it would confirm by the token in its address. ``ask_from`` is the
    address that a question would come from, ``""`` where there can be none. ``again``: this very mail was
    worked on before, or, of an answer to a question, that the question was put once more already. ``asked``: how many
    others this partner was asked about within the hour. ``queue`` is its queue id, ``origin`` the server that handed
    it in.
    """

    situation: Situation
    head: Head
    shape: Shape
    contents: Contents | None
    authserv_id: str | None
    trusted: bool
    waiting: Waiting | None = None
    ask_from: str = ""
    again: bool = False
    asked: int = 0
    queue: str = ""
    origin: str = ""


@dataclass(frozen=True, slots=True)
class FileChange:
    """A role's file is to hold ``after`` in place of ``before``: ``what`` it does in words, and the change that it
    ``undoes``, by its id, if any."""

    before: bytes
    after: bytes
    what: str
    undoes: int = 0


@dataclass(frozen=True, slots=True)
class Handover:
    """The decision. ``text`` and ``written_at`` are the version's, or what waits; ``file`` is the change of the
    schedule."""

    act: Act
    reasons: tuple[str, ...]
    author: Person | None = None
    text: str = ""
    written_at: datetime | None = None
    notices: tuple[Notice, ...] = ()
    file: FileChange | None = None
    passed_on: bool = False
    """It is answered, and is mail to the role's partners as well: they get it as it came."""


class Purpose(Protocol):
    """What mail to one of the addresses is for."""

    @property
    def tag(self) -> str:
        """The sub-address."""

    def written(self, mail: Handed, author: Person) -> Written:
        """What the mail says, in a form that may be kept aside; or the problem with it."""

    def question(self, mail: Handed, author: Person, written: Written) -> Notice:
        """The question whether ``author`` wrote it."""

    def once_more(self, mail: Handed, author: Person, until: datetime) -> Notice:
        """How the question is answered, for an answer to it that doesn't say yes; it stands ``until`` then."""

    def done(self, mail: Handed, author: Person, written: Written, at: datetime) -> Handover:
        """What comes of it, now that it is proven; ``at`` is when it was written."""

    def refused(self, mail: Handed, author: Person, problem: str, *, understood: bool = False) -> Notice:
        """Why nothing comes of it, for ``author`` alone; though it was ``understood``, perhaps."""


class _HandoffPurpose:
    """The mail is the new handoff."""

    tag = TAG

    def written(self, mail: Handed, author: Person) -> Written:
        return too_large() if mail.contents is None else mail.contents.handoff

    def question(self, mail: Handed, author: Person, written: Written) -> Notice:
        return handoff_notices.confirm(
            mail.situation, mail.head, author, written, mail.ask_from, mail.origin, last=is_last(mail)
        )

    def once_more(self, mail: Handed, author: Person, until: datetime) -> Notice:
        what = "handoff for"
        return handoff_notices.once_more(mail.situation, mail.head, author, mail.ask_from, what, until)

    def refused(self, mail: Handed, author: Person, problem: str, *, understood: bool = False) -> Notice:
        return handoff_notices.unusable(mail.situation, mail.head, author, author, problem)

    def done(self, mail: Handed, author: Person, written: Written, at: datetime) -> Handover:
        role, text, source = mail.situation.role, written.text, written.source
        told = tuple(
            handoff_notices.taken(mail.situation, mail.head, person, author, text, source, at)
            for person in role.partners
        )
        reason = f"{source} is the new handoff by {called(role)[author.key]}; the partners are told how it was read"
        return Handover("set", (reason,), author, text, at, told)


HANDOFF: Purpose = _HandoffPurpose()


def handed_over(mail: Handed, purpose: Purpose = HANDOFF) -> Handover:
    """What becomes of a mail to the address that is for ``purpose``."""
    silence = autoreply_refusals(
        mail.head, mail.shape, classify(mail.head, mail.shape), mail.situation.reverse_path
    )
    if mail.waiting is not None:
        return _confirmed(mail, mail.waiting, silence, purpose)
    role, place = mail.situation.role, f"it came to the {purpose.tag} address"
    author = named_author(mail.head, role)
    if author is None:
        return _mail(f"{place}, but no partner's address alone stands in From", kept=purpose.tag)
    if silence:
        return _mail(f"{place}, but a program may have sent it: {silence[0]}", kept=purpose.tag)
    name = called(role)[author.key]
    if mail.again:
        return Handover("nothing", (f"this very mail by {name} was worked on before",))
    written = purpose.written(mail, author)
    found = mail.situation.findings
    if why := unproven(mail.head, role, author, mail.authserv_id, mail.trusted, purpose.tag, found):
        return _asked(mail, author, written, f"nothing proves that {name} wrote it: {why}", purpose)
    proof = f"{name} wrote it to the {purpose.tag} address, as {mail.authserv_id} says (dmarc=pass)"
    if written.problem:
        return _with(proof, _unusable(mail, author, written, purpose))
    if purpose.tag == TAG and _may_be_a_machines(mail, written):
        why = f"{proof}; but it answers another mail and has no heading, as a mailbox's own answer would"
        return _asked(mail, author, written, why, purpose)
    return _with(proof, purpose.done(mail, author, written, mail.situation.duty.moment))


def _unusable(mail: Handed, author: Person, written: Written, purpose: Purpose) -> Handover:
    """A mail of a partner's of which nothing comes. A handoff that can't be read goes to the others as it came, with
    the reason, unless there is nothing in it."""
    role = mail.situation.role
    name, because = called(role)[author.key], _because(written, purpose)
    others = [person for person in role.partners if person.key != author.key]
    nothing = written.empty and not (written.quoted and forwarded(mail.head.text("subject") or ""))
    if purpose.tag != TAG or nothing or not others:
        told = purpose.refused(mail, author, written.problem)
        reason = f"it can't be used, and {name} alone is told why{because}"
        return Handover("answer", (reason,), author, notices=(told,))
    them = (
        f"{joined(called(role)[person.key] for person in others)} {'get' if len(others) > 1 else 'gets'} it"
    )
    reason = f"it can't be used as the handoff, so {them} as it came, and the partners are told why{because}"
    notes = tuple(
        handoff_notices.unusable(mail.situation, mail.head, person, author, written.problem, passed_to=them)
        for person in (author, *others)
    )
    return Handover("answer", (reason,), author, notices=notes, passed_on=True)


def _may_be_a_machines(mail: Handed, written: Written) -> bool:
    """Whether it may be an out-of-office that nothing marks as one, to one of our messages: these come from this very
    address, and who wrote it is proven by the mail server all the same."""
    head = mail.head
    about = f"handoff for {mail.situation.role.name}".casefold()
    answers = head.in_reply_to or head.references or about in (head.text("subject") or "").casefold()
    found = read_sections(written.text)
    return bool(answers) and not (found.done or found.left or found.watch)


def too_large() -> Written:
    """That a mail is not read at all."""
    return Written(problem=f"The mail is larger than {MAX_MAIL // 1_000_000} MB; the text alone is enough.")


def is_last(mail: Handed) -> bool:
    """Whether the question about this mail is the last of the hour."""
    return mail.asked + 1 >= MOST_ASKED


def _confirmed(mail: Handed, waiting: Waiting, silence: tuple[str, ...], purpose: Purpose) -> Handover:
    """An answer to our question. Its token proves the mailbox that got it, and its yes that a person read it."""
    role = mail.situation.role
    author = next((p for p in role.partners if canonical(p.email) == waiting.mailbox), None)
    what = "handoff" if purpose.tag == TAG else "change"
    if silence:
        return Handover("nothing", (f"it confirms no {what}, because {silence[0]}",))
    if author is None:
        return Handover("nothing", (f"it confirms a {what} of somebody who is no partner any more",))
    body = mail.contents.body if mail.contents else None
    if not says_yes(mail.head, body, [person.name for person in role.partners]):
        return _unsaid(mail, waiting, author, what, purpose)
    proof = f"it confirms a {what}, by an address that only {called(role)[author.key]} was told"
    written = Written(waiting.text, "the mail that was confirmed")
    return _with(proof, purpose.done(mail, author, written, waiting.at))


def _unsaid(mail: Handed, waiting: Waiting, author: Person, what: str, purpose: Purpose) -> Handover:
    """An answer that doesn't say yes. It may be a program's, so it is told only once that a yes is wanted."""
    name, reason = (
        called(mail.situation.role)[author.key],
        f"it confirms no {what}, because it doesn't say yes",
    )
    if mail.again or not mail.ask_from:
        return Handover("nothing", (reason, f"{name} was told so before"))
    told = purpose.once_more(mail, author, waiting.at + timedelta(days=handoff_notices.WAIT_DAYS))
    return Handover("again", (reason, f"{name} is told so, once"), author, notices=(told,))


def _with(proof: str, decided: Handover) -> Handover:
    return replace(decided, reasons=(proof, *decided.reasons))


def _asked(mail: Handed, author: Person, written: Written, why: str, purpose: Purpose) -> Handover:
    name = called(mail.situation.role)[author.key]
    if written.problem:
        # Nobody is answered who may have no part in this, and nothing is lost: it is mail, then.
        what = "a handoff" if purpose.tag == TAG else "a change of the schedule"
        return _mail(why, f"nothing in it can be {what}{_because(written, purpose)}", kept=purpose.tag)
    if not mail.ask_from:
        return _mail(why, "the role's address is too long to ask for a confirmation", kept=purpose.tag)
    if mail.asked >= MOST_ASKED:
        reason = f"{name} was asked to confirm several others within the hour, and can't be asked more often"
        return Handover("later", (why, reason), author)
    at = mail.situation.duty.moment
    question = purpose.question(mail, author, written)
    reason = f"{name} is asked to confirm it, at the registered mailbox; until then nothing changes"
    return Handover("ask", (why, reason), author, written.text, at, (question,))


def _because(written: Written, purpose: Purpose) -> str:
    """The problem, for the reasons that others may read; what is wrong in a request quotes its words, so not that."""
    return f": {written.problem}" if purpose.tag == TAG else ""


def _mail(*reasons: str, kept: str) -> Handover:
    return Handover("mail", (*reasons, f"so it is mail to the role, and the {kept} stays as it is"))
