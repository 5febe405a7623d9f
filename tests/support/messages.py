"""Messages with their deliveries for tests of the store and of delivery: small factories, no planning."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from mailrouter.message import pieces
from mailrouter.message.pieces import Slice
from mailrouter.store.ids import MessageId, delivery_of
from mailrouter.store.model import Acceptance, Delivery, Message, QueueEntry, ReplyMemory
from mailrouter.store.protocols import Reading, Spool, Store
from mailrouter.store.selection import Selection
from mailrouter.turns import drive

HEAD = b"Received: from a test\r\n"
SMALL = b"Subject: small\r\n\r\nhello\r\n"
PARTNERS = ("laurie@example.test", "elaine@example.test")
T0 = 1_700_000_000_000


def message_of(number: int, size: int, at: int = T0) -> Message:
    """A message of ``size`` octets, received at ``at``."""
    return Message(
        MessageId(number),
        at,
        "sender@other.test",
        ("vp-hr@example.test",),
        size,
        18,
        message_id="<1@other.test>",
    )


def deliveries_of(
    number: int,
    size: int,
    recipients: Sequence[str] = PARTNERS,
    at: int = T0,
    sender: str = "bounce@example.test",
) -> list[Delivery]:
    """A copy for each recipient: a head of ours, then the whole message."""
    copy = (HEAD, Slice(0, 0, size))
    return [
        Delivery(
            id=delivery_of(MessageId(number), k),
            kind="copy",
            roles=("vp-hr",),
            recipient=recipient,
            reverse_path=sender,
            pieces=pieces.encode(copy),
            size=pieces.length(copy),
            next_at=at,
            created_at=at,
        )
        for k, recipient in enumerate(recipients)
    ]


async def filled(store: Store, content: bytes, block: int = 65536) -> Spool:
    """A spool into which ``content`` has arrived."""
    spool = store.spool()
    for start in range(0, len(content), block):
        if spool.hold(content[start : start + block]):
            await spool.flush()
    return spool


async def put(
    store: Store,
    content: bytes = SMALL,
    recipients: Sequence[str] = PARTNERS,
    at: int = T0,
    reply: Delivery | None = None,
    memory: ReplyMemory | None = None,
    shown: Sequence[tuple[str, int]] = (),
    inside: str = "",
) -> list[Delivery]:
    """Accept a message as the intake does, the copy to ``inside`` being for partners alone; gives its queued deliveries,
    which are in the caller's hands."""
    spool = await filled(store, content)
    message = message_of(spool.id, len(content), at)
    whole = await spool.finish()
    found = deliveries_of(spool.id, len(content), recipients, at)
    for delivery in found:
        delivery.inside = delivery.recipient == inside
    return await store.accept(spool, Acceptance(message, whole, found, reply, memory, shown))


def queue_of(reader: Reading, most: int = 10) -> list[QueueEntry]:
    """Messages with deliveries that are queued, on hold or have failed, oldest first; only those deliveries."""
    return drive(reader.entries(drive(reader.selected(Selection())), most))


async def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Once ``true()``; other tasks run meanwhile. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for is real I/O, which sets no event
            await asyncio.sleep(0.0005)
