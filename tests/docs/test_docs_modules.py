"""Modules and tests that a page names are where it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import DOCS

ROOT = DOCS.parent
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])
ROOMS = sorted(path.name for path in (ROOT / "mailrouter").iterdir() if path.is_dir() and path.name[0] != "_")
FILE = re.compile(r"(?<![\w./-])[\w*/]+\.py\b")
FOLDER = re.compile(rf"(?<![\w./-])(?:mailrouter/)?(?:{'|'.join(ROOMS)})(?:/[a-z_]+)*/(?![\w.*])")


def missing(text: str) -> list[str]:
    """The paths in code spans of ``text`` that are neither in the project nor in its package."""
    code = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    named = {
        path
        for span in re.findall(r"`[^`\n]+`", code)
        for find in (FILE, FOLDER)
        for path in find.findall(span)
    }
    return sorted(
        path for path in named if not any(any(root.glob(path)) for root in (ROOT, ROOT / "mailrouter"))
    )


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name
)
def test_named_modules_are_there(page: Path) -> None:
    """Each path is one from the project's folder or from the package's. (The changelog tells of its time.)"""
    assert missing(page.read_text("utf-8")) == []


def test_a_path_that_is_gone_is_found() -> None:
    """In a file's name, a pattern, or a folder's."""
    gone = "`smtp/door.py` and `message/bounce*.py`, `store/tidying/`; `smtp/server.py`, `schedule/language/`"
    assert missing(gone) == ["message/bounce*.py", "smtp/door.py", "store/tidying/"]
