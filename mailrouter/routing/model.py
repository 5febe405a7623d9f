"""The facts of a decision, and the plan made from them. Pure.

``Situation`` holds all that a plan depends on besides the message: with the same situation the plan is the
same, byte for byte. ``Draft`` is what the steps pass on; ``Plan`` is what the store and ``explain`` get.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from mailrouter.message.classify import Nature
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces
from mailrouter.message.shape import Shape
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.findings import NO_FINDINGS, Findings
from mailrouter.routing.wording import CurrentHandoff, Wording
from mailrouter.schedule.duty import Duty
from mailrouter.schedule.model import Person, Role

Way = Literal["change", "companion", "untouched"]
"""What may be done to a copy: fields and parts added to it, or a message beside it, or nothing at all."""


class Verdicts(NamedTuple):
    """The findings of a trusted mail server before us."""

    spam: bool = False
    dmarc_fail: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """Memory of automatic replies that ``explain`` shows; the store itself decides again when it commits."""

    already: bool = False
    capped: bool = False


NOT_ANSWERED = Answered()


class Situation(NamedTuple):
    """All facts about one role at the moment a message arrived.

    ``reverse_path`` is ``""`` for ``<>``; ``ours`` holds all canonical addresses of roles and the
    postmaster; ``received`` is the Received field to put first; ``seed`` at least 16 random octets;
    ``handoff_seen`` the version that this conversation has carried already, 0 for none; ``next_hop_size``
    the SIZE of the next hop; ``to_handoff`` says that the mail came to the role's handoff address alone, or to a
    return path; ``findings`` is what our own mail server says of the mail, and ``vouched`` whether it vouches for the
    author in From (None: no server is named that could); ``unreached`` are the keys of partners whose mailboxes have
    been failing, and since when.

    ``role`` has its partners of this moment alone, for whoever is asked or told; ``whole`` is the role with former and
    coming ones (None: the same), whom the rota may name.
    """

    role: Role
    duty: Duty
    reverse_path: str
    hostname: str
    our_domains: frozenset[str]
    ours: frozenset[str]
    received: bytes
    loop_mark: str
    seed: bytes
    wording: Wording
    handoff: CurrentHandoff | None = None
    handoff_seen: int = 0
    verdicts: Verdicts = Verdicts()
    findings: Findings = NO_FINDINGS
    vouched: bool | None = None
    answered: Answered = NOT_ANSWERED
    next_hop_size: int | None = None
    to_handoff: bool = False
    unreached: tuple[tuple[str, datetime], ...] = ()
    whole: Role | None = None

    @property
    def schedule(self) -> Role:
        """The role whose days can be looked at, today's and others."""
        return self.whole or self.role


class Sender(NamedTuple):
    """The writer, and who reads along.

    ``address`` is the canonical reverse-path, ``partner`` the key of the partner it is, if one, and
    ``ours`` says that an answer would come back to ourselves. ``inside``: all that the mail says of its
    sender is in our domains. ``overheard``: somebody outside stands in To or Cc, and would get what a
    partner answers to all.
    """

    address: str
    inside: bool
    partner: str | None
    ours: bool
    overheard: bool = False

    @property
    def among_ourselves(self) -> bool:
        """Nobody outside takes part in this conversation."""
        return self.inside and not self.overheard


class CopyDraft(NamedTuple):
    """One person's copy: who, as a partner or as a stand-in, on duty or not, and how it may be made.

    ``why`` says what keeps the copy from being changed, where something does; ``unreached`` tells this person
    alone whose mailboxes have been failing.
    """

    person: Person
    partner: bool
    on_duty: bool
    way: Way = "change"
    why: str = ""
    unreached: str = ""


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """An automatic reply: its text, and the period in which the same sender hears it once."""

    text: str
    period: str


class Draft(NamedTuple):
    """The decision about one role while the steps work on it.

    What is said is the same on all copies of a role, except that ``handoff`` goes to partners only:
    ``note`` is the note's text, ``handoff_words`` stand above the handoff, and ``show`` are mailboxes to
    add to Cc.
    """

    head: Head
    shape: Shape
    nature: Nature
    sender: Sender
    copies: tuple[CopyDraft, ...] = ()
    show: tuple[Mailbox, ...] = ()
    note: str = ""
    handoff: CurrentHandoff | None = None
    handoff_words: str = ""
    reply: ReplyDraft | None = None
    reasons: tuple[str, ...] = ()

    @property
    def own_mail(self) -> bool:
        """Written by a partner of this role."""
        return self.sender.partner is not None


class Copy(NamedTuple):
    """One recipient's copy: its ``pieces``, and those of the companion message where one follows it.

    ``roles`` are all roles that it is for; ``handoffs`` the versions that travel with it (in the companion,
    if there is one), and ``handoff_roles`` the roles they belong to, in the same order.
    """

    recipient: str
    roles: tuple[str, ...]
    reverse_path: str
    pieces: Pieces
    note: str = ""
    handoffs: tuple[int, ...] = ()
    handoff_roles: tuple[str, ...] = ()
    wrapped: bool = False
    companion: Pieces | None = None


class Reply(NamedTuple):
    """The automatic reply to the sender.

    ``key`` names sender, role and period; ``caps`` are pairs of a scope and the most replies a day in it.
    """

    role: str
    recipient: str
    subject: str
    text: str
    key: str
    caps: tuple[tuple[str, int], ...]
    pieces: Pieces


class Plan(NamedTuple):
    """The whole decision about one message.

    ``shown`` are the pairs of a role's key and a handoff version that partners get to see with it.
    """

    copies: tuple[Copy, ...]
    reply: Reply | None
    reasons: tuple[str, ...]
    shown: tuple[tuple[str, int], ...] = ()


__all__ = [
    "NOT_ANSWERED",
    "Answered",
    "Copy",
    "CopyDraft",
    "CurrentHandoff",
    "Draft",
    "Plan",
    "Reply",
    "ReplyDraft",
    "Sender",
    "Situation",
    "Verdicts",
    "Way",
]
