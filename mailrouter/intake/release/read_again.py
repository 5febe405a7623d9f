"""Reading a stored message again, to plan other copies of it."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import datetime

from mailrouter.errors import StoreChanged
from mailrouter.message.head import Head
from mailrouter.message.provenance.received import received_field
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape
from mailrouter.runtime.context import Arrival, Desk
from mailrouter.store.ids import queue_id
from mailrouter.store.model import Message
from mailrouter.store.protocols import Store

MOST_AT_ONCE = 50
"""So often a message is read once more because something was added to it meanwhile."""


async def until_unchanged(replace: Callable[[], Awaitable[None]]) -> None:
    """Do ``replace``, again while its message gets new deliveries. Raises as that does."""
    for _ in range(MOST_AT_ONCE):
        try:
            await replace()
            return
        except StoreChanged:
            continue
    await replace()


async def scanned(store: Store, message: Message) -> tuple[Head, Shape]:
    """The header and the form of a stored message. Raises StoreError."""
    scanner = Scanner()
    async for block in store.read(message.id, 0, message.size):
        scanner.feed(block)
    shape = scanner.finish()
    return scanner.head, shape


def arrival_of(desk: Desk, message: Message, moment: datetime, next_hop_size: int | None = None) -> Arrival:
    """The arrival of a stored message, for planning at ``moment``; ``next_hop_size`` is what the next server takes."""
    received = received_field(
        helo=message.helo,
        peer=message.client,
        by=desk.configuration.settings.hostname,
        protocol="ESMTP",
        queue_id=queue_id(message.id),
        when=moment,
    )
    return Arrival(message.reverse_path, moment, received, os.urandom(32), message.client, next_hop_size)
