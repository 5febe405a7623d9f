"""``make test-all``: each Python that is there is used, and each that is absent is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "test_all.py"
OURS = f"{sys.version_info[0]}.{sys.version_info[1]}"
OTHER = "3.13" if OURS != "3.13" else "3.14"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A folder of programs: this Python under its own name and under another one's, and a make that notes its call."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / f"python{OURS}").symlink_to(sys.executable)
    (folder / f"python{OTHER}").symlink_to(sys.executable)
    make = folder / "make"
    make.write_text(f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\nexit "$(cat {tmp_path}/code)"\n')
    make.chmod(0o755)
    return folder


def called(path: Path, code: int) -> tuple[int, str, str]:
    """Exit code, output and make's calls, where make ends with ``code``."""
    (path.parent / "code").write_text(str(code))
    environment = {**os.environ, "PATH": f"{path}:/usr/bin:/bin" if code < 9 else "/nonexistent"}
    done = subprocess.run(
        [sys.executable, str(TOOL), "quick"], env=environment, capture_output=True, text=True, check=False
    )
    calls = path.parent / "calls"
    return done.returncode, done.stdout, calls.read_text() if calls.exists() else ""


def test_the_target_runs_in_an_environment_of_each_python(path: Path) -> None:
    """The one that is there passes; one whose name lies about its version counts as absent."""
    code, said, calls = called(path, 0)
    assert code == 0
    assert f"quick VENV=.venvs/{OURS} PYTHON=python{OURS}\n" in calls
    assert f"{OURS}  passed" in said
    assert f"{OTHER}  absent: no python{OTHER}" in said


def test_a_python_under_which_the_target_fails_fails_it_all(path: Path) -> None:
    """Its line says so."""
    code, said, _ = called(path, 1)
    assert code == 1
    assert f"{OURS}  FAILED" in said


def test_no_python_at_all_is_no_success(path: Path) -> None:
    """All four are named as absent, and nothing is called."""
    code, said, calls = called(path, 9)
    assert (code, calls) == (1, "")
    assert said.count("absent") == 4
