"""The embedded store's files: held by one process, its user's alone, never begun anew by mistake."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from mailrouter.errors import StoreBusy, StoreError


def lock(path: Path) -> int:
    """Hold the store at ``path`` for this process; gives the lock's file descriptor. Raises StoreBusy,
    StoreError.

    The lock lies beside the database, because closing any descriptor of the database itself would drop
    SQLite's own POSIX locks.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = private_file(Path(f"{path}.lock"))
    except OSError as error:
        raise StoreError(f"The store's folder {path.parent} can't be used: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        raise StoreBusy(
            f"The store {path} is in use by another mailrouter"
            + (f" (process {holder})" if holder else "")
            + "."
        ) from error
    except OSError as error:
        os.close(descriptor)
        raise StoreError(f"The store {path} can't be locked: {error.strerror}.") from error
    return descriptor


def private_file(path: Path) -> int:
    """Open ``path``, made with mode 0600 if it is not there: there is no moment in which others may read it,
    and no umask that keeps us from it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def refuse_lost_database(path: Path) -> None:
    """Raises StoreError where a log lies beside no database: SQLite would begin an empty one and throw the
    log away."""
    log = Path(f"{path}-wal")
    if log.exists() and log.stat().st_size and not (path.exists() and path.stat().st_size):
        raise StoreError(
            f"The store's log {log} is there, but its database {path} is missing or empty. Put the database "
            "back, or move the log away to begin an empty store."
        )
