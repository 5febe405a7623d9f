"""Fuzzing of every reader of outside text, led by coverage: ``python -m tests.bounded.fuzz --minutes 30``.

It needs atheris (``pip install atheris``), which is no dependency of the tests. Each reader runs in a process of its
own for its share of the time, one after the other. A finding is an exception, or work that is more than ``TOO_MUCH``
for so many octets; its input is kept in ``--findings`` for a test to be made of it.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LARGEST = 32 * 1024
"""Octets of one input: enough for a square to show, and small enough for thousands of runs a second."""
TOO_MUCH = 0.05
"""Seconds of the processor for one input. Instrumented code is some five times slower, so that it is far from usual."""
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s+(\d+)")
_COVERED = re.compile(r"cov: (\d+)")


def main() -> int:
    """Fuzz all readers, or the ones named; 0 where nothing was found."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--minutes", type=float, default=30.0, help="for all of them together")
    options.add_argument("--findings", type=Path, default=Path("findings"))
    options.add_argument("--one", help="a reader, in this process (used by the others)")
    options.add_argument("readers", nargs="*")
    chosen = options.parse_args()
    if chosen.one:
        fuzz(chosen.one, chosen.findings, chosen.minutes)
    from tests.bounded.readers import READERS

    names = chosen.readers or [reader.name for reader in READERS]
    seconds = max(5, int(chosen.minutes * 60 / len(names)))
    executed = found = 0
    for name in names:
        began = time.monotonic()
        command = [sys.executable, "-m", "tests.bounded.fuzz", "--one", name, "--minutes", str(seconds / 60)]
        done = subprocess.run(
            [*command, "--findings", str(chosen.findings)], capture_output=True, text=True, errors="replace"
        )
        runs = int(match[1]) if (match := _EXECUTED.search(done.stderr)) else 0
        covered = [int(number) for number in _COVERED.findall(done.stderr)]
        own = sorted(chosen.findings.glob(f"{_file(name)}-*"))
        executed, found = executed + runs, found + len(own)
        print(
            f"{name}: {runs:,} inputs in {time.monotonic() - began:.0f} s, coverage {max(covered, default=0)}, "
            f"{len(own)} findings"
            + (
                f"; ended with {done.returncode}: {done.stderr[-500:]}" if done.returncode and not own else ""
            ),
            flush=True,
        )
    print(f"{executed:,} inputs, {found} findings")
    return int(found > 0)


def fuzz(name: str, findings: Path, minutes: float) -> None:
    """Run one reader until its time is over; libFuzzer ends the process."""
    import atheris

    # What is imported here is watched; it has to be the first import of it.
    with atheris.instrument_imports(include=["mailrouter"]):
        from tests.bounded.readers import READERS

    reader = next(reader for reader in READERS if reader.name == name)
    findings.mkdir(exist_ok=True)
    slowest = 0.0

    def one(data: bytes) -> None:
        nonlocal slowest
        text = data.decode("latin-1")
        start = time.thread_time()
        try:
            reader.work(text)
        except Exception as error:
            keep(data, f"{type(error).__name__}: {error}")
            return
        spent = time.thread_time() - start
        if spent > TOO_MUCH and spent > 1.5 * slowest:
            again = time.thread_time()
            reader.work(text)
            spent = min(spent, time.thread_time() - again)
            if spent > TOO_MUCH:
                slowest = spent
                keep(data, f"{spent:.3f} s of the processor for {len(data)} octets")

    def keep(data: bytes, why: str) -> None:
        name = f"{_file(reader.name)}-{hashlib.sha256(why[:40].encode()).hexdigest()[:8]}"
        (findings / name).write_bytes(data)
        (findings / f"{name}.why").write_text(why + "\n")

    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in reader.tokens if token))
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        for number, token in enumerate(reader.tokens):
            (seeds / str(number)).write_bytes((token * 20).encode("latin-1", "ignore"))
        (seeds / "all").write_bytes("".join(reader.tokens).encode("latin-1", "ignore"))
        flags = [
            f"-max_total_time={int(minutes * 60)}",
            f"-max_len={LARGEST}",
            f"-dict={words}",
            "-timeout=20",
        ]
        atheris.Setup([sys.argv[0], *flags, "-print_final_stats=1", str(seeds)], one)
        atheris.Fuzz()


def _file(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _escaped(token: str) -> str:
    """A token as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{octet:02x}" for octet in token.encode("latin-1", "ignore"))


if __name__ == "__main__":
    sys.exit(main())
