"""The embedded store: one SQLite database, one process, one writing thread.

What is in somebody's hands is known in memory alone: after a crash nothing is in hand, and everything that
was not settled is due again, which is the at-least-once that mail promises.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mailrouter.clock import now_ms
from mailrouter.errors import StoreChanged, StoreError
from mailrouter.store import ids, queued
from mailrouter.store.events import Event
from mailrouter.store.ids import (
    DeliveryId,
    MessageId,
    Milliseconds,
    queue_id,
)
from mailrouter.store.model import (
    CHUNK_SIZE,
    Acceptance,
    Consequence,
    Delivery,
    Outcome,
    Room,
    ScheduleChange,
)
from mailrouter.store.protocols import Spool
from mailrouter.store.sqlite import consequences, handoffs, hot_path, pruning
from mailrouter.store.sqlite import rows as tables
from mailrouter.store.sqlite.files import (
    followed,
    lock,
    private_file,
    refuse_lost_database,
    remember_database,
)
from mailrouter.store.sqlite.handoffs import Memories
from mailrouter.store.sqlite.queue_actions import SqliteSteering
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.reply_limits import Shown, tell_once
from mailrouter.store.sqlite.spool import SqliteSpool
from mailrouter.store.sqlite.writer import Grouped, Work, Writer, as_store_error, connect, of_a_row

log = logging.getLogger("mailrouter.store")

FRESH_MS: Milliseconds = 30_000
"""A clock that was set is noticed within so long."""
PLANNED_ANEW = "planned anew"
"""The words of a delivery that others took the place of."""
SHORT = 1 << 30
"""Octets: a disk is short when less is free, and less than a twentieth of it."""
SHIFTED = 2000
"""Rows in one step of ``shift_times``: some milliseconds."""
_LAST_ID = """
    SELECT max(ifnull((SELECT max(id) FROM message), 0), ifnull((SELECT max(id) FROM sweep), 0))
"""
"""Chunks still to be swept count too: a new message with their id would be swept with them."""


class _Settle(list[Outcome]):
    """A request to settle; a type of its own so that settles are grouped."""


class SqliteStore(Memories):
    """The Store on SQLite. Made by ``SqliteStore.open`` inside a running event loop."""

    def __init__(self, path: Path, lock_descriptor: int, connection: sqlite3.Connection) -> None:
        self.journal = path
        self._lock = lock_descriptor
        self._loop = asyncio.get_running_loop()
        self._in_hand: set[int] = set()
        self.keep_history: Milliseconds | None = None
        """How long what became of a mail is kept; None: for ever."""
        self.keep_bounced: Milliseconds = 0
        """How long the content of what was delivered is kept, to be sent again should it come back; 0: not at all."""
        self._pruning = pruning.Pruning()
        self._last_id: MessageId = connection.execute(_LAST_ID).fetchone()[0]
        self.reader = StoreReader(path)
        grouped: dict[type, Grouped] = {
            Acceptance: lambda connection, group: hot_path.accept_group(connection, group, self.keep_at()),
            _Settle: lambda connection, group: hot_path.settle_group(connection, group, self.keep_at()),
        }
        self._writer = Writer(connection, self._loop, grouped, path)
        self._shown = Shown(self._writer.submit, self._loop)
        self.commits = self._writer.commits
        self.steering = SqliteSteering(path, self.run, self.keep_at)

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        """Lock, create or migrate, and open the store. Raises StoreBusy, StoreError.

        Where ``path`` is a link, the store is what it leads to, with its log and lock beside that.
        """
        path = followed(path)
        descriptor = lock(path)
        connection = None
        try:
            refuse_lost_database(path, descriptor)
            os.close(private_file(path))
            connection = connect(path)
            # What was arriving when the last process ended was never answered 250: its sender still has it.
            connection.execute("INSERT OR IGNORE INTO sweep SELECT id FROM receiving")
            connection.execute("DELETE FROM receiving")
            remember_database(descriptor)
            return cls(path, descriptor, connection)
        except BaseException as error:
            if connection is not None:
                connection.close()
            os.close(descriptor)
            if isinstance(error, OSError):
                raise StoreError(f"The store {path} can't be opened: {error.strerror}.") from error
            if isinstance(error, sqlite3.Error):
                raise as_store_error(error, path) from error
            raise

    def close(self, seconds: float | None = None) -> bool:
        """Finish what was asked for and let go of the store.

        False where the disk did not let it end within ``seconds``; then it is held until the process ends.
        """
        self._shown.close()
        # Before the writer: whoever closes last brings the log into the database, and a reader may not.
        self.reader.close()
        if not self._writer.close(seconds):
            return False
        os.close(self._lock)
        return True

    def keep_at(self) -> Milliseconds:
        """From when on content is kept that is no longer needed now; 0 where it is not kept."""
        return now_ms() if self.keep_bounced else 0

    async def run(self, work: Work) -> Any:
        """Run ``work`` in a write transaction; gives its result once it is durable."""
        return await self._writer.submit(work)

    def room(self) -> Room | None:
        """The size of database and log, and their disk's free space."""
        try:
            taken = sum(Path(f"{self.journal}{end}").stat().st_size for end in ("", "-wal"))
            disk = os.statvfs(self.journal.parent)
        except OSError:
            return None
        return Room(taken, disk.f_bavail * disk.f_frsize)

    def _disk_is_short(self) -> bool:
        try:
            disk = os.statvfs(self.journal.parent)
        except OSError:
            return False
        return disk.f_bavail < disk.f_blocks // 20 and disk.f_bavail * disk.f_frsize < SHORT

    async def answers(self) -> None:
        """Returns once the writing thread has come round; nothing is written. Raises StoreError."""
        await self.run(lambda connection: None)

    async def writable(self) -> None:
        """Write and sync a page that changes nothing. Raises StoreError."""

        def write(connection: sqlite3.Connection) -> None:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute(f"PRAGMA user_version = {version}")

        await self.run(write)

    def spool(self) -> SqliteSpool:
        """A place, and an id, for the next message."""
        self._last_id = ids.new_message(self._last_id, now_ms())
        return SqliteSpool(self.run, self._last_id)

    async def accept(self, spool: Spool, acceptance: Acceptance) -> list[Delivery]:
        """Publish; the deliveries given back are in the caller's hands."""
        hoped = [*acceptance.deliveries, *([acceptance.reply] if acceptance.reply else [])]
        hoped += [notice for wanted in acceptance.handoffs for notice in wanted.notices]
        hoped += [consequence.delivery for consequence in acceptance.wanted]
        mine = {delivery.id for delivery in hoped}
        # In hand before the commit: a claim between the commit and its echo must not hand them out twice.
        self._in_hand |= mine
        committed: list[Delivery] = []
        try:
            committed = await self._writer.submit(acceptance)
        finally:
            self._in_hand -= mine.difference(delivery.id for delivery in committed)
        for delivery in committed:
            delivery.content = acceptance.content
        if acceptance.shown:
            self._shown.remember(acceptance.shown)
        queued.tell_of(acceptance.reported)
        return committed

    async def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version that any of these conversation keys has carried; 0 for none."""
        return max(self._shown.pending(conversations), await self.reader.shown(conversations))

    async def claim(self, most: int, now: Milliseconds, latest: Milliseconds | None = None) -> list[Delivery]:
        """Take due deliveries in hand, oldest first.

        So are those due only after ``latest``. No write: a claim lives as long as this process.
        """
        due = self.reader.due(now, most + len(self._in_hand), latest)
        found = await self.reader.deliveries([id_ for id_ in due if id_ not in self._in_hand][:most])
        self._in_hand.update(delivery.id for delivery in found)
        return found

    def seize(self, deliveries: Sequence[DeliveryId]) -> list[DeliveryId]:
        """Take these in hand, due or not, if nobody has them. Gives what was taken."""
        free = [id_ for id_ in deliveries if id_ not in self._in_hand]
        self._in_hand.update(free)
        return free

    def let_go(self, deliveries: Sequence[DeliveryId]) -> None:
        """Give back what was seized."""
        self._in_hand.difference_update(deliveries)

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give deliveries back untried; they are due as before."""
        for delivery in deliveries:
            self._in_hand.discard(delivery.id)

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record attempts; if the store can't, the deliveries stay in hand and the caller tries again.

        What one of them brings about, and can't be written, holds up no other.
        """
        try:
            await self._writer.submit(_Settle(outcomes))
        except StoreError as error:
            if not of_a_row(error):
                raise
            log.error("outcomes are recorded one by one: %s", error)
            for outcome in outcomes:
                await self._settle_alone(outcome)
        queued.tell_of(outcomes)
        for outcome in outcomes:
            self._in_hand.discard(outcome.delivery)

    async def _settle_alone(self, outcome: Outcome) -> None:
        try:
            await self._writer.submit(_Settle([outcome]))
        except StoreError as error:
            if not of_a_row(error) or not outcome.consequences:
                raise
            log.error("%s: nobody can be told of it: %s", queue_id(ids.message_of(outcome.delivery)), error)
            await self._writer.submit(_Settle([outcome._replace(consequences=())]))

    async def report(self, outcomes: Sequence[Outcome]) -> None:
        """Record news of deliveries apart from attempts, with its consequences."""

        def record(connection: sqlite3.Connection) -> None:
            for outcome in outcomes:
                if consequences.report(connection, outcome):
                    hot_path.close(connection, {ids.message_of(outcome.delivery): 1}, self.keep_at())

        await self.run(record)
        queued.tell_of(outcomes)

    async def hold(
        self, deliveries: Sequence[DeliveryId], at: Milliseconds, words: str, told: tuple[Consequence, ...]
    ) -> None:
        """Put one message's queued deliveries on hold, and tell of it (``told``)."""
        outcome = Outcome(
            deliveries[0] if deliveries else ids.NO_DELIVERY, "held", words, at, consequences=told
        )
        statement = (
            "UPDATE delivery SET state = 'held', next_at = ?, last_reply = ?, cause = ''"
            " WHERE id = ? AND state = 'queued'"
        )

        def work(connection: sqlite3.Connection) -> None:
            held = [id_ for id_ in deliveries if connection.execute(statement, (at, words, id_)).rowcount]
            tables.note_events(connection, [Event(id_, at, "held", "mailrouter", words) for id_ in held])
            if held:
                consequences.follow(connection, outcome)

        await self.run(work)
        queued.tell_of([outcome])

    async def pay(self, outcomes: Sequence[Outcome]) -> list[Delivery]:
        """Queue what outcomes that were owed bring about; what of one can't be written holds up no other."""
        try:
            found: list[Delivery] = await self.run(
                lambda connection: list(consequences.pay(connection, outcomes))
            )
            queued.tell(found)
            return found
        except StoreError as error:
            if not of_a_row(error):
                raise
            log.error("what outcomes bring about is written one by one: %s", error)
        found = []
        for outcome in outcomes:
            try:
                found += await self.run(partial(consequences.pay, outcomes=[outcome]))
            except StoreError as error:
                if not of_a_row(error):
                    raise
                log.error(
                    "%s: nobody can be told of it: %s", queue_id(ids.message_of(outcome.delivery)), error
                )
                bare = outcome._replace(consequences=())
                await self.run(partial(consequences.pay, outcomes=[bare]))
        queued.tell(found)
        return found

    async def bring_forward(
        self, now: Milliseconds, most_attempts: int, these: Collection[DeliveryId] = ()
    ) -> int:
        """Make due what failed connections hold up; gives how many.

        It was tried ``most_attempts`` times at most; and so are ``these``, if they wait. Which ones broke it by
        themselves is not known, so each is brought forward a few times only.
        """

        def work(connection: sqlite3.Connection) -> int:
            found = connection.execute(hot_path.FORWARD, (now, now, most_attempts)).rowcount
            for id_ in these:
                found += connection.execute(hot_path.FORWARD_ONE, (now, now, id_)).rowcount
            return found

        return int(await self.run(work))

    async def read(self, message: MessageId, start: int, end: int) -> AsyncIterator[bytes]:
        """The stored bytes from ``start`` to ``end``. Raises StoreError if they are not there."""
        first, last = start // CHUNK_SIZE, max(start, end - 1) // CHUNK_SIZE
        if last == first == 0:
            # A small message is one chunk of any length up to CHUNK_SIZE.
            yield (await self.reader.chunk(message, 0))[start:end]
            return
        for n in range(first, last + 1):
            data = await self.reader.chunk(message, n)
            offset = n * CHUNK_SIZE
            yield data[max(0, start - offset) : end - offset]
            await asyncio.sleep(0)

    async def next_due(self) -> Milliseconds | None:
        """The moment at which the next delivery in nobody's hands is due."""
        for delivery, due in self.reader.next_due(len(self._in_hand) + 1):
            if delivery not in self._in_hand:
                return due
        return None

    async def replace_delivery(
        self,
        old: Delivery,
        new: Sequence[Delivery],
        at: Milliseconds,
        told: tuple[Consequence, ...] = (),
        known: int | None = None,
    ) -> None:
        """Withdraw a delivery, queue others instead, and tell of it (``told``). All is one transaction.

        ``known`` is the first number that was free when the message was read. Raises StoreChanged where it is not any
        more, StoreError where so many have no numbers left.
        """

        withdrawn = Outcome(old.id, "withdrawn", PLANNED_ANEW, at, consequences=told)

        def work(connection: sqlite3.Connection) -> None:
            if known is not None and consequences.free_number(connection, old.message) != known:
                raise StoreChanged(f"Message {queue_id(old.message)} has got more deliveries meanwhile.")
            if any(
                delivery.message != old.message or ids.number_of(delivery.id) == ids.REPLY_NUMBER
                for delivery in new
            ):
                raise StoreError(f"Message {queue_id(old.message)} has no numbers left for more deliveries.")
            hot_path.replace(connection, old.message, [withdrawn], new, self.keep_at())

        await self.run(work)
        self._in_hand.discard(old.id)
        queued.tell_of([withdrawn])

    async def shift_times(self, step: Milliseconds, now: Milliseconds, latest: Milliseconds) -> None:
        """Set waiting deliveries by ``step``, as the clock was set.

        It goes in steps that hold up no mail: nothing of it is older or due later for that. What is of this very moment
        was written after the clock was set, and stays.
        """
        after = 0
        while True:
            values = (step, now, latest, now - FRESH_MS, after, SHIFTED)
            found = await self.run(partial(pruning.shift_step, values=values))
            if not found:
                break
            after = found
        await self.run(lambda connection: connection.execute("UPDATE kept SET at = at + ?", (step,)))

    async def withdraw(self, old: Delivery, at: Milliseconds, why: str, forget: str = "") -> None:
        """Withdraw a message of ours that nothing takes the place of; ``forget`` is the key of the memory that it was
        told, so that it is told again should it become true again."""

        def work(connection: sqlite3.Connection) -> None:
            hot_path.settle_group(connection, [[Outcome(old.id, "withdrawn", why, at)]], self.keep_at())
            if forget:
                connection.execute("DELETE FROM reply_memory WHERE key = ?", (forget,))

        await self.run(work)
        self._in_hand.discard(old.id)

    async def originate(self, acceptance: Acceptance, name: str = "", what: str = "") -> bool:
        """Queue messages of our own that no mail brought about; False where ``what`` was told under ``name`` already.

        They are claimed from the store when they are due.
        """

        def work(connection: sqlite3.Connection) -> bool:
            if name and not tell_once(connection, name, what, acceptance.message.received_at):
                return False
            hot_path.accept_group(connection, [acceptance])
            return True

        done = bool(await self.run(work))
        if done:
            notices = [notice for wanted in acceptance.handoffs for notice in wanted.notices]
            queued.tell([*acceptance.deliveries, *notices])
        return done

    async def lose_change(
        self, change: ScheduleChange, old: Sequence[Delivery], new: Sequence[Delivery]
    ) -> None:
        """The file of a change that was begun could not be written: ``new`` is sent in place of what was to be told."""

        withdrawn = [Outcome(delivery.id, "withdrawn", PLANNED_ANEW, change.at) for delivery in old]

        def work(connection: sqlite3.Connection) -> None:
            handoffs.lose_schedule_change(connection, change)
            hot_path.replace(connection, change.id, withdrawn, new, self.keep_at())

        await self.run(work)
        self.release(old)

    async def sweep(self, shrink: bool = True) -> bool:
        """Delete one step of unneeded content or history, or shrink.

        Content comes first; to ``shrink`` the file is what else is done. True while there is more to do. Where the disk
        gets short, what is only kept to be sent again goes at once: mail that waits needs the room.
        """

        def step(connection: sqlite3.Connection) -> bool:
            if pruning.sweep_step(connection):
                return True
            kept = 0 if self._disk_is_short() else self.keep_bounced
            if pruning.release_step(connection, now_ms() - kept):
                return True
            if self.keep_history is not None and self._pruning.step(connection, now_ms(), self.keep_history):
                return True
            return shrink and pruning.shrink_step(connection)

        return bool(await self.run(step))
