"""How long people wait: `explain`, `schedule` and `serve` until it is ready, on the example configuration.

python -m bench.startup [--times 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.relay import ONE_AWAY, Relay, write_configuration

MAIL = b"From: jane@example.test\r\nTo: vp-hr@example.test\r\nSubject: Budget\r\n\r\nHow is it going?\r\n"


def command(*words: str) -> Callable[[], float]:
    """A measurement of one whole command, in milliseconds."""

    def once() -> float:
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", "mailrouter", *words], check=True, capture_output=True)
        return (time.monotonic() - started) * 1000

    return once


def ready(config: Path) -> Callable[[], float]:
    """A measurement of ``serve`` until its line with ``ready``."""

    def once() -> float:
        started = time.monotonic()
        running = Relay(config, fresh=True)
        waited = (time.monotonic() - started) * 1000
        running.stop()
        return waited

    return once


def main() -> None:
    """Print the medians and the worst."""
    options = argparse.ArgumentParser(description="How long people wait.")
    options.add_argument("--times", type=int, default=9)
    times = options.parse_args().times
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = write_configuration(folder, role=ONE_AWAY + "holidays: {country: US, subdivision: CA}\n")
        mail = folder / "mail.eml"
        mail.write_bytes(MAIL)
        where = ("--config", str(config))
        for what, once in {
            "explain": command("explain", str(mail), *where),
            "schedule": command("schedule", "vp-hr", *where),
            "serve, until ready": ready(config),
        }.items():
            found = [once() for _ in range(times)]
            print(
                f"{what:<20} median {statistics.median(found):5.0f} ms, worst of {times} {max(found):5.0f} ms"
            )


if __name__ == "__main__":
    main()
