"""Commands run by a user who may not read the configuration or the store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.relay import write_configuration

NOBODY = 65534
CHECKOUT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a command as somebody else")


def as_nobody(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command, run by a user to whom nothing belongs. Its code is loaded before the rights are given up."""
    program = (
        "import os, sys; from mailrouter.cli import main; import mailrouter.config.loading, mailrouter.cli.setup.init, "
        "mailrouter.cli.setup.check, mailrouter.cli.duty.schedule, mailrouter.cli.operate.queue, mailrouter.cli.explain; "
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY}); sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize(
    "command", [("check",), ("schedule", "vp-hr"), ("queue", "list"), ("explain", "/dev/null")]
)
@pytest.mark.parametrize("closed", ["config", "config/roles", "config/mailrouter.yaml"])
def test_a_configuration_that_may_not_be_read(tmp_path: Path, command: tuple[str, ...], closed: str) -> None:
    """Each command says in one line what this user may not read, and as whom to run it; no stack of Python's."""
    config = write_configuration(tmp_path)
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o755)
    (tmp_path / closed).chmod(0o700 if (tmp_path / closed).is_dir() else 0o600)
    done = as_nobody(*command, "--config", str(config), folder=Path("/"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "this user may not read it" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_folder_that_may_not_be_made(tmp_path: Path) -> None:
    """``init`` in a folder of somebody else's says so."""
    tmp_path.chmod(0o700)
    options = (
        "--role",
        "a@b.test",
        "--name",
        "A",
        "--partner",
        "B <b@b.test>",
        "--partner",
        "C <c@b.test>",
        "--yes",
    )
    done = as_nobody("init", str(tmp_path / "x"), *options, folder=Path("/"))
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_folder_that_was_deleted_under_the_shell(tmp_path: Path) -> None:
    """Where one stands in a folder that is no more, a whole path is as good as ever."""
    config = write_configuration(tmp_path)
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", 'rmdir "$PWD"; exec "$0" -m mailrouter check --config "$1"', sys.executable, str(config)],
        cwd=gone, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert (done.returncode, "vp-hr" in done.stdout) == (0, True)
