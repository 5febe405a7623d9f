"""Mail to a role's addresses for partners: who is meant, the facts, and the decision about each."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from mailrouter import keyed
from mailrouter.intake.purposes import Target
from mailrouter.intake.received import Received
from mailrouter.intake.role_file import NO_CHANGES, KnownChanges, known_changes
from mailrouter.intake.worker_answers import Answers
from mailrouter.message.head import Head
from mailrouter.moments import DAY_MS, milliseconds, moment_at
from mailrouter.routing.model import Situation
from mailrouter.routing.partner.contents import Contents
from mailrouter.routing.partner.decision import Handed, Handover, PartnerRequest, Waiting, handed_over
from mailrouter.routing.partner.handoff_notices import Notice
from mailrouter.routing.partner.proof import Checks, named_author, unproven
from mailrouter.routing.partner.schedule_mail import Asked
from mailrouter.runtime.context import Desk
from mailrouter.runtime.origin import came_from, trusts, way_of
from mailrouter.schedule.model import Role
from mailrouter.store.ids import MessageId, Milliseconds, first_message_at
from mailrouter.store.model import ASKING_MS, MOST_ASKED_A_DAY, WAIT_MS, WaitingHandoff
from mailrouter.store.protocols import Reading
from mailrouter.trust import confirmations
from mailrouter.trust.confirmations import MOST_ASKED, TAG, partners_address
from mailrouter.trust.tokens import TokenError
from mailrouter.worker.worker import WorkerBusy, WorkerFailed

log = logging.getLogger("mailrouter.intake")

LATER = "450 4.7.1 This can't be taken just now; please try again later"
"""To whoever sends in a partner's name while that partner has several questions before them; it tells nobody why."""


ARRIVING_MS = DAY_MS
"""A mail's id is made when it begins to arrive, and what is asked about it is asked when all of it is there."""
MOST_FOR_ONE_MAIL = 3
"""Questions about one mail: a partner of a few roles may hand all of them over at once."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The decision about one address for partners. ``waiting`` is what the mail answers, ``once`` its key in the
    memory of mails that were worked on; of an answer, that of a question that was put once more."""

    role: Role
    handover: Handover
    moment: datetime
    waiting: WaitingHandoff | None
    once: str
    mail: Handed
    request: PartnerRequest

    def failed(self, why: str) -> Decided:
        """Tell the author that the decision can't be carried out: nothing else happens."""
        author = self.handover.author
        assert author is not None
        told = self.request.refused(self.mail, author, why, understood=True)
        return replace(
            self, handover=Handover("answer", (*self.handover.reasons, why), author, notices=(told,))
        )


@dataclass(slots=True)
class Handing:
    """The decisions about one message's addresses for partners.

    ``plain`` are roles for which there is no decision, by a fault of ours or because reading it took too much
    (``why``): their partners get it as it came. ``refusal`` is what the door says where none of the message is taken.
    """

    decided: list[Decided] = field(default_factory=list)
    plain: list[Role] = field(default_factory=list)
    why: str = "of a fault in reading it as a handoff or a change of the schedule"
    refusal: str = ""

    @property
    def mail(self) -> list[Role]:
        """The roles for which it is mail, after all, or as well."""
        found = [decided for decided in self.decided if decided.handover.act == "mail"]
        found += [decided for decided in self.decided if decided.handover.passed_on]
        return [decided.role for decided in found]

    @property
    def notices(self) -> tuple[Notice, ...]:
        """Our messages to partners."""
        return tuple(notice for decided in self.decided for notice in decided.handover.notices)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons, with the role where there are several."""
        several = len(self.decided) > 1
        return tuple(
            f"{decided.role.key}: {reason}" if several else reason
            for decided in self.decided
            for reason in decided.handover.reasons
        )


NO_HANDING = Handing()
"""Of nearly all mail: no address for partners is among its recipients."""


def asked_about(desk: Desk, role: Role, token: str, at: Milliseconds, tag: str = TAG) -> MessageId | str:
    """The message that a question of ours with this token is about; or why an answer is refused, as the door says it.

    By the token's seal and its date alone: whether the question still stands is ``confirmable``.
    """
    try:
        message = MessageId(confirmations.read(desk.keys.accepted(at), role.key, token, tag))
    except TokenError:
        return "550 5.1.1 This address takes no mail here"
    return _void(role, tag) if message < first_message_at(at - WAIT_MS - ARRIVING_MS) else message


async def confirmable(
    desk: Desk, reader: Reading | None, role: Role, token: str, at: Milliseconds, tag: str = TAG
) -> WaitingHandoff | str:
    """The mail that an answer with this token would confirm; or why it is refused, as the door says it."""
    message = asked_about(desk, role, token, at, tag)
    if isinstance(message, str):
        return message
    waiting = await reader.waiting_handoff(role.key, tag, message, at - WAIT_MS) if reader else None
    return waiting or _void(role, tag)


async def void_answer(desk: Desk, reader: Reading | None, targets: Sequence[Target], at: Milliseconds) -> str:
    """The refusal of an answer to a void question; ``""`` for none.

    Before anything is read of it: nobody works on such a mail.
    """
    for target in targets:
        if target.token is not None:
            found = await confirmable(desk, reader, target.role, target.token, at, target.purpose.tag)
            if isinstance(found, str):
                return found
    return ""


def _void(role: Role, tag: str) -> str:
    return (
        "550 5.7.1 This confirmation was used, has expired, or a newer handoff has taken its place; "
        f"please write to {partners_address(role.address, tag)} again"
    )


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail to addresses for partners: what is the same for all of them.

    ``head`` are its fields, and ``contents`` is what it says, None where it is too large to read.
    """

    desk: Desk
    reader: Reading | None
    received: Received
    head: Head
    contents: Contents | None = None

    @property
    def trusted(self) -> bool:
        """Whether one of our own servers handed it over."""
        client = self.received.handed_in_by
        return client is None or trusts(self.desk.configuration.settings.trusted_networks, client)

    @property
    def origin(self) -> str:
        """The server that it came from, in words (see ``came_from``)."""
        received = self.received
        way = way_of(self.desk.configuration.settings, self.head, received.handed_in_by)
        return came_from(way, received.client.address, received.client.helo)


async def hand_in_turn(
    mail: Incoming, targets: Sequence[tuple[Target, Situation]], answers: Answers
) -> Handing:
    """Decide about each address for partners, with others' turn between two. Raises WorkerBusy."""
    found, origin = Handing(), mail.origin
    for target, situation in targets:
        try:
            decided = await answers.decide(partial(_decide, mail, target, situation, answers, origin))
            _add(found, target, decided)
        except WorkerBusy:
            raise
        except Exception as error:
            _fault(found, mail, target, situation.role, error)
        await asyncio.sleep(0)
    return found


def unread(name: str, roles: Sequence[Role], failed: WorkerFailed) -> Handing:
    """The decisions about a mail whose text can't be read: the partners of ``roles`` get it as it came."""
    log.error("%s: a mail to partners' addresses can't be read: %s", name, failed)
    return Handing(plain=list(roles), why=_why(failed))


def _why(failed: WorkerFailed) -> str:
    return f"it can't be read as a handoff or a change of the schedule: {failed}"


def _add(found: Handing, target: Target, decided: Decided | str) -> None:
    if isinstance(decided, str):
        found.refusal = decided
        return
    decided = _within_reason(decided, found.decided)
    found.decided.append(decided)
    if decided.handover.act == "later":
        found.refusal = LATER


def _fault(found: Handing, mail: Incoming, target: Target, role: Role, error: Exception) -> None:
    found.plain.append(role)  # with its partners of this moment, and no former ones
    name = f"{target.role.key}+{target.purpose.tag}"
    if isinstance(error, WorkerFailed):
        found.why = _why(error)
        log.error("%s: a mail to %s: %s", mail.received.name, name, error)
        return
    # Without its words: they might hold some of the handoff.
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s: a mail to %s: %s\n%s", mail.received.name, name, type(error).__name__, place)


def is_proven(mail: Incoming, targets: Sequence[tuple[Target, Situation]]) -> bool:
    """Whether the mail is certainly a partner's, for one address at least.

    Our mail server says so, or it is the answer to a question of ours.
    """
    authserv_id = mail.desk.configuration.settings.authserv_id
    for target, situation in targets:
        if target.token is not None:
            return True
        author = named_author(mail.head, situation.role)
        checks = Checks(authserv_id, mail.trusted)
        if author and not unproven(mail.head, situation.role, author, checks, target.purpose.tag):
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Known:
    """The store's knowledge about a mail to one address.

    ``waiting`` is what it answers, ``once`` its key as in ``Decided``, ``again`` whether it was worked on before, and
    ``asked`` how many questions its author has.
    """

    waiting: WaitingHandoff | None = None
    once: str = ""
    again: bool = False
    asked: int = 0
    changes: KnownChanges = NO_CHANGES


async def _decide(
    mail: Incoming, target: Target, situation: Situation, answers: Answers, origin: str
) -> Decided | str:
    """Read what the store knows, and decide: what is decided doesn't wait. Raises Missing, StoreError."""
    known = await _known(mail, target, situation)
    return known if isinstance(known, str) else _decided(mail, target, situation, answers, origin, known)


async def _known(mail: Incoming, target: Target, situation: Situation) -> _Known | str:
    """The store's knowledge; or why the mail is refused.

    The transaction that follows is the last word: of two mails that are decided at the same time, one may be told to
    come again.
    """
    desk, reader, tag = mail.desk, mail.reader, target.purpose.tag
    role, at = situation.role, milliseconds(situation.duty.moment)
    waiting = None
    if target.token is not None:
        found = await confirmable(desk, reader, role, target.token, at, tag)
        if isinstance(found, str):
            return found
        waiting = found
    author = named_author(mail.head, role)
    mailbox = author.mailbox if author else ""
    if waiting is not None:
        once = _question_key(desk, role, waiting.message, tag)
    else:
        once = _key(desk, role, mailbox, mail.head, tag) if mailbox else ""
    if reader is None:
        return _Known(waiting, once)
    changes = NO_CHANGES
    if target.purpose.changes_file:
        asked = mail.contents.asked if mail.contents else None
        whole = waiting is not None or (isinstance(asked, Asked) and asked.kind == "file")
        changes = await known_changes(reader, role.key, past=whole)
    return _Known(
        waiting,
        once,
        again=bool(once) and await reader.handoff_mail(once),
        asked=await _asked(reader, mailbox, at) if mailbox else 0,
        changes=changes,
    )


def _decided(
    mail: Incoming, target: Target, situation: Situation, answers: Answers, origin: str, known: _Known
) -> Decided:
    desk, head, message, waiting = mail.desk, mail.head, mail.received.id, known.waiting
    # Its partners at this moment, and no former ones.
    role, moment, tag = situation.role, situation.duty.moment, target.purpose.tag
    handed = Handed(
        situation,
        head,
        mail.received.shape,
        mail.contents,
        authserv_id=desk.configuration.settings.authserv_id,
        trusted=mail.trusted,
        waiting=_facts_of(waiting),
        ask_from=_ask_from(desk, role, waiting.message if waiting else message, tag),
        again=known.again,
        asked=known.asked,
        queue=mail.received.name,
        origin=origin,
    )
    assert target.purpose.request is not None
    request = target.purpose.request(desk, role, answers, known.changes)
    return Decided(role, handed_over(handed, request), moment, waiting, known.once, handed, request)


async def _asked(reader: Reading, mailbox: str, at: Milliseconds) -> int:
    """About how many mails this mailbox was asked within the hour; of a day that has had nearly enough, as many as leave
    room for the rest."""
    today = await reader.asked(mailbox, at - DAY_MS) - (MOST_ASKED_A_DAY - MOST_ASKED)
    return max(await reader.asked(mailbox, at - ASKING_MS), today, 0)


def _within_reason(decided: Decided, before: Sequence[Decided]) -> Decided:
    """``decided``; or mail to the role, where enough is asked about this very mail ``before``.

    It would be put off at each try else, and a stranger decides how many addresses a mail has.
    """
    if decided.handover.act not in ("ask", "later"):
        return decided
    if sum(other.handover.act == "ask" for other in before) < MOST_FOR_ONE_MAIL:
        return decided
    why = f"it is for more than {MOST_FOR_ONE_MAIL} addresses for partners, and no more are asked about"
    kept = f"so it is mail to the role, and the {decided.request.tag} stays as it is"
    return replace(decided, handover=Handover("mail", (*decided.handover.reasons[:1], why, kept)))


def _facts_of(waiting: WaitingHandoff | None) -> Waiting | None:
    if waiting is None:
        return None
    return Waiting(waiting.mailbox, moment_at(waiting.asked_at), waiting.text)


def _ask_from(desk: Desk, role: Role, message: MessageId, tag: str) -> str:
    try:
        token = confirmations.make(desk.keys.current, role.key, message, tag)
        return partners_address(role.address, tag, token)
    except ValueError:
        return ""


def _key(desk: Desk, role: Role, mailbox: str, head: Head, tag: str) -> str:
    """The key of this very mail, by its author and Message-ID. ``""`` without one.

    A mail server that did not hear our 250 sends it again; and whoever got a copy could, weeks later.
    """
    if not head.message_id:
        return ""
    named = f"{tag} mail\0{role.key}\0{mailbox}\0{head.message_id}"
    return keyed.memory_key(desk.keys.memory, named)


def _question_key(desk: Desk, role: Role, waiting: MessageId, tag: str) -> str:
    """The key of our question about the message ``waiting``."""
    named = f"{tag} question\0{role.key}\0{waiting}"
    return keyed.memory_key(desk.keys.memory, named)
