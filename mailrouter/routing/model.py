"""Facts that go into the decision, and the plan that comes out of it. Pure.

``Situation`` holds all that a plan depends on besides the message: with the same situation the plan is the same,
byte for byte. ``Draft`` is what the steps pass on; ``Plan`` is what the store and ``explain`` get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from mailrouter.message.classify import Nature
from mailrouter.message.head import Head, Mailbox
from mailrouter.message.pieces import Pieces
from mailrouter.message.shape import Shape
from mailrouter.schedule.duty import Duty
from mailrouter.schedule.model import Person, Role


class Words(Protocol):
    """The texts people read, rendered from templates. Any exception means: this text can't be had."""

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """The text of template ``name`` (``note``, ``reply``, ``handoff``, ``companion``)."""


@dataclass(frozen=True, slots=True)
class Sections:
    """A handoff as it was understood: lines of each part, without their list marks."""

    done: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CurrentHandoff:
    """The role's newest handoff. ``body_size`` is the length of its stored, quoted-printable body in octets."""

    version: int
    author: str
    written_at: datetime
    body_size: int


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a mail server that we trust found out before us."""

    spam: bool = False
    dmarc_fail: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """Memory of automatic replies that ``explain`` shows; the store itself decides again when it commits."""

    already: bool = False
    capped: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """All facts about one role at the moment a message arrived.

    ``reverse_path`` is ``""`` for ``<>``; ``ours`` holds all canonical addresses of roles and the postmaster;
    ``received`` is the Received field to put first; ``seed`` at least 16 random octets; ``handoff_seen`` the
    version that this conversation has carried already, 0 for none; ``next_hop_size`` the SIZE of the next hop.
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
    words: Words
    handoff: CurrentHandoff | None = None
    handoff_seen: int = 0
    verdicts: Verdicts = Verdicts()
    answered: Answered = Answered()
    next_hop_size: int | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote: ``inside`` for a reverse-path in our domains, ``partner`` the key of the partner it is, if one."""

    address: str
    inside: bool
    partner: str | None
    ours: bool


@dataclass(frozen=True, slots=True)
class CopyDraft:
    """One person's copy as far as the steps have come. ``show`` are mailboxes to add to Cc."""

    person: Person
    partner: bool
    on_duty: bool
    note: str = ""
    handoff: CurrentHandoff | None = None
    handoff_words: str = ""
    show: tuple[Mailbox, ...] = ()
    keep_role_in_thread: bool = False


@dataclass(frozen=True, slots=True)
class ReplyDraft:
    """An automatic reply: its text, and the period in which the same sender hears it once."""

    text: str
    period: str


@dataclass(frozen=True, slots=True)
class Draft:
    """The decision about one role while the steps work on it."""

    head: Head
    shape: Shape
    nature: Nature
    sender: Sender
    copies: tuple[CopyDraft, ...] = ()
    reply: ReplyDraft | None = None
    reasons: tuple[str, ...] = ()

    @property
    def own_mail(self) -> bool:
        """Written by a partner of this role."""
        return self.sender.partner is not None


@dataclass(frozen=True, slots=True)
class Copy:
    """What one recipient gets: ``pieces`` of the copy, and of the companion message where one follows it.

    ``handoffs`` are the versions that travel with it (in the companion, if there is one).
    """

    recipient: str
    roles: tuple[str, ...]
    reverse_path: str
    pieces: Pieces
    note: str = ""
    handoffs: tuple[int, ...] = ()
    wrapped: bool = False
    companion: Pieces | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The automatic reply to the sender. ``key`` names sender, role and period; ``caps`` (scope, most a day)."""

    role: str
    recipient: str
    subject: str
    text: str
    key: str
    caps: tuple[tuple[str, int], ...]
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole decision about one message. ``shown`` are (role key, handoff version) that partners get to see."""

    copies: tuple[Copy, ...]
    reply: Reply | None
    reasons: tuple[str, ...]
    shown: tuple[tuple[str, int], ...] = ()
