"""Deleting what is no longer needed, in short steps. They take a few milliseconds, so that no mail waits for it."""

from __future__ import annotations

import sqlite3

from mailrouter.moments import DAY_MS, HOUR_MS
from mailrouter.store import ids
from mailrouter.store.ids import EPOCH, Milliseconds
from mailrouter.store.model import CHUNK_SIZE, WAIT_MS
from mailrouter.store.sqlite import hot_path
from mailrouter.trust.tokens import VALID_DAYS

SHORTEST: Milliseconds = (VALID_DAYS + 1) * DAY_MS
"""History is kept so long in any case: reports come to the return paths of copies that are younger."""
HANDOFF_MAIL_MS: Milliseconds = 366 * DAY_MS
"""A mail that handed over is known again for a year: whoever has a copy of it could send it once more."""
SWEEP_CHUNKS = 16
"""Chunks of large messages deleted in one transaction: 4 MB, a few milliseconds."""
VACUUM_PAGES = 256
PRUNE_MESSAGES = 40
RELEASE_MESSAGES = 40
PRUNE_MEMORIES = 200
AGAIN_MS: Milliseconds = HOUR_MS
"""From the end of one walk through the history to the next."""
_MEMORIES = (("reply_memory", "key"), ("shown", "conversation"), ("handoff_mail", "key"))


def sweep_step(connection: sqlite3.Connection) -> bool:
    """Delete some of the content of a large message that nobody needs; False where there is none."""
    row = connection.execute("SELECT id FROM sweep LIMIT 1").fetchone()
    if row is None:
        return False
    first, last = ids.chunks_of(row[0])
    gone = connection.execute(
        "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE id BETWEEN ? AND ? LIMIT ?)",
        (first + 1, last, SWEEP_CHUNKS),
    ).rowcount
    if gone < SWEEP_CHUNKS:
        hot_path.drop_content(connection, [row[0]])
        connection.execute("DELETE FROM sweep WHERE id = ?", row)
        connection.execute("DELETE FROM receiving WHERE id = ?", row)
    return True


def release_step(connection: sqlite3.Connection, before: Milliseconds) -> bool:
    """Give up some content kept for copies that come back. Since ``before``; False where there is none.

    What is being sent again is left alone: it is kept anew when that ends.
    """
    rows = connection.execute(
        "SELECT kept.message, size, open FROM kept LEFT JOIN message ON message.id = kept.message"
        " WHERE at <= ? ORDER BY at LIMIT ?",
        (before, RELEASE_MESSAGES),
    ).fetchall()
    for message, _, _ in rows:
        connection.execute("DELETE FROM kept WHERE message = ?", (message,))
    closed = [(message, size) for message, size, still_open in rows if size is not None and still_open <= 0]
    hot_path.give_up_content(connection, closed)
    return bool(rows)


def shift_step(connection: sqlite3.Connection, values: tuple[int, ...]) -> int:
    """Set some of what waits by a step of the clock; gives the last id that was set, 0 for none. ``values``: the step,
    now, the latest that something may be due, from when on moments are fresh, after which id, how many."""
    names = ("step", "now", "latest", "fresh", "after", "most")
    found = connection.execute(hot_path.SHIFT, dict(zip(names, values, strict=True))).fetchall()
    return max((int(id_) for (id_,) in found), default=0)


def shrink_step(connection: sqlite3.Connection) -> bool:
    """Give some free pages back to the disk; False where there are few."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if free <= 4 * VACUUM_PAGES:
        return False
    connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
    return True


class Pruning:
    """Forget old history, in hourly walks from its oldest end. One begins an hour after the last walk ended.

    A message goes whole, once nothing of it waits or is on hold, nothing happened to it for so long, and no return path
    of its copies is good any more.
    """

    def __init__(self) -> None:
        self._begin()
        self._resume_at: Milliseconds = 0

    def _begin(self) -> None:
        self._after = ids.NO_MESSAGE
        self._messages_done = False
        self._memories = [(table, key, "") for table, key in _MEMORIES]

    def step(self, connection: sqlite3.Connection, now: Milliseconds, keep: Milliseconds) -> bool:
        """Go on a little; False where the walk has ended and the next is not due."""
        if now < self._resume_at <= now + AGAIN_MS:  # later than that: the clock was set back
            return False
        before = now - max(keep, SHORTEST)
        if not self._messages_done:
            self._messages_done = not self._prune_messages(connection, now, before)
        elif self._memories:
            self._prune_memories(connection, now, before)
        else:
            self._prune_counts(connection, now, before)
            self._begin()
            self._resume_at = now + AGAIN_MS
        return True

    def _prune_messages(
        self, connection: sqlite3.Connection, now: Milliseconds, before: Milliseconds
    ) -> bool:
        """True while there may be more. An id is never older than its message, so the walk goes by ids alone; where the
        clock was set back, ids run ahead of it, and all are looked at."""
        (newest,) = connection.execute("SELECT max(id) FROM message").fetchone()
        ahead = newest is not None and newest > now - EPOCH + AGAIN_MS
        rows = connection.execute(
            "SELECT id, received_at, size FROM message WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
            (self._after, newest + 1 if ahead else before - EPOCH, PRUNE_MESSAGES),
        ).fetchall()
        for message, received_at, size in rows:
            self._after = message
            mine = ids.deliveries_of(message)
            needed = connection.execute(
                "SELECT 1 FROM delivery WHERE id BETWEEN ? AND ?"
                " AND (state IN ('queued', 'held') OR next_at >= ?) LIMIT 1",
                (*mine, before),
            ).fetchone()
            if needed or received_at >= before:
                continue
            connection.execute("DELETE FROM delivery WHERE id BETWEEN ? AND ?", mine)
            connection.execute("DELETE FROM event WHERE delivery BETWEEN ? AND ?", mine)
            connection.execute("DELETE FROM message WHERE id = ?", (message,))
            connection.execute("DELETE FROM kept WHERE message = ?", (message,))
            if size > CHUNK_SIZE:
                connection.execute("INSERT OR IGNORE INTO sweep VALUES (?)", (message,))
            else:
                connection.execute("DELETE FROM chunk WHERE id = ?", (ids.chunk_of(message, 0),))
        return len(rows) == PRUNE_MESSAGES

    def _prune_memories(
        self, connection: sqlite3.Connection, now: Milliseconds, before: Milliseconds
    ) -> None:
        """Forget old memories, by walking through all keys in order. They have no index by time."""
        table, key, after = self._memories[0]
        if table == "handoff_mail":
            before = min(before, now - HANDOFF_MAIL_MS)
        rows = connection.execute(
            f"SELECT {key}, at FROM {table} WHERE {key} > ? ORDER BY {key} LIMIT ?", (after, PRUNE_MEMORIES)
        ).fetchall()
        old = [(found,) for found, at in rows if at < before]
        connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", old)
        if len(rows) < PRUNE_MEMORIES:
            del self._memories[0]
        else:
            self._memories[0] = (table, key, rows[-1][0])

    def _prune_counts(self, connection: sqlite3.Connection, now: Milliseconds, before: Milliseconds) -> None:
        for table in ("reply_count", "capped"):
            connection.execute(f"DELETE FROM {table} WHERE day < date(?, 'unixepoch')", (before // 1000,))
        connection.execute("DELETE FROM waiting_handoff WHERE asked_at <= ?", (now - WAIT_MS,))
