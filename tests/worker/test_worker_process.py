"""The worker process: what goes wrong in it costs one request, and it never outlives its service."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mailrouter.errors import ConfigurationError
from mailrouter.worker import limits
from mailrouter.worker.worker import Worker, WorkerBusy, WorkerFailed
from tests.support.relay import wait_until
from tests.worker import work


@asynccontextmanager
async def worker(seconds: float = 30.0, idle: float = 300.0) -> AsyncIterator[Worker]:
    """A worker that is ended with the block."""
    made = Worker(seconds=seconds, idle=idle)
    try:
        yield made
    finally:
        await made.close()


def gone(pid: int) -> bool:
    """Whether there is no such process, or only its exit code is left."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing tells us of another process
            await asyncio.sleep(0.02)


async def test_it_is_started_when_it_is_needed_and_kept() -> None:
    """Nothing runs before the first request, and the second finds the same process."""
    async with worker() as made:
        assert made.pid is None
        first = await made.call(work.pid)
        assert first == made.pid != os.getpid()
        assert await made.call(work.pid) == first
        assert (made.started, made.killed) == (1, 0)


@pytest.mark.parametrize(
    ("function", "arguments", "why"),
    [
        (work.killed, (), "too much time or memory"),
        (work.much_memory, (), "too much memory"),
        (work.nested, (), "nested too deeply"),
        (work.large, (limits.MAX_ANSWER + 1,), "answer is too large"),
        (work.fault, ("the handoff's words",), "KeyError"),
        (work.foreign, (), "can't be used"),
        (len, (b"x" * (limits.MAX_FRAME + 1),), "too large"),
    ],
)
async def test_what_fails_costs_one_request(function: Any, arguments: tuple[Any, ...], why: str) -> None:
    """The next one is answered, by a new process if need be; a stranger's words are in no error."""
    async with worker() as made:
        with pytest.raises(WorkerFailed, match=why) as error:
            await made.call(function, *arguments)
        assert "words" not in str(error.value)
        assert await made.call(len, b"four") == 4


async def test_a_process_that_died_while_it_waited_costs_nothing() -> None:
    """Where memory is short the kernel ends it first; the request is put to a new one."""
    async with worker() as made:
        first = await made.call(work.pid)
        os.kill(first, signal.SIGKILL)
        assert await made.call(work.pid) != first


async def test_a_request_that_hangs_is_ended() -> None:
    """The process is gone, and the next request has another."""
    async with worker(seconds=0.5) as made:
        first = await made.call(work.pid)
        with pytest.raises(WorkerFailed, match="more than"):
            await made.call(work.hang)
        await until(lambda: gone(first))
        assert await made.call(work.pid) != first
        assert (made.started, made.killed) == (2, 1)


async def test_a_request_that_its_asker_gives_up_is_ended() -> None:
    """Its answer can't be taken for that of the next."""
    async with worker() as made:
        first = await made.call(work.pid)
        asked = asyncio.create_task(made.call(work.sleep, 30.0, "late"))
        await asyncio.sleep(0.1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await made.call(work.sleep, 0.0, "next") == "next"
        assert gone(first)


async def test_our_errors_come_back_whole() -> None:
    """With all problems, and their places."""
    async with worker() as made:
        with pytest.raises(ConfigurationError) as error:
            await made.call(work.broken_file)
        assert [problem.line for problem in error.value.problems] == [3]


async def test_nothing_can_be_written_there(tmp_path: Path) -> None:
    """It reads what strangers wrote, so it gets no file to write to."""
    async with worker() as made:
        with pytest.raises(WorkerFailed, match="OSError"):
            await made.call(work.written, str(tmp_path / "file"))


async def test_proven_requests_come_first_and_the_line_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """One at a time, in order; who finds the line full hears it at once, and each kind has places of its own."""
    monkeypatch.setattr(limits, "MOST_WAITING", 2)
    ended: list[str] = []

    async def ask(name: str, ahead: bool) -> None:
        ended.append(await made.call(work.sleep, 0.05, name, ahead=ahead))

    async with worker() as made:
        await made.call(work.pid)
        asked = [
            asyncio.create_task(ask(name, name.startswith("proven")))
            for name in ("first", "one", "two", "proven one", "proven two")
        ]
        await asyncio.sleep(0)
        for ahead in (False, True):
            with pytest.raises(WorkerBusy):
                await made.call(work.sleep, 0.05, "three", ahead=ahead)
        await asyncio.gather(*asked)
    assert ended == ["first", "proven one", "proven two", "one", "two"]


async def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever comes then is served."""
    monkeypatch.setattr(limits, "WAIT_SECONDS", 0.1)
    async with worker() as made:
        await made.call(work.pid)
        first = asyncio.create_task(made.call(work.sleep, 0.6, "first"))
        await asyncio.sleep(0)
        with pytest.raises(WorkerBusy):
            await made.call(work.sleep, 0.0, "second")
        assert await first == "first"
        assert await made.call(work.sleep, 0.0, "third") == "third"


async def test_an_unused_process_is_ended() -> None:
    """It holds memory that nobody needs; the next request starts another."""
    async with worker(idle=0.1) as made:
        first = await made.call(work.pid)
        await until(lambda: gone(first))
        assert await made.call(work.pid) != first


async def test_the_service_ends_while_it_works() -> None:
    """Whoever waits is told to come again, and no process is left."""
    made = Worker()
    first = await made.call(work.pid)
    asked = [asyncio.create_task(made.call(work.hang)) for _ in range(3)]
    await asyncio.sleep(0.1)
    await made.close()
    for ended in asked:
        with pytest.raises(WorkerBusy):
            await ended
    assert gone(first)
    with pytest.raises(WorkerBusy):
        await made.call(work.pid)


async def test_a_process_that_can_not_be_started_costs_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine at its limit of processes: the mail goes on without it."""
    async with worker() as made:
        with monkeypatch.context() as broken:
            broken.setattr(sys, "executable", "/nowhere/python")
            with pytest.raises(WorkerFailed, match="can't be started"):
                await made.call(work.pid)
        assert await made.call(len, b"four") == 4


_SERVICE = """
import asyncio
from mailrouter.worker.worker import Worker
from tests.worker import work

async def main():
    made = Worker()
    print(await made.call(work.pid), flush=True)
    await made.call(work.{what})

asyncio.run(main())
"""


@pytest.mark.parametrize("what", ["hang", "pid"])
def test_kill_9_of_the_service_leaves_no_orphan(what: str) -> None:
    """Neither one that works nor one that waits."""
    root = Path(__file__).parents[2]
    script = _SERVICE.format(what=what) + ("" if what == "hang" else "\n")
    if what == "pid":
        script = script.replace("await made.call(work.pid)\n\nasyncio", "await asyncio.sleep(60)\n\nasyncio")
    service = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    try:
        assert service.stdout is not None
        pid = int(service.stdout.readline())
        assert not gone(pid)
        service.send_signal(signal.SIGKILL)
        service.wait(10)
        wait_until(lambda: gone(pid), 20, "the end of the worker process")
    finally:
        service.kill()
        service.wait()
        if service.stdout is not None:
            service.stdout.close()
