"""The statements of the hot path, each for a whole group of requests.

A statement that inserts many rows at once is one step of SQLite: the interpreter's lock is given up and taken
back once a group instead of once a row, which is what a busy event loop in the other thread makes expensive.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from mailrouter.store import handoffs
from mailrouter.store.model import (
    CHUNK_BITS,
    CHUNK_SIZE,
    DELIVERY_BITS,
    Acceptance,
    Delivery,
    Message,
    Outcome,
    ReplyMemory,
)

MESSAGE_COLUMNS = (
    "id, received_at, reverse_path, recipients, size, body_start, client, helo, message_id, eight_bit, "
    "smtputf8, reasons, open"
)
DELIVERY_COLUMNS = (
    "id, kind, role, recipient, reverse_path, pieces, size, handoff, eight_bit, smtputf8, attempts, next_at, "
    "created_at, state, last_reply"
)
DUE = f"""
    SELECT {DELIVERY_COLUMNS} FROM delivery INDEXED BY delivery_due
    WHERE state = 'queued' AND next_at <= ? ORDER BY next_at LIMIT ?
"""
_SETTLE = """
    UPDATE delivery SET state = v.column2, attempts = attempts + 1, last_reply = v.column3, next_at =
    v.column4,
        pieces = CASE v.column2 WHEN 'delivered' THEN x'' ELSE pieces END
    FROM (VALUES {rows}) AS v WHERE delivery.id = v.column1 AND delivery.state IN ('queued', 'failed')
    RETURNING delivery.id, delivery.state
"""
SHOW = """
    INSERT INTO shown (conversation, handoff, at) VALUES {rows}
    ON CONFLICT (conversation) DO UPDATE SET handoff = excluded.handoff, at = excluded.at
"""
_CLOSE = """
    UPDATE message SET open = open - v.column2 FROM (VALUES {rows}) AS v WHERE message.id = v.column1
    RETURNING id, open, size
"""
_MOST_PARAMETERS = 900


@lru_cache(maxsize=1024)
def _rows(statement: str, width: int, count: int) -> str:
    row = "(" + ", ".join("?" * width) + ")"
    return statement.format(rows=", ".join([row] * count))


def _in_groups(statement: str, rows: Sequence[tuple[Any, ...]]) -> Iterable[tuple[str, list[Any]]]:
    if not rows:
        return
    width = len(rows[0])
    most = _MOST_PARAMETERS // width
    for first in range(0, len(rows), most):
        part = rows[first : first + most]
        yield _rows(statement, width, len(part)), [value for row in part for value in row]


def run_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Run ``statement`` (with ``{rows}`` where the VALUES go) over all rows; gives what it returned."""
    found: list[Any] = []
    for text, values in _in_groups(statement, rows):
        found += connection.execute(text, values).fetchall()
    return found


def accept_group(connection: sqlite3.Connection, group: list[Acceptance]) -> list[list[Delivery]]:
    """Publish each message with its consequences; gives, for each, the deliveries that were queued.

    A message without any delivery leaves its row for people to find, and no content.
    """
    queued: list[list[Delivery]] = []
    messages, chunks, deliveries = [], [], []
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
        for wanted in acceptance.handoffs:
            mine += handoffs.change(connection, wanted, message.received_at)
        if acceptance.content is None:
            published.append((message.id,))
            if not mine:
                unwanted.append((message.id,))
        elif mine:
            chunks.append((message.id << CHUNK_BITS, acceptance.content))
        messages.append(_message_row(message, len(mine)))
        deliveries += [delivery_row(delivery) for delivery in mine]
        queued.append(mine)
    run_rows(connection, "INSERT INTO chunk (id, data) VALUES {rows}", chunks)
    run_rows(connection, f"INSERT INTO message ({MESSAGE_COLUMNS}) VALUES {{rows}}", messages)
    run_rows(connection, f"INSERT INTO delivery ({DELIVERY_COLUMNS}) VALUES {{rows}}", deliveries)
    if published:
        connection.executemany("DELETE FROM receiving WHERE id = ?", published)
        connection.executemany("INSERT OR IGNORE INTO sweep VALUES (?)", unwanted)
    return queued


def settle_group(connection: sqlite3.Connection, group: list[Sequence[Outcome]]) -> list[None]:
    """Record attempts. A message whose last delivery has ended gives up its content, a large one in steps."""
    outcomes = [outcome for outcomes in group for outcome in outcomes]
    rows = [(o.delivery, o.state, o.reply[:500], o.retry_at or o.at) for o in outcomes]
    # What is settled twice counts once: a message must not lose its content while a delivery is open.
    ended: dict[int, int] = {}
    for delivery, state in run_rows(connection, _SETTLE, rows):
        if state in ("delivered", "withdrawn"):
            message = delivery >> DELIVERY_BITS
            ended[message] = ended.get(message, 0) + 1
    small: list[tuple[int]] = []
    large: list[tuple[int]] = []
    for message, still_open, size in run_rows(connection, _CLOSE, list(ended.items())):
        if still_open <= 0:
            (small if size <= CHUNK_SIZE else large).append((message,))
    if small:
        ids = [message << CHUNK_BITS for (message,) in small]
        connection.execute(f"DELETE FROM chunk WHERE id IN ({', '.join('?' * len(ids))})", ids)
    if large:
        connection.executemany("INSERT OR IGNORE INTO sweep VALUES (?)", large)
    return [None] * len(group)


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
        " ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE at <= ?",
        (memory.key, memory.at, memory.again_after),
    ).rowcount
    if written != 1:
        return False
    for scope, _ in memory.caps:
        connection.execute(
            "INSERT INTO reply_count VALUES (?, ?, 1) ON CONFLICT (day, scope) DO UPDATE SET n = n + 1",
            (memory.day, scope),
        )
    return True


def _message_row(message: Message, still_open: int) -> tuple[Any, ...]:
    return (
        message.id,
        message.received_at,
        message.reverse_path,
        "\n".join(message.recipients),
        message.size,
        message.body_start,
        message.client,
        message.helo,
        message.message_id,
        message.eight_bit,
        message.smtputf8,
        json.dumps(message.reasons, ensure_ascii=False),
        still_open,
    )


def message_of(row: tuple[Any, ...]) -> Message:
    """The message of a row of MESSAGE_COLUMNS."""
    return Message(
        *row[:3],
        tuple(row[3].split("\n")),
        *row[4:9],
        bool(row[9]),
        bool(row[10]),
        tuple(json.loads(row[11])),
    )


def delivery_row(d: Delivery) -> tuple[Any, ...]:
    """The row of a delivery, in the order of DELIVERY_COLUMNS."""
    return (
        d.id,
        d.kind,
        d.role,
        d.recipient,
        d.reverse_path,
        d.pieces,
        d.size,
        d.handoff,
        d.eight_bit,
        d.smtputf8,
        d.attempts,
        d.next_at,
        d.created_at,
        d.state,
        d.last_reply,
    )


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """The delivery of a row of DELIVERY_COLUMNS."""
    return Delivery(*row[:8], bool(row[8]), bool(row[9]), *row[10:])
