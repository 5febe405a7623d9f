"""A real service under strangers who take all they can get: our own servers get through, and memory comes back."""

from __future__ import annotations

import math
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.smtp.handler import Limits
from tests.support.relay import ROLE, Relay, wait_until, write_configuration

OURS = "127.0.0.9"
"""The only client that the service trusts here; every other address of loopback is a stranger's."""
SETTINGS = f'trusted_networks: ["{OURS}/32"]\n'
OPENING = f"EHLO x\r\nMAIL FROM:<a@stranger.test>\r\nRCPT TO:<{ROLE}>\r\nDATA\r\n".encode()
ENVELOPE = OPENING.partition(b"\r\n")[2]
QUARTER = (b"X-A: " + b"y" * 91 + b"\r\n") * 2400
"""A header of nearly a quarter of a megabyte, without an end."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Relay]:
    """A service with its strangers' sockets closed at the end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 3000:
        pytest.skip("a process may not open 3,000 files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 3000), hard))
    relay = Relay(write_configuration(tmp_path, settings=SETTINGS), fresh=True)
    try:
        yield relay
    finally:
        relay.stop()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connected(port: int, source: str, seconds: float = 10.0) -> socket.socket:
    """A connection from one address of loopback."""
    found = socket.socket()
    found.settimeout(seconds)
    found.bind((source, 0))
    found.connect(("127.0.0.1", port))
    return found


def strangers(port: int, number: int, say: bytes = b"") -> list[socket.socket]:
    """Connections from addresses with 45 each."""
    found = []
    for n in range(number):
        one = connected(port, f"127.0.1.{1 + n // 45}")
        found.append(one)
        if say:
            one.sendall(say)
    return found


def greeted(port: int, source: str) -> bool:
    """Whether there is a place for a client."""
    time.sleep(0.2)
    with connected(port, source) as one:
        return one.recv(100).startswith(b"220")


def mailed(port: int, source: str) -> float:
    """The seconds that a mail from ``source`` takes to its 250."""
    began = time.monotonic()
    with connected(port, source, 30) as one, one.makefile("rwb") as talk:
        assert talk.readline().startswith(b"220"), "no place"
        for line in (b"EHLO ours.test", *ENVELOPE.split(b"\r\n")[:-1], b"Subject: x\r\n\r\nhello\r\n."):
            talk.write(line + b"\r\n")
            talk.flush()
            reply = talk.readline()
            while reply[3:4] == b"-":
                reply = talk.readline()
            assert reply[:1] in b"23", reply
    return time.monotonic() - began


def memory(relay: Relay) -> float:
    """The megabytes of memory that the process has."""
    status = Path(f"/proc/{relay.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def test_a_thousand_connections_of_strangers_leave_our_own_server_its_places(running: Relay) -> None:
    """Twenty addresses with fifty connections each: our mail server's mail is taken, as if nobody were there."""
    held = []
    for n in range(1000):
        held.append(connected(running.port, f"127.0.1.{1 + n // 50}"))
    try:
        assert mailed(running.port, OURS) < 5
        with connected(running.port, "127.0.2.1") as late:
            assert late.recv(100).startswith(b"421 4.3.2")
        # Places are short, so those that say nothing make room for other strangers soon.
        wait_until(lambda: greeted(running.port, "127.0.2.2"), 60, "a place for a stranger")
    finally:
        for one in held:
            one.close()


def test_slow_messages_and_floods_of_many_strangers_cost_bounded_memory_and_it_comes_back(
    running: Relay,
) -> None:
    """Eight hundred quarters of a megabyte that stop half-way, then floods of commands and pieces of two octets."""
    mailed(running.port, OURS)
    before = highest = memory(running)
    held = strangers(running.port, 800, OPENING)
    for one in held:
        one.settimeout(0.05)
        try:
            one.sendall(QUARTER)
        except OSError:
            pass  # it is not read from, or was sent away
        highest = max(highest, memory(running))
    assert mailed(running.port, OURS) < 10
    highest = max(highest, memory(running))
    for one in held:
        one.close()
    for flood in (b"NOOP\r\n" * 20_000, b"RCPT TO:<vp-hr@example.test>\r\n" * 5_000, b"\r\n" * 50_000):
        some = strangers(running.port, 40)
        for one in some:
            one.settimeout(0.2)
            try:
                one.sendall(OPENING[:40] + flood)
            except OSError:
                pass
        assert mailed(running.port, OURS) < 5
        for one in some:
            one.close()
    assert highest < before + 130, f"{before:.0f} MB before, {highest:.0f} MB at most"
    # So many times the memory for messages fills, and each time strangers may take so long before they are sent away.
    limits = Limits()
    times = math.ceil(800 * len(QUARTER) / limits.held_octets)
    seconds = times * (limits.slow_seconds + len(QUARTER) / limits.slow_rate)
    wait_until(lambda: memory(running) < before * 1.1 + 5, seconds + 20, "giving memory back")


def test_few_descriptors_are_said_at_the_start_and_are_enough(tmp_path: Path) -> None:
    """With room for 300 files fewer connections are taken; there is one line about it, and mail goes on."""
    relay = Relay(write_configuration(tmp_path, settings=SETTINGS), ("tests.support.few_files",))
    try:
        held = strangers(relay.port, 200)
        assert mailed(relay.port, OURS) < 5
        assert relay.log.read_text().count("LimitNOFILE=8192 in the unit") == 1
        for one in held:
            one.close()
    finally:
        relay.stop()
