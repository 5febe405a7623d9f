"""Watching the configuration's files, by polling a few times a second.

Asking works everywhere: on network file systems, in containers with a folder mounted in, and where a whole folder is
exchanged by a symbolic link. Notices of the kernel (inotify) miss all three, and need a library. What it costs:
``bench/watching.py``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

from mailrouter.config.folder import ROLES_FOLDER, SETTINGS_FILE

PAUSE = 0.3
"""Seconds between two looks. A change is taken up at the second look that finds it the same: within a second."""

State = frozenset[tuple[str, int, int, int, int]]
"""Of each file: its name, its inode, its size, and when content and inode were changed, in nanoseconds."""


def state_of(folder: Path) -> State:
    """The state of all files that a configuration is read from; symbolic links are followed."""
    found = set()
    settings = folder / SETTINGS_FILE
    try:
        found.add(_facts(SETTINGS_FILE, os.stat(settings)))
    except OSError:
        pass  # it isn't there: that is a state as well
    try:
        with os.scandir(folder / ROLES_FOLDER) as entries:
            for entry in entries:
                if entry.name.startswith(".") or not entry.name.endswith((".yaml", ".yml")):
                    continue
                try:
                    found.add(_facts(entry.name, entry.stat()))
                except OSError:
                    found.add((entry.name, 0, 0, 0, 0))
    except OSError:
        pass
    return frozenset(found)


def _facts(name: str, of: os.stat_result) -> tuple[str, int, int, int, int]:
    return name, of.st_ino, of.st_size, of.st_mtime_ns, of.st_ctime_ns


async def changes(folder: Path, known: State, pause: float = PAUSE) -> AsyncIterator[State]:
    """Each new state of the files that lasts for two looks. So nothing is read while it is being written."""
    before = known
    while True:
        await asyncio.sleep(pause)
        now = await asyncio.to_thread(state_of, folder)  # of a thousand files it takes 4 ms
        if now != known and now == before:
            known = now
            yield now
        before = now
