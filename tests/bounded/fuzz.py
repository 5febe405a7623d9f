"""Fuzzing of every reader of outside text, led by coverage: ``python -m tests.bounded.fuzz --minutes 30``.

It needs atheris (``pip install atheris``), which is no dependency of the tests. One process reads with all of them: an
input's first octet chooses the reader. A finding is an exception, or work that is more than ``TOO_MUCH``; its input is
kept in ``--findings`` for a test to be made of it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

LARGEST = 32 * 1024
"""Octets of one input: enough for a square to show, and small enough for thousands of runs a second."""
TOO_MUCH = 0.2
"""Seconds of the processor for one input: watched code is some five times slower than usual."""


def main() -> int:
    """Fuzz all readers, or the ones named; 0 where nothing was found."""
    options = argparse.ArgumentParser(description=main.__doc__)
    options.add_argument("--minutes", type=float, default=30.0)
    options.add_argument("--findings", type=Path, default=Path("findings"))
    options.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options.add_argument("readers", nargs="*")
    chosen = options.parse_args()
    if chosen.child:
        fuzz(chosen.readers, chosen.findings, chosen.minutes)
    command = [sys.executable, "-m", "tests.bounded.fuzz", "--child", "--minutes", str(chosen.minutes)]
    command += ["--findings", str(chosen.findings), *chosen.readers]
    chosen.findings.mkdir(exist_ok=True)
    counted: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.startswith("{"):  # libFuzzer says something, too
                counted = json.loads(line)
    for name, count in counted.items():
        print(f"{name}: {count:,} inputs")
    found = sorted(chosen.findings.glob("*.why"))
    for why in found:
        print(f"{why.stem}: {why.read_text().strip()}")
    print(f"{sum(counted.values()):,} inputs, {len(found)} findings")
    return int(bool(found) or not counted)


def fuzz(names: list[str], findings: Path, minutes: float) -> None:
    """Read until the time is over; libFuzzer ends the process."""
    import atheris

    # What is imported here is watched; it has to be the first import of it.
    with atheris.instrument_imports(include=["mailrouter"]):
        from tests.bounded.readers import READERS

    readers = [reader for reader in READERS if not names or reader.name in names]
    counted: Counter[str] = Counter()
    slowest: dict[str, float] = {}
    told = 0.0

    def one(data: bytes) -> None:
        nonlocal told
        if not data:
            return
        reader, text = readers[data[0] % len(readers)], data[1:].decode("latin-1")
        counted[reader.name] += 1
        if time.monotonic() - told > 5:
            told = time.monotonic()
            print(json.dumps(counted), flush=True)
        start = time.thread_time()
        try:
            reader.work(text)
        except Exception as error:
            keep(reader.name, data, f"{type(error).__name__}: {error}")
            return
        spent = time.thread_time() - start
        if spent > max(TOO_MUCH, 1.5 * slowest.get(reader.name, 0.0)):
            start = time.thread_time()
            reader.work(text)
            if (spent := min(spent, time.thread_time() - start)) > TOO_MUCH:
                slowest[reader.name] = spent
                keep(reader.name, data, f"{spent:.3f} s of the processor for {len(data)} octets")

    def keep(name: str, data: bytes, why: str) -> None:
        kind = re.sub(r"[0-9]+", "", why)[:60]
        place = findings / f"{_file(name)}-{hashlib.sha256(kind.encode()).hexdigest()[:8]}"
        place.write_bytes(data)
        place.with_suffix(".why").write_text(why + "\n")

    with tempfile.TemporaryDirectory() as folder:
        words, seeds = Path(folder) / "words", Path(folder) / "seeds"
        tokens = {token for reader in readers for token in reader.tokens if token}
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in sorted(tokens)))
        seeds.mkdir()
        for number, reader in enumerate(readers):
            made = ["".join(reader.tokens), *(token * 20 for token in reader.tokens)]
            for at, text in enumerate(made):
                (seeds / f"{number}-{at}").write_bytes(bytes([number]) + text.encode("latin-1", "ignore"))
        flags = [
            f"-max_total_time={int(minutes * 60)}",
            f"-max_len={LARGEST}",
            f"-dict={words}",
            "-timeout=30",
        ]
        atheris.Setup([sys.argv[0], *flags, str(seeds)], one)
        atheris.Fuzz()


def _file(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _escaped(token: str) -> str:
    """A token as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{octet:02x}" for octet in token.encode("latin-1", "ignore"))


if __name__ == "__main__":
    sys.exit(main())
