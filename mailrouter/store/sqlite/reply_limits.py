"""Memory of what was told to whom, so that nobody hears the same thing again too soon."""

from __future__ import annotations

import logging
import sqlite3

from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import ReplyMemory

DAY_MS: Milliseconds = 86_400_000

log = logging.getLogger("mailrouter.store")

CAPPED = "capped "
"""What the scope begins with under which messages are counted that a cap kept back."""


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
    """Count it, and say so in the log with the first of the day."""
    (number,) = connection.execute(
        "INSERT INTO reply_count VALUES (?, ?, 1) ON CONFLICT (day, scope) DO UPDATE SET n = n + 1 RETURNING n",
        (memory.day, f"{CAPPED}{memory.kind}"),
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
