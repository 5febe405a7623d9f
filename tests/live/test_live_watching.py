"""Seeing changed files: each once, whole, and however they were changed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mailrouter.service.watch import changes, state_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration's files."""
    made = tmp_path / "config"
    (made / "roles").mkdir(parents=True)
    (made / "mailrouter.yaml").write_text("hostname: a\n")
    (made / "roles" / "vp-hr.yaml").write_text("one\n")
    return made


def by_editor(path: Path) -> None:
    """As most editors save: another file, renamed over it."""
    new = path.with_name("4913")
    new.write_text("two\n")
    new.replace(path)


def in_place(path: Path) -> None:
    """As a shell writes, with the same length."""
    path.write_text("two\n")


def touched_back(path: Path) -> None:
    """With the old time put back, as some copying programs do."""
    times = path.stat()
    path.write_text("two\n")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def made_a_link(path: Path) -> None:
    """A folder elsewhere, as configuration is mounted into containers."""
    target = path.parent.parent.parent / "elsewhere.yaml"
    target.write_text("two\n")
    path.unlink()
    path.symlink_to(target)


def removed(path: Path) -> None:
    """A role that is no more."""
    path.unlink()


@pytest.mark.parametrize("change", [by_editor, in_place, touched_back, made_a_link, removed])
async def test_a_change_is_seen_once(folder: Path, change) -> None:  # type: ignore[no-untyped-def]
    """Within a second, and then no more."""
    seen = changes(folder, state_of(folder), 0.05)
    change(folder / "roles" / "vp-hr.yaml")
    async with asyncio.timeout(10):
        assert await anext(seen) == state_of(folder)
        (folder / "roles" / "new.yaml").write_text("three\n")
        second = await anext(seen)
    assert second == state_of(folder)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await anext(seen)


def test_what_is_no_file_of_ours_is_not_looked_at(folder: Path) -> None:
    """Editors' and our own drafts, notes and backups."""
    before = state_of(folder)
    for name in (".vp-hr.yaml.new", ".vp-hr.yaml.swp", "vp-hr.yaml~", "notes.txt"):
        (folder / "roles" / name).write_text("x")
    assert state_of(folder) == before


def test_a_folder_that_is_gone_is_a_state_too(tmp_path: Path) -> None:
    """Nothing is raised while somebody exchanges it."""
    assert state_of(tmp_path / "nowhere") == frozenset()
    (tmp_path / "roles").mkdir()
    (tmp_path / "roles" / "x.yaml").symlink_to("nowhere")
    assert len(state_of(tmp_path)) == 1
