"""SIGTERM ends the service within ten seconds, whatever hangs, and loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.faults import no_strace, slow
from tests.support.misbehaving import HANG, Script, misbehaving
from tests.support.relay import PARTNERS, ROLE, Relay, maildir, relay, wait_until, write_configuration
from tests.support.sending import send

MAIL = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: x\r\n\r\nhello\r\n".encode()
LIMIT = 10.0
STARTUP = 1.5
"""Seconds of the process's own end, and of a machine with other work."""
needs_strace = pytest.mark.skipif(bool(no_strace()), reason=no_strace())


def stopped(running: Relay) -> tuple[int, float, str]:
    """Exit code, seconds, and the last line that was said."""
    before = time.monotonic()
    said = last_words(running)
    return running.ended(), time.monotonic() - before, said


def last_words(running: Relay) -> str:
    """SIGTERM; gives the line that is said when it has stopped."""
    running.process.terminate()
    assert running.process.stdout is not None
    return running.process.stdout.readline().decode()


@contextlib.contextmanager
def in_the_middle_of_data(port: int, octets: int) -> Iterator[socket.socket]:
    """A client that has sent so much of a message and not its end."""
    with socket.create_connection(("127.0.0.1", port), 20) as client, client.makefile("rb") as replies:
        replies.readline()
        for command in (b"HELO x", b"MAIL FROM:<jane@outside.test>", f"RCPT TO:<{ROLE}>".encode(), b"DATA"):
            client.sendall(command + b"\r\n")
            replies.readline()
        client.sendall(MAIL + b"one line of many, many lines\r\n" * (octets // 30))
        yield client


@pytest.mark.parametrize("octets", [300, 3_000_000], ids=["small", "large"])
def test_a_client_in_the_middle_of_data_is_told_to_come_again(tmp_path: Path, octets: int) -> None:
    """421, exit 0, and nothing of the half message is there at the next start."""
    config = write_configuration(tmp_path)
    running = Relay(config)
    with in_the_middle_of_data(running.port, octets) as client:
        if octets > 1_000_000:
            log = tmp_path / "var" / "mailrouter.db-wal"
            wait_until(lambda: log.stat().st_size > 1_000_000, what="a part of it in the store")
        code, seconds, said = stopped(running)
        with contextlib.suppress(ConnectionResetError):  # what was on its way to it is gone with it
            assert client.recv(100).startswith(b"421 4.3.2")
    assert (code, said) == (0, "mailrouter stopped; everything is delivered\n")
    assert seconds < 3 + STARTUP
    with relay(config) as running:
        assert send(running.port, [("jane@outside.test", ROLE, MAIL)])[0].startswith("250")
        wait_until(lambda: maildir(tmp_path, PARTNERS[0]), what="the copy of the whole one")
    assert len(maildir(tmp_path, PARTNERS[0])) == 1


def test_a_client_that_goes_on_sending_does_not_hold_it_up(tmp_path: Path) -> None:
    """It sends without an end and reads nothing."""
    running = Relay(write_configuration(tmp_path))
    with in_the_middle_of_data(running.port, 1000) as client:
        ended = threading.Event()

        def flood() -> None:
            with contextlib.suppress(OSError):
                while not ended.is_set():
                    client.sendall(b"and more, and more\r\n" * 1000)

        flooding = threading.Thread(target=flood)
        flooding.start()
        try:
            code, seconds, _ = stopped(running)
        finally:
            ended.set()
            flooding.join()
    assert code == 0
    assert seconds < LIMIT


async def test_a_next_hop_that_hangs_does_not_hold_it_up(tmp_path: Path) -> None:
    """It took the text and says nothing; the copy waits for the next start."""
    async with misbehaving(Script({"dot": HANG})) as peer:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{peer.port}")
        code = (
            "import sys, smtplib; c = smtplib.SMTP('127.0.0.1', int(sys.argv[1]));"
            f"print(c.sendmail('jane@outside.test', ['{ROLE}'], {MAIL!r}))"
        )

        def work() -> tuple[int, float, str]:
            running = Relay(config)
            try:
                subprocess.run(
                    [sys.executable, "-c", code, str(running.port)], check=True, capture_output=True
                )
                wait_until(lambda: any("DATA" in said for said in peer.commands), what="the text to be sent")
                return stopped(running)
            finally:
                if running.process.poll() is None:
                    running.kill()

        exit_code, seconds, said = await asyncio.to_thread(work)
    assert (exit_code, said) == (0, "mailrouter stopped; 2 still to deliver\n")
    assert seconds < LIMIT


@needs_strace
def test_a_slow_disk_does_not_hold_it_up(tmp_path: Path) -> None:
    """Each sync takes two seconds: what is being committed is answered, then it ends in time."""
    running = Relay(write_configuration(tmp_path))
    replies: list[str] = []
    with slow(running.process.pid, 2, [tmp_path / "var" / "mailrouter.db-wal"]):
        client = smtplib.SMTP("127.0.0.1", running.port, timeout=30)
        client.ehlo("x")
        client.docmd("MAIL FROM:<jane@outside.test>")
        client.docmd(f"RCPT TO:<{ROLE}>")
        client.docmd("DATA")
        client.send(MAIL + b".\r\n")
        sending = threading.Thread(target=lambda: replies.append(str(client.getreply())))
        sending.start()
        wait_until(lambda: _in_sync(running.process.pid), what="the commit")
        code, seconds, said = stopped(running)
        sending.join()
        client.close()
    assert code == 0
    assert replies[0].startswith("(250, b'2.0.0 queued")
    assert "mailrouter stopped" in said
    assert seconds < LIMIT + STARTUP


@needs_strace
def test_a_disk_that_hangs_does_not_hold_it_up(tmp_path: Path) -> None:
    """The sync never returns: nobody is told 250, and the process ends all the same; the log says why."""
    running = Relay(write_configuration(tmp_path))
    with slow(running.process.pid, 120, [tmp_path / "var" / "mailrouter.db-wal"]):
        client = smtplib.SMTP("127.0.0.1", running.port, timeout=30)
        client.ehlo("x")
        client.docmd("MAIL FROM:<jane@outside.test>")
        client.docmd(f"RCPT TO:<{ROLE}>")
        client.docmd("DATA")
        client.send(MAIL + b".\r\n")
        wait_until(lambda: _in_sync(running.process.pid), what="the commit")
        before = time.monotonic()
        said = last_words(running)
        with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionResetError)):
            client.getreply()
        seconds = time.monotonic() - before
        client.close()
    # strace, which made the disk hang, keeps the dead process until here.
    running.ended()
    assert said.startswith("mailrouter stopped")
    assert seconds < LIMIT + STARTUP
    assert "what it was asked to keep may not be kept" in running.log.read_text()


def _in_sync(pid: int) -> bool:
    """Whether a thread of the process is held by the tracer at its sync."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            if task.joinpath("comm").exists() and "\nState:\tt" in task.joinpath("status").read_text():
                return True
    return False


def _is_dead(pid: int) -> bool:
    """Whether the process has ended, though the tracer keeps what is left of it."""
    return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()


@needs_strace
def test_a_thread_that_hangs_does_not_hold_it_up(tmp_path: Path) -> None:
    """A Maildir's disk never answers: when the limit is reached the process ends itself, and says so."""
    running = Relay(write_configuration(tmp_path))
    with slow(running.process.pid, 120, [], calls="rename,renameat,renameat2"):
        assert send(running.port, [("jane@outside.test", ROLE, MAIL)], connections=1)[0].startswith("250")
        wait_until(lambda: _in_sync(running.process.pid), what="the delivery")
        before = time.monotonic()
        said = last_words(running)
        assert running.process.stdout is not None
        second = running.process.stdout.readline().decode()
        seconds = time.monotonic() - before
        # Its last act comes after that line, and must not race with a disk that answers again.
        wait_until(lambda: _is_dead(running.process.pid), what="its end")
    assert running.ended() == 1
    assert said == "mailrouter stopped; 2 still to deliver\n"
    assert "something did not end in time" in second
    assert seconds < LIMIT + STARTUP
    with relay(tmp_path / "config"):
        wait_until(lambda: all(maildir(tmp_path, partner) for partner in PARTNERS), what="both copies")
