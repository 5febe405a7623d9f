"""A stranger's worst mails to a running relay, while others write to it and the next server is in a bad mood."""

from __future__ import annotations

import itertools
import os
import smtplib
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.hostile import hostile_mails
from tests.support.misbehaving import Script, standing
from tests.support.relay import PARTNERS, ROLE, Relay, wait_until, write_configuration

# A process of its own, or the sender's work in this one would be measured. It asks the relay and, in turn, a server
# that does nothing else: what the machine is late by, that one is late by as well.
PROBE = """
import asyncio, socket, sys, threading, time

def idle_server():
    async def answer(reader, writer):
        while await reader.readline():
            writer.write(b"250 ok\\r\\n")
    async def serve():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        ready.append(server.sockets[0].getsockname()[1])
        await asyncio.Event().wait()
    asyncio.run(serve())

class Session:
    def __init__(self, port, greets):
        self.port, self.greets, self.asked = port, greets, 0
        self.connect()
    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.port), 60)
        self.lines = self.socket.makefile("rb")
        if self.greets:
            self.lines.readline()
    def wait(self):
        self.asked += 1
        if self.greets and self.asked % 50 == 0:
            self.socket.close()
            self.connect()
        start = time.perf_counter()
        self.socket.sendall(b"NOOP\\r\\n")
        assert self.lines.readline().startswith(b"250"), "the relay did not answer NOOP"
        return time.perf_counter() - start

if sys.argv[1] == "idle":
    ready = []
    threading.Thread(target=idle_server, daemon=True).start()
    while not ready:
        time.sleep(0.01)
    print(ready[0], flush=True)
    sys.stdin.read()
else:
    relay, idle = Session(int(sys.argv[1]), True), Session(int(sys.argv[2]), False)
    waited = ([], [])
    threading.Thread(target=lambda: (sys.stdin.read(), ended.append(1)), daemon=True).start()
    ended = []
    while not ended:
        for session, found in zip((relay, idle), waited):
            found.append(session.wait())
        time.sleep(0.004)
    for found in waited:
        found.sort()
        print(len(found), found[int(len(found) * 0.99)], found[-1], flush=True)
"""


class Probe:
    """Asks NOOP again and again. ``end`` gives p99 and longest wait for the relay, and p99 for an idle server."""

    def __init__(self, port: int) -> None:
        self._idle = self._run("idle")
        assert self._idle.stdout is not None
        idle_port = self._idle.stdout.readline().strip()
        self._asking = self._run(str(port), idle_port)

    def end(self) -> tuple[int, float, float, float]:
        out, _ = self._asking.communicate("", timeout=60)
        self._idle.communicate("", timeout=60)
        relay_row, idle_row = (line.split() for line in out.splitlines())
        return int(relay_row[0]), float(relay_row[1]), float(relay_row[2]), float(idle_row[1])

    @staticmethod
    def _run(*words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROBE, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )


class Colleague(threading.Thread):
    """Writes an honest mail to the role every half second; ``waits`` are the seconds until each 250."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.waits: list[float] = []
        self.refused: list[str] = []
        self._enough = threading.Event()
        self.start()

    def run(self) -> None:
        for number in itertools.count():
            start = time.monotonic()
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=30) as client:
                    client.sendmail("jane@example.test", [ROLE], honest(number))
                self.waits.append(time.monotonic() - start)
            except (smtplib.SMTPException, OSError) as error:
                self.refused.append(str(error))
            if self._enough.wait(0.5):
                return

    def end(self) -> None:
        self._enough.set()
        self.join(60)


def honest(number: int) -> bytes:
    return (
        f"From: Jane <jane@example.test>\r\nTo: <{ROLE}>\r\nSubject: question {number}\r\n"
        f"Message-ID: <honest-{number}@example.test>\r\n\r\nHow are you? honest-{number}\r\n"
    ).encode()


class MoodyServer:
    """Greylists, refuses and takes in turn, in words that quote what it was sent."""

    def __init__(self) -> None:
        self._count = 0

    def answer(self, recipient: str) -> str | None:
        self._count += 1
        return (
            "451 4.7.1 Greylisted: 'Hello', schrieb monday tuesday wednesday, come again in a minute",
            "554 5.7.1 The message 'Hello' has Content-Type text/plain (a)(a)(a) and looks like spam",
            None,
            None,
        )[self._count % 4]


def _start(config: Path) -> tuple[Relay, float]:
    began = time.monotonic()
    running = Relay(config, fresh=True)
    return running, time.monotonic() - began


def test_a_strangers_worst_mails_hold_up_nobody_and_poison_no_start(tmp_path: Path) -> None:
    moody = MoodyServer()
    with standing(Script({"dot": moody.answer})) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}")
        running, calm = _start(config)
        try:
            colleague = Colleague(running.port)
            probe = Probe(running.port)
            replies = [_send(running.port, recipient, content) for _, recipient, content in hostile_mails()]
            asked, p99, longest, machine = probe.end()
            colleague.end()
            print(f"{asked} NOOP: p99 {p99 * 1000:.0f} ms, longest {longest * 1000:.0f} ms; ", end="")
            print(f"an idle server: p99 {machine * 1000:.0f} ms")
            assert asked > 500
            # The bound is 100 ms on a machine at rest; whatever else runs here delays both servers alike.
            assert p99 < 0.1 + 3 * machine
            assert not colleague.refused
            assert max(colleague.waits) < 5
            answered = [reply[:3] for reply in replies]
            assert set(answered) <= {"250", "450", "451", "550", "552", "554"}, sorted(set(replies))
        finally:
            running.kill()
        for _ in range(3):
            again, seconds = _start(config)
            try:
                print(f"ready again after {seconds:.2f} s, at first after {calm:.2f} s")
                # The bound is 2 s on a machine at rest, where the first start takes half a second.
                assert seconds < 2 + 3 * calm
                time.sleep(1.0)  # what waits is tried and refused meanwhile
            finally:
                again.kill()
        hop.behave()  # it takes everything from now on
        last, _ = _start(config)
        try:
            with smtplib.SMTP("127.0.0.1", last.port, timeout=30) as client:
                client.sendmail("jane@example.test", [ROLE], honest(99_999))
            wait_until(
                lambda: all(
                    any(b"honest-99999\r\n" in content for content in hop.server.contents(to))
                    for to in PARTNERS
                ),
                60,
                "an honest mail's arrival",
            )
        finally:
            last.stop()
    log = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:2000]


def _send(port: int, recipient: str, content: bytes) -> str:
    words: bytes | str
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
            client.ehlo()
            client.mail("mallory@elsewhere.test")
            code, words = client.rcpt(recipient)
            if code == 250:
                code, words = client.data(content)
    except smtplib.SMTPResponseException as error:
        code, words = error.smtp_code, error.smtp_error
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        return f"gone: {os.path.basename(recipient)}: {error}"
    return f"{code} {words.decode('ascii', 'replace') if isinstance(words, bytes) else words}"
