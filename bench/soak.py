"""Hours in minutes: the relay at half of what this machine can do, while things go wrong at random.

    python -m bench.soak [--minutes 10] [--seed N]

In the first half it is killed and started again, the next hop is gone for a while, the disk is full for a while; in the
second half all of that but kills, so that one process lives long enough for its memory to say something. At the end all
that was answered 250 has to be there, and memory and file handles have to be where they were. Needs root (a disk of its
own).
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.support.faults import Disk, fill, no_mounts
from tests.support.ports import free_port
from tests.support.relay import Relay, wait_until
from tests.torture.ledger import Ledger, Watching
from tests.torture.load import Load, configure

MEGABYTES = 768
SENDERS = 8
GROWTH = 16e6
"""Octets that the last process may have grown by between the second quarter of its life and the last. (Up to 32 MB of
mail may wait in memory; in practice the messages are small.)"""
HANDLES = 12
"""As many connections as there are to the next hop come and go."""


@dataclass
class Sample:
    """One look at the service."""

    at: float
    life: int
    accepted: int
    queued: int
    memory: float
    handles: float
    store: float
    sessions: float


@dataclass
class Soak:
    """The relay, its next hop, and what was seen."""

    config: Path
    disk: Disk
    web: int
    ledger: Ledger
    sink: Watching
    chance: random.Random
    relay: Relay
    life: int = 1
    samples: list[Sample] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    deck: list[Callable[[], None]] = field(default_factory=list)

    def look(self, started: float) -> Sample | None:
        """A sample by ``/metrics``; None while the service can't be asked."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=5) as answer:
                families = list(text_string_to_metric_families(answer.read().decode()))
        except OSError:
            return None
        found = {
            (sample.name, sample.labels.get("state", "")): sample.value
            for family in families
            for sample in family.samples
        }
        sample = Sample(
            time.monotonic() - started,
            self.life,
            len(self.ledger.accepted),
            int(found.get(("mailrouter_queue", "queued"), 0)),
            found["process_resident_memory_bytes", ""],
            found["process_open_fds", ""],
            found["mailrouter_store_bytes", ""],
            found["mailrouter_sessions_open", ""],
        )
        self.samples.append(sample)
        return sample

    def kill(self) -> None:
        """``kill -9`` and a new start."""
        self.relay.kill()
        self.relay = Relay(self.config, fresh=True)
        self.life += 1

    def next_hop_gone(self) -> None:
        """The next hop is stopped for a few seconds."""
        self.sink.__exit__()
        time.sleep(self.chance.uniform(3, 10))
        again = Watching(self.ledger, self.sink.port)
        again.__enter__()
        self.sink = again

    def disk_full(self) -> None:
        """No room for a few seconds."""
        filler = fill(self.disk.folder)
        try:
            time.sleep(self.chance.uniform(2, 6))
        finally:
            filler.unlink()

    def go_wrong(self, kills: bool) -> str:
        """One fault, each kind in turn in random order; gives its name."""
        if not self.deck:
            ways: list[Callable[[], None]] = [self.next_hop_gone, self.disk_full]
            self.deck = [*ways, self.kill] if kills else ways
            self.chance.shuffle(self.deck)
        way = self.deck.pop()
        if way == self.kill and not kills:
            return self.go_wrong(kills)
        way()
        name = way.__name__.replace("_", " ")
        self.faults[name] = self.faults.get(name, 0) + 1
        return name


def capacity(ledger: Ledger, port: int, socket: Path, seed: int) -> float:
    """Messages a second that this machine takes and delivers with the load beside it, over eight seconds."""
    load = Load(ledger, port, socket, seed, SENDERS, 0.0, 0.01, answers=0)
    began = time.monotonic()
    time.sleep(8)
    load.stop()
    wait_until(lambda: not ledger.missing(), 120, "the last copy of the measurement")
    return len(ledger.accepted) / (time.monotonic() - began)


def run(soak: Soak, minutes: float, port: int, seed: int) -> None:
    """Measure, load by half, let things go wrong, print a line now and then."""
    var = soak.config.parent / "var"
    socket = var / "run" / "mailrouter.sock"
    full = capacity(soak.ledger, port, socket, seed)
    print(
        f"full load: {full:.0f} messages/s taken and delivered; soaking at half of it, {minutes:g} minutes\n"
    )
    print("    time  life  answered 250  queued  memory MB  handles  store MB  gone wrong")
    load = Load(soak.ledger, port, socket, seed + 1000, SENDERS, SENDERS / full, 0.01, first=1_000_000)
    started = time.monotonic()
    end = started + minutes * 60
    step = max(12.0, minutes * 60 / 24)
    shown = started
    fault_at = started + step
    word = ""
    try:
        while (now := time.monotonic()) < end:
            if now >= fault_at and now < end - 15:
                word = soak.go_wrong(kills=now < started + minutes * 30)
                fault_at = time.monotonic() + soak.chance.uniform(0.5, 1.5) * step
            sample = soak.look(started)
            if sample is not None and now - shown >= step:
                shown = now
                print(
                    f"{sample.at:6.0f} s {sample.life:5} {sample.accepted:13,} {sample.queued:7,}"
                    f" {sample.memory / 1e6:10.1f} {sample.handles:8.0f} {sample.store / 1e6:9.1f}  {word}",
                    flush=True,
                )
                word = ""
            time.sleep(1)
    finally:
        load.stop()
    with contextlib.suppress(TimeoutError):
        wait_until(lambda: not soak.ledger.missing(), 240, "the last copy")


def verdict(soak: Soak) -> int:
    """Say what was lost and what grew; 0 where nothing did."""
    ledger = soak.ledger
    owed = [place for entry in ledger.accepted for place in entry.wanted]
    lost = len(ledger.missing())
    doubled = sum(ledger.arrived[place] > 1 for place in owed if place[0] != "a reply")
    life = [sample for sample in soak.samples if sample.life == soak.life]
    part = max(1, len(life) // 4)
    # Not the first quarter: caches fill.
    first, last = life[part : 2 * part], life[-part:]
    growth = statistics.median(s.memory for s in last) - statistics.median(s.memory for s in first)
    handles = statistics.median(s.handles for s in last) - statistics.median(s.handles for s in first)
    wrong = ", ".join(f"{name} {number} times" for name, number in sorted(soak.faults.items()))
    print(f"\ngone wrong: {wrong}")
    print(
        f"{len(ledger.accepted):,} messages answered 250, {len(owed):,} owed, {lost} lost, {doubled} doubled,"
    )
    print(f"{len(ledger.torn)} not whole; in the last life of {life[-1].at - life[0].at:.0f} s")
    print(f"memory {growth / 1e6:+.1f} MB, file handles {handles:+.0f}")
    return 1 if lost or ledger.torn or growth > GROWTH or handles > HANDLES else 0


def main() -> int:
    """Soak, and say how it went."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--minutes", type=float, default=10.0)
    options.add_argument("--seed", type=int, default=int(time.time()))
    chosen = options.parse_args()
    if why := no_mounts():
        sys.exit(f"The soak needs a disk of its own: {why}.")
    print(f"seed {chosen.seed}", flush=True)
    ledger = Ledger()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailrouter-soak-")))
        disk = stack.enter_context(Disk(folder / "var", MEGABYTES))
        sink = Watching(ledger)
        sink.__enter__()
        port, web = free_port(), free_port()
        config = configure(folder, port, sink.port)
        settings = config / "mailrouter.yaml"
        settings.write_text(settings.read_text() + f'web: "127.0.0.1:{web}"\n')
        soak = Soak(config, disk, web, ledger, sink, random.Random(chosen.seed), Relay(config, fresh=True))
        try:
            run(soak, chosen.minutes, port, chosen.seed)
            return verdict(soak)
        finally:
            if soak.relay.process.poll() is None:
                soak.relay.kill()
            soak.sink.__exit__()


if __name__ == "__main__":
    sys.exit(main())
