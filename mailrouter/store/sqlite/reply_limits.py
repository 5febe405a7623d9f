"""Memory of who was told what, against telling it again soon."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from mailrouter.clock import now_ms
from mailrouter.moments import DAY_MS
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import ReplyMemory
from mailrouter.store.sqlite.rows import run_rows

log = logging.getLogger("mailrouter.store")

SHOWN_PAUSE = 5.0
"""Seconds in which memories of what was shown gather into one write."""
SHOW = """
    INSERT INTO shown (conversation, handoff, at) VALUES {rows}
    ON CONFLICT (conversation) DO UPDATE SET handoff = excluded.handoff, at = excluded.at
"""


def remember_reply(connection: sqlite3.Connection, memory: ReplyMemory) -> bool:
    """True if this reply may go out: it is the first in its period and no cap is reached. Then it is
    counted. One that a cap keeps back is counted as such."""
    known = connection.execute("SELECT at FROM reply_memory WHERE key = ?", (memory.key,)).fetchone()
    set_back = known and memory.again_after > 0 and known[0] > memory.at + DAY_MS
    if known and known[0] > memory.again_after and not set_back:
        return False
    for scope, most in memory.caps:
        row = connection.execute(
            "SELECT n FROM reply_count WHERE day = ? AND scope = ?", (memory.day, scope)
        ).fetchone()
        if row and row[0] >= most:
            _note_capped(connection, memory, most)
            return False
    written = connection.execute(
        "INSERT INTO reply_memory VALUES (?, ?)"
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE at <= ? OR (at > ? AND ? > 0)",
        # A memory of a day ahead was written before the clock was set back; what is told once is told once all the same.
        (memory.key, memory.at, memory.again_after, memory.at + DAY_MS, memory.again_after),
    ).rowcount
    if written != 1:
        return False
    for scope, _ in memory.caps:
        connection.execute(
            "INSERT INTO reply_count VALUES (?, ?, 1) ON CONFLICT (day, scope) DO UPDATE SET n = n + 1",
            (memory.day, scope),
        )
    return True


def _note_capped(connection: sqlite3.Connection, memory: ReplyMemory, most: int) -> None:
    """Count a capped message, and log the day's first."""
    (number,) = connection.execute(
        "INSERT INTO capped VALUES (?, ?, 1) ON CONFLICT (day, kind) DO UPDATE SET n = n + 1 RETURNING n",
        (memory.day, memory.kind),
    ).fetchone()
    if number == 1:
        log.warning(
            "a message of the kind %s is not sent: %d a day are enough; further ones today are counted in the metrics "
            "and in check --live",
            memory.kind,
            most,
        )


def tell_once(connection: sqlite3.Connection, name: str, what: str, at: Milliseconds) -> bool:
    """True if ``what`` differs from what was told last under this name; then it is remembered."""
    written = connection.execute(
        "INSERT INTO told VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET what = excluded.what, at = excluded.at WHERE what <> excluded.what",
        (name, what, at),
    ).rowcount
    return written == 1


class Shown:
    """Versions that conversations have carried, gathered before they are written.

    Keys come in no order, so each lands on a page of its own: many are written at once, sorted (measured: written with
    each message they cost 7 % of the throughput).
    """

    def __init__(self, submit: Callable[[Any], asyncio.Future[Any]], loop: asyncio.AbstractEventLoop) -> None:
        """``submit`` asks the writing thread for work on its connection."""
        self._submit = submit
        self._loop = loop
        self._pending: dict[str, int] = {}
        self._closed = False

    def pending(self, conversations: Sequence[str]) -> int:
        """The newest unwritten version that these keys carry; 0 for none."""
        return max((self._pending.get(conversation, 0) for conversation in conversations), default=0)

    def remember(self, shown: Sequence[tuple[str, int]]) -> None:
        """Have pairs of a conversation's key and a version written soon."""
        if not self._pending:
            self._loop.call_later(SHOWN_PAUSE, self._write)
        self._pending.update(shown)

    def close(self) -> None:
        """Have the rest written now, and nothing after it."""
        self._write()
        self._closed = True

    def _write(self) -> None:
        rows = [(key, version, now_ms()) for key, version in sorted(self._pending.items())]
        if not rows or self._closed:
            return
        written = self._submit(lambda connection: run_rows(connection, SHOW, rows))
        written.add_done_callback(lambda done: self._written(rows, done))

    def _written(self, rows: list[tuple[str, int, int]], done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._loop.call_later(SHOWN_PAUSE, self._write)
            return
        for key, version, _ in rows:
            if self._pending.get(key) == version:
                del self._pending[key]
        if self._pending:
            self._loop.call_later(SHOWN_PAUSE, self._write)
