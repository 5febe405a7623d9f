"""What seeing changed files costs, and how soon they are in force: ``python -m bench.watching``."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from mailrouter.config.last_good import proposed, serving
from mailrouter.service.watch import PAUSE, changes, state_of

ROLE = Path(__file__).parents[1] / "config" / "roles" / "vp-hr.yaml"
ROUNDS = 20


def folder_of(place: Path, roles: int) -> Path:
    """A configuration of so many roles."""
    made = place / str(roles)
    (made / "roles").mkdir(parents=True)
    (made / "mailrouter.yaml").write_text("hostname: mx.example.test\n")
    text = ROLE.read_text()
    for number in range(roles):
        own = text.replace("vp-hr@", f"r{number}@").replace("hr-lead@", f"a{number}@")
        own = own.replace("laurie@", f"l{number}@").replace("elaine@", f"e{number}@")
        (made / "roles" / f"r{number}.yaml").write_text(own)
    return made


def milliseconds(work, rounds: int = ROUNDS) -> float:  # type: ignore[no-untyped-def]
    """The median of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)


async def until_seen(folder: Path) -> float:
    """Milliseconds from a file's change to the moment at which it would be loaded; the worst of some rounds."""
    worst = 0.0
    seen = changes(folder, state_of(folder))
    file = folder / "roles" / "r0.yaml"
    for number in range(ROUNDS):
        waiting = asyncio.ensure_future(anext(seen))
        await asyncio.sleep(PAUSE * number / ROUNDS)
        start = time.perf_counter()
        file.write_text(file.read_text() + "#\n")
        await waiting
        worst = max(worst, (time.perf_counter() - start) * 1000)
    return worst


def main() -> None:
    """One line for each number of roles."""
    with tempfile.TemporaryDirectory() as place:
        for roles in (1, 20, 200):
            folder = folder_of(Path(place), roles)
            look = milliseconds(lambda: state_of(folder))  # noqa: B023
            load = milliseconds(lambda: serving(folder), 5)  # noqa: B023
            text = (folder / "roles" / "r0.yaml").read_bytes()
            check = milliseconds(lambda: proposed(folder, "r0", text + b"#\n", "mx.example.test"), 5)  # noqa: B023
            share = look / (PAUSE * 1000)
            print(
                f"{roles:>4} roles: a look {look * 1000:.0f} µs ({share:.2%} of one core), reading all {load:.0f} ms,"
                f" checking a change by mail {check:.0f} ms"
            )
        print(f"a change is seen after {asyncio.run(until_seen(Path(place) / '20')):.0f} ms at most")


if __name__ == "__main__":
    main()
