"""The whole run, and its table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.faults import FAULTS
from tests.torture.run import Reckoning, left_out, torture


def table(found: Reckoning) -> str:
    """The table as it stands in the documentation."""
    lines = [
        "| fault | how it is made | rounds | answered 250 | owed | arrived | lost | doubled |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    total = [0] * 6
    for row in found.rows:
        figures = [row.rounds, row.accepted, row.owed, row.arrived, row.lost, row.doubled]
        total = [sum(pair) for pair in zip(total, figures, strict=True)]
        lines.append(f"| {row.fault.name} | {row.fault.how} | {' | '.join(f'{n:,}' for n in figures)} |")
    lines.append(f"| **all** | | {' | '.join(f'**{n:,}**' for n in total)} |")
    return "\n".join(lines)


def main() -> int:
    """0 where nothing was lost."""
    options = argparse.ArgumentParser(
        description="The relay under load, ended in every way, again and again."
    )
    options.add_argument(
        "--scale", type=float, default=1.0, help="of the number of rounds (1: about six minutes)"
    )
    options.add_argument("--seed", type=int, default=int(time.time()))
    chosen = options.parse_args()
    for fault in FAULTS:
        if why := left_out(fault):
            print(f"left out: {fault.name}: {why}")
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="mailrouter-torture-") as folder:
        found = torture(
            Path(folder),
            lambda fault: max(1, round(fault.rounds * chosen.scale)),
            chosen.seed,
            lambda line: print(line, flush=True),
        )
    print(f"\n{table(found)}\n")
    print(
        f"{found.kills} of the rounds ended the process without a word. {found.handoffs:,} handoffs were acknowledged, "
        f"{len(found.handoffs_lost)} of them lost. Copies that were not whole: {found.torn}. "
        f"Untrue reports: {len(found.untrue)}. Half received messages left: {found.half_received}. "
        f"On hold, and released: {found.held}. SQLite's integrity check: {found.integrity}. "
        f"{found.seconds:.0f} s."
    )
    bad = found.lost or found.torn or found.untrue or found.half_received or found.integrity != "ok"
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
