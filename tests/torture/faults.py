"""The ways in which a round ends."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import faults
from tests.support.faults import Disk
from tests.support.relay import Relay
from tests.torture.ledger import Watching

SERVE = ("mailrouter", "serve")


@dataclass
class Ground:
    """Where it happens. ``disk`` is None where nothing can be mounted; then faults that need one are left out."""

    config: Path
    database: Path
    disk: Disk | None
    hop: Watching
    chance: random.Random

    def somewhen(self, seconds: float = 1.2) -> None:
        """Let a random time pass: the fault is to meet the service at any of its lines."""
        time.sleep(self.chance.uniform(0, seconds))


def kill(ground: Ground) -> None:
    """``kill -9`` at a random moment."""
    running = Relay(ground.config)
    ground.somewhen()
    running.kill()


def kill_group(ground: Ground) -> None:
    """``kill -9`` of the process group."""
    running = Relay(ground.config)
    ground.somewhen()
    running.kill(group=True)


def kill_starting(ground: Ground) -> None:
    """``kill -9`` while it starts, before it is ready or just after."""
    process = subprocess.Popen(
        [sys.executable, "-m", *SERVE, "--config", str(ground.config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    ground.somewhen(1.0)
    process.kill()
    process.wait(20)


def _at_commit(where: str) -> Callable[[Ground], None]:
    def at_commit(ground: Ground) -> None:
        number = int(ground.chance.triangular(1, 120, 2))
        try:
            running = Relay(ground.config, ("tests.torture.launcher", where, str(number)))
        except RuntimeError:
            return  # one of the first commits is the start's own
        try:
            running.process.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
        else:
            running.ended()

    return at_commit


def terminate(ground: Ground) -> None:
    """SIGTERM in the middle of the work; it has to end by itself, with 0, within ten seconds."""
    running = Relay(ground.config)
    ground.somewhen()
    before = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    code = running.ended()
    assert code == 0, f"the stop ended with {code}"
    assert time.monotonic() - before < 12, "the stop took too long"


def full(ground: Ground) -> None:
    """The disk is full for a while; the service goes on; then ``kill -9``."""
    assert ground.disk is not None
    running = Relay(ground.config)
    ground.somewhen()
    filler = faults.fill(ground.disk.folder)
    try:
        time.sleep(ground.chance.uniform(0.5, 1.5))
        if ground.chance.random() < 0.5:
            running.kill()  # while it is full
            running = None  # type: ignore[assignment]
    finally:
        filler.unlink()
    if running is not None:
        ground.somewhen()
        running.kill()


def read_only(ground: Ground) -> None:
    """Every write to the store is EROFS for a while, then not; then ``kill -9``."""
    running = Relay(ground.config)
    ground.somewhen()
    with faults.refused(running.process.pid, "EROFS", [ground.database, Path(f"{ground.database}-wal")]):
        time.sleep(ground.chance.uniform(0.5, 1.5))
    ground.somewhen()
    running.kill()


def input_output(ground: Ground) -> None:
    """Every sync of the store fails with EIO for a while, then not; then ``kill -9``."""
    running = Relay(ground.config)
    ground.somewhen()
    files = [ground.database, Path(f"{ground.database}-wal")]
    with faults.refused(running.process.pid, "EIO", files, calls="fdatasync,fsync"):
        time.sleep(ground.chance.uniform(0.3, 1.0))
    ground.somewhen()
    running.kill()


def locked(ground: Ground) -> None:
    """Another program holds a write lock on the database for a while; then ``kill -9``."""
    running = Relay(ground.config)
    ground.somewhen()
    other = sqlite3.connect(ground.database, isolation_level=None, timeout=20)
    try:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(ground.chance.uniform(0.5, 7))
        other.execute("ROLLBACK")
    finally:
        other.close()
    ground.somewhen()
    running.kill()


_REFUSALS = (
    ("mail", "530 5.7.0 Must issue a STARTTLS command first"),
    ("mail", "530 5.7.1 Authentication required"),
    ("rcpt", "554 5.7.1 Relay access denied"),
)


def refused(ground: Ground) -> None:
    """The next hop refuses everybody for a while, a ``kill -9`` and a start in the middle of it; then it is well."""
    ground.hop.refusing = ground.chance.choice(_REFUSALS)
    try:
        running = Relay(ground.config)
        ground.somewhen()
        running.kill()
        running = Relay(ground.config)
        ground.somewhen()
    finally:
        ground.hop.refusing = ("", "")
    ground.somewhen()
    running.kill()


def power(ground: Ground) -> None:
    """The power is cut: of the disk's writes, only what was synced is left."""
    assert ground.disk is not None
    running = Relay(ground.config)
    ground.somewhen()
    ground.disk.cut_power()
    running.kill()
    ground.disk.unmount()
    ground.disk.mount()


@dataclass(frozen=True)
class Fault:
    """One row of the table: what is done, so many times in a whole run, and how often it kills in one round."""

    name: str
    how: str
    do: Callable[[Ground], None]
    rounds: int
    kills: bool = True
    needs_disk: bool = False
    needs_strace: bool = False


FAULTS = (
    Fault("killed", "`kill -9` at a random moment", kill, 60),
    Fault("killed, whole group", "`kill -9` of the process group", kill_group, 20),
    Fault("killed while starting", "`kill -9` up to a second after the start", kill_starting, 20),
    Fault("ended before a COMMIT", "`_exit` just before the n-th COMMIT, n random", _at_commit("before"), 30),
    Fault("killed in a COMMIT", "`kill -9` 0 to 3 ms after the n-th COMMIT began", _at_commit("during"), 40),
    Fault("ended after a COMMIT", "`_exit` just after the n-th COMMIT", _at_commit("after"), 30),
    Fault("stopped", "SIGTERM in the middle of the work", terminate, 15, kills=False),
    Fault("disk full", "no room for a second, then room, or killed meanwhile", full, 8, needs_disk=True),
    Fault("disk read-only", "each write of the store is EROFS for a second", read_only, 8, needs_strace=True),
    Fault("disk errors", "each sync of the store is EIO for a second", input_output, 8, needs_strace=True),
    Fault("database locked", "another program holds it for up to 7 s", locked, 4),
    Fault("refused by the next hop", "530 to MAIL or 554 5.7.1 to RCPT, for two seconds", refused, 10),
    Fault("power cut", "an ext4 that takes no more writes, synced or not", power, 15, needs_disk=True),
)
