"""``kill -9`` in the middle of the work: what was answered 250 arrives."""

from __future__ import annotations

import random
import re
import smtplib
import threading
from collections import Counter
from pathlib import Path

import pytest

from tests.support.examples import by_extent
from tests.support.ports import free_port
from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, Relay, wait_until, write_configuration
from tests.support.sink import Sink

MESSAGES = by_extent(250, 500)
SENDERS = 10
ROUNDS = by_extent(2, 10)
"""Kills of each kind."""
_TRY = re.compile(rb"^X-Try: (\S+)", re.MULTILINE)


class Senders:
    """Ten connections that send all messages, coming back after a lost connection as a mail server would.

    Each attempt carries its own mark, so that a repeat of ours is told apart from one of the relay's.
    """

    def __init__(self, port: int, number: int) -> None:
        self.acknowledged: set[str] = set()
        self._port = port
        self._todo = iter(range(number))
        self._lock = threading.Lock()
        self.stopped = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(SENDERS)]
        for thread in self._threads:
            thread.start()

    def _next(self) -> int | None:
        with self._lock:
            return next(self._todo, None)

    def _work(self) -> None:
        client: smtplib.SMTP | None = None
        while (number := self._next()) is not None:
            attempt = 0
            while not self.stopped.is_set():
                attempt += 1
                mark = f"{number}.{attempt}"
                try:
                    if client is None:
                        client = smtplib.SMTP("127.0.0.1", self._port, timeout=10)
                    client.sendmail("jane@outside.test", [ROLE], _mail(mark))
                except (OSError, smtplib.SMTPException):
                    if client is not None:
                        client.close()
                    client = None
                    self.stopped.wait(0.02)
                    continue
                self.acknowledged.add(mark)
                break
        if client is not None:
            client.close()

    def join(self) -> None:
        """Wait for the last message."""
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a sender hangs"


def _mail(mark: str) -> bytes:
    text = (
        f"X-Try: {mark}\r\nFrom: jane@outside.test\r\nTo: {ROLE}\r\nSubject: {mark}\r\n"
        f"Message-ID: <{mark}@outside.test>\r\n\r\n"
    )
    return text.encode() + b"A line of text to make it a mail.\r\n" * 40


@pytest.mark.parametrize("group", [False, True], ids=["process", "group"])
def test_nothing_answered_250_is_lost(tmp_path: Path, group: bool) -> None:
    """Messages, a kill -9 among them, then a restart: all that was answered 250 arrives at both."""
    chance = random.Random(20261122 + group)
    accepted = lost = doubled = 0
    for number in range(ROUNDS):
        with Sink() as sink:
            folder = tmp_path / str(number)
            port = free_port()
            config = write_configuration(folder, f"smtp://127.0.0.1:{sink.port}", ONE_AWAY)
            settings = config / "mailrouter.yaml"
            settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
            running = Relay(config)
            senders = Senders(port, MESSAGES)
            try:
                moment = chance.randint(20, MESSAGES - 50)
                wait_until(lambda: len(senders.acknowledged) >= moment, what="the moment to kill")  # noqa: B023
                running.kill(group)
                running = Relay(config)
                senders.join()
                wanted = {(mark, partner) for mark in senders.acknowledged for partner in PARTNERS}
                wait_until(lambda: wanted <= set(_arrived(sink)), seconds=60, what="the last copy")  # noqa: B023
                running.stop()
            finally:
                senders.stopped.set()
                if running.process.poll() is None:
                    running.kill()
            arrived = _arrived(sink)
            accepted += len(senders.acknowledged)
            lost += sum(arrived[key] == 0 for key in wanted)
            doubled += sum(arrived[key] > 1 for key in wanted)
    print(f"\n{ROUNDS} kills: {accepted} messages answered 250, {lost} copies lost, {doubled} doubled")
    assert accepted == MESSAGES * ROUNDS
    assert lost == 0


def _arrived(sink: Sink) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for _, recipient, content in list(sink.taken):
        if (mark := _TRY.search(content)) is not None:
            found[mark[1].decode(), recipient] += 1
    return found
