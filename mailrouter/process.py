"""The process that a service runs in: its limits, its loop, its collector, and an end that comes in time."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys
import threading
from collections.abc import Callable
from typing import Any

DESCRIPTORS = 8192


def prepare() -> None:
    """What has to be set before the loop is made."""
    # A thousand sessions need more than the usual soft limit of 1,024 descriptors.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    # The store's thread takes the interpreter's lock a few times a commit; the default of 5 ms would stall it each time.
    sys.setswitchinterval(0.0005)


def loop_factory() -> Any:
    """uvloop's where it is there; None for the stock loop."""
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None


def settle_down() -> None:
    """What is there by now stays: the collector need not walk through it for each message."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 50)


def give_back() -> None:
    """Have the C library give the kernel what it keeps of memory that was freed (glibc; elsewhere nothing happens).

    After a burst of messages that would be hundreds of megabytes, for as long as the process lives.
    """
    with contextlib.suppress(Exception):
        ctypes.CDLL(None).malloc_trim(0)


def end_within(seconds: float, tell: Callable[[str], None]) -> None:
    """Have this process end in ``seconds`` whatever still hangs then: a disk, a thread, a library.

    Everything answered 250 is durable, so ending at once costs a repeat at most.
    """

    def end() -> None:
        tell("mailrouter stopped, and something did not end in time; the next start takes it up")
        os._exit(1)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
