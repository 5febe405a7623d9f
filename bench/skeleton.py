"""The relay without its policy: door, store and delivery, each mail to both as it came. For comparison only.

python -m bench.skeleton --config DIR
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mailrouter.intake import acceptor
from mailrouter.intake.effects import Effects
from mailrouter.intake.partner.decide_apart import PartnerMail
from mailrouter.intake.planning import Case
from mailrouter.routing.plan import last_resort
from mailrouter.service import main as running


async def both(case: Case, mail: PartnerMail) -> Effects:
    """The message to every partner, with nothing looked at."""
    desk, received, roles = case.desk, case.received, case.admitted.roles
    marks = [(role, desk.loop_marks[role.key]) for role in roles]
    trace, size = received.trace(desk.hostname, roles[0]), received.shape.size
    return Effects(last_resort(marks, size, received.reverse_path, trace, "this is the skeleton"))


def main() -> None:
    """Serve as ``mailrouter serve`` does, with that decision in place of the planned one."""
    options = argparse.ArgumentParser()
    options.add_argument("--config", type=Path, required=True)
    acceptor.decide = both  # type: ignore[attr-defined]  # where it is called
    running.run(options.parse_args().config, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
