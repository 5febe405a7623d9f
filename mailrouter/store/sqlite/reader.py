"""Reading the store: the running service's own questions, and those of commands beside it.

SQLite answers at once, so nothing in here waits (``mailrouter.turns.drive`` runs it). The connection is
read-only: whoever holds a StoreReader can't write, and any number of them may be open.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS
from mailrouter.store import ids
from mailrouter.store.history import LOOKED, Found, Life
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds
from mailrouter.store.model import (
    Delivery,
    FailingMailbox,
    Handoff,
    Lost,
    Message,
    Owed,
    QueueEntry,
    ScheduleChange,
    Standing,
    WaitingHandoff,
)
from mailrouter.store.selection import Selection, Summary
from mailrouter.store.sqlite import handoffs, hot_path, queue
from mailrouter.store.sqlite import rows as tables
from mailrouter.store.sqlite.consequences import OWED
from mailrouter.store.sqlite.schema import up_to_date
from mailrouter.store.sqlite.writer import as_store_error

_HANDOFF = "SELECT version, role, author, written_at, text, body FROM handoff"
NEXT_DUE = (
    "SELECT id, next_at FROM delivery INDEXED BY delivery_due WHERE state = 'queued' ORDER BY next_at LIMIT ?"
)
QUEUED_AFTER = """
    SELECT next_at, id FROM delivery INDEXED BY delivery_due
    WHERE state = 'queued' AND (next_at, id) > (?, ?) ORDER BY next_at, id LIMIT ?
"""
OLDEST = "SELECT min(id) FROM delivery INDEXED BY delivery_due WHERE state = 'queued'"
WAITING = "SELECT count(*) FROM delivery INDEXED BY delivery_due WHERE state = 'queued'"
LOST = f"""
    SELECT recipient, count(*), max(next_at), last_reply FROM (
        SELECT recipient, next_at, last_reply FROM delivery INDEXED BY delivery_failed
            WHERE state = 'failed' AND kind IN ('copy', 'companion') AND next_at > ?
        UNION ALL
        SELECT recipient, next_at, last_reply FROM delivery AS back INDEXED BY delivery_bounced
            WHERE state = 'bounced' AND kind IN ('copy', 'companion') AND next_at > ?
            AND NOT EXISTS (
                SELECT 1 FROM delivery AS again
                WHERE again.id > back.id AND again.id <= (back.id | {ids.REPLY_NUMBER}) AND again.about = back.id
                AND again.kind IN ('copy', 'companion')
            )
    ) GROUP BY recipient COLLATE NOCASE ORDER BY 2 DESC, 1
"""
"""With max() the other columns are those of its row (SQLite)."""
LOST_MESSAGES = f"""
    SELECT id >> {ids.DELIVERY_BITS} FROM delivery INDEXED BY delivery_failed
        WHERE state = 'failed' AND kind = 'copy' AND next_at > ?
    UNION
    SELECT id >> {ids.DELIVERY_BITS} FROM delivery INDEXED BY delivery_bounced
        WHERE state = 'bounced' AND kind = 'copy' AND next_at > ?
    ORDER BY 1 LIMIT ?
"""
WAITING_MESSAGES = (
    f"SELECT count(DISTINCT id >> {ids.DELIVERY_BITS})"
    " FROM delivery INDEXED BY delivery_due WHERE state = 'queued'"
)
QUEUED = "SELECT count(*), min(id), min(next_at) FROM delivery INDEXED BY delivery_due WHERE state = 'queued'"
FAILED = "SELECT count(*) FROM delivery INDEXED BY delivery_failed WHERE state = 'failed'"
HELD = "SELECT count(*) FROM delivery INDEXED BY delivery_held WHERE state = 'held'"
HISTORY = f"SELECT {tables.MESSAGE_COLUMNS} FROM message WHERE id > ? ORDER BY id LIMIT ?"
OF_MESSAGE = f"SELECT {tables.DELIVERY_COLUMNS} FROM delivery WHERE id BETWEEN ? AND ? ORDER BY id"


def _connect(path: Path) -> sqlite3.Connection:
    """Read-only, and of today's format. Raises StoreError, sqlite3.Error."""
    place = f"{path.absolute().as_uri()}?mode=ro"
    if not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists():
        # On a disk that is read-only SQLite can't make the index of a log; where no log is, nobody writes.
        place += "&immutable=1"
    connection = sqlite3.connect(place, uri=True, isolation_level=None)
    try:
        connection.execute("PRAGMA mmap_size = 0")
        up_to_date(connection)
    except BaseException:
        connection.close()
        raise
    return connection


class StoreReader:
    """Questions to a store that exists. Every method raises StoreError where the database can't answer."""

    few = 20_000
    """So many deliveries of a selection are looked up one by one; of more, the whole stretch from the oldest on is read
    (measured with 400,000: 0.2 s instead of 0.6 s)."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise StoreError(f"There is no store at {path} yet; it is made by the first `mailrouter serve`.")
        try:
            self._connection = _connect(path)
        except sqlite3.Error as error:
            raise as_store_error(error, path) from error
        # A handoff's version never changes, so what was read once is kept.
        self._body = lru_cache(maxsize=64)(self._handoff_body)

    def close(self) -> None:
        """Let go of the database."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise as_store_error(error) from error

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        """All that a statement gives, for the other modules of this room."""
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise as_store_error(error) from error

    _rows = rows

    async def chunk(self, message: MessageId, n: int) -> bytes:
        """Part ``n`` of a message's bytes."""
        rows = self._rows("SELECT data FROM chunk WHERE id = ?", (ids.chunk_of(message, n),))
        if not rows:
            raise StoreError(f"Part {n} of a stored message is missing.")
        return bytes(rows[0][0])

    def due(self, now: Milliseconds, most: int, latest: Milliseconds | None = None) -> list[DeliveryId]:
        """Queued deliveries that are due, oldest first: their ids alone, which the index holds. What is due after
        ``latest``, when nothing should be, is due now."""
        found = [DeliveryId(id_) for (id_,) in self._rows(hot_path.DUE, (now, most))]
        if latest is not None and len(found) < most:
            late = self._rows(hot_path.DUE_TOO_LATE, (latest, most - len(found)))
            found += [DeliveryId(id_) for (id_,) in late]
        return found

    async def deliveries(self, wanted: Sequence[DeliveryId]) -> list[Delivery]:
        """The deliveries that exist of these ids, in this order."""
        rows = self._by_id("delivery", tables.DELIVERY_COLUMNS, wanted)
        return [tables.delivery_of(rows[id_]) for id_ in wanted if id_ in rows]

    def messages(self, wanted: Sequence[MessageId]) -> list[Message]:
        """The messages that exist of these ids, in this order."""
        rows = self._by_id("message", tables.MESSAGE_COLUMNS, wanted)
        return [tables.message_of(rows[id_]) for id_ in wanted if id_ in rows]

    def _by_id(self, table: str, columns: str, wanted: Sequence[int]) -> dict[int, Any]:
        rows: dict[int, Any] = {}
        for first in range(0, len(wanted), 500):
            part = wanted[first : first + 500]
            marks = ", ".join("?" * len(part))
            found = self._rows(f"SELECT {columns} FROM {table} WHERE id IN ({marks})", part)
            rows.update((row[0], row) for row in found)
        return rows

    def next_due(self, most: int) -> list[tuple[int, Milliseconds]]:
        """The first ``most`` queued deliveries' ids with the moments they are due."""
        return self._rows(NEXT_DUE, (most,))

    async def queued_after(
        self, seen: tuple[Milliseconds, DeliveryId], most: int
    ) -> list[tuple[Milliseconds, DeliveryId]]:
        """Due times and ids of ``most`` queued deliveries behind ``seen``."""
        return self._rows(QUEUED_AFTER, (*seen, most))

    async def shown(self, conversations: Sequence[str]) -> int:
        """The newest handoff version that any of these conversation keys has carried; 0 for none."""
        marks = ", ".join("?" * len(conversations))
        rows = self._rows(f"SELECT max(handoff) FROM shown WHERE conversation IN ({marks})", conversations)
        return int(rows[0][0] or 0)

    async def answered_at(self, key: str) -> Milliseconds | None:
        """The moment of the last automatic reply under this key."""
        rows = self._rows("SELECT at FROM reply_memory WHERE key = ?", (key,))
        return int(rows[0][0]) if rows else None

    async def replies(self, day: str, scope: str) -> int:
        """The number of automatic replies that ``scope`` had on ``day``."""
        rows = self._rows("SELECT n FROM reply_count WHERE day = ? AND scope = ?", (day, scope))
        return int(rows[0][0]) if rows else 0

    async def capped(self, day: str) -> dict[str, int]:
        """The number of messages capped on ``day``, by kind."""
        return dict(self._rows("SELECT kind, n FROM capped WHERE day = ?", (day,)))

    async def handoff(self, role: str) -> Handoff | None:
        """The newest handoff of a role."""
        rows = self._rows(f"{_HANDOFF} WHERE role = ? ORDER BY version DESC LIMIT 1", (role,))
        return Handoff(*rows[0]) if rows else None

    async def handoff_roles(self) -> list[str]:
        """The keys of all roles that have a handoff."""
        return [role for (role,) in self._rows("SELECT DISTINCT role FROM handoff ORDER BY role")]

    async def handoffs(self, role: str, most: int) -> list[Handoff]:
        """The newest ``most`` handoffs of a role, newest first."""
        rows = self._rows(f"{_HANDOFF} WHERE role = ? ORDER BY version DESC LIMIT ?", (role, most))
        return [Handoff(*row) for row in rows]

    async def waiting_handoff(
        self, role: str, purpose: str, message: MessageId, since: Milliseconds
    ) -> WaitingHandoff | None:
        """The handoff in ``message`` that waits for a confirmation. It was asked for after ``since``."""
        rows = self._rows(
            "SELECT message, role, purpose, mailbox, asked_at, text FROM waiting_handoff"
            " WHERE role = ? AND purpose = ? AND message = ? AND asked_at > ?",
            (role, purpose, message, since),
        )
        return WaitingHandoff(*rows[0]) if rows else None

    async def asked(self, mailbox: str, since: Milliseconds) -> int:
        """The number of questions after ``since`` still open at this mailbox. Whatever roles they are of."""
        rows = self._rows(
            "SELECT count(DISTINCT message) FROM waiting_handoff"
            " WHERE mailbox = ? AND asked_at > ? AND asked_at < ?",
            (mailbox, since, since + 2 * DAY_MS),  # what is later was asked before the clock was set back
        )
        return int(rows[0][0])

    async def failing_mailboxes(self) -> list[FailingMailbox]:
        """All mailboxes unreached by mail, for however short a time.

        None in a store that an older version wrote and no service has opened since.
        """
        if not self._rows("SELECT 1 FROM sqlite_master WHERE name = 'failing_mailbox'"):
            return []
        rows = self._rows("SELECT mailbox, since, last, words, returned, taken_at FROM failing_mailbox")
        return [
            FailingMailbox(*row[:4], bool(row[4]), row[5])  # type: ignore[call-arg]
            for row in rows
        ]

    async def handoff_mail(self, key: str) -> bool:
        """Whether the mail of this key was worked on before."""
        return bool(self._rows("SELECT 1 FROM handoff_mail WHERE key = ?", (key,)))

    async def schedule_changes(self, role: str, most: int) -> list[ScheduleChange]:
        """The newest ``most`` changes of a role's file, newest first."""
        return [ScheduleChange(*row) for row in self._rows(handoffs.OF_ROLE, (role, most))]

    async def last_schedule_change(self, role: str) -> ScheduleChange | None:
        """The change of a role's file that can be undone next."""
        rows = self._rows(handoffs.LAST, (role,))
        return ScheduleChange(*rows[0]) if rows else None

    async def begun_schedule_changes(self) -> list[ScheduleChange]:
        """Changes begun, but not finished, at a crash. It left them between their commit and their file."""
        return [ScheduleChange(*row) for row in self._rows(handoffs.BEGUN)]

    async def ran_at(self) -> Milliseconds | None:
        """The last moment at which a service ran with this store."""
        rows = self._rows("SELECT at FROM told WHERE name = 'ran'")
        return int(rows[0][0]) if rows else None

    async def told(self, name: str) -> str:
        """The words last told under this name; ``""`` for nothing."""
        rows = self._rows("SELECT what FROM told WHERE name = ?", (name,))
        return str(rows[0][0]) if rows else ""

    async def handoff_body(self, version: int) -> bytes:
        """A version's body, as it is sent."""
        return self._body(version)

    def _handoff_body(self, version: int) -> bytes:
        rows = self._rows("SELECT body FROM handoff WHERE version = ?", (version,))
        if not rows:
            raise StoreError(f"Handoff {version} is missing.")
        return bytes(rows[0][0])

    async def owed(self) -> list[Owed]:
        """Outcomes of which nobody has been told yet, oldest first."""
        return [Owed(*row) for row in self._rows(OWED)]

    async def selected(self, selection: Selection) -> list[DeliveryId]:
        """All deliveries meant, oldest message first."""
        return queue.selected(self, selection)

    async def entries(self, found: Sequence[DeliveryId], most: int) -> list[QueueEntry]:
        """The first ``most`` messages of these deliveries, by id, with their own."""
        return await queue.entries(self, found, most)

    async def summary(self, selection: Selection, found: Sequence[DeliveryId]) -> Summary:
        """The sum of the deliveries meant (``found`` are their ids, in order)."""
        return queue.summary(self, selection, found)

    async def life(self, message: MessageId) -> Life | None:
        """The life of a message; None if it is not known (any more)."""
        return await queue.life(self, message)

    async def find(self, text: str, most: int, looked: int = LOOKED) -> Found:
        """Messages with this Message-ID, or of or for this address. Newest first."""
        return await queue.find(self, text, most, looked)

    async def history(self, after: MessageId, most: int) -> list[QueueEntry]:
        """The next ``most`` messages after ``after``, with all their deliveries. Oldest first."""
        rows = self._rows(HISTORY, (after, most))
        if not rows:
            return []
        span = (ids.deliveries_of(rows[0][0])[0], ids.deliveries_of(rows[-1][0])[1])
        by_message: dict[MessageId, list[Delivery]] = {}
        for row in self._rows(OF_MESSAGE, span):
            delivery = tables.delivery_of(row)
            by_message.setdefault(delivery.message, []).append(delivery)
        return [QueueEntry(tables.message_of(row), tuple(by_message.get(row[0], ()))) for row in rows]

    async def oldest(self) -> DeliveryId | None:
        """The lowest id of all queued deliveries: that of the oldest message which is not delivered."""
        rows = self._rows(OLDEST)
        return None if rows[0][0] is None else DeliveryId(rows[0][0])

    async def waiting(self) -> int:
        """The number of queued deliveries."""
        return int(self._rows(WAITING)[0][0])

    async def lost_copies(self, since: Milliseconds) -> list[Lost]:
        """Copies lost after ``since``, by mailbox, the most first.

        They failed or came back, and were not sent again.
        """
        return [Lost(*row) for row in self._rows(LOST, (since, since))]

    async def messages_lost_after(self, since: Milliseconds, most: int) -> list[MessageId]:
        """Messages with a copy lost after ``since``, oldest first. The copy failed or came back."""
        rows = self._rows(LOST_MESSAGES, (since, since, most))
        return [MessageId(message) for (message,) in rows]

    async def waiting_messages(self) -> int:
        """The number of messages with something queued."""
        return int(self._rows(WAITING_MESSAGES)[0][0])

    async def standing(self) -> Standing:
        """The standing of the queue. It reads all that is queued: for people and monitoring, not for the hot path."""
        ((queued, first, due),) = self._rows(QUEUED)
        ((failed,),) = self._rows(FAILED)
        ((held,),) = self._rows(HELD)
        oldest = await self.delivery(first) if queued else None
        ((handoffs,),) = self._rows("SELECT ifnull(max(version), 0) FROM handoff")
        return Standing(queued, held, failed, oldest.created_at if oldest else None, due, handoffs)

    async def message(self, message: MessageId) -> Message | None:
        """One message, or None."""
        rows = self._rows(f"SELECT {tables.MESSAGE_COLUMNS} FROM message WHERE id = ?", (message,))
        return tables.message_of(rows[0]) if rows else None

    async def entry(self, message: MessageId) -> QueueEntry | None:
        """One message with all its deliveries, or None."""
        known = await self.message(message)
        if known is None:
            return None
        found = self._rows(OF_MESSAGE, ids.deliveries_of(message))
        return QueueEntry(known, tuple(map(tables.delivery_of, found)))

    async def delivery(self, delivery: DeliveryId) -> Delivery | None:
        """One delivery, or None."""
        rows = self._rows(f"SELECT {tables.DELIVERY_COLUMNS} FROM delivery WHERE id = ?", (delivery,))
        return tables.delivery_of(rows[0]) if rows else None
