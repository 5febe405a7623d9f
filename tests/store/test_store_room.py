"""What of the store is seen from outside: protocols that its homes speak, and one place where a home is chosen."""

from __future__ import annotations

import ast
import inspect
import sqlite3
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import mailrouter
from mailrouter.errors import StoreError
from mailrouter.store import protocols
from mailrouter.store.opening import open_reader, open_store
from mailrouter.store.protocols import Reading, Spool, Steering, Store
from mailrouter.store.sqlite.queue_actions import SqliteSteering
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.spool import SqliteSpool
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import put

ROOM = Path(mailrouter.__file__).parent
HOMES = [(Store, SqliteStore), (Reading, StoreReader), (Steering, SqliteSteering), (Spool, SqliteSpool)]


def imports(path: Path) -> Iterator[str]:
    """The names of all modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_outside_knows_how_the_store_is_kept() -> None:
    """Neither the library nor a module of the home is imported; ``opening`` alone chooses a home."""
    for path in ROOM.rglob("*.py"):
        if path.is_relative_to(ROOM / "store" / "sqlite") or path == ROOM / "store" / "opening.py":
            continue
        named = {name for name in imports(path) if name.startswith(("sqlite3", "mailrouter.store.sqlite"))}
        assert not named, f"{path.relative_to(ROOM)} imports {named}"


def test_the_contract_of_imports_covers_every_room() -> None:
    """A room that is added is held to it as well."""
    project = tomllib.loads((ROOM.parent / "pyproject.toml").read_text())
    contract = next(
        one
        for one in project["tool"]["importlinter"]["contracts"]
        if "mailrouter.store.sqlite" in one.get("forbidden_modules", ())
    )
    rooms = {f"mailrouter.{found.parent.name}" for found in ROOM.glob("*/__init__.py")}
    mine = {f"mailrouter.store.{found.stem}" for found in (ROOM / "store").glob("*.py")}
    mine -= {"mailrouter.store.__init__", "mailrouter.store.opening"}
    assert set(contract["source_modules"]) == (rooms - {"mailrouter.store"}) | mine


@pytest.mark.parametrize(("protocol", "home"), HOMES)
def test_a_home_speaks_its_protocol_and_is_asynchronous_where_it_is(protocol: type, home: type) -> None:
    """Each call is there, and is awaited where the protocol says so."""
    for name, wanted in inspect.getmembers(protocol, inspect.isfunction):
        if name.startswith("_"):
            continue
        found: Any = inspect.getattr_static(home, name, None)
        if found is None:
            assert name == "handoff_body", f"{home.__name__} has no {name}"  # it is made with each reader
            continue
        assert inspect.iscoroutinefunction(found) == inspect.iscoroutinefunction(wanted), name


def test_every_call_of_the_protocols_says_what_it_does() -> None:
    """Whoever builds another home has nothing else to go by."""
    for protocol in (Store, Reading, Steering, Spool):
        for name, call in inspect.getmembers(protocol, inspect.isfunction):
            assert name.startswith("_") or inspect.getdoc(call), f"{protocol.__name__}.{name}"
    assert inspect.getdoc(protocols)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store that holds a message, opened as the service opens it."""
    opened = open_store(tmp_path / "m.db")
    await put(opened)
    yield opened
    opened.close()


async def test_a_fault_of_the_library_leaves_the_room_as_a_fault_of_the_store(
    store: Store, tmp_path: Path
) -> None:
    """Whatever call meets it: a table that is gone, and a reader that is closed."""
    beside = open_reader(tmp_path / "m.db")
    with sqlite3.connect(tmp_path / "m.db") as other:
        for table in ("owed", "told", "waiting_handoff", "message"):
            other.execute(f"DROP TABLE {table}")
    other.close()
    assert await beside.waiting_messages() == 1, "what is whole is answered"
    with pytest.raises(StoreError):
        await beside.owed()
    with pytest.raises(StoreError):
        await beside.find("x@y.test", 1)
    with pytest.raises(StoreError):
        await beside.told("x")
    beside.close()
    with pytest.raises(StoreError):
        await beside.standing()
    with pytest.raises(StoreError):
        await store.remember_told("a", "b", 1)
    with pytest.raises(StoreError):
        await store.forgive_tellings()
    with pytest.raises(StoreError):
        await put(store)
