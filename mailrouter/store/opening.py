"""The home of a store, chosen by the settings: the one place outside a home that knows which there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailrouter.store.model import Copied
from mailrouter.store.protocols import Reading, Store
from mailrouter.store.sqlite import files

# A command loads as much of a home as it needs.


def open_store(place: Path) -> Store:
    """Lock, create or migrate, and open the store for this process.

    ``place`` is ``Settings.store``; an event loop has to run. Raises StoreBusy, StoreError.
    """
    from mailrouter.store.sqlite.store import SqliteStore

    return SqliteStore.open(place)


def open_reader(place: Path) -> Reading:
    """The store at ``place``, for reading beside its holder. Raises StoreError."""
    from mailrouter.store.sqlite.reader import StoreReader

    return StoreReader(place)


def exists(place: Path) -> bool:
    """Whether there is a store at ``place``."""
    return place.exists()


@contextmanager
def held(place: Path) -> Iterator[None]:
    """The store at ``place`` held by this process without being opened: no service runs or starts meanwhile.

    Raises StoreBusy, StoreError.
    """
    with files.held(place):
        yield


def holder(place: Path) -> str | None:
    """The process id of the store's holder, None without one. ``""`` where it can't be told."""
    return files.holder(place)


def copy_store(place: Path, target: Path) -> Copied:
    """Copy the store at one moment, even in use, to ``target`` (0600). Raises StoreError, OSError."""
    from mailrouter.store.sqlite import backup

    return backup.copy_store(place, target)


def check_copy(copy: Path) -> Copied:
    """Look through a copy that ``copy_store`` made. Raises StoreError where it is damaged or of a newer program."""
    from mailrouter.store.sqlite import backup

    return backup.check_store(copy)


def files_beside(place: Path) -> list[Path]:
    """The files that belong to the store's file: with another file, they would be taken for that one's."""
    return files.logs_of(place)
