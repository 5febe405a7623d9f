"""Rows of messages and deliveries, and statements for many rows.

A statement that inserts many rows at once is one step of SQLite: the interpreter's lock is given up and taken
back once a group instead of once a row, which is what a busy event loop in the other thread makes expensive.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from mailrouter.store.events import MOST_WORDS, Event
from mailrouter.store.model import NO_REQUEST, Delivery, DsnRequest, Message

NEW_MESSAGE = (
    "id, received_at, reverse_path, recipients, size, body_start, client, helo, message_id, eight_bit, "
    "smtputf8, reasons, dsn, open"
)
"""The columns of a message that is accepted; ``refusal`` is set after that, where there is one."""
MESSAGE_COLUMNS = f"{NEW_MESSAGE}, refusal"
NEW_DELIVERY = (
    "id, kind, roles, recipient, reverse_path, pieces, size, handoff, eight_bit, smtputf8, attempts, next_at, "
    "created_at, state, last_reply, inside, about, claim"
)
"""The columns of a delivery that is queued; the others hold what becomes of it."""
DELIVERY_COLUMNS = f"{NEW_DELIVERY}, dropped"
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


def message_row(message: Message, still_open: int) -> tuple[Any, ...]:
    """A message's row, in NEW_MESSAGE's order. It has ``still_open`` deliveries."""
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
        "" if message.dsn is NO_REQUEST else json.dumps(asdict(message.dsn)),
        still_open,
    )


def message_of(row: tuple[Any, ...]) -> Message:
    """The message of a row of MESSAGE_COLUMNS."""
    return Message(  # type: ignore[call-arg]  # what a star holds is not counted
        *row[:3],
        tuple(row[3].split("\n")),
        *row[4:9],
        bool(row[9]),
        bool(row[10]),
        tuple(json.loads(row[11])),
        DsnRequest(**json.loads(row[12])) if row[12] else NO_REQUEST,
        row[14],
    )


@lru_cache(maxsize=4096)
def roles_text(roles: tuple[str, ...]) -> str:
    """Roles as their column holds them: a JSON array."""
    return json.dumps(roles, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=4096)
def roles_of(text: str) -> tuple[str, ...]:
    """The roles that such a column holds."""
    return tuple(json.loads(text))


def of_role(column: str) -> str:
    """A condition: the role that is bound to its mark is one of ``column``."""
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value = ?)"


def delivery_row(d: Delivery) -> tuple[Any, ...]:
    """The row of a delivery, in the order of NEW_DELIVERY."""
    return (
        d.id,
        d.kind,
        roles_text(d.roles),
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
        d.inside,
        d.about,
        d.claim,
    )


def delivery_of(row: tuple[Any, ...]) -> Delivery:
    """The delivery of a row of DELIVERY_COLUMNS."""
    return Delivery(  # type: ignore[call-arg]  # what a star holds is not counted
        *row[:2],
        roles_of(row[2]),
        *row[3:8],
        bool(row[8]),
        bool(row[9]),
        *row[10:15],
        bool(row[15]),
        *row[16:18],
        bool(row[18]),
    )


def note_events(connection: sqlite3.Connection, found: Sequence[Event]) -> None:
    """Keep events. The same thing at the same millisecond is one."""
    rows = [(e.delivery, e.at, e.what, e.who, e.words[:MOST_WORDS]) for e in found]
    run_rows(connection, "INSERT OR IGNORE INTO event (delivery, at, what, who, words) VALUES {rows}", rows)
