"""The life of a message, and the messages that an address or a Message-ID belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.store import ids
from mailrouter.store.events import Event
from mailrouter.store.ids import MessageId, Milliseconds
from mailrouter.store.model import Delivery, QueueEntry
from mailrouter.store.sqlite.reader import StoreReader

LOOKED = 500_000
"""Messages looked through for an address or a Message-ID, the newest first. There is no index for them: it would cost
every message that is taken (measured: 200,000 are looked through in 0.1 s)."""

EVENTS = (
    "SELECT delivery, at, what, who, words FROM event WHERE delivery BETWEEN ? AND ? ORDER BY at, delivery"
)


@dataclass(frozen=True, slots=True)
class Life:
    """A message with all its deliveries, and everything that happened to them, in the order of time.

    An event stands for each attempt but a successful one that nothing came back of: that is the delivery's own row, and
    it is added here.
    """

    entry: QueueEntry
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Messages, newest first; ``more`` says that there are others, ``back_to`` how far back was looked, None: to the
    beginning."""

    entries: tuple[QueueEntry, ...]
    more: bool
    back_to: Milliseconds | None


def life(reader: StoreReader, message: MessageId) -> Life | None:
    """What became of a message; None if it is not known (any more). Raises StoreError."""
    entry = reader.entry(message)
    if entry is None:
        return None
    rows = reader.rows(EVENTS, ids.deliveries_of(message))
    events = [Event(*row) for row in rows]
    for delivery in entry.deliveries:
        events += _last(delivery, events)
    return Life(entry, tuple(sorted(events, key=lambda event: event.at)))


def _last(delivery: Delivery, events: Sequence[Event]) -> list[Event]:
    """How a delivery ended, where that is not among the events: it succeeded, or an older version wrote it."""
    match delivery.state:
        case "delivered":
            return [Event(delivery.id, delivery.next_at, "delivered", "", delivery.last_reply)]
        case "failed" | "bounced" as what if not any(
            event.delivery == delivery.id and event.what == what for event in events
        ):
            return [Event(delivery.id, delivery.next_at, what, "", delivery.last_reply)]
        case "withdrawn" if not any(
            event.delivery == delivery.id and event.what in ("withdrawn", "dropped") for event in events
        ):
            return [Event(delivery.id, delivery.next_at, "withdrawn", "", delivery.last_reply)]
    return []


def find(reader: StoreReader, text: str, most: int, looked: int = LOOKED) -> Found:
    """Messages with this Message-ID (with or without its brackets), from or to this address, or with something for it.

    The newest ``looked`` messages are looked through. Raises StoreError.
    """
    oldest = reader.rows(
        "SELECT id, received_at FROM message ORDER BY id DESC LIMIT 1 OFFSET ?", (looked - 1,)
    )
    bound, back_to = oldest[0] if oldest else (ids.NO_MESSAGE, None)
    address = text.strip("<>")
    by_message = reader.rows(
        "SELECT id FROM message WHERE id >= ? AND (message_id IN (?, ?) OR reverse_path = ? COLLATE NOCASE"
        " OR instr(char(10) || lower(recipients) || char(10), char(10) || lower(?) || char(10)))"
        " ORDER BY id DESC LIMIT ?",
        (bound, text, f"<{text}>", address, address, most + 1),
    )
    by_delivery = reader.rows(
        f"SELECT DISTINCT id >> {ids.DELIVERY_BITS} FROM delivery WHERE id >= ? AND recipient = ? COLLATE NOCASE"
        " ORDER BY id DESC LIMIT ?",
        (ids.deliveries_of(bound)[0], address, most + 1),
    )
    found = sorted({MessageId(id_) for (id_,) in (*by_message, *by_delivery)}, reverse=True)
    entries = [reader.entry(id_) for id_ in found[:most]]
    return Found(tuple(entry for entry in entries if entry is not None), len(found) > most, back_to)
