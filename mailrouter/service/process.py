"""The process that a service runs in: its limits, its loop, its collector, and an end that comes in time."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import os
import pwd
import resource
import shlex
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from mailrouter.config.settings import Settings

log = logging.getLogger("mailrouter")

DESCRIPTORS = 8192
SPARE_DESCRIPTORS = 256
"""Kept for what else is open: the store, the next hop's connections, pages, files that are read again, and connections
that are just being refused."""


def prepare() -> None:
    """Set what has to be set before the loop is made."""
    # A thousand sessions need more than the usual soft limit of 1,024 descriptors.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    # The store's thread takes the interpreter's lock a few times a commit; the default of 5 ms would stall it each time.
    sys.setswitchinterval(0.0005)


def places(wanted: int) -> int:
    """The number of ``wanted`` SMTP connections that descriptors allow; what is fewer is said in the log."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted + SPARE_DESCRIPTORS:
        return wanted
    found = max(10, min(wanted, soft - SPARE_DESCRIPTORS), soft // 4)
    log.warning(
        "this process may open %d files, so it takes %d connections at a time and not %d; LimitNOFILE=%d in the unit "
        "(ulimit -n elsewhere) is enough for all",
        soft,
        found,
        wanted,
        DESCRIPTORS,
    )
    return found


def surroundings(settings: Settings) -> Iterator[str]:
    """Unsafe folders of mail and keys, as sentences with advice."""
    for name, folder in (("run_folder", settings.run_folder), ("the store's folder", settings.store.parent)):
        with contextlib.suppress(OSError):
            if (mode := folder.stat().st_mode) & stat.S_IWOTH:
                sticky = " but for files of others" if mode & stat.S_ISVTX else ""
                yield (
                    f"{name} ({folder}) can be written by every user of this machine{sticky}, so that each of them could "
                    f"put files of their own in the place of mailrouter's: chmod o-w {folder}, or another folder."
                )


def whose(settings: Settings) -> str:
    """The reason why root must not serve here: the folders are another user's, and what root makes in them that user
    can't read; empty where that is not so.
    """
    if os.geteuid() != 0:
        return ""
    for folder in (settings.store.parent, settings.run_folder):
        place = next((place for place in (folder, *folder.parents) if place.exists()), folder)
        with contextlib.suppress(OSError, KeyError):
            if owner := place.stat().st_uid:
                name = pwd.getpwuid(owner).pw_name
                return (
                    f"{place} belongs to {name}, and what root makes in it that user could not use any more. "
                    f"Run it as that user:  runuser -u {name} -- {shlex.join(sys.argv)}"
                )
    return ""


def as_root() -> str:
    """Advice for a process that is root's; empty where it is not."""
    if os.geteuid() != 0:
        return ""
    return (
        "mailrouter runs as root, which it never needs: give it a user of its own (docs/deploy.md), and "
        "chown its store and run folder to that user"
    )


def loop_factory() -> Any:
    """uvloop's where it is there; None for the stock loop."""
    with contextlib.suppress(ImportError):
        import uvloop

        return uvloop.new_event_loop
    return None


def settle_down() -> None:
    """Keep the collector from walking through lasting objects: it need not do so for each message."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 50)


def give_back() -> None:
    """Return freed memory to the kernel (glibc; elsewhere nothing happens).

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
