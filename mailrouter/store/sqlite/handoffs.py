"""Handoffs, changes of roles' files, and other memories.

Of handoffs there are versions, those that wait for a yes, and the mails that brought them.

A change of a role's file is committed before its file is written, with the new text whole. After a crash between the two
it is known what the file is to become (``mailrouter.intake.partner.file_changes.recover``).
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from functools import partial
from typing import Any

from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import (
    ASKING_MS,
    CHANGES_KEPT,
    MOST_ASKED_A_DAY,
    MOST_WAITING,
    WAIT_MS,
    Delivery,
    FailingMailbox,
    HandoffChange,
    NewHandoff,
    ScheduleChange,
    WaitingHandoff,
)
from mailrouter.store.sqlite import consequences
from mailrouter.store.sqlite.reply_limits import tell_once
from mailrouter.store.sqlite.writer import Work
from mailrouter.trust.confirmations import MOST_ASKED

_COLUMNS = "role, id, at, author, what, before, after, undoes, state"
OF_ROLE = f"SELECT {_COLUMNS} FROM schedule_change WHERE role = ? ORDER BY id DESC LIMIT ?"
LAST = (
    f"SELECT {_COLUMNS} FROM schedule_change WHERE role = ? AND state = 'done' AND undoes = 0"
    " ORDER BY id DESC LIMIT 1"
)
BEGUN = f"SELECT {_COLUMNS} FROM schedule_change INDEXED BY schedule_change_begun WHERE state = 'begun' ORDER BY id"
_ASKED = """
    SELECT count(DISTINCT message) FROM waiting_handoff
    WHERE mailbox = ? AND asked_at > ? AND asked_at < ? AND message <> ?
"""
_OLDEST = """
    DELETE FROM waiting_handoff WHERE (role, purpose, mailbox) = (:role, :purpose, :mailbox) AND message NOT IN (
        SELECT message FROM waiting_handoff WHERE (role, purpose, mailbox) = (:role, :purpose, :mailbox)
        ORDER BY asked_at DESC, message DESC LIMIT :most
    )
"""
_OLDER = (
    "DELETE FROM waiting_handoff WHERE (role, purpose, mailbox) = (?, ?, ?) AND (asked_at, message) < (?, ?)"
)


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
        begin_schedule_change(connection, wanted.schedule)
    return list(wanted.notices)


def _take(
    connection: sqlite3.Connection, waiting: WaitingHandoff, at: Milliseconds, is_handoff: bool
) -> None:
    gone = connection.execute(
        "DELETE FROM waiting_handoff WHERE (role, purpose, mailbox, message) = (?, ?, ?, ?) AND asked_at > ?",
        (waiting.role, waiting.purpose, waiting.mailbox, waiting.message, at - WAIT_MS),
    ).rowcount
    if gone != 1:
        raise StoreError("The handoff that this mail confirms does not wait any more.")
    if is_handoff:
        # An answer to an older question must not put an older handoff in the place of this one.
        older = (waiting.role, waiting.purpose, waiting.mailbox, waiting.asked_at, waiting.message)
        connection.execute(_OLDER, older)


def _wait(connection: sqlite3.Connection, waiting: WaitingHandoff) -> None:
    connection.execute("DELETE FROM waiting_handoff WHERE asked_at <= ?", (waiting.asked_at - WAIT_MS,))
    for most, during in ((MOST_ASKED, ASKING_MS), (MOST_ASKED_A_DAY, DAY_MS)):
        # What is a day later was asked before the clock was set back.
        about = (waiting.mailbox, waiting.asked_at - during, waiting.asked_at + DAY_MS, waiting.message)
        (asked,) = connection.execute(_ASKED, about).fetchone()
        if asked >= most:
            raise StoreError("Confirmations were asked for a moment ago.")
    insert = "INSERT INTO waiting_handoff (role, purpose, mailbox, message, asked_at, text) VALUES (?, ?, ?, ?, ?, ?)"
    whose = (waiting.role, waiting.purpose, waiting.mailbox)
    connection.execute(insert, (*whose, waiting.message, waiting.asked_at, waiting.text))
    names = ("role", "purpose", "mailbox", "most")
    connection.execute(_OLDEST, dict(zip(names, (*whose, MOST_WAITING), strict=True)))


def begin_schedule_change(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """Keep a change whose file is to be written now."""
    c = change
    row = (c.role, c.id, c.at, c.author, c.what, c.before, c.after, c.undoes, "begun")
    connection.execute(f"INSERT INTO schedule_change ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def finish_schedule_change(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """The file holds it; what it takes back is undone. Of a role's changes the newest ``CHANGES_KEPT`` stay."""
    _state(connection, change.role, change.id, "done")
    if change.undoes:
        _state(connection, change.role, change.undoes, "undone")
    connection.execute(
        "DELETE FROM schedule_change WHERE role = ? AND id <= (SELECT id FROM schedule_change WHERE role = ?"
        " ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (change.role, change.role, CHANGES_KEPT),
    )


def lose_schedule_change(connection: sqlite3.Connection, change: ScheduleChange) -> None:
    """The file could not be written."""
    _state(connection, change.role, change.id, "lost")


def _state(connection: sqlite3.Connection, role: str, number: int, state: str) -> None:
    connection.execute(
        "UPDATE schedule_change SET state = ? WHERE role = ? AND id = ?", (state, role, number)
    )


class Memories(ABC):
    """The store's memories beside its queue."""

    @abstractmethod
    async def run(self, work: Work) -> Any:
        """Run ``work`` in a write transaction; gives its result once it is durable."""

    async def add_handoff(
        self, role: str, author: str, written_at: Milliseconds, text: str, body: bytes
    ) -> int:
        """Keep a new version; gives its number."""
        new = NewHandoff(role, author, written_at, text, body)
        return int(await self.run(lambda connection: keep(connection, new)))

    async def finish_change(self, change: ScheduleChange) -> None:
        """The file of a change that was begun holds its text."""
        await self.run(lambda connection: finish_schedule_change(connection, change))

    async def remember_told(self, name: str, what: str, at: Milliseconds) -> None:
        """Take ``what`` as told under ``name``."""
        await self.run(lambda connection: tell_once(connection, name, what, at))

    async def keep_failing(self, found: FailingMailbox) -> None:
        """Keep that mail does not reach a mailbox."""
        row = (found.mailbox, found.since, found.last, found.words, found.returned, found.taken_at)
        insert = "INSERT OR REPLACE INTO failing_mailbox VALUES (?, ?, ?, ?, ?, ?)"
        await self.run(lambda connection: connection.execute(insert, row))

    async def forget_failing(self, mailbox: str) -> None:
        """Mail reaches a mailbox again."""
        await self.run(
            lambda connection: connection.execute("DELETE FROM failing_mailbox WHERE mailbox = ?", (mailbox,))
        )

    async def saw(self, now: Milliseconds) -> None:
        """Remember that the service ran at ``now``."""
        await self.run(
            lambda connection: connection.execute(
                "INSERT OR REPLACE INTO told VALUES ('ran', ?, ?)", (str(now), now)
            )
        )

    async def begin_telling(self, delivery: DeliveryId) -> None:
        """Count that a telling is begun at a start: if it ends the process, the next start knows."""
        await self.run(partial(consequences.begin_again, delivery=delivery))

    async def forgive_tellings(self) -> None:
        """Count none of the tries so far: the process ends in order."""
        await self.run(consequences.forgive)
