"""The facts that are stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mailrouter.message.pieces import Pieces
from mailrouter.moments import DAY_MS, HOUR_MS
from mailrouter.store.ids import (
    NO_DELIVERY,
    NO_MESSAGE,
    DeliveryId,
    MessageId,
    Milliseconds,
    QueueId,
    message_of,
    queue_id,
)

CHUNK_SIZE = 256 * 1024
"""Up to this many bytes a message stays in memory while it arrives; a larger one is stored in chunks of this
size."""

Kind = Literal["copy", "companion", "reply", "notice", "alert", "report", "delay", "letter"]
"""A ``notice`` is a message of ours for partners alone, an ``alert`` one for the operator, a ``report`` one for the
sender, about what became of the mail (RFC 3464), a ``delay`` a report that nobody has it yet, and a ``letter`` one to
colleagues whom the partners' file names."""
Claim = Literal["", "failed", "failing", "nobody"]
"""What a message of ours says of the delivery that it is about: it did not arrive; it and others before it did not
arrive; nobody of the role has the mail. It is looked at again when the message leaves."""
Cause = Literal["", "connection"]
"""``connection``: it broke, or the server ended it; with the next mail that is taken, it is tried at once."""
State = Literal["queued", "held", "delivered", "failed", "bounced", "withdrawn"]
"""``held``: not attempted until somebody releases it; its ``next_at`` is when it was put on hold. ``bounced``: the next
hop took it, and a report came back that it did not arrive."""


@dataclass(frozen=True, slots=True)
class DsnRequest:
    """The sender's wishes for reports (RFC 3461), as typed: RET and ENVID of MAIL, NOTIFY and ORCPT by recipient; empty
    where nothing was asked.
    """

    ret: str = ""
    envid: str = ""
    notify: Mapping[str, str] = field(default_factory=dict)
    orcpt: Mapping[str, str] = field(default_factory=dict)


NO_REQUEST = DsnRequest()


class Message(NamedTuple):
    """A received message: its envelope and trace facts. The bytes are in chunks."""

    id: MessageId
    received_at: Milliseconds
    reverse_path: str
    recipients: tuple[str, ...]
    size: int
    body_start: int
    client: str = ""
    helo: str = ""
    message_id: str = ""
    eight_bit: bool = False
    smtputf8: bool = False
    reasons: tuple[str, ...] = ()
    dsn: DsnRequest = NO_REQUEST
    refusal: str = ""
    """The reply by which a relay on trial would have refused it."""


@dataclass(slots=True)
class Delivery:
    """One message to one recipient: what to send, and how far it has come.

    ``pieces`` is encoded by ``mailrouter.message.pieces``; ``handoff`` the newest handoff version it carries, or 0.
    ``inside``: something of its message is for partners alone (one of its copies carries a handoff, or it is, or may
    be, one itself), so a server's words about it are never kept or told but for their codes; the same for all
    deliveries of a message.
    ``about`` is the delivery that a message of ours makes its ``claim`` about; of a copy, the one that came back and
    that it repeats; 0 for none. ``content`` holds the message's bytes and ``made`` what ``pieces`` says while they are
    still in memory (small, just accepted), else None.
    """

    id: DeliveryId
    kind: Kind
    roles: tuple[str, ...]
    """The keys of the roles that it is of; with a handoff, of those alone whose handoffs it carries."""
    recipient: str
    reverse_path: str
    pieces: bytes
    size: int
    handoff: int = 0
    eight_bit: bool = False
    smtputf8: bool = False
    attempts: int = 0
    next_at: Milliseconds = 0
    created_at: Milliseconds = 0
    state: State = "queued"
    last_reply: str = ""
    inside: bool = False
    about: DeliveryId = NO_DELIVERY
    claim: Claim = ""
    dropped: bool = False
    """Somebody has dropped it: it is withdrawn, and nothing takes its place."""
    content: bytes | None = field(default=None, repr=False, compare=False)
    made: Pieces | None = field(default=None, repr=False, compare=False)

    @property
    def role(self) -> str:
        """The delivery's roles, for people: ``vp-hr`` or ``vp-hr,office``."""
        return ",".join(self.roles)

    @property
    def message(self) -> MessageId:
        """The message it belongs to."""
        return message_of(self.id)

    @property
    def queue_id(self) -> QueueId:
        """The message's queue id, as it stands in logs."""
        return queue_id(self.message)


@dataclass(frozen=True, slots=True)
class ReplyMemory:
    """The memory that an automatic reply depends on: ``key`` was not answered since ``again_after``, and none of
    ``caps`` (scope, most a day) is reached on ``day``. ``kind`` is what is counted where one is.
    """

    key: str
    at: Milliseconds
    again_after: Milliseconds
    day: str
    caps: tuple[tuple[str, int], ...]
    kind: str = "reply"


@dataclass(frozen=True, slots=True)
class Consequence:
    """A message of ours, queued in the transaction that records its outcome.

    Its ``delivery`` belongs to the message of the outcome and gets its number there. It is queued only if none of
    the deliveries ``unless`` is in one of the ``states`` by then, and if its ``memory`` could be written. Where one is,
    ``otherwise`` has its turn. With ``nobody_of``, the key of a role, each copy that the message has for it by then
    counts like those: one may have been planned anew since this was composed.
    """

    delivery: Delivery
    unless: tuple[DeliveryId, ...] = ()
    states: tuple[State, ...] = ("queued", "held", "delivered")
    memory: ReplyMemory | None = None
    otherwise: Consequence | None = None
    nobody_of: str = ""


class Outcome(NamedTuple):
    """The outcome of an attempt, or of a returned copy (``bounced``).

    ``retry_at`` is set where ``state`` stays ``queued``.
    """

    delivery: DeliveryId
    state: State
    reply: str
    at: Milliseconds
    retry_at: Milliseconds = 0
    consequences: tuple[Consequence, ...] = ()
    expired: bool = False
    """Nothing but its time was over: what was put on hold meanwhile stays there, for time stands still."""
    cause: Cause = ""
    """Why it is tried again, where that is not the mail's or its mailbox's fault."""
    tell: bool = False
    """What it brings about is still to be worked out: it is owed until then (``Store.pay``)."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One telling: the outcome of an attempt as it was recorded, and at how many starts it was begun again."""

    delivery: DeliveryId
    state: State
    words: str
    at: Milliseconds
    tries: int = 0

    @property
    def outcome(self) -> Outcome:
        """As ``follow`` of the dispatcher takes it."""
        return Outcome(self.delivery, self.state, self.words, self.at)


@dataclass(frozen=True, slots=True)
class FailingMailbox:
    """A mailbox (canonical) unreached from ``since`` to ``last``. ``words`` are its server's.

    ``returned``: the last one was taken by the next server and came back; ``taken_at`` is when that server took one
    after it, 0 for not yet.
    """

    mailbox: str
    since: Milliseconds
    last: Milliseconds
    words: str = ""
    returned: bool = False
    taken_at: Milliseconds = 0

    @property
    def lasting(self) -> bool:
        """Whether failures span a day, with nothing arriving between."""
        return self.last - self.since >= DAY_MS

    def mended(self, now: Milliseconds) -> bool:
        """Whether nothing has come back for an hour of what was taken."""
        return bool(self.taken_at) and now - self.taken_at >= HOUR_MS


@dataclass(frozen=True, slots=True)
class NewHandoff:
    """A version of a role's handoff to be kept; see ``Handoff``."""

    role: str
    author: str
    written_at: Milliseconds
    text: str
    body: bytes


WAIT_MS: Milliseconds = 7 * DAY_MS
"""A handoff waits this long for its confirmation."""
ASKING_MS: Milliseconds = HOUR_MS
"""Within this time one mailbox is asked about ``MOST_ASKED`` mails, whatever their roles, while none of the questions
is answered."""
MOST_ASKED_A_DAY = 12
"""Questions to one mailbox within a day (24 hours)."""
MOST_WAITING = 24
"""So many wait for one mailbox and role; a further one takes the place of the oldest."""


@dataclass(frozen=True, slots=True)
class WaitingHandoff:
    """A mail kept aside until it is confirmed: ``message`` brought it, and the confirmation was asked for at
    ``mailbox`` (canonical). There may be several a role and mailbox. ``role`` is the short name, ``purpose`` the
    sub-address that the mail came to: ``handoff`` or ``schedule``."""

    message: MessageId
    role: str
    purpose: str
    mailbox: str
    asked_at: Milliseconds
    text: str


CHANGES_KEPT = 50
"""Changes kept a role: some months, and some hundred kilobytes."""
ChangeState = Literal["begun", "done", "undone", "lost"]
"""``begun``: it is decided, and the file is about to be written; ``lost``: it could not be."""


@dataclass(frozen=True, slots=True)
class ScheduleChange:
    """A change of a role's file: its whole text ``before`` and ``after``.

    ``id`` is that of the message that brought it, or of ours about it; ``author`` the partner's name, ``""`` for a
    command; ``undoes`` the change that it takes back, 0 for none.
    """

    role: str
    id: MessageId
    at: Milliseconds
    author: str
    what: str
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)
    undoes: MessageId = NO_MESSAGE
    state: ChangeState = "begun"


@dataclass(frozen=True, slots=True)
class HandoffChange:
    """The changes that partners' mail makes for one role: ``new`` is kept, or ``waiting`` is, or ``schedule`` is begun,
    and ``notices`` are queued.

    Nothing at all happens where ``once``, the key of this very mail, was there before. ``confirms`` is the
    waiting handoff that becomes ``new``; it has to be waiting still.
    """

    new: NewHandoff | None = None
    waiting: WaitingHandoff | None = None
    confirms: WaitingHandoff | None = None
    once: str = ""
    notices: Sequence[Delivery] = ()
    schedule: ScheduleChange | None = None


class Acceptance(NamedTuple):
    """A message with everything that follows from it: committed together or not at all.

    ``reply`` is queued only if its ``reply_memory`` could be written in the same transaction. ``shown`` are
    the (conversation key, handoff version) pairs to remember, ``handoffs`` what it changes in handoffs.
    ``wanted`` are messages of ours, numbered, each queued only if its memory could be written.
    ``shown`` alone may be written a little later: all that a crash costs then is a handoff that comes twice.
    """

    message: Message
    content: bytes | None
    deliveries: Sequence[Delivery]
    reply: Delivery | None = None
    reply_memory: ReplyMemory | None = None
    shown: Sequence[tuple[str, int]] = ()
    handoffs: Sequence[HandoffChange] = ()
    reported: Sequence[Outcome] = ()
    wanted: Sequence[Consequence] = ()


@dataclass(frozen=True, slots=True)
class Handoff:
    """One version of a role's handoff. ``version`` is a number over all roles that only grows.

    ``text`` is what was written, ``body`` the same as quoted-printable lines, ready to be sent.
    """

    version: int
    role: str
    author: str
    written_at: Milliseconds
    text: str
    body: bytes


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """A message with its deliveries, for people."""

    message: Message
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """Copies to one mailbox lost lately, with the last reply. They failed or came back."""

    recipient: str
    copies: int
    last: Milliseconds
    words: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The queue in numbers: deliveries queued, on hold and failed, when the oldest queued one was made, when the
    first is or was due, and how many handoff versions were ever kept."""

    queued: int
    held: int
    failed: int
    oldest: Milliseconds | None
    due: Milliseconds | None
    handoffs: int


@dataclass(frozen=True, slots=True)
class Room:
    """Octets that a store takes, and octets that are left for it."""

    taken: int
    free: int


@dataclass(frozen=True, slots=True)
class Copied:
    """The contents of a store's copy: its format, messages, and deliveries that wait or are on hold."""

    format: int
    messages: int
    waiting: int
