"""The service as IT meets it: starting, a second start, reloading, a next server that is down, stopping."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.ports import free_port
from tests.support.relay import (
    ONE_AWAY,
    PARTNERS,
    ROLE,
    Relay,
    maildir,
    relay,
    wait_until,
    write_configuration,
)
from tests.support.sending import send

MAIL = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: x\r\n\r\nhello\r\n".encode()


def command(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command beside the service."""
    return subprocess.run(
        [sys.executable, "-m", "mailrouter", *words, "--config", str(config)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def hang_up(running: Relay, words: str) -> None:
    """SIGHUP, and wait until the log says ``words``."""
    os.kill(running.process.pid, signal.SIGHUP)
    wait_until(lambda: words in running.log.read_text(), what=f"{words!r} in the log")


def test_a_new_schedule_is_in_force_after_a_sighup_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    """The next mail carries the note of the new file; with a broken file the last good one stays in force."""
    config = write_configuration(tmp_path)
    role = config / "roles" / "vp-hr.yaml"
    with relay(config) as running:
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        role.write_text(role.read_text() + ONE_AWAY)
        hang_up(running, "was read again")
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        role.write_text(role.read_text().replace("friday:", "fryday:"))
        hang_up(running, "stays in force")
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        wait_until(
            lambda: len(maildir(tmp_path, PARTNERS[0])) == 4, what="three copies, and one of what is broken"
        )
    raws = maildir(tmp_path, PARTNERS[0])
    assert [b"Elaine is away" in raw for raw in raws if b"jane@outside.test" in raw] == [False, True, True]
    assert [b"fryday" in raw for raw in raws].count(True) == 1
    assert "did you mean `friday`" in running.log.read_text()


def test_the_handoff_of_a_renamed_role_is_missed_aloud(tmp_path: Path) -> None:
    """A role's handoff belongs to its short name; where that is gone, the log says so."""
    config = write_configuration(tmp_path)
    with relay(config) as running:
        assert (
            command(config, "handoff", "set", "vp-hr", "--author", "laurie", "/etc/hostname").returncode == 0
        )
        assert "no role here" not in running.log.read_text()
        (config / "roles" / "vp-hr.yaml").rename(config / "roles" / "hr-vp.yaml")
        hang_up(running, "there is a handoff of vp-hr, which is no role here")


def test_a_second_service_on_the_same_store_is_refused(tmp_path: Path) -> None:
    """It says who has the store, and the first goes on."""
    config = write_configuration(tmp_path)
    with relay(config) as running:
        second = command(config, "serve")
        assert second.returncode == 1
        assert f"in use by another mailrouter (process {running.process.pid})" in second.stderr
        assert len([line for line in second.stderr.splitlines() if "runs as root" not in line]) == 1
        assert send(running.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")


def test_the_queue_says_why_it_stands_still(tmp_path: Path) -> None:
    """While the next server is down `queue list` has its words; when nothing runs it says so."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{free_port()}")
    with relay(config) as running:
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        wait_until(lambda: "Connection refused" in command(config, "queue", "list").stdout, what="the reason")
        assert "laurie@example.test: waiting" in command(config, "queue", "list").stdout
    assert "No service is running" in command(config, "queue", "list").stdout


def test_sigterm_stops_cleanly_and_says_what_waits(tmp_path: Path) -> None:
    """Exit code 0, one last line, and the mail is there at the next start."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{free_port()}")
    running = Relay(config)
    send(running.port, [("jane@outside.test", ROLE, MAIL)])
    said = running.process.stdout
    assert said is not None
    running.process.terminate()
    assert said.readline() == b"mailrouter stopped; 2 still to deliver\n"
    assert running.ended() == 0
    write_configuration(tmp_path)
    with relay(config):
        wait_until(lambda: all(maildir(tmp_path, partner) for partner in PARTNERS), what="both copies")
