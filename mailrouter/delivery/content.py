"""A delivery's bytes: its pieces put together, whole for small messages, block by block for large ones."""

from __future__ import annotations

from collections.abc import AsyncIterator

from mailrouter.errors import StoreError
from mailrouter.message.pieces import Pieces, Slice, decode, render
from mailrouter.store.model import CHUNK_SIZE, Delivery
from mailrouter.store.protocols import Store


def pieces_of(delivery: Delivery) -> Pieces:
    """The pieces of a delivery."""
    return decode(delivery.pieces) if delivery.made is None else delivery.made


async def stream(store: Store, delivery: Delivery) -> AsyncIterator[bytes]:
    """The bytes in blocks of at most a chunk. Raises StoreError where a part is missing."""
    for piece in pieces_of(delivery):
        if isinstance(piece, bytes):
            yield piece
        elif piece.blob == 0 and delivery.content is not None:
            yield delivery.content[piece.start : piece.end]
        elif piece.blob == 0:
            async for block in store.read(delivery.message, piece.start, piece.end):
                yield block
        else:
            yield (await store.reader.handoff_body(piece.blob))[piece.start : piece.end]


async def whole(store: Store, delivery: Delivery) -> bytes | None:
    """A one-chunk message's bytes at once, else None."""
    pieces = pieces_of(delivery)
    blobs: dict[int, bytes] = {}
    for piece in pieces:
        if not isinstance(piece, Slice) or piece.blob in blobs:
            continue
        if piece.blob:
            blobs[piece.blob] = await store.reader.handoff_body(piece.blob)
        elif delivery.content is not None:
            blobs[0] = delivery.content
        elif delivery.size > CHUNK_SIZE // 2:
            return None
        else:
            blobs[0] = await store.reader.chunk(delivery.message, 0)
    try:
        return render(pieces, blobs)
    except KeyError as error:
        raise StoreError("A part of a stored message is missing.") from error
