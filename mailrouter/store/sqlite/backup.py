"""Copying a store at one moment, and checking a copy.

It may be in use or not; a copy is looked at before it is trusted.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from mailrouter.errors import StoreError
from mailrouter.store.model import Copied
from mailrouter.store.sqlite.files import private_file
from mailrouter.store.sqlite.schema import version_of
from mailrouter.store.sqlite.writer import as_store_error


def copy_store(source: Path, target: Path) -> Copied:
    """Copy the store ``source`` into the new file ``target`` (0600). Raises StoreError, OSError.

    One step of SQLite's backup: one read transaction sees one moment, and no writer waits for it. The copy is a file by
    itself, without a log beside it.
    """
    if not source.exists():
        raise StoreError(f"There is no store at {source} yet; it is made by the first `mailrouter serve`.")
    os.close(private_file(target))
    reader = writer = None
    try:
        reader = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        writer = sqlite3.connect(target, isolation_level=None)
        reader.backup(writer)
        writer.execute("PRAGMA journal_mode = DELETE").fetchall()
    except sqlite3.Error as error:
        raise as_store_error(error, source) from error
    finally:
        for connection in (reader, writer):
            if connection is not None:
                connection.close()
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return check_store(target)


def check_store(path: Path) -> Copied:
    """Raise StoreError where the database at ``path`` is damaged or newer."""
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
        try:
            version = version_of(connection)
            faults = connection.execute("PRAGMA integrity_check(5)").fetchall()
            if faults != [("ok",)]:
                raise StoreError(f"The store {path} is damaged: {faults[0][0]}.")
            (messages,) = connection.execute("SELECT count(*) FROM message").fetchone()
            (waiting,) = connection.execute(
                "SELECT count(*) FROM delivery WHERE state IN ('queued', 'held')"
            ).fetchone()
            return Copied(version, messages, waiting)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise as_store_error(error, path) from error
