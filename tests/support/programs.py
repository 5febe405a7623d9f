"""Programs of ours, each in a process of its own that begins at once.

Python and our modules take a second of a processor to load, and most of what tests did was that. So one process has
loaded them, and each program is forked from it: it has its own process id, environment, folder, standard streams,
session and end, as if it had been started by ``python -m``. With ``MAILROUTER_FULL`` it is.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO

from tests.support.examples import FULL
from tests.support.forked import LONGEST, READY

_ROOT = Path(__file__).parents[2]


class Program:
    """A forked process, with those of ``subprocess.Popen``'s methods that tests use."""

    def __init__(self, pid: int, teller: int, stdout: IO[bytes] | None) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._teller = teller
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code (a signal's number below zero), or None while it runs."""
        with self._lock:
            if self.returncode is None and select.select([self._teller], [], [], 0)[0]:
                told = os.read(self._teller, 20)
                if not told:
                    raise RuntimeError("the process that programs are forked from has gone")
                self.returncode = int(told)
                os.close(self._teller)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once there is one. Raises subprocess.TimeoutExpired after ``timeout`` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            select.select([self._teller], [], [], left)
        return code

    def send_signal(self, number: int) -> None:
        """Send it, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


class _Origin:
    """The process that has loaded everything, from when it is first needed to the end of this one."""

    def __init__(self) -> None:
        self._link: socket.socket | None = None
        self._lock = threading.Lock()

    def fork(self, request: Mapping[str, object], descriptors: Sequence[int]) -> tuple[int, int]:
        """Start a process; gives its id and the pipe on which its exit code will be told."""
        data = json.dumps(request).encode()
        assert len(data) < LONGEST
        told, tell = os.pipe()
        with self._lock:
            link = self._link or self._begin()
            socket.send_fds(link, [data], [*descriptors, tell])
        os.close(tell)
        with open(told, "rb", buffering=0, closefd=False) as pipe:
            pid = pipe.readline()
        if not pid:
            raise RuntimeError("the process that programs are forked from has gone")
        return int(pid), told

    def _begin(self) -> socket.socket:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.support.forked", str(its.fileno())]
        # It ends by itself when `ours` is closed, by this process's end at the latest.
        process = subprocess.Popen(command, pass_fds=[its.fileno()], cwd=_ROOT, stdin=subprocess.DEVNULL)
        its.close()
        if ours.recv(100) != READY:
            raise RuntimeError("the process that programs are forked from did not get ready")

        def end() -> None:
            ours.close()
            process.wait(30)

        atexit.register(end)
        self._link = ours
        return ours


_origin = _Origin()


def start(
    program: str,
    *words: str,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    session: bool = False,
    fresh: bool = False,
) -> Program | subprocess.Popen[bytes]:
    """Start ``python -m PROGRAM WORDS``; ``stdin`` and ``stderr`` are descriptors, ``stdout`` one or a pipe.

    ``env`` is the whole environment. ``fresh``: load everything anew, for whoever measures memory or the start, or has
    set limits that the process is to inherit.
    """
    env = os.environ if env is None else env
    if fresh or FULL:
        command = [sys.executable, "-m", program, *words]
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, cwd=cwd, env=env, start_new_session=session
        )
    request = {
        "words": [program, *words],
        "cwd": str(cwd or Path.cwd()),
        "env": dict(env),
        "session": session,
    }
    nothing = os.open(os.devnull, os.O_RDWR)
    pipe = os.pipe() if stdout == subprocess.PIPE else None
    try:
        descriptors = [nothing if one == subprocess.DEVNULL else one for one in (stdin, stdout, stderr)]
        if pipe:
            descriptors[1] = pipe[1]
        pid, teller = _origin.fork(request, descriptors)
    finally:
        os.close(nothing)
        if pipe:
            os.close(pipe[1])
    return Program(pid, teller, open(pipe[0], "rb") if pipe else None)


def run(
    program: str,
    *words: str,
    given: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
    fresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m PROGRAM WORDS`` to its end with ``given`` on standard input; ``env`` comes on top."""
    text = partial(tempfile.TemporaryFile, "w+")
    with text() as stdin, text() as out, text() as err:
        stdin.write(given)
        stdin.seek(0)
        process = start(
            program, *words,
            stdin=stdin.fileno(), stdout=out.fileno(), stderr=err.fileno(),
            cwd=cwd, env={**os.environ, **(env or {})}, fresh=fresh,
        )  # fmt: skip
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess([program, *words], code, out.read(), err.read())


def mailrouter(
    *words: str,
    given: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> subprocess.CompletedProcess[str]:
    """The command with these words, and what it said."""
    return run("mailrouter", *words, given=given, cwd=cwd, env=env, timeout=timeout)
