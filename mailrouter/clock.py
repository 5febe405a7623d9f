"""The time of day, for everything that is not pure."""

from __future__ import annotations

import time

from mailrouter.moments import Milliseconds


def now_ms() -> Milliseconds:
    """The time of day, in milliseconds since the epoch."""
    return int(time.time() * 1000)
