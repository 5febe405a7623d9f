"""Consequences of an outcome: messages of ours to the operator, to partners and to the sender.

Of an attempt, the outcome is recorded first, with a mark that it is to be told (the table ``owed``); the messages are
queued in the transaction that takes the mark away. Of a report that came in, they are queued in the transaction that
records it. So a crash neither loses nor repeats them; and whether everybody has failed is asked in the transaction that
queues them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from mailrouter.store import ids
from mailrouter.store.events import Event
from mailrouter.store.ids import DeliveryId, MessageId, queue_id
from mailrouter.store.model import Consequence, Delivery, Outcome
from mailrouter.store.sqlite.reply_limits import remember_reply
from mailrouter.store.sqlite.rows import NEW_DELIVERY, delivery_row, note_events, of_role, run_rows

_OWE = "INSERT OR REPLACE INTO owed (delivery, state, words, at, tries) VALUES {rows}"
_FITS: dict[str, tuple[str, ...]] = {"queued": ("queued", "held")}
"""States in which a delivery may be by now for the telling to be true; else the state that was recorded."""
OWED = "SELECT delivery, state, words, at, tries FROM owed ORDER BY at, delivery"
"""Rows of ``Owed``, oldest first."""


def follow(connection: sqlite3.Connection, outcome: Outcome) -> list[Delivery]:
    """Queue what ``outcome`` brings about; gives what was queued, with the ids that it got."""
    message = ids.message_of(outcome.delivery)
    first = free_number(connection, message)
    # The last number is the automatic reply's, and those behind it are the next message's.
    possible = outcome.consequences[: max(0, ids.REPLY_NUMBER - first)]
    queued = [wanted.delivery for c in possible if (wanted := due(connection, c))]
    if not queued:
        return []
    within = inside(connection, message)
    for number, delivery in enumerate(queued, first):
        delivery.id = ids.delivery_of(message, number)
        delivery.inside = within
    insert = f"INSERT INTO delivery ({NEW_DELIVERY}) VALUES {{rows}}"
    run_rows(connection, insert, [delivery_row(delivery) for delivery in queued])
    connection.execute("UPDATE message SET open = open + ? WHERE id = ?", (len(queued), message))
    return queued


def report(connection: sqlite3.Connection, outcome: Outcome, by: MessageId | None = None) -> bool:
    """Record what message ``by`` reports of a delivery, with its consequences. None: it was found out here.

    That it came back is recorded once; any other state stays as it is. True where a delivery ended by it that had
    not ended before.
    """
    row = connection.execute(
        "SELECT state, next_at, last_reply FROM delivery WHERE id = ?", (outcome.delivery,)
    ).fetchone()
    if row is None or row[0] in ("bounced", "withdrawn"):
        return False
    who = "" if by is None else queue_id(by)
    if outcome.state != "bounced":
        if by is not None:  # without its words: they may be the subject of somebody's mail
            note_events(connection, [Event(outcome.delivery, outcome.at, "answered", who, "")])
    else:
        before = [Event(outcome.delivery, row[1], "delivered", "", row[2])] if row[0] == "delivered" else []
        came_back = Event(outcome.delivery, outcome.at, "bounced", who, outcome.reply)
        note_events(connection, [*before, came_back])
        connection.execute(
            "UPDATE delivery SET state = 'bounced', last_reply = ?, next_at = ? WHERE id = ?",
            (outcome.reply[:500], outcome.at, outcome.delivery),
        )
        # From now on there is time to send it again.
        kept = "UPDATE kept SET at = max(at, ?) WHERE message = ?"
        connection.execute(kept, (outcome.at, ids.message_of(outcome.delivery)))
    follow(connection, outcome)
    return outcome.state == "bounced" and row[0] != "delivered"


def due(connection: sqlite3.Connection, consequence: Consequence) -> Consequence | None:
    """Claim the message that still applies, or its substitute, and remember it."""
    if _reaches_somebody(connection, consequence):
        return due(connection, consequence.otherwise) if consequence.otherwise else None
    remembered = consequence.memory is None or remember_reply(connection, consequence.memory)
    return consequence if remembered else None


def _reaches_somebody(connection: sqlite3.Connection, consequence: Consequence) -> bool:
    unless, states = consequence.unless, consequence.states
    in_state = f"state IN ({', '.join('?' * len(states))}) LIMIT 1"
    if unless:
        place = f"id IN ({', '.join('?' * len(unless))})"
        if connection.execute(
            f"SELECT 1 FROM delivery WHERE {place} AND {in_state}", (*unless, *states)
        ).fetchone():
            return True
    if not consequence.nobody_of:
        return False
    place = f"id BETWEEN ? AND ? AND kind = 'copy' AND {of_role('roles')}"
    values = (*ids.deliveries_of(consequence.delivery.message), consequence.nobody_of, *states)
    return (
        connection.execute(f"SELECT 1 FROM delivery WHERE {place} AND {in_state}", values).fetchone()
        is not None
    )


def inside(connection: sqlite3.Connection, message: MessageId) -> bool:
    """Whether something of a message is for partners alone (see ``Delivery``)."""
    found = connection.execute(
        "SELECT 1 FROM delivery WHERE id BETWEEN ? AND ? AND inside LIMIT 1", ids.deliveries_of(message)
    )
    return found.fetchone() is not None


def free_number(connection: sqlite3.Connection, message: MessageId) -> int:
    """The first number behind those of a message's deliveries; the automatic reply's does not count."""
    (last,) = connection.execute(
        "SELECT max(id) FROM delivery WHERE id >= ? AND id < ?",
        (ids.unnumbered(message), ids.reply_of(message)),
    ).fetchone()
    return 0 if last is None else ids.number_of(last) + 1


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
            queued += follow(connection, outcome)
    return queued
