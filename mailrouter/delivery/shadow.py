"""The transport of a relay on trial: it delivers nothing, and what it was given is recorded as seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery

NOT_SENT = Reply(250, "2.0.0 not sent: this relay is on trial")


class ShadowTransport:
    """Takes what is ready and sends none of it. ``check`` is asked as by any transport."""

    def __init__(self, dispatcher: Dispatcher, check: Callable[[Delivery], Awaitable[bool]]) -> None:
        self.name = "nowhere (on trial)"
        self.max_size: int | None = None
        self.trouble = self.advice = ""
        self.refuses = False
        self.troubled_at = 0
        self._dispatcher = dispatcher
        self._check = check
        self._taking: asyncio.Task[None] | None = None

    def paused(self) -> bool:
        """Never: there is no next hop."""
        return False

    def wake(self) -> None:
        """Take what is ready, soon."""
        if self._taking is None or self._taking.done():
            self._taking = asyncio.get_running_loop().create_task(self._take())

    async def _take(self) -> None:
        while (delivery := self._dispatcher.take()) is not None:
            if await self._check(delivery):
                self._dispatcher.settle(delivery, NOT_SENT)

    async def close(self, grace: float) -> None:
        """Nothing is under way."""
