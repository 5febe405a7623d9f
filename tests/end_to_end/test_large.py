"""A very large message costs its size on disk and next to nothing in memory."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from pathlib import Path

from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, relay, wait_until, write_configuration

SIZE = 100_000_000
MOST_ABOVE_IDLE = 40_000_000
_LINE = b"0123456789abcdef" * 4 + b"\r\n"


def _peak(pid: int) -> int:
    """The peak resident set in bytes since it was last reset."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def test_100_mb_cost_at_most_40_mb_of_memory(tmp_path: Path) -> None:
    """Taking 100 MB, wrapping it for both and writing it out twice stays within 40 MB above the idle process."""
    config = write_configuration(tmp_path, role=ONE_AWAY, settings="max_size: 200 MB\n")
    head = f"From: jane@outside.test\r\nTo: {ROLE}\r\nSubject: big\r\nMessage-ID: <big@outside.test>\r\n\r\n".encode()
    block = _LINE * (1_000_000 // len(_LINE))
    kept = block.replace(b"\r\n", b"\n")  # as a Maildir has it
    digest = hashlib.sha256()
    with relay(config, fresh=True) as running:
        with (
            socket.create_connection(("127.0.0.1", running.port)) as client,
            client.makefile("rb") as replies,
        ):
            replies.readline()
            for command in (
                b"EHLO client.test",
                b"MAIL FROM:<jane@outside.test>",
                f"RCPT TO:<{ROLE}>".encode(),
                b"DATA",
            ):
                client.sendall(command + b"\r\n")
                while replies.readline()[3:4] == b"-":
                    pass
            Path(f"/proc/{running.process.pid}/clear_refs").write_text("5")  # the peak counts from here
            idle = _peak(running.process.pid)
            started = time.monotonic()
            client.sendall(head)
            sent = 0
            while sent < SIZE:
                client.sendall(block)
                digest.update(kept)
                sent += len(block)
            client.sendall(b".\r\n")
            assert replies.readline().startswith(b"250 ")
            taken = time.monotonic() - started
        wait_until(
            lambda: all(os.path.isdir(_new(tmp_path, p)) and os.listdir(_new(tmp_path, p)) for p in PARTNERS),
            seconds=60,
            what="both copies",
        )
        above = _peak(running.process.pid) - idle
    print(f"\n{sent / 1e6:.0f} MB taken in {taken:.1f} s, peak {above / 1e6:.1f} MB above idle")
    assert above <= MOST_ABOVE_IDLE
    for partner in PARTNERS:
        (name,) = os.listdir(_new(tmp_path, partner))
        assert (
            _body_digest(_new(tmp_path, partner) / name, sent // len(block) * len(kept)) == digest.hexdigest()
        )


def _new(folder: Path, partner: str) -> Path:
    return folder / "var" / "mail" / partner / "new"


def _body_digest(path: Path, size: int) -> str:
    """The hash of the original's body, which stands in the first part after its blank line."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        start = file.read(20_000).index(_LINE.replace(b"\r\n", b"\n"))
        file.seek(start)
        left = size
        while left and (block := file.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
