"""The embedded store: one SQLite database, one process, one writing thread.

What is in somebody's hands is known in memory alone: after a crash nothing is in hand, and everything that
was not settled is due again, which is the at-least-once that mail promises.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from mailrouter.errors import StoreError
from mailrouter.store import handoffs, schedule_changes, statements, tables
from mailrouter.store.lock import lock, private_file, refuse_lost_database
from mailrouter.store.memories import tell_once
from mailrouter.store.model import (
    CHUNK_BITS,
    CHUNK_SIZE,
    Acceptance,
    Delivery,
    MessageId,
    Milliseconds,
    NewHandoff,
    Outcome,
    ScheduleChange,
)
from mailrouter.store.reader import StoreReader
from mailrouter.store.writer import Work, Writer, as_store_error, connect

_EPOCH = 1577836800000
"""2020-01-01T00:00Z, in milliseconds: message ids count from here."""
SWEEP_CHUNKS = 16
"""Chunks of large messages deleted in one transaction: 4 MB, a few milliseconds."""
SHOWN_PAUSE = 5.0
"""Seconds in which memories of what was shown gather into one write."""
VACUUM_PAGES = 256
_LAST_ID = """
    SELECT max(ifnull((SELECT max(id) FROM message), 0), ifnull((SELECT max(id) FROM sweep), 0))
"""
"""Chunks still to be swept count too: a new message with their id would be swept with them."""


class _Settle(list[Outcome]):
    """A request to settle; a type of its own so that settles are grouped."""


class SqliteSpool:
    """A message while it arrives. Small ones stay in memory; a large one goes to the store chunk by chunk."""

    def __init__(self, store: SqliteStore, message: MessageId) -> None:
        self.id = message
        self.size = 0
        self.stored_chunks = 0
        self._store = store
        self._blocks: list[bytes] = []
        self._held = 0

    def hold(self, block: bytes) -> bool:
        """Keep ``block``; True once more than a chunk is held."""
        self._blocks.append(block)
        self._held += len(block)
        self.size += len(block)
        return self._held > CHUNK_SIZE

    async def flush(self) -> None:
        """Store the whole chunks that are held; call it only after ``hold`` gave True."""
        data = b"".join(self._blocks)
        self._blocks.clear()
        rest = data[len(data) - len(data) % CHUNK_SIZE :]
        rows = []
        for start in range(0, len(data) - len(rest), CHUNK_SIZE):
            rows.append(((self.id << CHUNK_BITS) + self.stored_chunks, data[start : start + CHUNK_SIZE]))
            self.stored_chunks += 1
        first = rows[0][0] == self.id << CHUNK_BITS
        if rest:
            self._blocks.append(rest)
        self._held = len(rest)

        def store(connection: sqlite3.Connection) -> None:
            if first:
                connection.execute("INSERT INTO receiving VALUES (?)", (self.id,))
            connection.executemany("INSERT INTO chunk VALUES (?, ?)", rows)

        await self._store.run(store)

    async def finish(self) -> bytes | None:
        """The whole content if it is small; else None, with all of it in the store."""
        data = b"".join(self._blocks)
        if not self.stored_chunks:
            return data
        if data:
            row = ((self.id << CHUNK_BITS) + self.stored_chunks, data)
            self.stored_chunks += 1
            await self._store.run(
                lambda connection: connection.execute("INSERT INTO chunk VALUES (?, ?)", row)
            )
        self._blocks.clear()
        return None

    async def discard(self) -> None:
        """Forget what came; chunks already stored are deleted in steps."""
        self._blocks.clear()
        if self.stored_chunks:
            message = self.id
            try:
                # Only while it is nobody's: what was accepted is not touched.
                await self._store.run(
                    lambda connection: connection.execute(
                        "INSERT OR IGNORE INTO sweep SELECT id FROM receiving WHERE id = ?", (message,)
                    )
                )
            except StoreError:
                pass  # its row in ``receiving`` has it swept at the next start


class SqliteStore:
    """The Store on SQLite. Made by ``SqliteStore.open`` inside a running event loop."""

    def __init__(self, path: Path, lock_descriptor: int, connection: sqlite3.Connection) -> None:
        self.path = path
        self._lock = lock_descriptor
        self._loop = asyncio.get_running_loop()
        self._in_hand: set[int] = set()
        self._shown: dict[str, int] = {}
        """What conversations have carried and is not in the table yet."""
        self._closed = False
        self._last_id = connection.execute(_LAST_ID).fetchone()[0]
        self.reader = StoreReader(path)
        self._writer = Writer(
            connection, self._loop, {Acceptance: statements.accept_group, _Settle: statements.settle_group}
        )

    @classmethod
    def open(cls, path: Path) -> SqliteStore:
        """Lock, create or migrate, and open the store. Raises StoreBusy, StoreError."""
        descriptor = lock(path)
        connection = None
        try:
            refuse_lost_database(path)
            os.close(private_file(path))
            connection = connect(path)
            # What was arriving when the last process ended was never answered 250: its sender still has it.
            connection.execute("INSERT OR IGNORE INTO sweep SELECT id FROM receiving")
            connection.execute("DELETE FROM receiving")
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

    def close(self) -> None:
        """Finish what was asked for and let go of the store."""
        self._write_shown()
        self._closed = True
        self._writer.close()
        self.reader.close()
        os.close(self._lock)

    async def run(self, work: Work) -> Any:
        """Run ``work`` in a write transaction; gives its result once it is durable."""
        return await self._writer.submit(work)

    def spool(self) -> SqliteSpool:
        """A place, and an id, for the next message."""
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) - _EPOCH)
        return SqliteSpool(self, self._last_id)

    async def accept(self, spool: SqliteSpool, acceptance: Acceptance) -> list[Delivery]:
        """Publish; the deliveries given back are in the caller's hands."""
        hoped = [*acceptance.deliveries, *([acceptance.reply] if acceptance.reply else [])]
        hoped += [notice for wanted in acceptance.handoffs for notice in wanted.notices]
        ids = {delivery.id for delivery in hoped}
        # In hand before the commit: a claim between the commit and its echo must not hand them out twice.
        self._in_hand |= ids
        queued: list[Delivery] = []
        try:
            queued = await self._writer.submit(acceptance)
        finally:
            self._in_hand -= ids.difference(delivery.id for delivery in queued)
        for delivery in queued:
            delivery.content = acceptance.content
        if acceptance.shown:
            self._remember_shown(acceptance.shown)
        return queued

    def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version that any of these conversation keys has carried; 0 for none."""
        pending = max((self._shown.get(conversation, 0) for conversation in conversations), default=0)
        return max(pending, self.reader.shown(conversations))

    def _remember_shown(self, shown: Sequence[tuple[str, int]]) -> None:
        """Keys come in no order, so each lands on a page of its own: many are written at once, sorted (measured:
        written with each message they cost 7 % of the throughput)."""
        if not self._shown:
            self._loop.call_later(SHOWN_PAUSE, self._write_shown)
        self._shown.update(shown)

    def _write_shown(self) -> None:
        rows = [(key, version, int(time.time() * 1000)) for key, version in sorted(self._shown.items())]
        if not rows or self._closed:
            return
        written = self._writer.submit(lambda connection: tables.run_rows(connection, statements.SHOW, rows))
        written.add_done_callback(lambda done: self._shown_written(rows, done))

    def _shown_written(self, rows: list[tuple[str, int, int]], done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._loop.call_later(SHOWN_PAUSE, self._write_shown)
            return
        for key, version, _ in rows:
            if self._shown.get(key) == version:
                del self._shown[key]
        if self._shown:
            self._loop.call_later(SHOWN_PAUSE, self._write_shown)

    async def claim(self, most: int, now: Milliseconds) -> list[Delivery]:
        """What is due, oldest first. No write: a claim lives as long as this process."""
        found = []
        for delivery in self.reader.due(now, most + len(self._in_hand)):
            if delivery.id not in self._in_hand:
                self._in_hand.add(delivery.id)
                found.append(delivery)
                if len(found) == most:
                    break
        return found

    def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give deliveries back untried; they are due as before."""
        for delivery in deliveries:
            self._in_hand.discard(delivery.id)

    async def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Record attempts; if the store can't, the deliveries stay in hand and the caller tries again."""
        await self._writer.submit(_Settle(outcomes))
        for outcome in outcomes:
            self._in_hand.discard(outcome.delivery)

    async def read(self, message: MessageId, start: int, end: int) -> AsyncIterator[bytes]:
        """The stored bytes from ``start`` to ``end``. Raises StoreError if they are not there."""
        first, last = start // CHUNK_SIZE, max(start, end - 1) // CHUNK_SIZE
        if last == first == 0:
            # A small message is one chunk of any length up to CHUNK_SIZE.
            yield self.reader.chunk(message, 0)[start:end]
            return
        for n in range(first, last + 1):
            data = self.reader.chunk(message, n)
            offset = n * CHUNK_SIZE
            yield data[max(0, start - offset) : end - offset]
            await asyncio.sleep(0)

    def next_due(self) -> Milliseconds | None:
        """When the next queued delivery that is in nobody's hands is due."""
        for delivery, due in self.reader.next_due(len(self._in_hand) + 1):
            if delivery not in self._in_hand:
                return due
        return None

    async def add_handoff(
        self, role: str, author: str, written_at: Milliseconds, text: str, body: bytes
    ) -> int:
        """Keep a new version; gives its number."""
        new = NewHandoff(role, author, written_at, text, body)
        return int(await self.run(lambda connection: handoffs.keep(connection, new)))

    async def replace_delivery(self, old: Delivery, new: Sequence[Delivery], at: Milliseconds) -> None:
        """Withdraw a delivery and queue others of the same message in its stead, in one transaction."""

        await self.run(lambda connection: self._swap(connection, old.message, [old], new, at))
        self._in_hand.discard(old.id)

    def _swap(
        self,
        connection: sqlite3.Connection,
        message: MessageId,
        old: Sequence[Delivery],
        new: Sequence[Delivery],
        at: Milliseconds,
    ) -> None:
        rows = [tables.delivery_row(delivery) for delivery in new]
        insert = f"INSERT INTO delivery ({tables.DELIVERY_COLUMNS}) VALUES {{rows}}"
        tables.run_rows(connection, insert, rows)
        connection.execute("UPDATE message SET open = open + ? WHERE id = ?", (len(new), message))
        outcomes = [Outcome(delivery.id, "withdrawn", "planned anew", at) for delivery in old]
        statements.settle_group(connection, [outcomes])

    async def originate(self, acceptance: Acceptance, name: str = "", what: str = "") -> bool:
        """Queue messages of our own that no mail brought about; False where ``what`` was told under ``name`` already.

        They are claimed from the store when they are due.
        """

        def work(connection: sqlite3.Connection) -> bool:
            if name and not tell_once(connection, name, what, acceptance.message.received_at):
                return False
            statements.accept_group(connection, [acceptance])
            return True

        return bool(await self.run(work))

    async def remember_told(self, name: str, what: str, at: Milliseconds) -> None:
        """Take ``what`` as told under ``name``."""
        await self.run(lambda connection: tell_once(connection, name, what, at))

    async def finish_change(self, change: ScheduleChange) -> None:
        """The file of a change that was begun holds its text."""
        await self.run(lambda connection: schedule_changes.finish(connection, change))

    async def lose_change(
        self, change: ScheduleChange, old: Sequence[Delivery], new: Sequence[Delivery]
    ) -> None:
        """The file of a change that was begun could not be written: ``new`` is sent in place of what was to be told."""

        def work(connection: sqlite3.Connection) -> None:
            schedule_changes.lose(connection, change)
            self._swap(connection, change.id, old, new, change.at)

        await self.run(work)
        self.release(old)

    async def sweep(self, shrink: bool = True) -> bool:
        """Delete one step's worth of what is no longer needed, or else ``shrink`` the file by a step; True
        while there is more to do."""

        def step(connection: sqlite3.Connection) -> bool:
            row = connection.execute("SELECT id FROM sweep LIMIT 1").fetchone()
            if row is None:
                if not shrink:
                    return False
                (free,) = connection.execute("PRAGMA freelist_count").fetchone()
                if free > 4 * VACUUM_PAGES:
                    connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
                    return True
                return False
            first = row[0] << CHUNK_BITS
            gone = connection.execute(
                "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id BETWEEN ? AND ? LIMIT ?)",
                (first + 1, first + (1 << CHUNK_BITS) - 1, SWEEP_CHUNKS),
            ).rowcount
            if gone < SWEEP_CHUNKS:
                statements.drop_content(connection, [row[0]])
                connection.execute("DELETE FROM sweep WHERE id = ?", row)
                connection.execute("DELETE FROM receiving WHERE id = ?", row)
            return True

        return bool(await self.run(step))
