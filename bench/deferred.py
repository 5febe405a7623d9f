"""What a long queue costs: an empty store and one with 200,000 deferred messages, in interleaved rounds.

    python -m bench.deferred [--deferred 200000] [--messages 2000] [--rounds 5]

Printed are the CPU time of taking, claiming and settling a message in both stores, the plans of the queries that meet
the queue, the time that `queue list` takes, and the time until `serve` is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.load import cpu_seconds
from mailrouter.clock import now_ms
from mailrouter.message import pieces
from mailrouter.message.pieces import Slice
from mailrouter.moments import HOUR_MS
from mailrouter.store.ids import EPOCH, MessageId, delivery_of
from mailrouter.store.model import Acceptance, Delivery, Message, Outcome
from mailrouter.store.selection import Selection
from mailrouter.store.sqlite import hot_path
from mailrouter.store.sqlite.queue import open_ids
from mailrouter.store.sqlite.reader import NEXT_DUE, WAITING
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.store.sqlite.writer import connect
from tests.support.relay import PARTNERS, Relay, write_configuration

HOUR = HOUR_MS
BODY = b"Subject: budget\r\n\r\n" + b"How is it going?\r\n" * 100
PIECES = pieces.encode((b"Received: from a test\r\n" * 15, Slice(0, 0, len(BODY))))
AT_ONCE = 50
"""Messages that are taken in one go, as so many sessions would have them."""


def mail(number: int, at: int) -> Acceptance:
    """A message with a copy for each partner."""
    message = Message(
        MessageId(number), at, f"jane{number % 997}@outside.test", ("vp-hr@example.test",), len(BODY), 19, "192.0.2.1",
        "client.test", f"<{number}@outside.test>", reasons=("Laurie and Elaine both get a copy, on duty or not",) * 3,
    )  # fmt: skip
    copies = [
        Delivery(
            delivery_of(MessageId(number), k), "copy", ("vp-hr",), partner, f"vp-hr+b-{'a' * 28}@example.test", PIECES,
            len(BODY) + 345, next_at=at, created_at=at,
        )
        for k, partner in enumerate(PARTNERS)
    ]  # fmt: skip
    return Acceptance(message, BODY, copies)


def fill(path: Path, deferred: int, now: int) -> None:
    """Make a store with so many messages that came in during the last day and are to be tried within an hour from now."""
    connection = connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    first = now - 24 * HOUR
    for start in range(0, deferred, 1000):
        numbers = range(start, min(deferred, start + 1000))
        group = [mail(first - EPOCH + number * 400, first + number * 400) for number in numbers]
        tried = [
            Outcome(
                copy.id, "queued", "451 4.4.1 No answer from the next hop", first, now + HOUR + copy.id % HOUR
            )
            for one in group
            for copy in one.deliveries
        ]
        connection.execute("BEGIN")
        hot_path.accept_group(connection, group)
        hot_path.settle_group(connection, [tried])
        connection.execute("COMMIT")
    connection.close()


class Measured:
    """One store and the CPU time, in milliseconds a message, of what is done to it."""

    def __init__(self, path: Path) -> None:
        self.store = SqliteStore.open(path)
        self.cpu: dict[str, list[float]] = {}

    async def timed(self, what: str, messages: int, work: Callable[[], Awaitable[None]]) -> None:
        """Both threads count."""
        before = time.process_time()
        await work()
        self.cpu.setdefault(what, []).append((time.process_time() - before) * 1000 / messages)

    async def round(self, messages: int) -> None:
        """Take messages, give them back, claim and settle them; then claim as if everything deferred were due."""
        store, taken = self.store, []

        async def one() -> None:
            spool = store.spool()
            taken.extend(await store.accept(spool, mail(spool.id, now)))

        async def accept() -> None:
            for _ in range(messages // AT_ONCE):
                await asyncio.gather(*(one() for _ in range(AT_ONCE)))

        claimed: list[Delivery] = []

        async def claim() -> None:
            while found := await store.claim(500, now):
                claimed.extend(found)

        async def settle() -> None:
            for start in range(0, len(claimed), 100):
                part = claimed[start : start + 100]
                await store.settle([Outcome(d.id, "delivered", "250 2.0.0 ok", now) for d in part])

        now = now_ms()
        await self.timed("take", messages, accept)
        store.release(taken)
        await self.timed("claim", messages, claim)
        assert len(claimed) == 2 * messages, (len(claimed), messages)
        await self.timed("settle", messages, settle)

    async def after_an_outage(self) -> float:
        """CPU time in milliseconds of one claim of 500 while 2,000 are in hand and everything is due."""
        later = now_ms() + 3 * HOUR
        held = [delivery for _ in range(4) for delivery in await self.store.claim(500, later)]
        before = time.process_time()
        held += await self.store.claim(500, later)
        spent = (time.process_time() - before) * 1000
        self.store.release(held)
        return spent


def plans(store: SqliteStore) -> None:
    """How SQLite goes about the queries that meet the queue."""
    listing, values = open_ids(Selection())
    for name, statement, given in (
        ("claim", hot_path.DUE, (0, 500)),
        ("when is the next due", NEXT_DUE, (500,)),
        ("how many wait", WAITING, ()),
        ("queue list", listing, values),
    ):
        steps = [row[3] for row in store.reader.rows("EXPLAIN QUERY PLAN " + statement, given)]
        print(f"  {name:<22}{'; '.join(steps)}")


def listed(config: Path, *words: str) -> tuple[float, float]:
    """Seconds that a command takes, the start of Python among them; and those of CPU time."""
    started, before = time.monotonic(), os.times()
    subprocess.run(
        [sys.executable, "-m", "mailrouter", *words, "--config", str(config)],
        check=False,
        capture_output=True,
    )
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - started, spent


def ready(config: Path) -> tuple[float, float]:
    """Seconds until ``serve`` is ready; and those of its CPU time."""
    started = time.monotonic()
    relay = Relay(config, fresh=True)
    waited = time.monotonic() - started
    spent = cpu_seconds(relay.process.pid)
    relay.stop()
    return waited, spent


async def rounds(empty: Path, full: Path, messages: int, number: int) -> None:
    """The CPU times, side by side."""
    stores = {"empty": Measured(empty), "full": Measured(full)}
    for _ in range(number + 1):
        for one in stores.values():
            await one.round(messages)
    print(f"\nCPU a message (two copies each), {messages} messages, median of {number} interleaved rounds:")
    for what in ("take", "claim", "settle"):
        # The first round warms.
        found = {name: statistics.median(one.cpu[what][1:]) for name, one in stores.items()}
        print(
            f"  {what:<8}empty {found['empty']:.3f} ms   full {found['full']:.3f} ms   "
            f"{found['full'] / found['empty']:.2f} x"
        )
    spent = [await stores["full"].after_an_outage() for _ in range(number)]
    print(f"  one claim of 500 with everything due and 2,000 in hand: {statistics.median(spent):.1f} ms")
    print("\nPlans in the full store:")
    plans(stores["full"].store)
    for one in stores.values():
        one.store.close()


def main() -> None:
    """Make both stores, measure, print."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--deferred", type=int, default=200_000)
    options.add_argument("--messages", type=int, default=2000)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="mailrouter-bench-", dir=".") as name:
        folder = Path(name).resolve()
        configs = {}
        for which in ("empty", "full"):
            (folder / which).mkdir()
            configs[which] = write_configuration(folder / which, "smtp://127.0.0.1:1")
            (folder / which / "var").mkdir()
        full = folder / "full" / "var" / "mailrouter.db"
        fill(full, chosen.deferred, now_ms())
        print(f"{chosen.deferred:,} deferred messages: {full.stat().st_size / 1e6:.0f} MB")
        asyncio.run(rounds(folder / "empty" / "var" / "mailrouter.db", full, chosen.messages, chosen.rounds))
        print("\nSeconds, whole commands, median (worst), and of CPU time:")
        for label, once in (
            ("queue list", lambda config: listed(config, "queue", "list")),
            ("queue list --to", lambda config: listed(config, "queue", "list", "--to", PARTNERS[0])),
            ("trace ADDRESS", lambda config: listed(config, "trace", "jane5@outside.test")),
            ("serve, until ready", ready),
        ):
            found: dict[str, list[tuple[float, float]]] = {}
            for _ in range(chosen.rounds):
                for which, config in configs.items():
                    found.setdefault(which, []).append(once(config))
            line = f"  {label:<20}"
            for which, times in found.items():
                waits, cpu = [wait for wait, _ in times], [spent for _, spent in times]
                median = statistics.median(waits)
                line += f"{which} {median:.2f} ({max(waits):.2f}), CPU {statistics.median(cpu):.2f}   "
            print(line, flush=True)


if __name__ == "__main__":
    main()
