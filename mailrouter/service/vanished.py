"""Roles whose files are missing: kept for an hour, in which their mail is put off and the operator hears of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from mailrouter.config.last_good import Serving
from mailrouter.errors import MailrouterError
from mailrouter.intake.originals import Original, originate
from mailrouter.intake.partner.file_changes import own_situation
from mailrouter.routing.partner import schedule_notices
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Person, Role
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")

KEPT_SECONDS = 3600.0
"""Copying files takes seconds; noticing that one was lost takes longer."""


class Vanished:
    """Memory of the files that are missing. ``look`` is called when the time of one is over."""

    def __init__(self, store: Store, look: Callable[[], Awaitable[None]]) -> None:
        self._store, self._look = store, look
        self._since: dict[str, float] = {}
        """By role, when its file was first missed, by the loop's clock."""
        self._told: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._looking: asyncio.Future[None] | None = None

    def missed(self, texts: Mapping[str, bytes]) -> dict[str, bytes]:
        """``texts`` of missing files that stay in force, by role."""
        now = asyncio.get_running_loop().time()
        over = {key for key, since in self._since.items() if now - since >= KEPT_SECONDS}
        return {key: text for key, text in texts.items() if key not in over}

    def note(self, vanished: frozenset[str]) -> None:
        """Remember since when each of these is missing; the others are there, or gone for good."""
        loop = asyncio.get_running_loop()
        self._since = {key: self._since.get(key, loop.time()) for key in vanished}
        if self._timer is not None:
            self._timer.cancel()
        over = min(self._since.values(), default=None)
        self._timer = None if over is None else loop.call_at(over + KEPT_SECONDS, self._begin_look)

    def _begin_look(self) -> None:
        self._looking = asyncio.ensure_future(self._look())

    async def tell(self, now: Serving, desk: Desk, moment: datetime) -> bool:
        """Tell the operator of each missing file, once. True where a mail was queued."""
        self._told &= now.vanished
        queued = False
        for key in sorted(now.vanished - self._told):
            log.error("%s: its file is missing; for an hour its mail is put off, and then refused", key)
            try:
                queued |= await self._queue(now.role(key), desk, moment)
                self._told.add(key)
            except MailrouterError as error:
                log.error("%s: nobody could be told that its file is missing: %s", key, error)
        return queued

    async def _queue(self, role: Role, desk: Desk, moment: datetime) -> bool:
        operator = Person("", "", desk.configuration.settings.postmaster)
        notice = schedule_notices.vanished(own_situation(desk, role, moment), operator, f"{role.key}.yaml")
        alert = Original("alert", notice.recipient, notice.pieces)
        why = f"the file of {role.key} is missing"
        this_time = f"{moment.isoformat()} {self._since.get(role.key)}"
        return await originate(
            self._store, role.key, [alert], moment, why, (f"vanished {role.key}", this_time)
        )
