"""Our return paths: made for each copy that leaves, read from each report that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.address import domain_of
from mailrouter.moments import DAY_MS
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.trust import tokens
from mailrouter.trust.tokens import TokenError, token_of


@dataclass(frozen=True, slots=True)
class ReturnPaths:
    """``keys``: the current one first; ``domain`` is the configured ``return_domain``, if any; ``earlier`` are keys that
    are taken until a moment, and ``domains`` those of the roles: at any other domain an address is none of ours."""

    keys: Sequence[bytes]
    domain: str | None = None
    earlier: Sequence[tuple[bytes, Milliseconds]] = ()
    domains: frozenset[str] = frozenset()

    def of(self, role_address: str, delivery: DeliveryId, at: Milliseconds) -> str:
        """The reverse-path of a copy that is made ``at`` this moment.

        A role whose name leaves no room for a token is its copies' return path itself: their bounces come to the
        role then, as mail that only partners get.
        """
        token = tokens.make(self.keys[0], delivery, at // DAY_MS)
        try:
            return tokens.return_path(role_address, token, self.domain)
        except ValueError:
            return role_address

    def delivery_of(self, address: str, at: Milliseconds) -> DeliveryId | None:
        """The delivery that a report to ``address`` is about; None where that is no return path. Raises
        TokenError for one that is not taken (any more)."""
        token = token_of(address)
        if token is None or not (domain_of(address) in self.domains or domain_of(address) == self.domain):
            return None
        keys = [*self.keys, *(key for key, until in self.earlier if until > at)]
        return ids.DeliveryId(tokens.read(keys, token, at // DAY_MS))


__all__ = ["ReturnPaths", "TokenError"]
