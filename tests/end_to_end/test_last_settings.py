"""A start with broken settings, and one as the wrong user: mail goes on, or the exact command is told."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import stat
from pathlib import Path

import pytest

from mailrouter.cli.common import as_called
from mailrouter.errors import ConfigurationError
from mailrouter.runtime.keys import NAME, read_keys
from tests.support.programs import mailrouter
from tests.support.relay import ROLE, Relay, maildir, relay, wait_until, write_configuration
from tests.support.sending import send

MAIL = b"From: jane@outside.test\r\nSubject: x\r\n\r\nhello\r\n"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be the wrong user here")


@pytest.mark.parametrize(
    "broken",
    ["nonsense: 1\n", "listen: {smtp\n", "deliver: lmtp://127.0.0.1:24\n"],
    ids=["key", "yaml", "value"],
)
def test_settings_broken_at_a_restart_are_those_that_were_right_last(tmp_path: Path, broken: str) -> None:
    """Mail is taken and delivered; the log, ``check --live`` and IT are told, IT once over two starts."""
    config = write_configuration(tmp_path)
    with relay(config):
        pass
    file = config / "mailrouter.yaml"
    good = file.read_text()
    file.write_text(
        good.replace("deliver: maildir:var/mail\n", "") + broken if "deliver" in broken else good + broken
    )
    for _ in range(2):
        with relay(config) as running:
            (reply,) = send(running.port, [("jane@outside.test", ROLE, MAIL)])
            assert reply.startswith("250")
            log = running.log.read_text()
            assert " ERROR mailrouter configuration_broken: the settings can't be used" in log
            wait_until(lambda: len(maildir(tmp_path, "it@example.test")) >= 1, what="the alert")
    (alert,) = maildir(tmp_path, "it@example.test")
    assert b"settings are broken" in alert
    file.write_text(good)
    with relay(config) as running:
        assert "configuration_broken" not in running.log.read_text()[len(log) :]


def test_live_says_that_earlier_settings_are_in_force(tmp_path: Path) -> None:
    """With rc 1: somebody has to mend the file before they rely on what it says."""
    config = write_configuration(tmp_path)
    with relay(config):
        pass
    file = config / "mailrouter.yaml"
    good = file.read_text()
    file.write_text(good + "nonsense: 1\n")
    look = tmp_path / "look" / "config"
    shutil.copytree(config, look)
    (look / "mailrouter.yaml").write_text(good + f"run_folder: {tmp_path / 'var' / 'run'}\n")
    running = Relay(config)
    try:
        done = mailrouter("check", "--live", "--json", "--config", str(look))
    finally:
        running.stop()
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert "nonsense" in found["live"]["configuration"]


def test_settings_that_were_never_right_are_refused(tmp_path: Path) -> None:
    """A first start has nothing to go back on; nor has one whose last settings name another run folder."""
    from mailrouter.config.last_good import serving

    config = write_configuration(tmp_path)
    file = config / "mailrouter.yaml"
    good = file.read_text()
    file.write_text(good + "nonsense: 1\n")
    with pytest.raises(ConfigurationError):
        serving(config, starting=True)
    lies = tmp_path / "var" / "run" / "good"
    lies.mkdir(parents=True)
    (lies / "settings").write_text(good + "run_folder: elsewhere\n")
    with pytest.raises(ConfigurationError):
        serving(config, starting=True)
    (lies / "settings").write_text(good)
    assert serving(config, starting=True).settings_problems


@needs_root
def test_root_does_not_serve_in_another_users_folders(tmp_path: Path) -> None:
    """What it would make there that user's service couldn't read: it is refused with the command that works."""
    config = write_configuration(tmp_path)
    owner = pwd.getpwnam("nobody")
    (tmp_path / "var").mkdir()
    os.chown(tmp_path / "var", owner.pw_uid, owner.pw_gid)
    for more in ((), ("--shadow",)):
        done = mailrouter("serve", "--config", str(config), *more)
        assert done.returncode == 1
        assert "runuser -u nobody -- " in done.stderr
        assert "--config" in done.stderr.partition("runuser")[2]
    assert list((tmp_path / "var").iterdir()) == []


@needs_root
def test_a_key_that_root_makes_is_the_folders_owners(tmp_path: Path) -> None:
    """Folders on the way to it too."""
    owner = pwd.getpwnam("nobody")
    os.chown(tmp_path, owner.pw_uid, owner.pw_gid)
    read_keys(tmp_path / "a" / "run" / NAME)
    for path in (tmp_path / "a", tmp_path / "a" / "run", tmp_path / "a" / "run" / NAME):
        assert path.stat().st_uid == owner.pw_uid
    assert stat.S_IMODE((tmp_path / "a" / "run" / NAME).stat().st_mode) == 0o600


def test_a_command_is_told_as_it_can_be_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name alone only where the shell finds that very program."""
    program = tmp_path / "bin" / "mailrouter"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert as_called(str(program)) == str(program)
    assert as_called(".venv/bin/mailrouter") == ".venv/bin/mailrouter"
    assert as_called("/x/mailrouter/__main__.py").endswith(" -m mailrouter")
    monkeypatch.setenv("PATH", str(program.parent))
    assert as_called(str(program)) == "mailrouter"
