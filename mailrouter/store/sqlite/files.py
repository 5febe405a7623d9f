"""The embedded store's files: held by one process, its user's alone, never begun anew by mistake."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrouter.errors import StoreBusy, StoreError

Identity = tuple[int, int]
"""Device and inode."""
_MADE = b"\nThe database beside this file holds mail.\n"


def identity(path: Path) -> Identity:
    """The identity of the file at ``path``; (0, 0) for none."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (0, 0)
    return found.st_dev, found.st_ino


def followed(path: Path) -> Path:
    """The file that a path leads to, past links: SQLite puts its log beside that. Raises StoreError."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError) as error:
        raise StoreError(f"The store {path} is a link that leads nowhere: {error}.") from error
    if found.is_dir():
        raise StoreError(f"The store {path} is a folder; name a file in it, such as {path}/mailrouter.db.")
    return found


def lock(path: Path) -> int:
    """Hold the store at ``path`` for this process; gives the lock's file descriptor. Raises StoreBusy,
    StoreError.

    The lock lies beside the database, because closing any descriptor of the database itself would drop
    SQLite's own POSIX locks.
    """
    path = followed(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = private_file(Path(f"{path}.lock"))
    except OSError as error:
        raise StoreError(f"The store's folder {path.parent} can't be used: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        made = _MADE if _MADE in os.pread(descriptor, 200, 0) else b""
        _note(descriptor, made)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").partition("\n")[0].strip()
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


@contextmanager
def held(path: Path) -> Iterator[None]:
    """The lock of the store at ``path``, and nothing more. Raises StoreBusy, StoreError."""
    descriptor = lock(path)
    try:
        yield
    finally:
        os.close(descriptor)


def logs_of(path: Path) -> list[Path]:
    """The files that SQLite keeps beside a database: with another database, they would be taken for its own."""
    return [Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")]


def holder(path: Path) -> str | None:
    """The process id of the holder of ``path``, None without one. ``""`` where it can't be told."""
    try:
        descriptor = os.open(f"{followed(path)}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, StoreError):
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 20, 0).decode("ascii", "replace").partition("\n")[0].strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


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


def refuse_lost_database(path: Path, descriptor: int) -> None:
    """Raises StoreError where there is no database and once was one: SQLite would begin an empty one.

    ``descriptor`` is the lock's, in which ``remember_database`` has left its note.
    """
    if path.exists() and path.stat().st_size:
        return
    log, lock = Path(f"{path}-wal"), Path(f"{path}.lock")
    if log.exists() and log.stat().st_size:
        raise StoreError(
            f"The store's log {log} is there, but its database {path} is missing or empty. Put the database "
            "back, or move the log away to begin an empty store."
        )
    if _MADE in os.pread(descriptor, 200, 0):
        raise StoreError(
            f"The store's database {path} is missing or empty, and it was there before. Put it back, or remove {lock} "
            "to begin an empty store."
        )


def remember_database(descriptor: int) -> None:
    """Note in the lock that there is a database now."""
    if _MADE not in os.pread(descriptor, 200, 0):
        _note(descriptor, _MADE)


def _note(descriptor: int, made: bytes) -> None:
    """Our process and ``made``, over what stands there: on a full disk it needs no more room than before."""
    text = str(os.getpid()).encode() + made
    os.pwrite(descriptor, text, 0)
    os.ftruncate(descriptor, len(text))
