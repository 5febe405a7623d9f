"""The suite beside no data: skips say why, and a missing peer is an error all the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import cases, corpus, shared

PROJECT = Path(__file__).resolve().parents[1]


def clone(folder: Path) -> Path:
    """The tests' own rules in a folder beside which there is no data."""
    made = folder / "clone" / "tests"
    (made / "support").mkdir(parents=True)
    support = (f"support/{name}.py" for name in ("__init__", "examples", "shared"))
    for name in ("conftest.py", "__init__.py", *support):
        shutil.copy(PROJECT / "tests" / name, made / name)
    (made.parent / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    return made.parent


def run(project: Path, reason: str) -> int:
    """The exit code of one test that is skipped for ``reason``, where no test may be."""
    test = f"import pytest\n@pytest.mark.skip(reason={reason!r})\ndef test_it():\n    pass\n"
    (project / "tests" / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_it.py"]
    environment = {**os.environ, "MAILROUTER_NO_SKIPS": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, check=False, timeout=60)
    return done.returncode


@pytest.mark.parametrize("reason", [corpus.WHY_ABSENT, cases.WHY_ABSENT])
def test_a_skip_for_want_of_data_is_right_where_there_is_none(tmp_path: Path, reason: str) -> None:
    """A clean clone is green; beside the data the same skip fails the run."""
    project = clone(tmp_path)
    assert run(project, reason) == 0
    (tmp_path / "shared").mkdir()
    assert run(project, reason) == 1


def test_a_skip_for_want_of_a_peer_fails_the_run(tmp_path: Path) -> None:
    """Wherever it is."""
    assert run(clone(tmp_path), "Postfix is not installed") == 1


def test_every_reason_for_want_of_data_names_it() -> None:
    """So that it can be told from a missing peer."""
    for file in (PROJECT / "tests").rglob("*.py"):
        text = file.read_text()
        if '"shared"' in text and "skipif" in text and file.name != "shared.py":
            assert shared.MARK in text or "WHY_" in text, file
