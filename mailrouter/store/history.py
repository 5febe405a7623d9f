"""The life of a message, and messages found by address or Message-ID."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.store.events import Event
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import Delivery, QueueEntry

LOOKED = 500_000
"""Messages looked through for an address or a Message-ID, the newest first. There is no index for them: it would cost
every message that is taken (measured: 200,000 are looked through in 0.1 s)."""


@dataclass(frozen=True, slots=True)
class Life:
    """A message, its deliveries, and their events in order of time.

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


def life_of(entry: QueueEntry, events: Sequence[Event]) -> Life:
    """The life of a message, from deliveries and kept events."""
    found = list(events)
    for delivery in entry.deliveries:
        found += _last(delivery, found)
    return Life(entry, tuple(sorted(found, key=lambda event: event.at)))


def _last(delivery: Delivery, events: Sequence[Event]) -> list[Event]:
    """The end of a delivery, where it is not among the events: it succeeded, or an older version wrote it."""
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
