"""Work that runs beside the mail until the service stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from mailrouter.errors import MailrouterError

log = logging.getLogger("mailrouter")


class Upkeep:
    """Tasks of a service, held until they end; one that fails is told in the log and takes nothing with it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Begin ``work`` in the running loop."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def repeat(
        self, what: str, queue: Callable[[], Awaitable[bool]], wake: Callable[[], None], pause: float
    ) -> None:
        """Call ``queue`` every ``pause`` seconds, and ``wake`` where it has queued ``what``; a failure ends nothing."""
        self.run(_repeated(what, queue, wake, pause))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("something that the service does by itself has ended", exc_info=error)

    async def stop(self) -> None:
        """Cancel all and wait for their end."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeated(
    what: str, queue: Callable[[], Awaitable[bool]], wake: Callable[[], None], pause: float
) -> None:
    while True:
        try:
            if await queue():
                wake()
        except MailrouterError as error:
            log.error("%s can't be sent yet: %s", what, error)
        except Exception:
            log.exception("%s can't be made", what)
        await asyncio.sleep(pause)
