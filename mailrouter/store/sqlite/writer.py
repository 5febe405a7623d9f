"""The one thread that writes to SQLite, with group commit.

Exactly one connection writes: SQLite before 3.51.3 can corrupt a WAL that two connections write or checkpoint
at once. What is asked for while a commit is under way joins the next one, so the cost of a commit is shared
by all that wait for it. Each group is one transaction; if anything in a group fails, the group is rolled back
and its members run again one by one, so that one bad request never spoils its neighbours. Where the file itself
can't be written, all of them are told at once: one by one, each would wait for the same fault.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from mailrouter.errors import StoreError, StoreFull
from mailrouter.store.sqlite.files import Identity, identity
from mailrouter.store.sqlite.schema import migrate, version_of
from mailrouter.store.timings import Timings

Work = Callable[[sqlite3.Connection], Any]
Request = tuple[Work, "asyncio.Future[Any]"]
Grouped = Callable[[sqlite3.Connection, list[Any]], list[Any]]

PAGE_SIZE = 8192
BUSY = 5.0
"""Seconds that a write waits for another program that has locked the database."""
_FOR_ALL = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_IOERR",
    "SQLITE_READONLY",
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
)
"""Faults of the file, not of what was asked for."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that may write, brought to the current schema. Raises StoreError.

    ``auto_vacuum`` must be chosen before the first table is made, the page size likewise.
    """
    connection = None
    try:
        connection = sqlite3.connect(
            path, timeout=BUSY, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        version_of(connection)  # before anything is set, for a setting may write
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA mmap_size = 0")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA wal_autocheckpoint = 2000")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        migrate(connection)
        return connection
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise as_store_error(error, path) from error
        raise


def as_store_error(error: sqlite3.Error, path: Path | None = None) -> StoreError:
    """The fault as a StoreError. A full disk and a damaged file are told apart from the rest."""
    name = getattr(error, "sqlite_errorname", "") or ""
    store = f"The store {path}" if path else "The store"
    if name.startswith("SQLITE_FULL"):
        return StoreFull(f"No room is left for {store[0].lower()}{store[1:]}.")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return StoreError(f"{store} is damaged ({error}). Nothing was changed; restore it from a backup.")
    if name.startswith("SQLITE_CANTOPEN"):
        return StoreError(
            f"{store} can't be opened; run the command as the service's user, whose file it is."
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(f"{store} is locked by another program; end that program ({name}).")
    return StoreError(f"{store} failed: {error} ({name or type(error).__name__}).")


class Writer:
    """Runs work on the writing connection, in order, in groups; every result comes after its commit.

    ``commits`` are the seconds that each took, the sync with the disk included.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        loop: asyncio.AbstractEventLoop,
        grouped: dict[type, Grouped],
        path: Path | None = None,
    ):
        """Refuse to write, where ``path`` is given, to a replaced file.

        Nothing is written once another file lies there, or none.
        """
        self.commits = Timings()
        self._connection = connection
        self._loop = loop
        self._grouped = grouped
        names = [str(path), f"{path}-wal"] if path is not None else []
        self._files: list[tuple[str, Identity]] = [(name, identity(Path(name))) for name in names]
        self._queue: SimpleQueue[tuple[Any, asyncio.Future[Any]] | None] = SimpleQueue()
        self._closed = False
        self._given_up = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, request: Any) -> asyncio.Future[Any]:
        """Ask for ``request``: a callable of the connection, or an instance of a grouped type.

        Raises StoreError once the writer is closed; the future raises StoreError where the request failed.
        """
        if self._closed:
            raise StoreError("The store is closed.")
        future = self._loop.create_future()
        self._queue.put((request, future))
        return future

    def close(self, seconds: float | None = None) -> bool:
        """Finish pending requests, end the thread, close the connection.

        False where the disk did not let it end within ``seconds``: then nothing more is begun, and the thread is
        left to what it waits for. Raises StoreError.
        """
        self._closed = True
        self._queue.put(None)
        self._thread.join(seconds)
        if self._thread.is_alive():
            self._given_up = True
            return False
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise as_store_error(error) from error
        return True

    def _run(self) -> None:
        ended = False
        while not ended and not self._given_up:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            ended = None in group
            requests = [item for item in group if item is not None]
            if not requests:
                continue
            try:
                results: list[Any] = self._transaction([request for request, _ in requests])
            except Exception as error:
                if len(requests) == 1 or _for_all(error):
                    results = [error] * len(requests)
                else:
                    results = [self._alone(request) for request, _ in requests]
            try:
                self._loop.call_soon_threadsafe(_resolve, [future for _, future in requests], results)
            except RuntimeError:  # the loop has ended: nobody is left to hear it
                ended = True

    def _alone(self, request: Any) -> Any:
        try:
            return self._transaction([request])[0]
        except Exception as error:
            return error

    def _transaction(self, requests: list[Any]) -> list[Any]:
        results: list[Any] = [None] * len(requests)
        connection = self._connection
        began = time.perf_counter()
        try:
            self._same_files()
            connection.execute("BEGIN IMMEDIATE")
            by_type: dict[type, list[int]] = {}
            for index, request in enumerate(requests):
                by_type.setdefault(type(request), []).append(index)
            for kind, indices in by_type.items():
                if grouped := self._grouped.get(kind):
                    made = grouped(connection, [requests[i] for i in indices])
                else:
                    made = [requests[i](connection) for i in indices]
                for index, result in zip(indices, made, strict=True):
                    results[index] = result
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                try:
                    connection.execute("ROLLBACK")
                except sqlite3.Error:
                    pass  # the first error tells more
            if isinstance(error, sqlite3.Error):
                raise as_store_error(error) from error
            raise
        self.commits.add(time.perf_counter() - began)
        return results

    def _same_files(self) -> None:
        """Raise StoreError where a file was removed or replaced.

        What is written to it is lost with the process. Raises StoreError.
        """
        for file, known in self._files:
            try:
                found = os.stat(file)
            except OSError as error:
                raise StoreError(
                    f"The store's file {file} was taken away ({error.strerror}); put that very file back. Until then "
                    "no mail is taken."
                ) from error
            if (found.st_dev, found.st_ino) != known:
                raise StoreError(
                    f"The store's file {file} is another one than at the start; no mail is taken until the service was "
                    "restarted."
                )


def of_a_row(error: Exception) -> bool:
    """Whether a row to be written is at fault, not the file."""
    row = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
    return isinstance(error.__cause__, row)


def _for_all(error: Exception) -> bool:
    cause = error.__cause__
    if isinstance(cause, sqlite3.Error):
        return (getattr(cause, "sqlite_errorname", "") or "").startswith(_FOR_ALL)
    return isinstance(cause, OSError)


def _resolve(futures: list[asyncio.Future[Any]], results: list[Any]) -> None:
    for future, result in zip(futures, results, strict=True):
        if future.done():
            continue
        if isinstance(result, BaseException):
            future.set_exception(result)
        else:
            future.set_result(result)
