"""The commands that bring no mail, counted and given back with time. Pure: the moment is handed in."""

from __future__ import annotations


class Allowance:
    """A bucket of ``most`` commands, filled by one a second.

    A pool of connections that says NOOP or RSET for hours never empties it; a flood does so at once. Postfix ends such
    a session by a count alone (``smtpd_junk_command_limit``, 100).
    """

    __slots__ = ("_at", "_left", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._left = float(most)
        self._at = 0.0

    def spend(self, commands: int, now: float) -> bool:
        """Take ``commands`` out at ``now`` (seconds of any steady clock); False where so many are not left."""
        self._left = min(self._most, self._left + max(0.0, now - self._at)) - commands
        self._at = now
        return self._left >= 0

    def refill(self) -> None:
        """Fill it: a message was taken."""
        self._left = float(self._most)
