"""Memory of what was told to whom, so that nobody hears the same thing again too soon."""

from __future__ import annotations

import sqlite3

from mailrouter.store.model import Milliseconds, ReplyMemory

DAY_MS: Milliseconds = 86_400_000


def remember_reply(connection: sqlite3.Connection, memory: ReplyMemory) -> bool:
    """True if this reply may go out: it is the first in its period and no cap is reached. Then it is
    counted."""
    for scope, most in memory.caps:
        row = connection.execute(
            "SELECT n FROM reply_count WHERE day = ? AND scope = ?", (memory.day, scope)
        ).fetchone()
        if row and row[0] >= most:
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


def tell_once(connection: sqlite3.Connection, name: str, what: str, at: Milliseconds) -> bool:
    """True if ``what`` differs from what was told last under this name; then it is remembered."""
    written = connection.execute(
        "INSERT INTO told VALUES (?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET what = excluded.what, at = excluded.at WHERE what <> excluded.what",
        (name, what, at),
    ).rowcount
    return written == 1
