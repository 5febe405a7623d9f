"""The queue as people see it: which deliveries are meant, how many there are, and the oldest of them.

A delivery is in the queue while it is queued, on hold, or has failed and nobody has dropped it. Each of these states
has an index of its own, so that mail that was delivered, however much, is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mailrouter.store.model import (
    DELIVERY_BITS,
    Delivery,
    DeliveryId,
    MessageId,
    Milliseconds,
    QueueEntry,
    State,
)
from mailrouter.store.reader import StoreReader

OPEN: tuple[State, ...] = ("queued", "held", "failed")
_INDEX = {"queued": "delivery_due", "held": "delivery_held", "failed": "delivery_failed"}
_FEW = 20_000
"""So many rows are looked up one by one; of more, the whole stretch from the oldest on is read (measured with 400,000:
0.2 s instead of 0.6 s)."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries in the queue are meant: all that fit every word said here.

    Addresses are compared without regard to case. Times are exclusive; ``until`` is the newest message meant.
    """

    messages: tuple[MessageId, ...] = ()
    role: str = ""
    recipient: str = ""
    sender: str = ""
    states: tuple[State, ...] = OPEN
    received_before: Milliseconds | None = None
    received_after: Milliseconds | None = None
    due_before: Milliseconds | None = None
    due_after: Milliseconds | None = None
    until: MessageId | None = None

    def __post_init__(self) -> None:
        if not self.states or not set(self.states) <= set(OPEN):
            raise ValueError(f"states are some of {', '.join(OPEN)}")

    @property
    def narrow(self) -> bool:
        """Whether anything but the state is said."""
        return replace(self, states=OPEN, until=None) != Selection()

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Selection:
        """From ``data``. Raises ValueError, TypeError for what is none."""
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"a selection has no {', '.join(sorted(unknown))}")
        known = dict(data)
        for name in ("messages", "states"):
            if name in known:
                known[name] = tuple(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Summary:
    """How much there is: messages, deliveries by state, when the oldest came in, deliveries by recipient."""

    messages: int
    by_state: dict[State, int]
    oldest: Milliseconds | None
    by_recipient: list[tuple[str, int]]

    @property
    def deliveries(self) -> int:
        """Of all states."""
        return sum(self.by_state.values())


def matching(selection: Selection, columns: str = "delivery.id") -> tuple[str, list[Any]]:
    """A statement that gives ``columns`` of the deliveries meant, with its values."""
    conditions, values = _conditions(selection)
    join = " JOIN message ON message.id = delivery.id >> 10" if "message." in conditions else ""
    if selection.messages:
        marks = ", ".join("?" * len(selection.states))
        parts, all_values = [], []
        for message in selection.messages:
            first = message << DELIVERY_BITS
            parts.append(
                f"SELECT {columns} FROM delivery{join} WHERE delivery.id BETWEEN ? AND ?"
                f" AND state IN ({marks}){conditions}"
            )
            all_values += [first, first + (1 << DELIVERY_BITS) - 1, *selection.states, *values]
        return " UNION ALL ".join(parts), all_values
    # `+` keeps a condition from being taken for a reason to use another index.
    parts = [
        f"SELECT {columns} FROM delivery INDEXED BY {_INDEX[state]}{join} WHERE state = '{state}'{conditions}"
        for state in selection.states
    ]
    return " UNION ALL ".join(parts), values * len(parts)


def _conditions(selection: Selection) -> tuple[str, list[Any]]:
    found: list[tuple[str, Any]] = []
    if selection.role:
        found.append(
            (" AND ',' || delivery.role || ',' LIKE ? ESCAPE '\\'", f"%,{escaped(selection.role)},%")
        )
    if selection.recipient:
        found.append((" AND delivery.recipient LIKE ? ESCAPE '\\'", escaped(selection.recipient)))
    if selection.sender:
        found.append((" AND message.reverse_path LIKE ? ESCAPE '\\'", escaped(selection.sender)))
    for words, value in (
        ("message.received_at < ?", selection.received_before),
        ("message.received_at > ?", selection.received_after),
        ("delivery.next_at < ?", selection.due_before),
        ("delivery.next_at > ?", selection.due_after),
    ):
        if value is not None:
            found.append((f" AND {words}", value))
    if selection.due_before is not None or selection.due_after is not None:
        found.append((" AND delivery.state = ?", "queued"))  # nothing else has a next attempt
    if selection.until is not None:
        found.append((" AND delivery.id < ?", (selection.until + 1) << DELIVERY_BITS))
    return "".join(words for words, _ in found), [value for _, value in found]


def escaped(text: str) -> str:
    """``text`` as a pattern of LIKE that means nothing but itself, by ``\\``."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def ids(reader: StoreReader, selection: Selection) -> list[DeliveryId]:
    """All deliveries meant, oldest message first. Raises StoreError."""
    found: list[DeliveryId] = []
    for part in _parts(selection):
        statement, values = matching(part)
        found += [int(id_) for (id_,) in reader.rows(statement, values)]
    return sorted(found)


def _parts(selection: Selection) -> list[Selection]:
    """The same in parts that a statement has room for."""
    if len(selection.messages) <= 100:
        return [selection]
    groups = range(0, len(selection.messages), 100)
    return [replace(selection, messages=selection.messages[n : n + 100]) for n in groups]


def entries(reader: StoreReader, found: Sequence[DeliveryId], most: int) -> list[QueueEntry]:
    """The first ``most`` messages of these deliveries (in order of ids), each with those of its own."""
    by_message: dict[MessageId, list[DeliveryId]] = {}
    for id_ in found:
        message = id_ >> DELIVERY_BITS
        if message not in by_message and len(by_message) == most:
            break
        by_message.setdefault(message, []).append(id_)
    deliveries = {d.id: d for d in reader.deliveries([id_ for ids_ in by_message.values() for id_ in ids_])}
    messages = {m.id: m for m in reader.messages(list(by_message))}
    listed = []
    for message, ids_ in by_message.items():
        mine: tuple[Delivery, ...] = tuple(deliveries[id_] for id_ in ids_ if id_ in deliveries)
        if mine and message in messages:  # what was pruned in this moment is no more
            listed.append(QueueEntry(messages[message], mine))
    return listed


def summary(reader: StoreReader, found: Sequence[DeliveryId]) -> Summary:
    """What these deliveries (in order of ids) amount to."""
    states: Counter[State] = Counter()
    recipients: Counter[str] = Counter()
    if len(found) > _FEW:
        wanted = set(found)
        rows = reader.rows(
            "SELECT id, state, recipient FROM delivery NOT INDEXED WHERE id BETWEEN ? AND ?"
            " AND state IN ('queued', 'held', 'failed')",
            (found[0], found[-1]),
        )
        rows = [row for row in rows if row[0] in wanted]
    else:
        rows = []
        for first in range(0, len(found), _BATCH):
            part = found[first : first + _BATCH]
            marks = ", ".join("?" * len(part))
            rows += reader.rows(f"SELECT id, state, recipient FROM delivery WHERE id IN ({marks})", part)
    for _, state, recipient in rows:
        states[state] += 1
        recipients[recipient] += 1
    oldest = None
    if found:
        first_message = reader.rows(
            "SELECT received_at FROM message WHERE id = ?", (found[0] >> DELIVERY_BITS,)
        )
        oldest = int(first_message[0][0]) if first_message else None
    messages = len({id_ >> DELIVERY_BITS for id_ in found})
    return Summary(messages, dict(states), oldest, recipients.most_common())
