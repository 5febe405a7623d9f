"""The service's side of the worker process: pure functions are called in it, one at a time.

It is started when it is first needed, ended when it takes too long or uses too much (the next request finds a new
one), when nothing was asked of it for a while, and with the service. Requests wait in a short line, proven ones first;
who finds it full, or waits too long in it, is told so at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mailrouter.errors import MailrouterError
from mailrouter.worker import limits
from mailrouter.worker.frames import LENGTH, Unfit, answer_in, framed, request

log = logging.getLogger("mailrouter.worker")

T = TypeVar("T")
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "PYTHONTZPATH", "LANG", "LC_ALL", "TZ")
_ROOT = Path(__file__).resolve().parents[2]


class WorkerError(Exception):
    """A request has no answer. None of our other errors: no decision is to take it for what a file or a mail says."""


class WorkerBusy(WorkerError):
    """Too many requests wait; the same may well succeed a little later."""


class WorkerFailed(WorkerError):
    """A request took too much time or memory, or met a fault; the same again would fail again."""


class _Died(WorkerFailed):
    """The process ended before it answered."""


class Calls(Protocol):
    """A place where pure functions of ours are called."""

    async def call(self, function: Callable[..., T], *arguments: Any, ahead: bool = False) -> T:
        """The result of ``function``.

        Raises what it raises of ours, WorkerBusy and WorkerFailed. ``ahead``: before all requests that are not.
        """


class CallsHere:
    """Calls in this very process, for commands and tests."""

    async def call(self, function: Callable[..., T], *arguments: Any, ahead: bool = False) -> T:
        """See ``Calls.call``."""
        return function(*arguments)


class Worker:
    """One process, or none yet. ``started`` and ``killed`` count, for whoever looks after the service.

    ``modules`` are those that requests need; they are loaded before the first.
    """

    def __init__(
        self,
        modules: Sequence[str] = (),
        seconds: float = limits.CALL_SECONDS,
        idle: float = limits.IDLE_SECONDS,
    ) -> None:
        self._modules = modules
        self.started = self.killed = 0
        self._seconds, self._idle = seconds, idle
        self._process: asyncio.subprocess.Process | None = None
        self._working = self._closed = False
        self._ahead: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()
        self._retiring: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[int]] = set()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    async def call(self, function: Callable[..., T], *arguments: Any, ahead: bool = False) -> T:
        """See ``Calls.call``. The function and its arguments are sent by pickle."""
        data = request(function, arguments)
        if len(data) > limits.MAX_FRAME:
            raise WorkerFailed("it is too large")
        await self._turn(self._ahead if ahead else self._others)
        try:
            kind, value = await self._asked(data)
        finally:
            self._next()
        if kind == "raised" and isinstance(value, MailrouterError):
            raise value
        if kind != "value":
            raise WorkerFailed(str(value)[:100])
        found: T = value
        return found

    async def _turn(self, line: deque[asyncio.Future[None]]) -> None:
        """Wait until it is this request's turn. Raises WorkerBusy."""
        if self._closed:
            raise WorkerBusy("the service ends")
        if not self._working:
            self._working = True
            return
        if len(line) >= limits.MOST_WAITING:
            raise WorkerBusy("too much mail waits to be read")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await asyncio.wait([turn], timeout=limits.WAIT_SECONDS)
            if not turn.done():
                raise WorkerBusy("too much mail was read before")
            turn.result()
        except BaseException:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._next()  # it was given the turn in the same moment
            turn.cancel()
            raise

    def _next(self) -> None:
        """Give the turn to the next request, if there is one."""
        for line in (self._ahead, self._others):
            while line:
                turn = line.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._working = False

    async def _asked(self, data: bytes) -> tuple[str, Any]:
        """The answer of the process. Raises WorkerFailed, WorkerBusy."""
        if self._retiring is not None:
            self._retiring.cancel()
            self._retiring = None
        waited = self._process is not None
        try:
            return await self._answer_of(await self._running(), data)
        except _Died:
            # One that waited may have been gone before it was asked: it is the first to go where memory is short.
            if not waited:
                raise
        return await self._answer_of(await self._running(), data)

    async def _answer_of(self, process: asyncio.subprocess.Process, data: bytes) -> tuple[str, Any]:
        """The answer; a process that gives none in time is killed."""
        assert process.stdin is not None
        whole = False
        try:
            async with asyncio.timeout(self._seconds):
                process.stdin.write(framed(data))
                await process.stdin.drain()
                answer = answer_in(await _frame(process))
            whole = answer[0] != "last"
            return answer
        except TimeoutError:
            raise WorkerFailed(f"it takes more than {self._seconds:.0f} seconds") from None
        except (
            asyncio.IncompleteReadError,
            OSError,
            RuntimeError,
        ):  # uvloop's RuntimeError: its pipe is closed
            if self._closed:
                raise WorkerBusy("the service ends") from None
            raise _Died("it takes too much time or memory") from None
        except Unfit as odd:
            log.error("the worker process gave %s", odd)
            raise WorkerFailed("its answer can't be used") from None
        finally:
            if whole and not self._closed:
                self._retiring = asyncio.get_running_loop().call_later(self._idle, self._retire)
            else:
                # Half an answer may be under way, or it may go on working for nobody.
                self._kill()

    async def _running(self) -> asyncio.subprocess.Process:
        """The process, started if there is none. Raises WorkerFailed."""
        if self._process is not None and self._process.returncode is None:
            return self._process
        began = time.monotonic()
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "mailrouter.worker.child", str(os.getpid()), *self._modules),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={
                    **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                    "PYTHONPATH": str(_ROOT),
                },
            )
        except OSError as error:
            raise WorkerFailed(f"the worker process can't be started: {error.strerror}") from None
        self._process = process
        self.started += 1
        try:
            async with asyncio.timeout(limits.START_SECONDS):
                await _frame(process)
        except (TimeoutError, asyncio.IncompleteReadError, OSError, RuntimeError, Unfit):
            self._kill()
            if self._closed:
                raise WorkerBusy("the service ends") from None
            raise WorkerFailed("the worker process did not get ready") from None
        except BaseException:
            self._kill()
            raise
        log.info("the worker process %d is ready after %.1f s", process.pid, time.monotonic() - began)
        return process

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self.killed += 1
            self._end(process)

    def _retire(self) -> None:
        """End the process that nothing was asked of for a while."""
        process, self._process, self._retiring = self._process, None, None
        if process is not None:
            self._end(process)

    def _end(self, process: asyncio.subprocess.Process) -> None:
        """Kill it, and have its exit code taken."""
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        reaped = asyncio.get_running_loop().create_task(process.wait())
        self._ending.add(reaped)
        reaped.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End the process; whatever waits for it is told to come again."""
        self._closed = True
        for line in (self._ahead, self._others):
            while line:
                if not (turn := line.popleft()).done():
                    turn.set_exception(WorkerBusy("the service ends"))
        if self._retiring is not None:
            self._retiring.cancel()
        process, self._process = self._process, None
        if process is not None:
            self._end(process)
        if self._ending:
            await asyncio.wait(self._ending, timeout=1)


async def _frame(process: asyncio.subprocess.Process) -> bytes:
    """One frame that the process sent. Raises IncompleteReadError, Unfit."""
    assert process.stdout is not None
    (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
    if length > limits.MAX_ANSWER:
        raise Unfit("an answer that is too large")
    return await process.stdout.readexactly(length)
