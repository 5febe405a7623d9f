"""Keeping handoffs: versions, those that wait for a confirmation, and the mails that brought them."""

from __future__ import annotations

import sqlite3

from mailrouter.errors import StoreError
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import Delivery, HandoffChange, NewHandoff, WaitingHandoff
from mailrouter.store.sqlite import schedule_changes
from mailrouter.trust.confirmations import MOST_ASKED

WAIT_MS: Milliseconds = 7 * 86_400_000
"""A handoff waits this long for its confirmation."""
ASKING_MS: Milliseconds = 3_600_000
"""Within this time one mailbox is asked about ``MOST_ASKED`` mails, whatever their roles, while none of the questions
is answered."""
DAY_MS: Milliseconds = 86_400_000
MOST_ASKED_A_DAY = 12
"""The same for a day."""
MOST_WAITING = 24
"""So many wait for one mailbox and role; a further one takes the place of the oldest."""

_ASKED = """
    SELECT count(DISTINCT message) FROM waiting_handoff
    WHERE mailbox = ? AND asked_at > ? AND asked_at < ? AND message <> ?
"""
_OLDEST = """
    DELETE FROM waiting_handoff WHERE role = :role AND mailbox = :mailbox AND message NOT IN (
        SELECT message FROM waiting_handoff WHERE role = :role AND mailbox = :mailbox
        ORDER BY asked_at DESC, message DESC LIMIT :most
    )
"""
_OLDER = "DELETE FROM waiting_handoff WHERE role = ? AND mailbox = ? AND (asked_at, message) < (?, ?)"


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
        _take(connection, wanted.confirms, at, wanted.new is not None)
    if wanted.new is not None:
        version = keep(connection, wanted.new)
        for notice in wanted.notices:
            notice.handoff = version
    if wanted.waiting is not None:
        _wait(connection, wanted.waiting)
    if wanted.schedule is not None:
        schedule_changes.begin(connection, wanted.schedule)
    return list(wanted.notices)


def _take(
    connection: sqlite3.Connection, waiting: WaitingHandoff, at: Milliseconds, is_handoff: bool
) -> None:
    gone = connection.execute(
        "DELETE FROM waiting_handoff WHERE role = ? AND mailbox = ? AND message = ? AND asked_at > ?",
        (waiting.role, waiting.mailbox, waiting.message, at - WAIT_MS),
    ).rowcount
    if gone != 1:
        raise StoreError("The handoff that this mail confirms does not wait any more.")
    if is_handoff:
        # An answer to an older question must not put an older handoff in the place of this one.
        connection.execute(_OLDER, (waiting.role, waiting.mailbox, waiting.asked_at, waiting.message))


def _wait(connection: sqlite3.Connection, waiting: WaitingHandoff) -> None:
    connection.execute("DELETE FROM waiting_handoff WHERE asked_at <= ?", (waiting.asked_at - WAIT_MS,))
    for most, during in ((MOST_ASKED, ASKING_MS), (MOST_ASKED_A_DAY, DAY_MS)):
        # What is a day later was asked before the clock was set back.
        about = (waiting.mailbox, waiting.asked_at - during, waiting.asked_at + DAY_MS, waiting.message)
        (asked,) = connection.execute(_ASKED, about).fetchone()
        if asked >= most:
            raise StoreError("Confirmations were asked for a moment ago.")
    whose = (waiting.role, waiting.mailbox)
    row = (*whose, waiting.message, waiting.asked_at, waiting.text)
    connection.execute(
        "INSERT INTO waiting_handoff (role, mailbox, message, asked_at, text) VALUES (?, ?, ?, ?, ?)", row
    )
    connection.execute(_OLDEST, {"role": waiting.role, "mailbox": waiting.mailbox, "most": MOST_WAITING})
