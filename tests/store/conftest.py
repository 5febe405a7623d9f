"""A home and an empty store in it: each test of this folder runs over every home, but for those in ``sqlite/``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mailrouter.store.protocols import Store
from tests.support.homes import HOMES, Home


@pytest.fixture(params=HOMES, scope="session", ids=lambda home: home.name)
def home(request: pytest.FixtureRequest) -> Home:
    """One home after the other."""
    found: Home = request.param
    return found


@pytest.fixture
async def store(home: Home, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    opened = home.open(tmp_path / "m.db")
    yield opened
    opened.close()
