"""The relay without its policy: door, store and delivery, each mail to both as it came. For comparison only.

python -m bench.skeleton --config DIR
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mailrouter.intake import acceptor
from mailrouter.intake.planning import Arrival
from mailrouter.routing.model import Plan
from mailrouter.routing.plan import last_resort
from mailrouter.runtime.context import Desk
from mailrouter.service import main as running


def both(desk: Desk, arrival: Arrival) -> Plan:
    """The message to every partner, with nothing looked at."""
    roles = [(role, desk.loop_marks[role.key]) for role in arrival.roles]
    return last_resort(
        roles, arrival.shape.size, arrival.reverse_path, arrival.received, "this is the skeleton"
    )


def main() -> None:
    """Serve as ``mailrouter serve`` does, with that decision in place of the planned one."""
    options = argparse.ArgumentParser()
    options.add_argument("--config", type=Path, required=True)
    acceptor.decide = both
    running.run(options.parse_args().config, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
