"""The protocols that every home of a store speaks: what the rest of the program knows of it.

Each call raises StoreError where the store can't do it, and nothing else of the home leaves it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from mailrouter.store.history import Found, Life
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds
from mailrouter.store.model import (
    Acceptance,
    Consequence,
    Delivery,
    FailingMailbox,
    Handoff,
    Lost,
    Message,
    Outcome,
    Owed,
    QueueEntry,
    Room,
    ScheduleChange,
    Standing,
    WaitingHandoff,
)
from mailrouter.store.selection import Action, NewPath, Selection, Summary
from mailrouter.store.timings import Timings


class Spool(Protocol):
    """A message while it arrives; nobody's until it is accepted."""

    @property
    def id(self) -> MessageId:
        """The id that it will have."""

    @property
    def size(self) -> int:
        """Octets that came."""

    @property
    def held(self) -> int:
        """Octets in memory."""

    def hold(self, block: bytes) -> bool:
        """Keep ``block`` in memory; True when ``flush`` is to be awaited before more is held."""

    async def flush(self) -> None:
        """Bring what is held to the store. Raises StoreFull, StoreError."""

    async def finish(self) -> bytes | None:
        """The whole content if it is small; else None, with all of it in the store. Raises StoreFull, StoreError."""

    async def discard(self) -> None:
        """Forget what came. Never raises."""


class Reading(Protocol):
    """Questions to a store. What is asked for in lists comes in the order that is named, and misses what is gone.

    Every answer is awaited: a home in a file has it at once, one across a network has not. Decisions don't wait, so what
    they need is read before they begin; what may change meanwhile is looked at again by the transaction that follows.
    """

    def close(self) -> None:
        """Let go of the store."""

    async def message(self, message: MessageId) -> Message | None:
        """One message, or None."""

    async def entry(self, message: MessageId) -> QueueEntry | None:
        """One message with all its deliveries, or None."""

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """One delivery, or None."""

    async def deliveries(self, wanted: Sequence[DeliveryId]) -> list[Delivery]:
        """The deliveries that exist of these ids, in this order."""

    async def chunk(self, message: MessageId, n: int) -> bytes:
        """Part ``n`` of a message's bytes; of a small message, part 0 is all."""

    async def queued_after(
        self, seen: tuple[Milliseconds, DeliveryId], most: int
    ) -> list[tuple[Milliseconds, DeliveryId]]:
        """Due times and ids of ``most`` queued deliveries behind ``seen``."""

    async def owed(self) -> list[Owed]:
        """Outcomes of which nobody has been told yet, oldest first."""

    async def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version these conversation keys have carried.

        As far as that is written; 0 for none. ``Store.shown`` knows of what is not written yet.
        """

    async def answered_at(self, key: str) -> Milliseconds | None:
        """The moment of the last automatic reply under this key."""

    async def replies(self, day: str, scope: str) -> int:
        """The number of automatic replies that ``scope`` had on ``day``."""

    async def capped(self, day: str) -> dict[str, int]:
        """The number of messages capped on ``day``, by kind."""

    async def ran_at(self) -> Milliseconds | None:
        """The last moment at which a service ran with this store (``Store.saw``)."""

    async def told(self, name: str) -> str:
        """The words last told under this name; ``""`` for nothing."""

    async def handoff(self, role: str) -> Handoff | None:
        """The newest handoff of a role."""

    async def handoffs(self, role: str, most: int) -> list[Handoff]:
        """The newest ``most`` handoffs of a role, newest first."""

    async def handoff_roles(self) -> list[str]:
        """The keys of all roles that have a handoff."""

    async def handoff_body(self, version: int) -> bytes:
        """A version's body, as it is sent."""

    async def handoff_mail(self, key: str) -> bool:
        """Whether the mail of this key was worked on before."""

    async def waiting_handoff(
        self, role: str, purpose: str, message: MessageId, since: Milliseconds
    ) -> WaitingHandoff | None:
        """The unconfirmed mail ``message`` for a role's sub-address, or None.

        It came to the sub-address ``purpose``, and its confirmation was asked for after ``since``.
        """

    async def asked(self, mailbox: str, since: Milliseconds) -> int:
        """The number of questions after ``since`` still open at this mailbox. Whatever roles they are of."""

    async def schedule_changes(self, role: str, most: int) -> list[ScheduleChange]:
        """The newest ``most`` changes of a role's file, newest first."""

    async def last_schedule_change(self, role: str) -> ScheduleChange | None:
        """The change of a role's file that can be undone next."""

    async def begun_schedule_changes(self) -> list[ScheduleChange]:
        """Changes begun, but not finished, at a crash. It left them between their commit and their file."""

    async def failing_mailboxes(self) -> list[FailingMailbox]:
        """All mailboxes unreached by mail, for however short a time."""

    async def lost_copies(self, since: Milliseconds) -> list[Lost]:
        """Copies lost after ``since``, by mailbox, the most first.

        They failed or came back, and were not sent again.
        """

    async def messages_lost_after(self, since: Milliseconds, most: int) -> list[MessageId]:
        """Messages with a copy lost after ``since``, oldest first. The copy failed or came back."""

    async def waiting(self) -> int:
        """The number of queued deliveries."""

    async def waiting_messages(self) -> int:
        """The number of messages with something queued."""

    async def oldest(self) -> DeliveryId | None:
        """The lowest id of all queued deliveries: that of the oldest message which is not delivered."""

    async def standing(self) -> Standing:
        """The standing of the queue. It reads all that is queued: for people and monitoring, not for the hot path."""

    async def selected(self, selection: Selection) -> list[DeliveryId]:
        """All deliveries meant, oldest message first."""

    async def entries(self, found: Sequence[DeliveryId], most: int) -> list[QueueEntry]:
        """The first ``most`` messages of these deliveries, by id, with their own."""

    async def summary(self, selection: Selection, found: Sequence[DeliveryId]) -> Summary:
        """The sum of the deliveries meant (``found`` are their ids, in order)."""

    async def history(self, after: MessageId, most: int) -> list[QueueEntry]:
        """The next ``most`` messages after ``after``, with all their deliveries. Oldest first."""

    async def life(self, message: MessageId) -> Life | None:
        """The life of a message; None if it is not known (any more)."""

    async def find(self, text: str, most: int) -> Found:
        """Messages with this Message-ID, or of or for this address.

        Brackets don't matter; the newest ``most`` among the newest ``history.LOOKED``.
        """


class Steering(Protocol):
    """People's actions on the queue."""

    async def meant(self, selection: Selection) -> list[DeliveryId]:
        """All deliveries meant, oldest message first; however many there are, the event loop goes on."""

    async def change(
        self,
        action: Action,
        deliveries: Sequence[DeliveryId],
        at: Milliseconds,
        who: str,
        reports: Mapping[DeliveryId, Sequence[Consequence]] = {},
        again: NewPath | None = None,
    ) -> list[DeliveryId]:
        """Do ``action`` to deliveries in one transaction, where it fits.

        They are ``selection.STEP`` at most, in the caller's hands; gives the ids of those it was done to. ``reports``
        are queued with a drop. With ``again``, what came back is queued once more by a retry, under a new return path.
        """


class Store(Protocol):
    """The durable state of a relay. Every call either has happened durably when it returns, or raised.

    A delivery is in somebody's *hands* from ``accept``, ``claim`` or ``seize`` to ``settle``, ``release`` or
    ``let_go``; nobody else gets it meanwhile. With the process its hands are empty.
    """

    keep_history: Milliseconds | None
    """How long what became of a mail is kept; None: for ever."""
    keep_bounced: Milliseconds
    """How long the content of what was delivered is kept, to be sent again should it come back; 0: not at all."""

    @property
    def reader(self) -> Reading:
        """Questions to this store."""

    @property
    def steering(self) -> Steering:
        """People's actions on this store's queue."""

    @property
    def commits(self) -> Timings:
        """Seconds that each commit took, the sync with the disk included."""

    @property
    def journal(self) -> Path:
        """A file of this store's own, for what this process keeps. It lies beside the store."""

    def close(self, seconds: float | None = None) -> bool:
        """Finish what was asked for and let go of the store; False where that did not end within ``seconds``."""

    def room(self) -> Room | None:
        """The store's size and its room to grow; None where that can't be told."""

    async def answers(self) -> None:
        """Returns once what writes has come round; nothing is written."""

    async def writable(self) -> None:
        """Returns once something was written durably, though nothing has changed by it."""

    # From the door to the queue

    def spool(self) -> Spool:
        """A place, and an id, for the next message."""

    async def accept(self, spool: Spool, acceptance: Acceptance) -> list[Delivery]:
        """Publish the message with all that follows from it; gives the deliveries that were queued, in the caller's
        hands."""

    async def originate(self, acceptance: Acceptance, name: str = "", what: str = "") -> bool:
        """Queue messages of our own that no mail caused.

        Nobody has them in hand; False where ``what`` was told under ``name`` already.
        """

    async def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version that any of these conversation keys has carried; 0 for none."""

    # From the queue to the next hop

    async def claim(self, most: int, now: Milliseconds, latest: Milliseconds | None = None) -> list[Delivery]:
        """Take due deliveries in hand, oldest first, ``most`` at most. So are those due only after ``latest``."""

    def seize(self, deliveries: Sequence[DeliveryId]) -> list[DeliveryId]:
        """Take these in hand, due or not, if nobody has them. Gives what was taken."""

    def let_go(self, deliveries: Sequence[DeliveryId]) -> None:
        """Give back what was seized."""

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give deliveries back untried; they are due as before."""

    def read(self, message: MessageId, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes of a stored message from ``start`` to ``end``, in blocks."""

    async def next_due(self) -> Milliseconds | None:
        """The moment at which the next delivery in nobody's hands is due."""

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record what became of attempts; the deliveries leave the caller's hands. Where it raises, they stay."""

    async def bring_forward(
        self, now: Milliseconds, most_attempts: int, these: Collection[DeliveryId] = ()
    ) -> int:
        """Make due what failed connections hold up; gives how many.

        It was tried ``most_attempts`` times at most; and so are ``these``, if they wait.
        """

    async def shift_times(self, step: Milliseconds, now: Milliseconds, latest: Milliseconds) -> None:
        """Set what waits by ``step``, as the clock was; nothing of it is due after ``latest``."""

    # What becomes of it

    async def report(self, outcomes: Sequence[Outcome]) -> None:
        """Record news of deliveries apart from attempts, with its consequences."""

    async def hold(
        self, deliveries: Sequence[DeliveryId], at: Milliseconds, words: str, told: tuple[Consequence, ...]
    ) -> None:
        """Put one message's queued deliveries on hold, and tell of it (``told``)."""

    async def withdraw(self, old: Delivery, at: Milliseconds, why: str, forget: str = "") -> None:
        """Withdraw a message of ours that nothing takes the place of; ``forget`` is the key of the memory that it was
        told."""

    async def replace_delivery(
        self,
        old: Delivery,
        new: Sequence[Delivery],
        at: Milliseconds,
        told: tuple[Consequence, ...] = (),
        known: int | None = None,
    ) -> None:
        """Withdraw a delivery, queue others instead, and tell of it (``told``).

        ``known`` is the first number that was free when the message was read. Raises StoreChanged where it is not any
        more.
        """

    async def pay(self, outcomes: Sequence[Outcome]) -> list[Delivery]:
        """Queue what owed outcomes bring about, and settle the debt. Gives what was queued."""

    async def begin_telling(self, delivery: DeliveryId) -> None:
        """Count that a telling is begun at a start: if it ends the process, the next start knows."""

    async def forgive_tellings(self) -> None:
        """Count none of the tries so far: the process ends in order."""

    # What is remembered

    async def add_handoff(
        self, role: str, author: str, written_at: Milliseconds, text: str, body: bytes
    ) -> int:
        """Keep a new version of a role's handoff; gives its number."""

    async def finish_change(self, change: ScheduleChange) -> None:
        """The file of a change that was begun holds its text."""

    async def lose_change(
        self, change: ScheduleChange, old: Sequence[Delivery], new: Sequence[Delivery]
    ) -> None:
        """The file of a change that was begun could not be written: ``new`` is sent in place of what was to be told."""

    async def remember_told(self, name: str, what: str, at: Milliseconds) -> None:
        """Take ``what`` as told under ``name``."""

    async def keep_failing(self, found: FailingMailbox) -> None:
        """Keep that mail does not reach a mailbox."""

    async def forget_failing(self, mailbox: str) -> None:
        """Mail reaches a mailbox again."""

    async def saw(self, now: Milliseconds) -> None:
        """Remember that the service ran at ``now``."""

    async def sweep(self, shrink: bool = True) -> bool:
        """Delete one step's worth of what is no longer needed; True while there is more to do."""
