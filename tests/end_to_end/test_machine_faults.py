"""The machine's faults, while the service runs: what was answered 250 arrives, and what can't be kept is refused for now.

Where a fault ends by itself, service comes back by itself: the process is the same before and after.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import Disk, fill, no_mounts, no_strace, refused, small_disk
from tests.support.relay import PARTNERS, ROLE, Relay, maildir, relay, wait_until, write_configuration
from tests.support.sending import send
from tests.support.sink import Sink

needs_mounts = pytest.mark.skipif(bool(no_mounts()), reason=no_mounts())
needs_strace = pytest.mark.skipif(bool(no_strace()), reason=no_strace())


def mail(mark: str, size: int = 1000) -> tuple[str, str, bytes]:
    """A mail that is known again by its ``mark``."""
    head = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: {mark}\r\nMessage-ID: <{mark}@outside.test>\r\n\r\n"
    return "jane@outside.test", ROLE, head.encode() + b"0123456789abcdef 0123456789abcdef\r\n" * (size // 35)


class Ledger:
    """What was answered 250, by a relay that delivers to a sink."""

    def __init__(self, running: Relay, sink: Sink) -> None:
        self.accepted: set[str] = set()
        self._running = running
        self._sink = sink

    def send(self, mark: str, size: int = 1000) -> str:
        """Send one; gives the reply."""
        (reply,) = send(self._running.port, [mail(mark, size)], connections=1)
        if reply.startswith("250"):
            self.accepted.add(mark)
        return reply

    def service_again(self, mark: str) -> None:
        """Return once mail is taken, by the very process that was started."""
        wait_until(lambda: self.send(f"{mark}-{time.monotonic_ns()}").startswith("250"), what="service again")
        assert self._running.process.poll() is None

    def all_arrive(self) -> None:
        """Return once everything that was answered 250 is at both partners, each copy whole."""

        def missing() -> set[tuple[str, str]]:
            there = {
                (content.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode(), to)
                for _, to, content in list(self._sink.taken)
            }
            return {(mark, partner) for mark in self.accepted for partner in PARTNERS} - there

        wait_until(lambda: not missing(), 60, "the last copy")


@pytest.fixture
def sink() -> Iterator[Sink]:
    """The next hop."""
    with Sink() as running:
        yield running


@needs_mounts
def test_a_full_disk_is_452_until_there_is_room(tmp_path: Path, sink: Sink) -> None:
    """Small and large mail is put off while nothing can be written; then it is taken, and nothing taken was lost."""
    with small_disk(tmp_path / "var", 12) as disk:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        with relay(config) as running:
            ledger = Ledger(running, sink)
            assert ledger.send("before").startswith("250")
            filler = fill(disk)
            # The log has a little room left until it wants to grow.
            wait_until(
                lambda: ledger.send(f"fills-{len(ledger.accepted)}", 100_000).startswith("452"), what="452"
            )
            for n in range(5):
                assert ledger.send(f"small-{n}", 60_000).startswith("452 4.3.1")
                assert ledger.send(f"large-{n}", 2_000_000).startswith("452 4.3.1")
            filler.unlink()
            ledger.service_again("room")
            assert ledger.send("large-after", 2_000_000).startswith("250")
            ledger.all_arrive()
        assert "Traceback" not in running.log.read_text()


@needs_strace
def test_a_disk_that_went_read_only_is_451_until_it_can_be_written(tmp_path: Path, sink: Sink) -> None:
    """Each write to the store is EROFS: 451, and what the next hop took meanwhile is recorded afterwards."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
    database = tmp_path / "var" / "mailrouter.db"
    with relay(config) as running:
        ledger = Ledger(running, sink)
        assert ledger.send("before").startswith("250")
        with refused(running.process.pid, "EROFS", [database, Path(f"{database}-wal")]):
            for n in range(5):
                assert ledger.send(f"small-{n}").startswith("451 4.3.0")
                assert ledger.send(f"large-{n}", 600_000).startswith("451 4.3.0")
        ledger.service_again("writable")
        ledger.all_arrive()


@needs_mounts
def test_a_file_system_with_a_fault_loses_nothing(tmp_path: Path, sink: Sink) -> None:
    """ext4 finds a fault and goes read-only: 451; after its check and a restart everything is there."""
    with Disk(tmp_path / "var", 32) as disk:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        running = Relay(config)
        try:
            ledger = Ledger(running, sink)
            for n in range(20):
                assert ledger.send(f"before-{n}").startswith("250")
            if not disk.find_fault():
                pytest.skip("this kernel can't be told of a fault")
            assert ledger.send("during").startswith("451 4.3.0")
        finally:
            running.kill()
        disk.check()
        with relay(config) as running:
            ledger._running = running
            ledger.service_again("checked")
            ledger.all_arrive()


@needs_mounts
def test_a_power_cut_loses_nothing(tmp_path: Path, sink: Sink) -> None:
    """What was not synced is gone from the disk; what was answered 250, small or large, is not."""
    with Disk(tmp_path / "var", 64) as disk:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        with relay(config) as running:
            accepted = {mark for mark in (f"early-{n}" for n in range(3)) if Ledger(running, sink).send(mark)}
        for number in range(3):
            sink.taken.clear()
            running = Relay(config)
            try:
                ledger = Ledger(running, sink)
                for n in range(10):
                    assert ledger.send(f"{number}-small-{n}").startswith("250")
                    assert ledger.send(f"{number}-large-{n}", 500_000).startswith("250")
                disk.cut_power()
                # Nothing is kept any more, and nobody is told it was.
                assert not ledger.send("after the cut").startswith("250")
            finally:
                running.kill()
            accepted |= ledger.accepted
            disk.unmount()
            disk.mount()
            with relay(config) as again:
                ledger._running = again
                ledger.service_again(f"power-{number}")
                ledger.all_arrive()
        with sqlite3.connect(tmp_path / "var" / "mailrouter.db") as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()


def test_a_database_locked_by_another_program_is_451(tmp_path: Path, sink: Sink) -> None:
    """Somebody holds a write lock: mail is put off after five seconds; afterwards it is taken."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
    with relay(config) as running:
        ledger = Ledger(running, sink)
        assert ledger.send("before").startswith("250")
        other = sqlite3.connect(tmp_path / "var" / "mailrouter.db", isolation_level=None)
        try:
            wait_until(lambda: len(sink.taken) == 2, what="delivery, so that nothing else wants to write")
            other.execute("BEGIN IMMEDIATE")
            before = time.monotonic()
            replies = send(running.port, [mail(f"during-{n}") for n in range(8)], connections=8)
            assert {reply[:9] for reply in replies} == {"451 4.3.0"}
            # Those that came together waited together, not one after the other.
            assert time.monotonic() - before < 3 * 5 + 3
            other.execute("ROLLBACK")
        finally:
            other.close()
        ledger.service_again("unlocked")
        ledger.all_arrive()
    assert "is locked by another program" in running.log.read_text()


def test_a_database_that_breaks_while_it_runs_is_451_and_stays(tmp_path: Path, sink: Sink) -> None:
    """Pages are overwritten with noise: no mail is taken, a restart names the damage, and the file is left as it is."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
    database = tmp_path / "var" / "mailrouter.db"
    with relay(config) as running:
        ledger = Ledger(running, sink)
        assert ledger.send("before").startswith("250")
        wait_until(lambda: len(sink.taken) == 2, what="delivery")
        # All into the database, and a change by another, so that nothing is read from memory.
        other = sqlite3.connect(database, isolation_level=None)
        (version,) = other.execute("PRAGMA user_version").fetchone()
        other.execute(f"PRAGMA user_version = {version}")
        wait_until(
            lambda: other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0, what="the checkpoint"
        )
        other.close()
        noise = random.Random(5).randbytes(database.stat().st_size - 8192)
        with database.open("r+b") as file:
            file.seek(8192)
            file.write(noise)
        assert ledger.send("during").startswith("451 4.3.0")
        inode = database.stat().st_ino
    assert "is damaged" in running.log.read_text()
    with pytest.raises(RuntimeError, match="is damaged"):
        Relay(config)
    assert database.stat().st_ino == inode
    assert database.stat().st_size >= 8192 + len(noise)


@pytest.mark.parametrize("left", ["nothing", "an empty file"])
def test_a_database_that_is_gone_is_never_begun_anew(tmp_path: Path, left: str) -> None:
    """Stopped, removed, started: the start is refused with words, until it is put back."""
    config = write_configuration(tmp_path)
    database = tmp_path / "var" / "mailrouter.db"
    with relay(config) as running:
        send(running.port, [mail("before")])
        wait_until(lambda: all(maildir(tmp_path, partner) for partner in PARTNERS), what="both copies")
    aside = database.with_suffix(".aside")
    database.rename(aside)
    if left == "an empty file":
        database.touch()
    with pytest.raises(RuntimeError, match="is missing or empty, and it was there before"):
        Relay(config)
    assert not database.exists() or database.stat().st_size == 0
    os.replace(aside, database)
    with relay(config) as running:
        assert send(running.port, [mail("after")])[0].startswith("250")
