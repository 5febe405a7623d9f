"""What taking up a changed file costs the mail under way: ``python -m bench.reloading [--roles 1000] [--seconds 20]``.

With ``--inside`` it is one service in this process that is told to read again and again: how long that takes, how much
of the processor, and how late the event loop comes to a task that wants to run each millisecond.

A real service with many roles takes mail at a steady pace; the time from DATA's end to 250 is measured in turns without
and with a role's file that changes every two seconds, so that all files are checked again each time.
"""

from __future__ import annotations

import argparse
import asyncio
import smtplib
import statistics
import tempfile
import time
from pathlib import Path

from bench.watching import folder_of
from mailrouter.config.last_good import serving
from mailrouter.service import process
from mailrouter.service.wiring import Service
from tests.support.ports import free_port
from tests.support.relay import Relay

MAIL = b"From: jane@example.test\r\nTo: r1@example.test\r\nSubject: x\r\n\r\nhello\r\n"
PACE = 0.02
TURNS = 3


def waits(client: smtplib.SMTP, seconds: float, file: Path | None) -> list[float]:
    """Milliseconds that each mail waited for its 250; ``file`` is changed every two seconds."""
    found, end, change = [], time.monotonic() + seconds, 0.0
    while (now := time.monotonic()) < end:
        if file is not None and now >= change:
            file.write_text(file.read_text() + "#\n")
            change = now + 2
        client.mail("jane@example.test")
        client.rcpt("r1@example.test")
        began = time.perf_counter()
        client.data(MAIL)
        found.append((time.perf_counter() - began) * 1000)
        time.sleep(max(0.0, PACE - (time.monotonic() - now)))
    return found


def told(name: str, found: list[float], what: str = "mails") -> str:
    """One line."""
    cuts = statistics.quantiles(found, n=100)
    middle, last = cuts[49], cuts[98]
    return f"{name:32} {len(found):5} {what}: median {middle:5.1f} ms, p99 {last:6.1f} ms, most {max(found):6.1f} ms"


async def lags(into: list[float]) -> None:
    """How late each millisecond's turn is, in milliseconds, until cancelled."""
    while True:
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        into.append((time.perf_counter() - began - 0.001) * 1000)


async def inside(roles: int) -> None:
    """Lines about reading again, twenty times."""
    with tempfile.TemporaryDirectory() as place:
        folder = folder_of(Path(place), roles)
        settings = folder / "mailrouter.yaml"
        settings.write_text(settings.read_text() + 'listen: {smtp: "127.0.0.1:0"}\n')
        service = Service(serving(folder))
        await service.start()
        process.settle_down()
        assert service.reloading is not None
        late: list[float] = []
        beat = asyncio.create_task(lags(late))
        await asyncio.sleep(3)
        print(told("nothing changes, a turn is late", late, "turns"))
        late.clear()
        walls, spent = [], []
        file = folder / "roles" / "r0.yaml"
        for _ in range(20):
            file.write_text(file.read_text() + "#\n")
            wall, cpu = time.perf_counter(), time.process_time()
            await service.reloading.reload(asked=False)
            walls.append((time.perf_counter() - wall) * 1000)
            spent.append((time.process_time() - cpu) * 1000)
        beat.cancel()
        print(told("while it is read again", late, "turns"))
        print(told("reading again", walls, "times"))
        print(told("the processor's time for it", spent, "times"))
        await service.stop()


def main() -> None:
    """Turns without and with changes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--roles", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=20)
    options.add_argument("--inside", action="store_true")
    asked = options.parse_args()
    if asked.inside:
        process.prepare()
        asyncio.run(inside(asked.roles))
        return
    with tempfile.TemporaryDirectory() as place:
        folder = folder_of(Path(place), asked.roles)
        settings = folder / "mailrouter.yaml"
        settings.write_text(settings.read_text() + f'listen: {{smtp: "127.0.0.1:{free_port()}"}}\n')
        running = Relay(folder, fresh=True)
        calm: list[float] = []
        changing: list[float] = []
        try:
            with smtplib.SMTP("127.0.0.1", running.port, timeout=60) as client:
                client.ehlo()
                waits(client, 3, None)
                for _ in range(TURNS):
                    calm += waits(client, asked.seconds / TURNS, None)
                    changing += waits(client, asked.seconds / TURNS, folder / "roles" / "r0.yaml")
        finally:
            running.stop()
    print(told(f"{asked.roles} roles, nothing changes", calm))
    print(told("a file changes every 2 s", changing))


if __name__ == "__main__":
    main()
