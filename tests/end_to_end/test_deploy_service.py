"""What ``docs/deploy.md`` says of the service: how it is run, who may read its files, how it is backed up."""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

from tests.support.correspondence import set_handoff
from tests.support.documents import text
from tests.support.programs import mailrouter
from tests.support.relay import maildir, relay, wait_until, write_configuration
from tests.support.sending import send

UNIT = Path(__file__).parents[2] / "systemd" / "mailrouter.service"
_MODE = re.compile(r"^\| (.*?) \| (0\d\d\d(?:, 0\d\d\d)*) \|", re.MULTILINE)


def _said(of: str) -> list[int]:
    """The modes in the row of the table that names ``of``."""
    (modes,) = [modes for names, modes in _MODE.findall(text("deploy.md")) if f"`{of}`" in names]
    return [int(mode, 8) for mode in modes.split(", ")]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_unit_runs_and_stops_as_systemd_would_do_it(tmp_path: Path) -> None:
    """ExecStart, with the two folders changed, gets ready, and ends with 0 on SIGTERM."""
    (line,) = re.findall(r"^ExecStart=(.*)$", UNIT.read_text(), re.MULTILINE)
    config = write_configuration(tmp_path)
    words = line.replace("/opt/mailrouter/bin", str(Path(sys.executable).parent))
    words = words.replace("/etc/mailrouter", str(config))
    with subprocess.Popen(shlex.split(words), stdout=subprocess.PIPE, text=True, cwd="/") as process:
        assert process.stdout is not None
        try:
            assert "ready" in process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_a_reload_reads_the_partners_file_again(tmp_path: Path) -> None:
    """The signal of ExecReload brings a changed file into force; a broken one leaves the service as it was."""
    (command,) = re.findall(r"^ExecReload=(.*)$", UNIT.read_text(), re.MULTILINE)
    assert command == '/bin/sh -c "kill -HUP ${MAINPID}"'
    config = write_configuration(tmp_path)
    role = config / "roles" / "vp-hr.yaml"
    mail = b"From: jane@outside.test\r\nTo: vp-hr@example.test\r\nSubject: Budget\r\n\r\nHello\r\n"
    with relay(config) as running:

        def reload_with(text: str, said: str) -> None:
            role.write_text(text)
            running.process.send_signal(signal.SIGHUP)
            wait_until(lambda: said in running.log.read_text(), what=said)

        before = role.read_text()
        reload_with(before.replace("elaine@example.test", "eve@example.test"), "was read again")
        reload_with(before.replace("friday:", "fryday:"), "stays in force")
        (reply,) = send(running.port, [("jane@outside.test", "vp-hr@example.test", mail)])
        assert reply.startswith("250")
        wait_until(lambda: maildir(tmp_path, "laurie@example.test"), what="the copy")
        wait_until(lambda: maildir(tmp_path, "eve@example.test"), what="the copy to the new address")
    assert maildir(tmp_path, "elaine@example.test") == []


def test_the_table_of_modes_is_true(tmp_path: Path) -> None:
    """A running service's files have the modes that the page names, whatever the umask."""
    config = write_configuration(tmp_path)
    with relay(config):
        set_handoff(config)
        for name in ("mailrouter.db", "mailrouter.db-wal", "mailrouter.db-shm"):
            assert [_mode(tmp_path / "var" / name)] == _said(name)
        for name in ("run/mailrouter.key", "run/mailrouter.sock", "run/good/vp-hr.yaml"):
            assert [_mode(tmp_path / "var" / name)] == _said(name)


def test_init_makes_the_modes_of_the_table(tmp_path: Path) -> None:
    """The folder and the files of a new configuration are closed to others."""
    folder = tmp_path / "mailrouter"
    done = mailrouter(
        "init", str(folder), "--yes", "--role", "vp-hr@example.test", "--name", "VP Human Resources",
        "--partner", "Laurie Cremona <laurie@example.test>", "--partner", "Elaine Miller <elaine@example.test>",
        "--time-zone", "Europe/Berlin",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for_folders, for_files = _said("/etc/mailrouter")
    for path in (folder, *folder.rglob("*")):
        assert _mode(path) == (for_folders if path.is_dir() else for_files), path


def test_a_copy_made_while_it_is_stopped_is_a_backup(tmp_path: Path) -> None:
    """Folders copied after the stop and started elsewhere have the handoff that was written before."""
    config = write_configuration(tmp_path / "here")
    with relay(config) as running:
        set_handoff(config)
        assert running.stop() == 0
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "here")
    there = tmp_path / "there" / "config"
    with relay(there):
        shown = mailrouter("handoff", "show", "vp-hr", "--config", str(there))
    assert "call Jim" in shown.stdout
