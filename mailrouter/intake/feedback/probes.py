"""Probes: mails of `check --route` to a return path that no delivery has; they come in, are counted, and end here."""

from __future__ import annotations

import secrets
from collections import OrderedDict

from mailrouter.runtime.context import Desk
from mailrouter.runtime.return_paths import ReturnPaths
from mailrouter.schedule.model import Role
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.trust.tokens import TokenError

FIRST = 1 << 62
"""Numbers from here on are probes': those of deliveries are made of milliseconds and stay far below."""
MOST = 200
"""Probes that are remembered."""


def probe_of(paths: ReturnPaths, address: str, at: Milliseconds) -> int | None:
    """The number of the probe for which ``address`` was made; None for any other address."""
    try:
        number = paths.delivery_of(address, at)
    except TokenError:
        return None
    return number if number is not None and number >= FIRST else None


class Probes:
    """The probes asked for since the start, each with its arrivals.

    One that nobody remembers is taken as well, and ends in the same way.
    """

    def __init__(self) -> None:
        self._arrivals: OrderedDict[int | None, int] = OrderedDict()

    def make(self, desk: Desk, role: Role, at: Milliseconds) -> tuple[int, str]:
        """A new probe's number, and the address to send it to."""
        number = FIRST | secrets.randbits(50)
        self._arrivals[number] = 0
        while len(self._arrivals) > MOST:
            self._arrivals.popitem(last=False)
        return number, desk.return_paths.of(role.address, DeliveryId(number), at)

    def arrived(self, paths: ReturnPaths, address: str, at: Milliseconds) -> None:
        """Count a mail taken for ``address``, if that is a probe's."""
        number = probe_of(paths, address, at)
        if number in self._arrivals:
            self._arrivals[number] += 1

    def arrivals(self, number: int) -> int:
        """The number of times that a probe has come in."""
        return self._arrivals.get(number, 0)
