"""Keeping changes of roles' files: begun with the mail that brought them, done once the file holds them.

A change is committed before its file is written, with the new text whole. After a crash between the two it is known
what the file is to become (``mailrouter.intake.partner.file_changes.recover``).
"""

from __future__ import annotations

import sqlite3

from mailrouter.store.model import ScheduleChange

KEPT = 50
"""Changes kept a role: some months, and some hundred kilobytes."""

_COLUMNS = "role, id, at, author, what, before, after, undoes, state"
OF_ROLE = f"SELECT {_COLUMNS} FROM schedule_change WHERE role = ? ORDER BY id DESC LIMIT ?"
LAST = (
    f"SELECT {_COLUMNS} FROM schedule_change WHERE role = ? AND state = 'done' AND undoes = 0"
    " ORDER BY id DESC LIMIT 1"
)
BEGUN = f"SELECT {_COLUMNS} FROM schedule_change INDEXED BY schedule_change_begun WHERE state = 'begun' ORDER BY id"


def begin(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """Keep a change whose file is to be written now."""
    c = change
    row = (c.role, c.id, c.at, c.author, c.what, c.before, c.after, c.undoes, "begun")
    connection.execute(f"INSERT INTO schedule_change ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def finish(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """The file holds it; what it takes back is undone. Of a role's changes the newest ``KEPT`` stay."""
    _state(connection, change.role, change.id, "done")
    if change.undoes:
        _state(connection, change.role, change.undoes, "undone")
    connection.execute(
        "DELETE FROM schedule_change WHERE role = ? AND id <= (SELECT id FROM schedule_change WHERE role = ?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (change.role, change.role, KEPT),
    )


def lose(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """The file could not be written."""
    _state(connection, change.role, change.id, "lost")


def _state(connection: sqlite3.Connection, role: str, number: int, state: str) -> None:
    connection.execute(
        "UPDATE schedule_change SET state = ? WHERE role = ? AND id = ?", (state, role, number)
    )
