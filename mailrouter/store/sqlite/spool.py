"""A message while it arrives: in memory while it is small, else in chunks under an id that is nobody's yet."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any

from mailrouter.errors import StoreError
from mailrouter.store import ids
from mailrouter.store.ids import MessageId
from mailrouter.store.model import CHUNK_SIZE
from mailrouter.store.sqlite.writer import Work

_SMALL = 8192
"""Octets of a block below which it is joined to the one before: an object for each two octets costs twenty times them."""

Run = Callable[[Work], Awaitable[Any]]


class SqliteSpool:
    """A message while it arrives. Small ones stay in memory; a large one goes to the store chunk by chunk.

    ``run`` runs work in a write transaction.
    """

    def __init__(self, run: Run, message: MessageId) -> None:
        self.id = message
        self.size = 0
        self.stored_chunks = 0
        self._run = run
        self._blocks: list[bytes | bytearray] = []
        self._held = 0

    @property
    def held(self) -> int:
        """Octets in memory."""
        return self._held

    def hold(self, block: bytes) -> bool:
        """Keep ``block``; True once more than a chunk is held."""
        if self._blocks and len(block) < _SMALL:
            last = self._blocks[-1]
            if type(last) is bytearray:
                last += block
            else:
                self._blocks.append(bytearray(block))
        else:
            self._blocks.append(block)
        self._held += len(block)
        self.size += len(block)
        return self._held > CHUNK_SIZE

    async def flush(self) -> None:
        """Store the whole chunks that are held; call it only after ``hold`` gave True."""
        data = b"".join(self._blocks)
        self._blocks.clear()
        rest = data[len(data) - len(data) % CHUNK_SIZE :]
        rows = []
        for start in range(0, len(data) - len(rest), CHUNK_SIZE):
            rows.append((ids.chunk_of(self.id, self.stored_chunks), data[start : start + CHUNK_SIZE]))
            self.stored_chunks += 1
        first = rows[0][0] == ids.chunk_of(self.id, 0)
        if rest:
            self._blocks.append(rest)
        self._held = len(rest)

        def store(connection: sqlite3.Connection) -> None:
            if first:
                connection.execute("INSERT INTO receiving VALUES (?)", (self.id,))
            connection.executemany("INSERT INTO chunk VALUES (?, ?)", rows)

        await self._run(store)

    async def finish(self) -> bytes | None:
        """The whole content if it is small; else None, with all of it in the store."""
        data = b"".join(self._blocks)
        if not self.stored_chunks:
            return data
        if data:
            row = (ids.chunk_of(self.id, self.stored_chunks), data)
            self.stored_chunks += 1
            await self._run(lambda connection: connection.execute("INSERT INTO chunk VALUES (?, ?)", row))
        self._blocks.clear()
        return None

    async def discard(self) -> None:
        """Forget what came; chunks already stored are deleted in steps."""
        self._blocks.clear()
        self._held = 0
        if self.stored_chunks:
            message = self.id
            try:
                # Only while it is nobody's: what was accepted is not touched.
                await self._run(
                    lambda connection: connection.execute(
                        "INSERT OR IGNORE INTO sweep SELECT id FROM receiving WHERE id = ?", (message,)
                    )
                )
            except StoreError:
                pass  # its row in ``receiving`` has it swept at the next start
