"""The process and what is around it: what is said at the start of folders, rights and files."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.service import process
from tests.intake.services import configuration


def test_folders_that_everybody_can_write_are_named_with_what_to_do(tmp_path: Path) -> None:
    """Anybody could put a key or a store of their own there."""
    store, run = tmp_path / "store", tmp_path / "run"
    for folder in (store, run):
        folder.mkdir(mode=0o700)
    settings = replace(configuration().settings, store=store / "mailrouter.db", run_folder=run)
    assert list(process.surroundings(settings)) == []
    os.chmod(store, 0o777)
    os.chmod(run, 0o1777)
    first, second = process.surroundings(settings)
    assert f"run_folder ({run}) can be written by every user" in first
    assert f"chmod o-w {store}" in second


@pytest.mark.parametrize("files", [256, 300, 600, 1255, 1256, 8192])
def test_places_leave_files_for_everything_else(files: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer connections where a process may open few files, and always some."""
    monkeypatch.setattr(resource, "getrlimit", lambda which: (files, files))
    found = process.places(1000)
    assert 10 <= found <= 1000
    assert (found == 1000) is (files >= 1256)
    assert found < files * 0.81


def test_memory_is_given_back_wherever_this_runs() -> None:
    """It never raises: where the C library has no such call, nothing happens."""
    process.give_back()
