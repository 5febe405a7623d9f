"""A delivery's past that its own row does not hold. It is of earlier attempts, and of what people did to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mailrouter.store.ids import DeliveryId, Milliseconds

What = Literal[
    "tried",
    "failed",
    "withdrawn",
    "delivered",
    "bounced",
    "answered",
    "held",
    "released",
    "retried",
    "dropped",
]
"""``delivered`` stands here only where the delivery came back later: until then its row says so."""
MOST_WORDS = 500


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``who`` did it: a person's name, or the queue id of the message that told of it; empty
    where it was us. ``words`` are the peer's, or the reason."""

    delivery: DeliveryId
    at: Milliseconds
    what: What
    who: str
    words: str
