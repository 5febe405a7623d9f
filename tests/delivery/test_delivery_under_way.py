"""The journal of what is under way, and who is blamed for an unexpected end."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailrouter.clock import now_ms
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.under_way import SIZE, UnderWay, incoming_key, is_incoming
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import SMALL, put, until

A, B, C = 5 << 10, (5 << 10) + 1, 6 << 10


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A database file."""
    path = tmp_path / "m.db"
    sqlite3.connect(path).close()
    path.touch()
    return path


def journal(store: Path) -> Path:
    """The file."""
    return Path(f"{store}-under-way")


def test_what_is_under_way_at_two_ends_in_a_row_is_blamed(store: Path) -> None:
    """Once, it is suspect; what was under way once alone, or was tried since, is not blamed."""
    first = UnderWay.open(store)
    for key in (A, B, C):
        first.begin(key)
    first.end(C)
    second = UnderWay.open(store)
    assert (second.suspects, second.blamed) == ((A, B), ())
    second.begin(A)
    second.end(A)
    second.begin(B)
    second.begin(C)
    third = UnderWay.open(store)
    assert (third.suspects, third.blamed) == ((C,), (B,))


def test_a_suspect_that_was_not_tried_stays_one(store: Path) -> None:
    """However often the service ends before it comes to it."""
    UnderWay.open(store).begin(A)
    for _ in range(3):
        assert UnderWay.open(store).suspects == (A,)
    again = UnderWay.open(store)
    again.begin(A)
    again.untried(A)
    assert UnderWay.open(store).suspects == (A,)


def test_a_stop_in_order_leaves_nobody_suspect(store: Path) -> None:
    """Not what was under way, nor who was suspect before."""
    UnderWay.open(store).begin(A)
    stopped = UnderWay.open(store)
    stopped.begin(B)
    stopped.empty()
    found = UnderWay.open(store)
    assert (found.suspects, found.blamed) == ((), ())


def test_what_arrives_is_known_again_by_its_header(store: Path) -> None:
    """Its sender sends the same again, under another id."""
    key = incoming_key(b"From: jane@x.test\r\n\r\n")
    assert is_incoming(key)
    assert not is_incoming(A)
    UnderWay.open(store).begin_incoming(key)
    UnderWay.open(store).begin_incoming(key)
    assert UnderWay.open(store).blamed == (key,)


def test_more_than_it_holds_is_not_noted(store: Path) -> None:
    """And costs nothing but that."""
    found = UnderWay.open(store)
    for n in range(1, 1000):
        found.begin(n)
    for n in range(1, 1000):
        found.end(n)
    found.begin(4711)
    assert UnderWay.open(store).suspects == (4711,)


@pytest.mark.parametrize(
    "content", [b"", b"x", b"mrUnder1", os.urandom(SIZE), bytes(SIZE), os.urandom(SIZE * 2)]
)
def test_a_damaged_journal_is_not_believed(store: Path, content: bytes) -> None:
    """It is begun anew, for the service's user alone."""
    journal(store).write_bytes(content)
    found = UnderWay.open(store)
    assert (found.suspects, found.blamed) == ((), ())
    found.begin(A)
    assert UnderWay.open(store).suspects == (A,)
    assert journal(store).stat().st_mode & 0o777 == 0o600


def test_another_stores_journal_is_not_believed(store: Path, tmp_path: Path) -> None:
    """A restored store has other mail under the same numbers."""
    UnderWay.open(store).begin(A)
    store.rename(tmp_path / "old.db")
    store.write_bytes(b"")
    assert UnderWay.open(store).suspects == ()


_MEETS_A_FAULT = """
import os, sys
from pathlib import Path
from mailrouter.delivery.under_way import UnderWay
journal = UnderWay.open(Path(sys.argv[1]))
journal.begin(1)
os.truncate(sys.argv[1] + "-under-way", 0)
journal.begin(2); journal.end(1); journal.begin_incoming(1 << 63); journal.empty()
print("alive")
"""


def test_a_fault_of_the_file_ends_no_process(store: Path) -> None:
    """Cut off while it is mapped, it has no pages any more: touching one would be a SIGBUS."""
    done = subprocess.run(
        [sys.executable, "-c", _MEETS_A_FAULT, str(store)], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr
    assert done.stderr.count("can't be kept any more") == 1


@pytest.mark.parametrize("how", ["a folder", "a link", "no store"])
def test_without_a_file_it_is_kept_in_memory(store: Path, how: str) -> None:
    """Where nothing can be written there, the service works as ever."""
    if how == "a folder":
        journal(store).mkdir()
    elif how == "a link":
        journal(store).symlink_to(store)
    else:
        store.unlink()
    found = UnderWay.open(store)
    found.begin(A)
    found.end(A)
    found.empty()
    assert UnderWay.open(store).suspects == ()


def test_it_costs_little(store: Path) -> None:
    """A delivery is noted and crossed out by two writes into memory."""
    found = UnderWay.open(store)
    best = 1.0
    for _ in range(5):
        began = time.process_time()
        for n in range(1, 10_001):
            found.begin(n)
            found.end(n)
        best = min(best, (time.process_time() - began) / 10_000)
    assert best < 20e-6, f"{best * 1e6:.1f} µs"


class Seen:
    """A transport that takes what there is and settles when it is told."""

    name, trouble, advice, troubled_at = "nowhere", "", "", 0

    def __init__(self) -> None:
        self.dispatcher: Dispatcher | None = None
        self.taken: list[Delivery] = []

    def wake(self) -> None:
        """Take all."""
        assert self.dispatcher is not None
        while (delivery := self.dispatcher.take()) is not None:
            self.taken.append(delivery)

    def paused(self) -> bool:
        """Never."""
        return False

    async def close(self, grace: float) -> None:
        """Nothing is under way."""


async def test_suspects_are_tried_one_at_a_time_before_all_others(tmp_path: Path) -> None:
    """Each alone in the transport's hands; fresh mail waits in the store meanwhile, and goes then."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    old = [d for n in range(2) for d in await put(store, SMALL, at=now_ms() + n)]
    store.close()
    before = UnderWay.open(path)
    for delivery in old[:3]:
        before.begin(delivery.id)
    store = SqliteStore.open(path)
    transport = Seen()
    under_way = UnderWay.open(path)
    transport.dispatcher = dispatcher = Dispatcher(store, under_way=under_way)
    dispatcher.start(transport)
    for n in range(3):
        await until(lambda n=n: len(transport.taken) == n + 1)  # type: ignore[misc]
        fresh = await put(store, SMALL, at=now_ms())
        dispatcher.offer(fresh)
        assert [d.id for d in transport.taken] == [d.id for d in old[: n + 1]], "alone"
        dispatcher.settle(transport.taken[-1], Reply(450 if n else 250, "2.0.0 or later"))
    await until(lambda: len(transport.taken) == 3 + 1 + 6)
    under_way.empty()
    await dispatcher.close(1)
    store.close()


async def test_a_suspect_that_is_gone_holds_up_nobody(tmp_path: Path) -> None:
    """Delivered, on hold or pruned meanwhile."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    copies = await put(store, SMALL, at=now_ms())
    await store.hold([copies[0].id], now_ms(), "why", ())
    store.release(copies)
    before = UnderWay.open(path)
    before.begin(copies[0].id)
    before.begin(4711)
    transport = Seen()
    transport.dispatcher = dispatcher = Dispatcher(store, under_way=UnderWay.open(path))
    dispatcher.start(transport)
    await until(lambda: len(transport.taken) == 1)
    assert transport.taken[0].id == copies[1].id
    assert UnderWay.open(path).suspects == (copies[1].id,)
    await dispatcher.close(1)
    store.close()


async def test_a_suspect_that_somebody_takes_back_holds_up_nobody(tmp_path: Path) -> None:
    """A command may put it on hold before the transport has taken it."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    copies = await put(store, SMALL, at=now_ms())
    store.release(copies)
    UnderWay.open(path).begin(copies[0].id)
    transport = Seen()
    transport.dispatcher = dispatcher = Dispatcher(store, under_way=UnderWay.open(path))
    transport.wake = lambda: None  # type: ignore[method-assign]
    dispatcher.start(transport)
    await until(lambda: dispatcher.waiting == 1)
    assert dispatcher.recall([copies[0].id]) == [copies[0].id]
    del transport.wake
    await until(lambda: [d.id for d in transport.taken] == [copies[1].id])
    await dispatcher.close(1)
    store.close()
