"""The decision about a mail for partners: done, asked about, answered, or mail to the role. Pure.

Only a partner's mail does anything; everybody else's is mail to the role like any other, and outsiders hear
nothing. Who wrote it, and what proves that, is the same for all of these addresses; what it is for is told by a
``PartnerRequest``: ``handoff_request`` and ``schedule_request``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from mailrouter.message.classify import autoreply_refusals, classify
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing.model import Situation
from mailrouter.routing.partner import handoff_notices
from mailrouter.routing.partner.confirmation import says_yes
from mailrouter.routing.partner.contents import Contents
from mailrouter.routing.partner.handoff_notices import Notice, Question
from mailrouter.routing.partner.handoff_text import MAX_MAIL, Written
from mailrouter.routing.partner.proof import Checks, named_author, unproven
from mailrouter.schedule.date_words import called
from mailrouter.schedule.model import Person
from mailrouter.trust.confirmations import MOST_ASKED

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
    """A mail to a role's address for partners, with its facts.

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
    """The mail is answered, and is mail to the role's partners as well: they get it as it came."""


class PartnerRequest(ABC):
    """The purpose of mail to an address for partners: a row of ``mailrouter.intake.purposes``.

    ``tag`` is the sub-address. ``what`` names what such a mail brings, ``a_what`` the same with its article.
    ``quotes_nothing``: the problem with an unusable mail holds none of its words, so that others may read it.
    """

    tag: str
    what: str
    a_what: str
    quotes_nothing = False

    def written(self, mail: Handed, author: Person) -> Written:
        """Read the mail in a form to keep; or the problem."""
        return (mail.contents and mail.contents.body) or too_large()

    @abstractmethod
    def done(self, mail: Handed, author: Person, written: Written, at: datetime) -> Handover:
        """Decide what comes of the mail, now that it is proven; ``at`` is when it was written."""

    def question(self, mail: Handed, author: Person, written: Written) -> Notice | None:
        """Ask whether ``author`` wrote the mail; None where an unproven one is mail to the role instead."""
        return None

    def once_more(self, mail: Handed, author: Person, until: datetime) -> Notice:
        """Ask again for an answer, after one that is no yes. The question stands ``until`` then."""
        what = f"{self.what} for"
        return handoff_notices.once_more(mail.situation, mail.head, author, mail.ask_from, what, until)

    def refused(self, mail: Handed, author: Person, problem: str, *, understood: bool = False) -> Notice:
        """Tell ``author`` alone why a mail, perhaps ``understood``, comes to nothing."""
        return handoff_notices.unusable(mail.situation, mail.head, author, author, problem)

    def doubt(self, mail: Handed, written: Written) -> str:
        """The reason to ask about a mail although it is proven; ``""`` for none."""
        return ""

    def unusable(self, mail: Handed, author: Person, written: Written) -> Handover:
        """Answer a proven mail of which nothing can come."""
        name = called(mail.situation.role)[author.key]
        reason = f"it can't be used, and {name} alone is told why{self.because(written)}"
        return Handover("answer", (reason,), author, notices=(self.refused(mail, author, written.problem),))

    def because(self, written: Written) -> str:
        """The problem as a part of a reason that others may read."""
        return f": {written.problem}" if self.quotes_nothing else ""


def handed_over(mail: Handed, request: PartnerRequest) -> Handover:
    """Decide what becomes of a mail to the address of ``request``."""
    silence = autoreply_refusals(
        mail.head, mail.shape, classify(mail.head, mail.shape), mail.situation.reverse_path
    )
    if mail.waiting is not None:
        return _confirmed(mail, mail.waiting, silence, request)
    role, place = mail.situation.role, f"it came to the {request.tag} address"
    author = named_author(mail.head, role)
    if author is None:
        return _mail(f"{place}, but no partner's address alone stands in From", kept=request.tag)
    if silence:
        return _mail(f"{place}, but a program may have sent it: {silence[0]}", kept=request.tag)
    name = called(role)[author.key]
    if mail.again:
        return Handover("nothing", (f"this very mail by {name} was worked on before",))
    written = request.written(mail, author)
    checks = Checks(mail.authserv_id, mail.trusted, mail.situation.findings)
    if why := unproven(mail.head, role, author, checks, request.tag):
        return _asked(mail, author, written, f"nothing proves that {name} wrote it: {why}", request)
    proof = f"{name} wrote it to the {request.tag} address, as {mail.authserv_id} says (dmarc=pass)"
    if written.problem:
        return _with(proof, request.unusable(mail, author, written))
    if doubt := request.doubt(mail, written):
        return _asked(mail, author, written, f"{proof}; but {doubt}", request)
    return _with(proof, request.done(mail, author, written, mail.situation.duty.moment))


def too_large() -> Written:
    """Tell that a mail is not read at all."""
    return Written(problem=f"The mail is larger than {MAX_MAIL // 1_000_000} MB; the text alone is enough.")


def question_of(mail: Handed) -> Question:
    """The question to its author, for a confirmation; whether it is the last of the hour is seen here."""
    return Question(mail.ask_from, mail.origin, last=mail.asked + 1 >= MOST_ASKED)


def _confirmed(mail: Handed, waiting: Waiting, silence: tuple[str, ...], request: PartnerRequest) -> Handover:
    """An answer to our question. Its token proves the mailbox that got it, and its yes that a person read it."""
    role = mail.situation.role
    author = next((p for p in role.partners if p.mailbox == waiting.mailbox), None)
    what = request.what
    if silence:
        return Handover("nothing", (f"it confirms no {what}, because {silence[0]}",))
    if author is None:
        return Handover("nothing", (f"it confirms a {what} of somebody who is no partner any more",))
    body = mail.contents.body if mail.contents else None
    if not says_yes(mail.head, body, [person.name for person in role.partners]):
        return _unsaid(mail, waiting, author, what, request)
    proof = f"it confirms a {what}, by an address that only {called(role)[author.key]} was told"
    written = Written(waiting.text, "the mail that was confirmed")
    return _with(proof, request.done(mail, author, written, waiting.at))


def _unsaid(mail: Handed, waiting: Waiting, author: Person, what: str, request: PartnerRequest) -> Handover:
    """An answer that doesn't say yes. It may be a program's, so it is told only once that a yes is wanted."""
    name, reason = (
        called(mail.situation.role)[author.key],
        f"it confirms no {what}, because it doesn't say yes",
    )
    if mail.again or not mail.ask_from:
        return Handover("nothing", (reason, f"{name} was told so before"))
    told = request.once_more(mail, author, waiting.at + timedelta(days=handoff_notices.WAIT_DAYS))
    return Handover("again", (reason, f"{name} is told so, once"), author, notices=(told,))


def _with(proof: str, decided: Handover) -> Handover:
    return replace(decided, reasons=(proof, *decided.reasons))


def _asked(mail: Handed, author: Person, written: Written, why: str, request: PartnerRequest) -> Handover:
    name = called(mail.situation.role)[author.key]
    if written.problem:
        # Nobody is answered who may have no part in this, and nothing is lost: it is mail, then.
        because = request.because(written)
        return _mail(why, f"nothing in it can be {request.a_what}{because}", kept=request.tag)
    if not mail.ask_from:
        return _mail(why, "the role's address is too long to ask for a confirmation", kept=request.tag)
    if mail.asked >= MOST_ASKED:
        reason = f"{name} was asked to confirm several others within the hour, and can't be asked more often"
        return Handover("later", (why, reason), author)
    at = mail.situation.duty.moment
    question = request.question(mail, author, written)
    if question is None:
        return _mail(why, kept=request.tag)
    reason = f"{name} is asked to confirm it, at the registered mailbox; until then nothing changes"
    return Handover("ask", (why, reason), author, written.text, at, (question,))


def _mail(*reasons: str, kept: str) -> Handover:
    return Handover("mail", (*reasons, f"so it is mail to the role, and the {kept} stays as it is"))
