"""The decision about a mail to a role's handoff address: a new version, a question, an answer, or mail. Pure.

Only a partner's mail does anything; everybody else's is mail to the role like any other, and outsiders hear
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailrouter.address import canonical
from mailrouter.message.classify import autoreply_refusals, classify
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing import notices
from mailrouter.routing.handoff_mail import MAX_MAIL, Written, written_in
from mailrouter.routing.model import Situation
from mailrouter.routing.notices import Notice
from mailrouter.routing.proof import named_author, unproven
from mailrouter.schedule.model import Person
from mailrouter.schedule.words import called

Act = Literal["set", "ask", "answer", "later", "nothing", "mail"]
"""What is done: a new version, a question to the partner, an answer that it is unusable, a request to send it
again later, nothing at all, or it is treated as mail to the role."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A handoff that waits for its confirmation: asked for at ``mailbox`` (canonical), written ``at``."""

    mailbox: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A mail to the handoff address of one role, with all facts about it.

    ``raw`` is the whole message, None where it is larger than ``MAX_MAIL``. ``trusted``: it came from one of
    our own servers. ``waiting`` is what it would confirm by the token in its address. ``ask_from`` is the
    address that a question would come from, ``""`` where there can be none. ``again``: this very mail was
    worked on before; ``asked``: this partner was asked about another one within the hour.
    """

    situation: Situation
    head: Head
    shape: Shape
    raw: bytes | None
    authserv_id: str | None
    trusted: bool
    waiting: Waiting | None = None
    ask_from: str = ""
    again: bool = False
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Handover:
    """The decision. ``text`` and ``written_at`` are the version's, or what waits."""

    act: Act
    reasons: tuple[str, ...]
    author: Person | None = None
    text: str = ""
    written_at: datetime | None = None
    notices: tuple[Notice, ...] = ()


def handed_over(mail: Handed) -> Handover:
    """What becomes of a mail to the handoff address."""
    silence = autoreply_refusals(
        mail.head, mail.shape, classify(mail.head, mail.shape), mail.situation.reverse_path
    )
    if mail.waiting is not None:
        return _confirmed(mail, mail.waiting, silence)
    role = mail.situation.role
    author = named_author(mail.head, role)
    if author is None:
        return _mail("it came to the handoff address, but no partner's address alone stands in From")
    if silence:
        return _mail(f"it came to the handoff address, but a program may have sent it: {silence[0]}")
    name = called(role)[author.key]
    if mail.again:
        return Handover("nothing", (f"this very mail by {name} was worked on before",))
    written = _written(mail)
    if why := unproven(mail.head, role, author, mail.authserv_id, mail.trusted):
        return _asked(mail, author, written, f"nothing proves that {name} wrote it: {why}")
    proof = f"{name} wrote it to the handoff address, as {mail.authserv_id} says (dmarc=pass)"
    if written.problem:
        reason = f"it can't be used, and {name} alone is told: {written.problem}"
        told = notices.unusable(mail.situation, mail.head, author, written.problem)
        return Handover("answer", (proof, reason), author, notices=(told,))
    return _set(mail, author, written.text, written.source, mail.situation.duty.moment, proof)


def _confirmed(mail: Handed, waiting: Waiting, silence: tuple[str, ...]) -> Handover:
    """An answer to our question. Its token proves that the question was read; a program reads nothing."""
    role = mail.situation.role
    author = next((p for p in role.partners if canonical(p.email) == waiting.mailbox), None)
    if silence:
        return Handover("nothing", (f"it confirms no handoff, because {silence[0]}",))
    if author is None:
        return Handover("nothing", ("it confirms a handoff of somebody who is no partner any more",))
    proof = f"it confirms a handoff, by an address that only {called(role)[author.key]} was told"
    return _set(mail, author, waiting.text, "the mail that was confirmed", waiting.at, proof)


def _set(mail: Handed, author: Person, text: str, source: str, at: datetime, proof: str) -> Handover:
    role = mail.situation.role
    told = tuple(
        notices.taken(mail.situation, mail.head, person, author, text, source, at) for person in role.partners
    )
    reason = (
        f"{source} is the new handoff by {called(role)[author.key]}; the partners are told how it was read"
    )
    return Handover("set", (proof, reason), author, text, at, told)


def _asked(mail: Handed, author: Person, written: Written, why: str) -> Handover:
    name = called(mail.situation.role)[author.key]
    if written.problem:
        # Nobody is answered who may have no part in this, and nothing is lost: it is mail, then.
        return _mail(why, f"nothing in it can be a handoff: {written.problem}")
    if not mail.ask_from:
        return _mail(why, "the role's address is too long to ask for a confirmation")
    if mail.asked:
        return Handover("later", (why, f"{name} was asked to confirm another one within the hour"), author)
    at = mail.situation.duty.moment
    question = notices.confirm(mail.situation, mail.head, author, written, mail.ask_from)
    reason = f"{name} is asked to confirm it, at the registered mailbox; until then nothing changes"
    return Handover("ask", (why, reason), author, written.text, at, (question,))


def _written(mail: Handed) -> Written:
    if mail.raw is None:
        most = f"{MAX_MAIL // 1_000_000} MB"
        return Written(problem=f"The mail is larger than {most}; the text alone is enough.")
    return written_in(mail.head, mail.shape, mail.raw)


def _mail(*reasons: str) -> Handover:
    return Handover("mail", (*reasons, "so it is mail to the role, and the handoff stays as it is"))
