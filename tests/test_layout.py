"""The product's folders stay small enough to be read at a glance."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "mailrouter"
MOST = 16
"""Modules in a folder, ``__init__`` not counted."""


def test_no_folder_has_more_than_sixteen_modules() -> None:
    """A room that grows beyond that gets rooms of its own, in an order that import-linter holds."""
    modules = [path for path in PACKAGE.rglob("*.py") if path.stem != "__init__"]
    sizes = Counter(str(path.parent.relative_to(PACKAGE.parent)) for path in modules)
    assert len(sizes) > 30
    assert {folder: size for folder, size in sizes.items() if size > MOST} == {}
