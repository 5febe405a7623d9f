"""The homes of stores that the suite runs over: how a store is opened in each, and how a test looks into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mailrouter.store.ids import MessageId
from mailrouter.store.protocols import Reading, Store
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.store import SqliteStore


class Home(Protocol):
    """A kind of store. ``place`` stands for one store: what lies there is found again."""

    @property
    def name(self) -> str:
        """As pytest shows it."""

    def open(self, place: Path) -> Store:
        """The store at ``place``, made where there is none, in a running event loop."""

    def read(self, place: Path) -> Reading:
        """The same, read beside whoever holds it."""

    def rows(self, store: Store, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query in SQL that each home understands (marks are ``?``) finds in the tables of an open store."""

    async def write(self, store: Store, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for each of ``rows``, as something that happened to the tables."""

    async def run_ahead(self, store: Store, last: MessageId) -> None:
        """Have ``last`` be the id of the last message, as after a flood or a clock that was set back."""


@dataclass(frozen=True, slots=True)
class SqliteHome:
    """The home in one file."""

    name: str = "sqlite"

    def open(self, place: Path) -> SqliteStore:
        """The store in the file ``place``."""
        return SqliteStore.open(place)

    def read(self, place: Path) -> StoreReader:
        """A connection of its own."""
        return StoreReader(place)

    def rows(self, store: Store, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """By the connection that reads."""
        assert isinstance(store, SqliteStore)
        return store.reader.rows(statement, values)

    async def write(self, store: Store, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """By the connection that writes."""
        assert isinstance(store, SqliteStore)
        await store.run(lambda connection: connection.executemany(statement, rows))

    async def run_ahead(self, store: Store, last: MessageId) -> None:
        """It is kept in memory."""
        assert isinstance(store, SqliteStore)
        store._last_id = last


HOMES: tuple[Home, ...] = (SqliteHome(),)
