"""One run: the load, the faults in random order, the last start, and the reckoning."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from tests.support.faults import Disk, no_mounts, no_strace
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import relay, wait_until
from tests.torture.faults import FAULTS, Fault, Ground
from tests.torture.ledger import Ledger, Watching
from tests.torture.load import Load, configure

DRAIN = 240.0
"""Seconds that the last start has to deliver everything: a second try comes after two minutes."""
MOST_MORE = 60
"""Rounds beyond those that were asked for, for there to be enough to lose."""


@dataclass
class Row:
    """What became of the mail that was answered 250 in the rounds of one fault."""

    fault: Fault
    rounds: int = 0
    accepted: int = 0
    owed: int = 0
    arrived: int = 0
    lost: int = 0
    doubled: int = 0


@dataclass
class Reckoning:
    """The table, and what must be empty."""

    rows: list[Row]
    torn: int
    untrue: list[str]
    handoffs: int
    handoffs_lost: list[str]
    integrity: str
    half_received: int
    held: int
    """Deliveries that were on hold at the end, by two kills in a row that met them, and were released."""
    seconds: float

    @property
    def lost(self) -> int:
        """Everything that was promised and did not come: copies, answers, notices, handoffs."""
        return sum(row.lost for row in self.rows) + len(self.handoffs_lost)

    @property
    def kills(self) -> int:
        """How many times the process was ended without a word."""
        return sum(row.rounds for row in self.rows if row.fault.kills)


def left_out(fault: Fault) -> str:
    """Why a fault can't be made here; empty where it can."""
    return (no_mounts() if fault.needs_disk else "") or (no_strace() if fault.needs_strace else "")


def torture(
    folder: Path,
    rounds: Callable[[Fault], int],
    seed: int,
    tell: Callable[[str], None] = lambda line: None,
    pause: float = 0.06,
    least: int = 0,
) -> Reckoning:
    """Run ``rounds(fault)`` rounds of each fault that can be made here, in random order, on one store.

    Rounds last as long as they last, and on a busy machine little mail is taken in them: with fewer than ``least`` owed
    there are more rounds of ``kill -9``, up to ``MOST_MORE``.
    """
    chance = random.Random(seed)
    ledger = Ledger()
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        var = folder / "var"
        disk = None if no_mounts() else stack.enter_context(Disk(var, 384))
        sink = stack.enter_context(Watching(ledger))
        port = free_port()
        config = configure(folder, port, sink.port)
        ground = Ground(config, var / "mailrouter.db", disk, sink, chance)
        order = [fault for fault in FAULTS if not left_out(fault) for _ in range(rounds(fault))]
        chance.shuffle(order)
        done: list[Fault] = []
        with relay(config):
            pass  # the store and the key are there before the first fault
        load = Load(ledger, port, var / "run" / "mailrouter.sock", seed, pause=pause)
        try:
            for number, fault in enumerate(chain(order, _more(ledger, least)), 1):
                done.append(fault)
                ledger.fault = fault.name
                fault.do(ground)
                if number % 20 == 0:
                    tell(f"{number} of {len(order)} rounds, {len(ledger.accepted)} answered 250")
        finally:
            load.stop()
        with relay(config) as last:
            held = released(config, ground.database)
            with contextlib.suppress(TimeoutError):
                wait_until(lambda: not ledger.missing(), DRAIN, "the last copy")
            last.stop()
        return _reckon(ledger, ground, done, held, time.monotonic() - started)


def _more(ledger: Ledger, least: int) -> Iterator[Fault]:
    """Rounds of ``kill -9`` until as much is owed."""
    for _ in range(MOST_MORE):
        if ledger.owed() >= least:
            return
        yield FAULTS[0]


def released(config: Path, database: Path) -> int:
    """Release what two ends in a row had put on hold, as the alert tells the operator to; gives how many it was."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        (held,) = connection.execute("SELECT count(*) FROM delivery WHERE state = 'held'").fetchone()
    if held:
        mailrouter("queue", "release", "--all", "--config", str(config), timeout=120).check_returncode()
    return int(held)


def _reckon(ledger: Ledger, ground: Ground, order: Sequence[Fault], held: int, seconds: float) -> Reckoning:
    rows = {fault.name: Row(fault) for fault in FAULTS}
    for name, number in Counter(fault.name for fault in order).items():
        rows[name].rounds = number
    with contextlib.closing(sqlite3.connect(ground.database)) as database:
        kept = "\n".join(text for (text,) in database.execute("SELECT text FROM handoff"))
        (integrity,) = database.execute("PRAGMA integrity_check").fetchone()
        (half,) = database.execute("SELECT count(*) FROM receiving").fetchone()
    promised = [entry.handoff for entry in ledger.accepted if entry.handoff]
    for entry in ledger.accepted:
        row = rows[entry.fault]
        row.accepted += 1
        row.owed += len(entry.wanted)
        for place in entry.wanted:
            there = ledger.arrived[place]
            row.arrived += there > 0
            row.lost += there == 0
            row.doubled += there > 1 and place[0] != "a reply"
    lost = [mark for mark in promised if f"Jim about {mark}!" not in kept]
    untrue = list(ledger.untrue)
    return Reckoning(
        list(rows.values()), len(ledger.torn), untrue, len(promised), lost, integrity, half, held, seconds
    )
