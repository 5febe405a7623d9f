"""Word to what started the service: systemd's sd_notify.

The protocol is datagrams of ``NAME=value`` lines to the socket that ``NOTIFY_SOCKET`` names: sd_notify(3).
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

log = logging.getLogger("mailrouter")

STATUS_SECONDS = 10.0
"""Between two looks at the status where no watchdog asks for more."""


class Supervisor:
    """The watcher over this process; where nothing watches, every call does nothing."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._said = ""
        self.watchdog = 0.0
        """Seconds within which a sign of life is wanted; 0 where none is."""
        usec = environment.get("WATCHDOG_USEC", "")
        if usec.isdecimal() and environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            self.watchdog = int(usec) / 1_000_000

    def ready(self, status: str) -> None:
        """Mail is taken; also said when a reload has ended."""
        self._said = status
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """The configuration is being read again."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """No more mail is taken."""
        self._tell("STOPPING=1", "STATUS=stopping: what is under way is being ended")

    def status(self, status: str) -> None:
        """One line for ``systemctl status``; said only if it is another than before."""
        if status != self._said:
            self._said = status
            self._tell(f"STATUS={status}")

    async def watch(
        self, answers: Callable[[], Awaitable[None]], status: Callable[[], Awaitable[str]]
    ) -> None:
        """For ever: tell the status, and give a sign of life each time ``answers`` has returned or raised in time."""
        pause = min(STATUS_SECONDS, self.watchdog / 3 or STATUS_SECONDS)
        while self._address:
            try:
                async with asyncio.timeout(pause):
                    await answers()
                    said = await status()
            except TimeoutError:
                log.error("the store has not answered for %.1f s; the watchdog hears nothing", pause)
            except Exception as error:
                self._alive(f"trouble with the store: {error}")
            else:
                self._alive(said)
            await asyncio.sleep(pause)

    def _alive(self, status: str) -> None:
        self.status(status)
        if self.watchdog:
            self._tell("WATCHDOG=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # A name that begins with @ is of the abstract kind.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as link:
                link.setblocking(False)
                link.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), address)
        except OSError as error:
            log.warning("NOTIFY_SOCKET %s can't be told: %s", self._address, error.strerror)
