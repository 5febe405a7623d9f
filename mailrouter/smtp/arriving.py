"""A message arriving at the door, even beyond its client. The work goes on when its client has gone."""

from __future__ import annotations

import asyncio
import logging

from mailrouter.message.scanner import Scanner
from mailrouter.smtp.dot_stuffing import DottedReader
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.protocols import Spool

log = logging.getLogger("mailrouter.door")


class Arriving:
    """A message while its text arrives, since ``began``. ``fault`` is the reply that will refuse it."""

    __slots__ = ("began", "envelope", "fault", "reader", "scanner", "spool")

    def __init__(self, envelope: Envelope, spool: Spool, began: float) -> None:
        self.envelope = envelope
        self.spool = spool
        self.began = began
        self.reader = DottedReader()
        self.scanner = Scanner()
        self.fault = ""

    @property
    def held(self) -> int:
        """Octets in memory."""
        return self.spool.held + self.scanner.held


async def discard(spool: Spool) -> None:
    """Forget what arrived. Never raises."""
    try:
        await spool.discard()
    except Exception:
        log.exception("what arrived can't be discarded; the next start does it")


_owned: set[asyncio.Task[None]] = set()
"""Work under way: the loop itself holds tasks only weakly."""


def own(task: asyncio.Task[None]) -> None:
    """Have ``task`` run to its end."""
    _owned.add(task)
    task.add_done_callback(_owned.discard)


async def work_ended(seconds: float) -> None:
    """Await every commit under way, for at most ``seconds``. Its client gone or not."""
    if _owned:
        await asyncio.wait(set(_owned), timeout=seconds)
