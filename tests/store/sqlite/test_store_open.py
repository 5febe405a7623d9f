"""Opening a store: one holder, private files, old and newer formats, damage, and a disk without room."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mailrouter.errors import StoreBusy, StoreError, StoreFull
from mailrouter.store.model import CHUNK_SIZE, Outcome
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.schema import MIGRATIONS, migrate
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.store.sqlite.writer import connect
from tests.support import faults
from tests.support.faults import no_mounts
from tests.support.messages import SMALL, T0, filled, put, queue_of

REPOSITORY = Path(__file__).parents[2]

HOLD = """
import asyncio, sys
from pathlib import Path
from mailrouter.store.sqlite.store import SqliteStore
from tests.support import faults
from tests.support.faults import no_mounts
from tests.support.messages import filled, put
async def hold():
    store = SqliteStore.open(Path(sys.argv[1]))
    await put(store)
    await filled(store, bytes(600_000))
    print("ready", flush=True)
    await asyncio.sleep(60)
asyncio.run(hold())
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds ``tmp_path/m.db``, with one message accepted and one half received."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "m.db")],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_a_second_holder_is_told_who_holds_it(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """Another process holds the store: StoreBusy names it, and readers read all the same."""
    path = tmp_path / "m.db"
    with pytest.raises(StoreBusy, match=rf"in use by another mailrouter \(process {holder.pid}\)"):
        SqliteStore.open(path)
    reader = StoreReader(path)
    try:
        assert len(queue_of(reader, 10)) == 1
        with pytest.raises(StoreError, match="readonly"):
            reader._rows("DELETE FROM message")
    finally:
        reader.close()


async def test_after_a_kill_nothing_accepted_is_missing(
    tmp_path: Path, holder: subprocess.Popen[str]
) -> None:
    """The log of a killed process is read with no service running; the next start has it all, less half a
    message."""
    path = tmp_path / "m.db"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert os.stat(f"{path}-wal").st_size > 0
    reader = StoreReader(path)
    assert len(queue_of(reader, 10)) == 1
    reader.close()
    store = SqliteStore.open(path)
    try:
        claimed = await store.claim(10, T0)
        assert [await anext(store.read(d.message, 0, len(SMALL))) for d in claimed] == [SMALL, SMALL]
        while await store.sweep():
            pass
        assert store.reader._rows("SELECT count(*) FROM chunk") == [(1,)]
    finally:
        store.close()


async def test_a_second_open_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """The lock is the store's, not the process's; it is free again after close."""
    first = SqliteStore.open(tmp_path / "m.db")
    with pytest.raises(StoreBusy):
        SqliteStore.open(tmp_path / "m.db")
    await put(first)
    first.close()
    SqliteStore.open(tmp_path / "m.db").close()


def modes(folder: Path) -> dict[str, int]:
    """Each file's permissions."""
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
async def test_all_files_are_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """Database, log, index and lock have mode 0600 from the start, even those found with another mode."""
    path = tmp_path / "m.db"
    before = os.umask(umask)
    try:
        store = SqliteStore.open(path)
    finally:
        os.umask(before)
    try:
        await put(store)
        assert modes(tmp_path) == dict.fromkeys(("m.db", "m.db-wal", "m.db-shm", "m.db.lock"), 0o600)
    finally:
        store.close()
    path.chmod(0o644)
    SqliteStore.open(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_newer_store_is_refused_unchanged(tmp_path: Path) -> None:
    """What a newer program wrote is left alone, for the writer as with its number."""
    path = tmp_path / "m.db"
    SqliteStore.open(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="newer mailrouter"):
        SqliteStore.open(path)
    assert path.read_bytes() == before
    with pytest.raises(StoreError, match="newer mailrouter"):
        SqliteStore.open(path)  # and not StoreBusy: the lock was let go


def test_migrations_run_from_nothing_and_only_once() -> None:
    """From version 0 each step is applied in order; a second run changes nothing; the page settings hold."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    before = connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()
    migrate(connection)
    assert connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall() == before
    connection.close()


def test_a_new_database_can_shrink_and_is_durable(tmp_path: Path) -> None:
    """WAL, synchronous FULL and incremental vacuum are in force from the first table."""
    connection = connect(tmp_path / "m.db")
    pragmas = {
        name: connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "auto_vacuum", "page_size", "mmap_size")
    }
    connection.close()
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "auto_vacuum": 2,
        "page_size": 8192,
        "mmap_size": 0,
    }


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """A process killed while it made the database leaves an empty file: nothing is lost, so it is made
    anew."""
    path = tmp_path / "m.db"
    path.touch()
    with pytest.raises(StoreError):
        queue_of(StoreReader(path), 1)
    store = SqliteStore.open(path)
    assert len(await put(store)) == 2
    store.close()


@pytest.mark.parametrize("found", ["missing", "empty"])
async def test_a_log_without_its_database_is_never_thrown_away(tmp_path: Path, found: str) -> None:
    """If the database is gone and its log is there, the start fails with words instead of beginning
    afresh."""
    path, log = tmp_path / "m.db", tmp_path / "m.db-wal"
    log.write_bytes(b"all that is left")
    if found == "empty":
        path.touch()
    with pytest.raises(StoreError, match="missing or empty"):
        SqliteStore.open(path)
    assert log.read_bytes() == b"all that is left"


async def test_damage_is_named_and_nothing_is_replaced(tmp_path: Path) -> None:
    """A file that is no database, or a torn one, is refused by name and stays as it is."""
    path = tmp_path / "m.db"
    path.write_bytes(b"This is no database at all.\n" * 400)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"m\.db is damaged") as refused:
        SqliteStore.open(path)
    assert not isinstance(refused.value, StoreFull | StoreBusy)
    assert path.read_bytes() == before
    path.unlink()
    store = SqliteStore.open(path)
    await put(store)
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + os.urandom(len(whole) - 8192))
    with pytest.raises(StoreError, match="damaged"):
        await put(SqliteStore.open(path))


def test_a_reader_says_where_there_is_no_store(tmp_path: Path) -> None:
    """A command before the first start is told so."""
    with pytest.raises(StoreError, match="no store at"):
        StoreReader(tmp_path / "m.db")


async def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    """Where the folder can't be made or is a file, the error names it."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match=r"folder .*file can't be used"):
        SqliteStore.open(tmp_path / "file" / "m.db")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB of its own."""
    if no_mounts():
        pytest.skip(no_mounts())
    with faults.small_disk(tmp_path / "disk") as folder:
        yield folder


async def remount(folder: Path, options: str) -> None:
    """Change the file system's options."""
    process = await asyncio.create_subprocess_exec("mount", "-o", f"remount,{options}", folder)
    assert await process.wait() == 0


@pytest.fixture
async def cramped(small_disk: Path) -> AsyncIterator[SqliteStore]:
    """A store on the small disk."""
    store = SqliteStore.open(small_disk / "m.db")
    yield store
    store.close()


async def test_a_full_disk_is_told_apart_and_survived(cramped: SqliteStore, small_disk: Path) -> None:
    """With no room each acceptance is StoreFull and nothing half; with room the same calls work, and nothing
    is lost."""
    kept = await put(cramped)
    filler = faults.fill(small_disk)
    with pytest.raises(StoreFull):
        await put(cramped, bytes(200_000))
    spool = cramped.spool()
    assert spool.hold(bytes(CHUNK_SIZE * 4))
    with pytest.raises(StoreFull):
        await spool.flush()
    await spool.discard()
    assert [await anext(cramped.read(d.message, 0, 1000)) for d in kept] == [SMALL, SMALL]
    filler.unlink()
    await cramped.settle([Outcome(kept[0].id, "delivered", "250", T0)])
    assert len(await put(cramped, bytes(200_000))) == 2
    await (await filled(cramped, bytes(CHUNK_SIZE * 2))).finish()
    assert cramped.reader._rows("PRAGMA integrity_check") == [("ok",)]


async def test_a_read_only_disk_is_named(small_disk: Path) -> None:
    """On a read-only file system the start fails with the folder's name and the reason."""
    SqliteStore.open(small_disk / "m.db").close()
    await remount(small_disk, "ro")
    with pytest.raises(StoreError, match=r"folder .* can't be used: Read-only file system"):
        SqliteStore.open(small_disk / "m.db")
    reader = StoreReader(small_disk / "m.db")
    reader.close()


async def test_a_store_that_is_a_link_is_the_file_that_it_leads_to(tmp_path: Path) -> None:
    """It takes mail, its log and lock lie beside the real file, and both names are one store."""
    (tmp_path / "disk").mkdir()
    real, link = tmp_path / "disk" / "mail.db", tmp_path / "mailrouter.db"
    link.symlink_to(real)
    store = SqliteStore.open(link)
    try:
        await put(store)
        await store.writable()
        assert {"mail.db", "mail.db-wal", "mail.db.lock"} <= set(os.listdir(real.parent))
        assert sorted(os.listdir(tmp_path)) == ["disk", "mailrouter.db"]
        for name in (real, link):
            with pytest.raises(StoreBusy):
                SqliteStore.open(name)
    finally:
        store.close()
    again = SqliteStore.open(link)
    assert await again.reader.waiting() == 2
    again.close()


def test_a_store_that_is_a_link_to_itself_or_a_folder_is_an_error_in_words(tmp_path: Path) -> None:
    """What can't be a store is found when it is opened."""
    link = tmp_path / "mailrouter.db"
    link.symlink_to(link)
    with pytest.raises(StoreError, match="link that leads nowhere"):
        SqliteStore.open(link)
    with pytest.raises(StoreError, match="is a folder"):
        SqliteStore.open(tmp_path)
