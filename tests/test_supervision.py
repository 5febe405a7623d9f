"""What the service tells systemd, heard at a real socket; and the unit that it is run by."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import shutil
import signal
import smtplib
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.service.systemd import Supervisor
from tests.support.faults import no_strace, slow
from tests.support.ports import free_port
from tests.support.relay import PARTNERS, ROLE, maildir, relay, wait_until, write_configuration
from tests.support.sending import send

MAIL = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: x\r\n\r\nhello\r\n".encode()
UNIT = Path(__file__).parents[1] / "systemd" / "mailrouter.service"


class Ear:
    """The socket of a supervisor. ``heard`` holds each datagram's lines."""

    def __init__(self, path: str) -> None:
        self.heard: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(path)

    def next(self, seconds: float = 20.0) -> dict[str, str]:
        """The next datagram. Raises TimeoutError."""
        self._socket.settimeout(seconds)
        lines = self._socket.recv(4096).decode().splitlines()
        self.heard.append(dict(line.split("=", 1) for line in lines))
        return self.heard[-1]

    def until(self, name: str, seconds: float = 20.0) -> dict[str, str]:
        """The next datagram that has this name."""
        end = time.monotonic() + seconds
        while name not in (found := self.next(max(0.01, end - time.monotonic()))):
            pass
        return found

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@pytest.fixture
def ear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ear]:
    """A supervisor's socket, named to every process that is started."""
    listening = Ear(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    yield listening
    listening.close()


def test_it_is_ready_only_once_it_listens(tmp_path: Path, ear: Ear) -> None:
    """At READY=1 the port is open; a reload is told with its moment, before and after; STOPPING=1 comes first."""
    port = free_port()
    config = write_configuration(tmp_path)
    settings = config / "mailrouter.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    with relay(config) as running:
        first = ear.next()
        assert first["READY"] == "1"
        assert first["STATUS"] == f"smtp 127.0.0.1:{port}; 0 to deliver"
        smtplib.SMTP("127.0.0.1", port, timeout=5).quit()
        before = time.monotonic_ns() // 1000
        os.kill(running.process.pid, signal.SIGHUP)
        reloading = ear.until("RELOADING")
        assert before <= int(reloading["MONOTONIC_USEC"]) <= time.monotonic_ns() // 1000
        assert ear.until("READY")["READY"] == "1"
        running.process.terminate()
        assert ear.until("STOPPING")["STOPPING"] == "1"
    assert not any("WATCHDOG" in heard for heard in ear.heard)


def test_a_start_that_fails_is_never_ready(tmp_path: Path, ear: Ear) -> None:
    """With its port taken, nothing is told."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = write_configuration(tmp_path)
        settings = config / "mailrouter.yaml"
        settings.write_text(
            settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{taken.getsockname()[1]}")
        )
        with pytest.raises(RuntimeError, match="Nothing can listen"), relay(config):
            pass
    with pytest.raises(TimeoutError):
        ear.next(0.1)


def test_the_watchdog_hears_while_the_store_answers(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Signs of life come in time; a queue that grows is in the status."""
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{free_port()}")
    with relay(config) as running:
        for _ in range(3):
            ear.until("WATCHDOG", 0.9 + 2)
        send(running.port, [("jane@outside.test", ROLE, MAIL)])
        wait_until(lambda: "2 to deliver; smtp://" in ear.until("STATUS")["STATUS"], what="the status")


@pytest.mark.skipif(bool(no_strace()), reason=no_strace())
def test_the_watchdog_hears_nothing_while_the_disk_hangs(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sync that takes seconds silences it; afterwards it goes on."""
    monkeypatch.setenv("WATCHDOG_USEC", "900000")
    with relay(write_configuration(tmp_path)) as running:
        ear.until("WATCHDOG")
        with slow(running.process.pid, 4, [tmp_path / "var" / "mailrouter.db-wal"]):
            before = time.monotonic()
            assert send(running.port, [("jane@outside.test", ROLE, MAIL)], connections=1)[0].startswith("250")
            assert time.monotonic() - before > 3
            with contextlib.suppress(TimeoutError):
                while True:  # what was said until now
                    ear.next(0.001)
        assert sum("WATCHDOG" in heard for heard in ear.heard) < 8  # of some 20 in that time
        ear.until("WATCHDOG")
    assert "the watchdog hears nothing" in running.log.read_text()


def test_a_locked_store_is_trouble_and_no_reason_to_be_killed(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer answers that it can't: alive, with words in the status."""
    monkeypatch.setenv("WATCHDOG_USEC", "21000000")
    with relay(write_configuration(tmp_path)):
        ear.until("WATCHDOG")
        other = sqlite3.connect(tmp_path / "var" / "mailrouter.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            said = ear.until("STATUS", 25)["STATUS"]
            assert "trouble with the store" in said
            assert "locked by another program" in said
            ear.until("WATCHDOG", 25)
        finally:
            other.close()


def test_nothing_is_told_where_nobody_listens(tmp_path: Path) -> None:
    """Without NOTIFY_SOCKET, with one that is gone, and with the abstract kind."""
    Supervisor({}).ready("x")
    Supervisor({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("x")
    name = f"@mailrouter-test-{os.getpid()}"
    listening = Ear("\0" + name[1:])
    try:
        Supervisor({"NOTIFY_SOCKET": name}).ready("two\nlines")
        assert listening.next(5) == {"READY": "1", "STATUS": "two lines"}
    finally:
        listening.close()


@pytest.mark.parametrize(("pid", "seconds"), [(None, 60.0), ("own", 60.0), ("1", 0.0)])
def test_a_watchdog_meant_for_another_process_is_not_ours(pid: str | None, seconds: float) -> None:
    """WATCHDOG_PID names who is watched."""
    environment = {"WATCHDOG_USEC": "60000000"}
    if pid is not None:
        environment["WATCHDOG_PID"] = str(os.getpid()) if pid == "own" else pid
    assert Supervisor(environment).watchdog == seconds


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None,
    reason="systemd-analyze is not here (Debian: apt-get install systemd)",
)


@needs_systemd
def test_the_unit_exposes_little() -> None:
    """systemd's own assessment, from 0 (nothing exposed) to 10."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
    )
    found = re.search(r"exposure level for mailrouter.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= 1.2


@needs_systemd
def test_every_line_of_the_unit_is_known(tmp_path: Path) -> None:
    """systemd has nothing to say of it but that this machine has not the program."""
    done = subprocess.run(["systemd-analyze", "verify", str(UNIT)], capture_output=True, text=True)
    said = [line for line in (done.stdout + done.stderr).splitlines() if "mailrouter.service" in line]
    assert [line for line in said if "is not executable" not in line] == []


@needs_systemd
@pytest.mark.skipif(bool(no_strace()), reason=no_strace())
def test_the_service_makes_no_call_that_the_unit_forbids(tmp_path: Path) -> None:
    """All system calls of a run with mail, a reload, a command and the pages are of the sets that the unit allows."""
    web = free_port()
    config = write_configuration(tmp_path, settings=f'web: "127.0.0.1:{web}"\n')
    trace = tmp_path / "trace"
    words = [
        "strace",
        "-f",
        "-o",
        str(trace),
        sys.executable,
        "-m",
        "mailrouter",
        "serve",
        "--config",
        str(config),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            port = int(re.findall(r"ready: smtp 127.0.0.1:(\d+)", process.stdout.readline())[0])
            assert send(port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")
            with socket.create_connection(("127.0.0.1", web)) as page:
                page.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                assert page.recv(100).startswith(b"HTTP/1.1 200")
            pid = int((tmp_path / "var" / "mailrouter.db.lock").read_text().split()[0])
            os.kill(pid, signal.SIGHUP)
            wait_until(lambda: maildir(tmp_path, PARTNERS[1]), what="the copy")
            os.kill(pid, signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    made = set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z0-9_]+)[( ]", trace.read_text(), re.MULTILINE))
    assert {"sendto", "openat", "fdatasync"} & made
    allowed = _calls("@system-service") - _calls("@privileged") - _calls("@resources")
    # SQLite gives a log to its database's owner, but only as root, as which these tests may run.
    assert made - allowed <= ({"fchown"} if os.geteuid() == 0 else set())


def _calls(name: str) -> set[str]:
    """A set of system calls, with those of the sets that it names."""
    listed = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], check=True, capture_output=True, text=True
    ).stdout
    words = {
        line.strip() for line in listed.splitlines()[1:] if line.strip() and not line.strip().startswith("#")
    }
    return {call for word in words for call in (_calls(word) if word.startswith("@") else {word})}


def test_it_runs_without_memory_that_is_writable_and_executable(tmp_path: Path) -> None:
    """MemoryDenyWriteExecute, by the kernel's own switch, which a child inherits."""
    set_mdwe, refuse_exec_gain = 65, 1
    libc = ctypes.CDLL(None, use_errno=True)
    child = os.fork()
    if child == 0:
        os._exit(0 if libc.prctl(set_mdwe, refuse_exec_gain, 0, 0, 0) == 0 else 3)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    config = write_configuration(tmp_path, settings=f'web: "127.0.0.1:{free_port()}"\n')
    code = (
        "import ctypes, sys; assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0; from mailrouter.cli import main;"
        f"sys.exit(main(['serve', '--config', {str(config)!r}]))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            said = process.stdout.readline()
            assert "ready" in said
            port = int(said.split("smtp ", 1)[1].split(",")[0].rsplit(":", 1)[1])
            assert send(port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()
