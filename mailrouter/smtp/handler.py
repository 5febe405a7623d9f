"""The handler behind the door, as the door sees it, and limits."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from mailrouter import events
from mailrouter.errors import StoreError, StoreFull
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.protocols import Spool

log = logging.getLogger("mailrouter.door")

FAULT = "451 4.3.0 Something went wrong here; please try again later"


class Client(NamedTuple):
    """The client on the other side: address as text, the name it gave, and how it speaks."""

    address: str
    helo: str
    protocol: str


class Gate(Protocol):
    """The handler behind the door, which decides."""

    def recipient(self, address: str) -> str | None:
        """None if mail to ``address`` is taken, else the refusal."""

    def max_size(self) -> int | None:
        """Octets of the largest message taken, or None for any."""

    def spool(self) -> Spool:
        """A place for a message while it arrives."""

    async def accept(self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head) -> str:
        """Decide about a whole message and make it durable; gives the reply."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what one session may ask for."""

    max_recipients: int = 100
    max_connections: int = 1000
    """Of these the last tenth is kept for ``exempt`` clients."""
    max_per_address: int = 50
    """Connections of one client that is not ``exempt``, an IPv6 client by its /64."""
    max_messages: int = 10_000
    """Messages of one connection: whoever has more opens another, and the load spreads."""
    idle_seconds: float = 300.0
    """Without a sign of the client."""
    message_seconds: float = 3600.0
    """Without a whole message: neither NOOPs nor a trickle of data hold a connection for ever."""
    max_errors: int = 20
    """Refused commands between two messages that were taken."""
    max_idle_commands: int = 100
    """Commands that bring no mail, at once; one a second is given back."""
    held_octets: int = 64 * 1024 * 1024
    """Octets of messages and commands in memory, of all sessions together."""
    slow_seconds: float = 3.0
    slow_rate: float = 32_768.0
    """What a stranger holds while memory is short may take so many seconds, and one more for so many octets."""
    short_idle_seconds: float = 10.0
    """Without a sign of a stranger, while places are short."""
    short_message_seconds: float = 30.0
    """Without a whole message of a stranger, nor ``short_rate`` octets a second of one, while places are short."""
    short_rate: float = 1024.0
    exempt: Callable[[str], bool] = lambda address: False
    """Whether an address is that of a server of ours, through which everybody's mail comes."""


@dataclass(slots=True)
class Traffic:
    """Counts over all sessions of a listener, in plain numbers: counting must cost next to nothing."""

    sessions: int = 0
    accepted: int = 0
    octets: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By reply code."""
    limited: Counter[str] = field(default_factory=Counter)
    """Sessions that were sent away for what they took of what all share, by reason: ``places``, ``address``,
    ``commands``, ``errors``, ``idle`` (while places were short), ``slow`` (while memory was)."""


def fault_reply(error: Exception) -> str:
    """A full disk is ``452``, anything else ``451``; never a 5xx, never a 250, never the cause."""
    if isinstance(error, StoreFull):
        events.fault(log, time.monotonic(), error, f"a message could not be taken: {error}")
        return "452 4.3.1 There is no room for mail just now; please try again later"
    why = f": {error}" if isinstance(error, StoreError) else ""
    events.fault(log, time.monotonic(), error, f"a message could not be taken{why}")
    return FAULT
