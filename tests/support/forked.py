"""The process that programs of ours are forked from: it has loaded their modules, and each of them begins at once.

``python -m tests.support.forked FD`` serves ``programs.start``. A request is a JSON object and four descriptors: standard
input, output and error of the new process, and a pipe on which its process id and later its exit code are told.
"""

from __future__ import annotations

import array
import contextlib
import gc
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import mailrouter

READY = b"ready"
LONGEST = 1 << 17
"""Octets of one request: mostly the environment."""
_NEVER = ("mailrouter.__main__", "mailrouter.worker.child", "mailrouter.cli.demo", "mailrouter.demo")
"""Modules that are for a process of their own, or that few need."""


def preload() -> None:
    """Load all modules of the product, and see to it that they are shared by all processes to come."""
    for module in pkgutil.walk_packages(mailrouter.__path__, "mailrouter."):
        if not module.name.startswith(_NEVER):
            import_module(module.name)
    gc.collect()
    gc.freeze()


def main() -> None:
    """Fork a process for each request; returns in the new process alone, which then runs its program."""
    link = socket.socket(fileno=int(sys.argv[1]))
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ended, wake = os.pipe()
    for descriptor in (ended, wake):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    preload()
    link.send(READY)
    tellers: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(link, selectors.EVENT_READ)
        selector.register(ended, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj == ended:
                    os.read(ended, 1000)
                    reap(tellers)
                    continue
                data, descriptors = received(link)
                if not data:
                    sys.exit(0)  # who asked is gone
                if (pid := os.fork()) == 0:
                    become(json.loads(data), descriptors)
                    return
                teller = descriptors.pop()
                tellers[pid] = teller
                with contextlib.suppress(BrokenPipeError):
                    os.write(teller, b"%d\n" % pid)
                for descriptor in descriptors:
                    os.close(descriptor)


def received(link: socket.socket) -> tuple[bytes, list[int]]:
    """A request and its descriptors."""
    found = array.array("i")
    data, ancillary, _, _ = link.recvmsg(LONGEST, socket.CMSG_LEN(4 * found.itemsize))
    for _, _, octets in ancillary:
        found.frombytes(octets)
    return data, list(found)


def reap(tellers: dict[int, int]) -> None:
    """Tell of each process that has ended."""
    while tellers:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        teller = tellers.pop(pid)
        with contextlib.suppress(BrokenPipeError):
            os.write(teller, b"%d\n" % os.waitstatus_to_exitcode(status))
        os.close(teller)


def become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Make this new process what `python -m PROGRAM` would be at its beginning."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    sys.argv[1:] = request["words"]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    out = os.isatty(1)
    sys.stdout = open(1, "w", buffering=1 if out else -1, closefd=False)  # noqa: SIM115
    if request["env"].get("PYTHONUNBUFFERED"):
        sys.stdout.reconfigure(write_through=True)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
    program, sys.argv[1:] = sys.argv[1], sys.argv[2:]
    sys.argv[0] = str(Path(*program.split(".")))
    runpy.run_module(program, run_name="__main__", alter_sys=True)
