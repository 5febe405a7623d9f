"""Keeping handoffs: versions, those that wait for a confirmation, and the mails that brought them."""

from __future__ import annotations

import sqlite3

from mailrouter.errors import StoreError
from mailrouter.store import schedule_changes
from mailrouter.store.model import Delivery, HandoffChange, Milliseconds, NewHandoff, WaitingHandoff

WAIT_MS: Milliseconds = 7 * 86_400_000
"""A handoff waits this long for its confirmation."""
ASK_AGAIN_MS: Milliseconds = 3_600_000
"""Not before this does one mailbox get another question about one role."""

_WAIT = """
    INSERT INTO waiting_handoff (role, mailbox, message, asked_at, text) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (role, mailbox)
    DO UPDATE SET message = excluded.message, asked_at = excluded.asked_at, text = excluded.text
    WHERE asked_at <= ?
"""


def keep(connection: sqlite3.Connection, new: NewHandoff) -> int:
    """Keep a new version; gives its number."""
    version = connection.execute(
        "INSERT INTO handoff (role, author, written_at, text, body) VALUES (?, ?, ?, ?, ?)",
        (new.role, new.author, new.written_at, new.text, new.body),
    ).lastrowid
    assert version is not None
    return version


def change(connection: sqlite3.Connection, wanted: HandoffChange, at: Milliseconds) -> list[Delivery]:
    """Make a change; gives the notices that are to be queued, with the version that they tell of.

    Raises StoreError where what it rests on has changed meanwhile: the mail is to come again then.
    """
    if wanted.once:
        row = (wanted.once, at)
        if connection.execute("INSERT OR IGNORE INTO handoff_mail VALUES (?, ?)", row).rowcount != 1:
            return []
    if wanted.confirms is not None:
        _take(connection, wanted.confirms, at)
    if wanted.new is not None:
        version = keep(connection, wanted.new)
        for notice in wanted.notices:
            notice.handoff = version
    if wanted.waiting is not None:
        _wait(connection, wanted.waiting)
    if wanted.schedule is not None:
        schedule_changes.begin(connection, wanted.schedule)
    return list(wanted.notices)


def _take(connection: sqlite3.Connection, waiting: WaitingHandoff, at: Milliseconds) -> None:
    gone = connection.execute(
        "DELETE FROM waiting_handoff WHERE role = ? AND mailbox = ? AND message = ? AND asked_at > ?",
        (waiting.role, waiting.mailbox, waiting.message, at - WAIT_MS),
    ).rowcount
    if gone != 1:
        raise StoreError("The handoff that this mail confirms does not wait any more.")


def _wait(connection: sqlite3.Connection, waiting: WaitingHandoff) -> None:
    connection.execute("DELETE FROM waiting_handoff WHERE asked_at <= ?", (waiting.asked_at - WAIT_MS,))
    row = (waiting.role, waiting.mailbox, waiting.message, waiting.asked_at, waiting.text)
    if connection.execute(_WAIT, (*row, waiting.asked_at - ASK_AGAIN_MS)).rowcount != 1:
        raise StoreError("A confirmation of this handoff was asked for a moment ago.")
