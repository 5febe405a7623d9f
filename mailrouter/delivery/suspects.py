"""Deliveries that were under way when the last process ended unexpectedly: tried one at a time, with nothing beside them.

So a second end has one mail to blame, and not all that happened to be sent with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId
from mailrouter.store.model import Delivery
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.delivery")

ALONE = 10.0
"""Seconds for which others wait for one suspect that is being tried."""
ALL = 60.0
"""Seconds for which others wait for all of them; the rest goes with the others."""


class Suspects:
    """Gives them out, one by one."""

    def __init__(self, store: Store, found: Iterable[DeliveryId] = ()) -> None:
        self._store = store
        self._waiting: deque[DeliveryId] = deque(found)
        self._alone = ids.NO_DELIVERY
        self._since = self._began = 0.0

    def __bool__(self) -> bool:
        """Whether others wait."""
        return bool(self._alone or self._waiting)

    def taken(self, delivery: DeliveryId) -> None:
        """The transport has begun with it."""
        if delivery == self._alone and not self._since:
            self._since = asyncio.get_running_loop().time()
            self._began = self._began or self._since

    def ended(self, delivery: DeliveryId) -> None:
        """Note that the suspect was tried, or went another way."""
        if delivery == self._alone:
            self._alone, self._since = ids.NO_DELIVERY, 0.0

    async def next(self, ready: Iterable[Delivery]) -> tuple[Delivery | None, list[DeliveryId]]:
        """The next suspect to try alone, and those no longer due.

        The suspect is in the caller's hands; the others come before it. None while one is being tried, or at the end.
        ``ready`` are those that the transport may take: somebody may have taken the suspect back from there. Raises
        StoreError.
        """
        gone: list[DeliveryId] = []
        now = asyncio.get_running_loop().time()
        waits = not self._since and any(delivery.id == self._alone for delivery in ready)
        if self._alone and (waits or (self._since and now - self._since <= ALONE)):
            return None, gone
        self._alone, self._since = ids.NO_DELIVERY, 0.0
        if self._began and now - self._began > ALL:
            self._waiting.clear()
        while self._waiting:
            id_ = self._waiting[0]
            delivery = await self._store.reader.delivery(id_)
            self._waiting.popleft()
            if delivery is None or delivery.state != "queued" or not self._store.seize([id_]):
                gone.append(id_)
                continue
            self._alone = id_
            log.warning(
                "%s to %s was under way when the service ended unexpectedly: it is tried alone",
                delivery.queue_id,
                delivery.recipient,
            )
            return delivery, gone
        return None, gone
