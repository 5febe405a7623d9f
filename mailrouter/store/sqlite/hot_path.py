"""The hot path's statements, each for a group of requests."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mailrouter.store import ids
from mailrouter.store.events import Event, What
from mailrouter.store.ids import MessageId, Milliseconds
from mailrouter.store.model import CHUNK_SIZE, Acceptance, Delivery, Outcome
from mailrouter.store.sqlite import consequences, handoffs
from mailrouter.store.sqlite import rows as tables
from mailrouter.store.sqlite.reply_limits import remember_reply

DUE = """
    SELECT id FROM delivery INDEXED BY delivery_due
    WHERE state = 'queued' AND next_at <= ? ORDER BY next_at LIMIT ?
"""
DUE_TOO_LATE = """
    SELECT id FROM delivery INDEXED BY delivery_due
    WHERE state = 'queued' AND next_at > ? ORDER BY next_at LIMIT ?
"""
"""Later than any retry may be: the clock was set back since."""
SHIFT = """
    UPDATE delivery SET created_at = CASE WHEN created_at BETWEEN :fresh AND :now THEN created_at
            ELSE min(created_at + :step, :now) END,
        next_at = CASE WHEN next_at BETWEEN :fresh AND :now THEN next_at ELSE min(next_at + :step, :latest) END
    WHERE id IN (SELECT id FROM delivery INDEXED BY delivery_due WHERE state = 'queued' AND id > :after
        ORDER BY id LIMIT :most)
    RETURNING id
"""
FORWARD = """
    UPDATE delivery INDEXED BY delivery_due SET next_at = ?
    WHERE state = 'queued' AND next_at > ? AND attempts <= ?
        AND cause = 'connection'
"""
# What was put on hold while it was being sent stays there, if it is to be tried again or ended for its time alone.
_SETTLE = """
    UPDATE delivery SET attempts = attempts + 1, last_reply = v.column3, cause = v.column6,
        state = CASE WHEN state = 'held' AND v.column5 THEN 'held' ELSE v.column2 END,
        next_at = CASE WHEN state = 'held' AND v.column5 THEN next_at ELSE v.column4 END,
        pieces = CASE WHEN v.column2 = 'delivered' AND (kind NOT IN ('copy', 'companion') OR reverse_path = '')
            THEN x'' ELSE pieces END
    FROM (VALUES {rows}) AS v WHERE delivery.id = v.column1 AND delivery.state IN ('queued', 'failed', 'held')
    RETURNING delivery.id, delivery.state
"""
FORWARD_ONE = "UPDATE delivery SET next_at = ? WHERE state = 'queued' AND next_at > ? AND id = ?"
_ATTEMPT: dict[str, What] = {"failed": "failed", "withdrawn": "withdrawn"}
_COMING_BACK = """
    SELECT 1 FROM delivery WHERE id BETWEEN ? AND ? AND state IN ('delivered', 'bounced') AND pieces <> x'' LIMIT 1
"""
_DROP_PIECES = """
    UPDATE delivery SET pieces = x''
    WHERE id BETWEEN ? AND ? AND state IN ('delivered', 'bounced') AND pieces <> x''
"""
_CLOSE = """
    UPDATE message SET open = open - v.column2 FROM (VALUES {rows}) AS v WHERE message.id = v.column1
    RETURNING id, open, size
"""
_KEEP_HEADERS = f"""
    UPDATE chunk SET data = ifnull(substr(chunk.data, 1, message.body_start), x'') FROM message
    WHERE message.id = chunk.id >> {ids.CHUNK_BITS} AND message.reverse_path <> '' AND chunk.id IN ({{places}})
    RETURNING chunk.id
"""


def accept_group(
    connection: sqlite3.Connection, group: list[Acceptance], keep_at: Milliseconds = 0
) -> list[list[Delivery]]:
    """Publish each message with its consequences; gives, for each, the deliveries that were queued. ``keep_at`` as in
    ``close``.

    A message without any delivery leaves its row for people to find, and no content.
    """
    queued: list[list[Delivery]] = []
    messages, chunks, deliveries = [], [], []
    ended: dict[int, int] = {}
    published: list[tuple[int]] = []
    unwanted: list[tuple[int]] = []
    for acceptance in group:
        message = acceptance.message
        mine = list(acceptance.deliveries)
        if (
            acceptance.reply is not None
            and acceptance.reply_memory is not None
            and remember_reply(connection, acceptance.reply_memory)
        ):
            mine.append(acceptance.reply)
        mine += [c.delivery for w in acceptance.wanted if (c := consequences.due(connection, w))]
        for wanted in acceptance.handoffs:
            mine += handoffs.change(connection, wanted, message.received_at)
        if any(delivery.inside for delivery in mine):
            for delivery in mine:
                delivery.inside = True
        for outcome in acceptance.reported:
            if consequences.report(connection, outcome, message.id):
                about = ids.message_of(outcome.delivery)
                ended[about] = ended.get(about, 0) + 1
        if acceptance.content is None:
            published.append((message.id,))
            if not mine:
                unwanted.append((message.id,))
        elif mine:
            chunks.append((ids.chunk_of(message.id, 0), acceptance.content))
        messages.append(tables.message_row(message, len(mine)))
        deliveries += [tables.delivery_row(delivery) for delivery in mine]
        queued.append(mine)
    tables.run_rows(connection, "INSERT INTO chunk (id, data) VALUES {rows}", chunks)
    tables.run_rows(connection, f"INSERT INTO message ({tables.NEW_MESSAGE}) VALUES {{rows}}", messages)
    tables.run_rows(connection, f"INSERT INTO delivery ({tables.NEW_DELIVERY}) VALUES {{rows}}", deliveries)
    for acceptance in group:
        if acceptance.message.refusal:
            refused = (acceptance.message.refusal, acceptance.message.id)
            connection.execute("UPDATE message SET refusal = ? WHERE id = ?", refused)
    if published:
        connection.executemany("DELETE FROM receiving WHERE id = ?", published)
        connection.executemany("INSERT OR IGNORE INTO sweep VALUES (?)", unwanted)
        # Nothing was sent of it, so nothing will have to be reported: its header goes too.
        connection.executemany(f"DELETE FROM chunk WHERE id = ? << {ids.CHUNK_BITS}", unwanted)
    close(connection, ended, keep_at)
    return queued


def settle_group(
    connection: sqlite3.Connection, group: list[Sequence[Outcome]], keep_at: Milliseconds = 0
) -> list[None]:
    """Record attempts. A message whose last delivery has ended gives up its content, a large one in steps; with
    ``keep_at`` as in ``close``."""
    outcomes = [outcome for outcomes in group for outcome in outcomes]
    rows = [
        (o.delivery, o.state, o.reply[:500], o.retry_at or o.at, o.expired or o.state == "queued", o.cause)
        for o in outcomes
    ]
    # What is settled twice counts once: a message must not lose its content while a delivery is open.
    ended: dict[int, int] = {}
    settled: dict[int, str] = {}
    for delivery, state in tables.run_rows(connection, _SETTLE, rows):
        settled[delivery] = state
        if state in ("delivered", "withdrawn"):
            message = ids.message_of(delivery)
            ended[message] = ended.get(message, 0) + 1
    # A success costs no row of its own: the delivery's holds all there is to say of it.
    tables.note_events(
        connection,
        [
            Event(o.delivery, o.at, _ATTEMPT.get(settled[o.delivery], "tried"), "", o.reply)
            for o in outcomes
            if o.state != "delivered" and o.delivery in settled
        ],
    )
    telling: list[Outcome] = []
    for outcome in outcomes:
        held = outcome.expired and settled.get(outcome.delivery) == "held"  # it may still be sent
        if outcome.delivery in settled and not held:
            if outcome.consequences:
                consequences.follow(connection, outcome)
            if outcome.tell:
                telling.append(outcome)
    consequences.owe(connection, telling)
    close(connection, ended, keep_at)
    return [None] * len(group)


def close(connection: sqlite3.Connection, ended: dict[int, int], keep_at: Milliseconds = 0) -> None:
    """Count the ``ended`` deliveries of messages. The last one takes the content with it, a large one in steps; but
    where a copy may still come back it stays for a while, which begins ``keep_at`` (0: it does not stay)."""
    closed = [
        (message, size)
        for message, still_open, size in tables.run_rows(connection, _CLOSE, list(ended.items()))
        if still_open <= 0
    ]
    if keep_at:
        kept = {message for message, _ in closed if _may_come_back(connection, message)}
        rows = [(message, keep_at) for message in sorted(kept)]
        tables.run_rows(connection, "INSERT OR REPLACE INTO kept (message, at) VALUES {rows}", rows)
        closed = [(message, size) for message, size in closed if message not in kept]
    give_up_content(connection, closed)


def _may_come_back(connection: sqlite3.Connection, message: MessageId) -> bool:
    return connection.execute(_COMING_BACK, ids.deliveries_of(message)).fetchone() is not None


def give_up_content(connection: sqlite3.Connection, closed: Sequence[tuple[MessageId, int]]) -> None:
    """Drop the content of messages nobody needs any more.

    They come with their sizes; what was made of it goes as well.
    """
    small = [message for message, size in closed if size <= CHUNK_SIZE]
    large = [(message,) for message, size in closed if size > CHUNK_SIZE]
    for message, _ in closed:
        connection.execute(_DROP_PIECES, ids.deliveries_of(message))
    if small:
        drop_content(connection, small)
    if large:
        connection.executemany("INSERT OR IGNORE INTO sweep VALUES (?)", large)


def drop_content(connection: sqlite3.Connection, messages: Sequence[MessageId]) -> None:
    """Drop the first chunks of messages, keeping headers for reports.

    A report may still have to be made; behind ``<>`` there is nobody to send one to.
    """
    first_chunks = [ids.chunk_of(message, 0) for message in messages]
    marks = ", ".join("?" * len(first_chunks))
    kept = connection.execute(_KEEP_HEADERS.format(places=marks), first_chunks).fetchall()
    if len(kept) < len(first_chunks):
        gone = sorted(set(first_chunks).difference(id_ for (id_,) in kept))
        connection.execute(f"DELETE FROM chunk WHERE id IN ({', '.join('?' * len(gone))})", gone)


def replace(
    connection: sqlite3.Connection,
    message: MessageId,
    withdrawn: Sequence[Outcome],
    new: Sequence[Delivery],
    keep_at: Milliseconds,
) -> None:
    """Queue ``new`` deliveries in place of those ``withdrawn``.

    They are of one message; ``keep_at`` as in ``close``.
    """
    within = consequences.inside(connection, message)
    for delivery in new:
        delivery.inside = within
    rows = [tables.delivery_row(delivery) for delivery in new]
    insert = f"INSERT INTO delivery ({tables.NEW_DELIVERY}) VALUES {{rows}}"
    tables.run_rows(connection, insert, rows)
    connection.execute("UPDATE message SET open = open + ? WHERE id = ?", (len(new), message))
    # Whoever put an old one on hold meant these too.
    old = [outcome.delivery for outcome in withdrawn]
    held = f"SELECT 1 FROM delivery WHERE state = 'held' AND id IN ({', '.join('?' * len(old))})"
    if old and connection.execute(held, old).fetchone():
        held_too = [(delivery.id,) for delivery in new]
        connection.executemany("UPDATE delivery SET state = 'held' WHERE id = ?", held_too)
    settle_group(connection, [withdrawn], keep_at)
