"""The file of the SQLite home: a call that fails, room that is given back, and a file that may not grow."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailrouter.errors import StoreFull
from mailrouter.store.model import CHUNK_SIZE, Outcome
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import T0, put


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore.open(tmp_path / "m.db")
    yield opened
    opened.close()


def count(store: SqliteStore, table: str) -> int:
    """Rows of a table."""
    return int(store.reader.rows(f"SELECT count(*) FROM {table}")[0][0])


async def test_a_failing_call_spoils_no_acceptance(store: SqliteStore) -> None:
    """Work that raises is rolled back alone, whatever it raises, and what stood in its group is committed."""

    def bad(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM message")
        raise ValueError("no")

    first: object
    failed: object
    second: object
    first, failed, second = await asyncio.gather(
        put(store), store.run(bad), put(store), return_exceptions=True
    )
    assert isinstance(failed, ValueError)
    assert isinstance(first, list)
    assert isinstance(second, list)
    assert len(first) == len(second) == 2
    assert count(store, "message") == 2


async def test_the_file_shrinks(tmp_path: Path) -> None:
    """Space of large messages that are gone is given back to the disk, step by step."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    try:
        queued = await put(store, bytes(24 * 1024 * 1024))
        await store.run(lambda connection: None)
        await store.settle([Outcome(d.id, "delivered", "250", T0) for d in queued])
        while await store.sweep(shrink=False):
            pass
        free = store.reader.rows("PRAGMA freelist_count")[0][0]
        assert free > 2000
        while await store.sweep():
            pass
        assert store.reader.rows("PRAGMA freelist_count")[0][0] < 1100
    finally:
        store.close()
    assert path.stat().st_size < 12 * 1024 * 1024


async def test_a_store_without_room_says_so_and_works_again(store: SqliteStore) -> None:
    """At its size limit the store refuses with StoreFull, keeps what it has, and goes on when there is
    room."""
    kept = await put(store)
    await store.run(
        lambda c: c.execute(
            f"PRAGMA max_page_count = {c.execute('PRAGMA page_count').fetchone()[0] + 8}"
        ).fetchone()
    )
    with pytest.raises(StoreFull):
        await put(store, bytes(CHUNK_SIZE - 1))
    with pytest.raises(StoreFull):
        await put(store, bytes(CHUNK_SIZE * 3))
    assert count(store, "message") == 1
    await store.settle([Outcome(kept[0].id, "delivered", "250", T0)])
    await store.run(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone())
    assert len(await put(store, bytes(CHUNK_SIZE * 3))) == 2
