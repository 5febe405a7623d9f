"""Tellings that are owed: outcomes that are recorded, and of which nobody has been told yet.

An outcome is recorded before anything is read, worded or sent because of it. What it brings about is a second
transaction, which takes it off this list; so a crash between the two loses neither.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import Delivery, Outcome, State
from mailrouter.store.sqlite import consequences
from mailrouter.store.sqlite.rows import run_rows

_OWE = "INSERT OR REPLACE INTO owed (delivery, state, words, at, tries) VALUES {rows}"
_FITS: dict[str, tuple[str, ...]] = {"queued": ("queued", "held")}
"""States in which a delivery may be by now for the telling to be true; else the state that was recorded."""


@dataclass(frozen=True, slots=True)
class Owed:
    """One telling: the outcome of an attempt as it was recorded, and at how many starts it was begun again."""

    delivery: DeliveryId
    state: State
    words: str
    at: Milliseconds
    tries: int = 0

    @property
    def outcome(self) -> Outcome:
        """As ``follow`` of the dispatcher takes it."""
        return Outcome(self.delivery, self.state, self.words, self.at)


ALL = "SELECT delivery, state, words, at, tries FROM owed ORDER BY at, delivery"
"""Rows of ``Owed``, oldest first."""


def owe(connection: sqlite3.Connection, outcomes: Iterable[Outcome]) -> None:
    """Put outcomes on the list; the newest of a delivery takes the place of one before it."""
    run_rows(connection, _OWE, [(o.delivery, o.state, o.reply[:500], o.at, 0) for o in outcomes])


def begin_again(connection: sqlite3.Connection, delivery: DeliveryId) -> None:
    """Count that a telling is begun at a start: if it ends the process, the next start knows."""
    connection.execute("UPDATE owed SET tries = tries + 1 WHERE delivery = ?", (delivery,))


def forgive(connection: sqlite3.Connection) -> None:
    """Count none of the tries so far: the process ends in order."""
    connection.execute("UPDATE owed SET tries = 0 WHERE tries > 0")


def pay(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> list[Delivery]:
    """Queue what outcomes bring about and take them off the list; gives what was queued.

    Nothing is queued of one that is not on the list, or where the delivery has gone on since (somebody retried it).
    """
    queued: list[Delivery] = []
    for outcome in outcomes:
        row = connection.execute(
            "DELETE FROM owed WHERE delivery = ? AND state = ? RETURNING state",
            (outcome.delivery, outcome.state),
        ).fetchone()
        if row is None:
            continue
        (state,) = connection.execute(
            "SELECT state FROM delivery WHERE id = ?", (outcome.delivery,)
        ).fetchone() or ("",)
        if state in _FITS.get(outcome.state, (outcome.state,)):
            queued += consequences.follow(connection, outcome)
    return queued
