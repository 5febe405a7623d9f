"""``/healthz``: the service answers at all. ``/readyz``: it can do its work; if not, why, in words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from mailrouter.clock import now_ms
from mailrouter.errors import StoreError
from mailrouter.intake.feedback.outcomes import lost_lately, lost_words
from mailrouter.store.ids import Milliseconds
from mailrouter.web.pages import Answer, Asked, text
from mailrouter.web.watched import Watched

STORE_SECONDS = 3.0
"""A disk that takes longer than this for one page is not one that mail can be taken with."""
STUCK = 300_000
"""Milliseconds: something due has waited so long, and nothing was delivered meanwhile."""
FRESH = 1.0
"""Seconds in which a finding is not made anew: being asked often must not cost writes."""


async def alive(asked: Asked) -> Answer:
    """200 while the event loop answers."""
    return text(200, "alive")


class Readiness:
    """The page ``/readyz``: 200, or 503 with one line for each thing that is wrong. Behind ``ready`` stands what is wrong
    with single mailboxes."""

    def __init__(self, watched: Watched, now: Callable[[], Milliseconds] = now_ms) -> None:
        self._watched = watched
        self._now = now
        self._found: list[str] = []
        self._degraded: list[str] = []
        self._found_at = -FRESH
        self._one = asyncio.Lock()

    async def __call__(self, asked: Asked) -> Answer:
        """See the class."""
        async with self._one:
            loop = asyncio.get_running_loop()
            if loop.time() - self._found_at >= FRESH:
                self._found = [*await self._store(), *await self._delivery()]
                self._degraded = [] if self._found else await self._lost()
                self._found_at = loop.time()
        if self._found:
            return text(503, "\n".join(self._found))
        return text(200, "\n".join(["ready", *self._degraded]))

    async def _store(self) -> list[str]:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                await self._watched.store.writable()
        except TimeoutError:
            return [f"The store has not written a page within {STORE_SECONDS:.0f} s; no mail can be taken."]
        except StoreError as error:
            return [f"No mail can be taken. {error}"]
        return []

    async def _lost(self) -> list[str]:
        """Troubles of single mailboxes: mail is taken and delivered all the same."""
        try:
            words = lost_words(await lost_lately(self._watched.store.reader, self._now()))
        except StoreError:
            return []
        # Mail goes on by the configuration before, so this is no reason for a restart: that may be what it would break.
        why = self._watched.unreadable().splitlines()
        broken = (
            f"The configuration can't be read, and the one before it is in force: {why[0]}" if why else ""
        )
        return [line for line in (words, broken) if line]

    async def _delivery(self) -> list[str]:
        try:
            due = (await self._watched.store.reader.standing()).due
        except StoreError as error:
            return [str(error)]
        now = self._now()
        hop = self._watched.next_hop
        if hop.trouble and hop.refuses:
            return [f"{hop.name} can't be used: {hop.trouble} {hop.advice}".strip()]
        if due is None or now - due < STUCK or abs(now - self._watched.dispatcher.delivered_at) < STUCK:
            return []
        minutes = timedelta(milliseconds=now - due) // timedelta(minutes=1)
        return [
            f"Nothing was delivered to {hop.name} for {STUCK // 60_000} minutes, and what is due waits since "
            f"{minutes} minutes: {hop.trouble or 'no reason is known'}"
        ]
