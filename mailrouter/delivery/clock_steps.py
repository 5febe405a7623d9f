"""Steps of the wall clock, found by the monotonic one. While the service runs. Pure: both clocks are handed in.

What a mail waits is kept as moments of the wall clock, for it has to hold over restarts. Where that clock is set, the
moments of what waits are set with it, so that a step neither fails mail early nor leaves it lying.
"""

from __future__ import annotations

from mailrouter.moments import HOUR_MS
from mailrouter.store.ids import Milliseconds

LEAST: Milliseconds = 60_000
"""A smaller difference is a clock that is being corrected, or a machine that was busy; nothing is decided by it."""
DOWN: Milliseconds = HOUR_MS
"""A service that was not running for longer than this has not tried mail meanwhile."""
UNSURE = 900.0
"""Seconds after a step in which nothing is given up: a delivery that is being sent still has its old moments."""


class ClockSteps:
    """Compares the two clocks whenever it is asked."""

    def __init__(self, wall: Milliseconds, steady: float) -> None:
        self._wall, self._steady = wall, steady
        self._unsure_until = float("-inf")

    def look(self, wall: Milliseconds, steady: float) -> Milliseconds:
        """By how much the wall clock was set since the last look: forward, back (negative), or 0. ``steady`` in
        seconds."""
        step = (wall - self._wall) - int(1000 * (steady - self._steady))
        self._wall, self._steady = wall, steady
        if abs(step) < LEAST:
            return 0
        self._unsure_until = steady + UNSURE
        return step

    def sure(self, steady: float) -> bool:
        """Whether moments are what they say: no step lies so near that some may be of before it."""
        return steady >= self._unsure_until


def stopped_for(seen: Milliseconds, now: Milliseconds) -> Milliseconds:
    """The step to apply at a start, last run at ``seen``.

    Time in which the service did not run is no time of trying, and a clock that was set meanwhile can't be told from
    it. 0 for a short stop.
    """
    gap = now - seen
    return gap if gap > DOWN or gap < -LEAST else 0
