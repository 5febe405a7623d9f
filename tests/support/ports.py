"""Ports on loopback, and waiting for what listens on them."""

from __future__ import annotations

import contextlib
import random
import socket
import time
from pathlib import Path

_FIRST = 10_000
_chance = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nothing listens on; the kernel gives it to nobody who asks for just any port.

    A port of those that the kernel gives is soon another test's: a server that should be down is there, or a client's
    connection to it is one to itself.
    """
    while True:
        port = _chance.randrange(_FIRST, _end())
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port


def _end() -> int:
    """The first port that the kernel gives by itself."""
    try:
        lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        lowest = 32_768
    return lowest if lowest > _FIRST + 1_000 else 32_768


def wait_for_port(port: int, seconds: float = 15.0) -> None:
    """Return once something listens on ``port``. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)  # a real server is starting in another process: there is nothing else to wait on
    raise TimeoutError(f"nothing listens on port {port}")
