"""How the work of a reader grows with its input: CPU time at several lengths, compared by ratio."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

KILO = 1024
SIZES = (8 * KILO, 16 * KILO, 32 * KILO, 64 * KILO)
MOST_GROWTH = 2.6
"""So many times the work for twice the length: 2 is linear, 4 is quadratic; the rest is for memory and noise."""
FLOOR = 0.0015
"""Seconds, on a machine of speed 1, below which no ratio is looked at: noise is as large."""
MOST = 0.05
"""Seconds that a reader may take at most, on a machine of speed 1."""
_TOO_LONG = 0.12

Work = Callable[[str], object]


class Growth(NamedTuple):
    """What was measured for one input: seconds at each length, and what is wrong with them, or ``""``."""

    seconds: tuple[float, ...]
    fault: str

    @property
    def ratio(self) -> float:
        """Growth for each doubling, on the average."""
        if not self.seconds:
            return float("inf")
        last, first = self.seconds[-1], max(self.seconds[0], 1e-9)
        return float((last / first) ** (1 / max(len(self.seconds) - 1, 1)))


@cache
def speed() -> float:
    """How much longer this machine takes than the one for which the seconds here were chosen."""
    return speed_now(5)


def speed_now(times: int = 1) -> float:
    """``speed`` at this moment: what else runs on the machine changes it within seconds."""
    return max(1.0, _least(_loop, _LOOPED, times) / 0.004)


_LOOPED = "abcdefgh" * 16 * KILO


def _loop(text: str) -> int:
    count = 0
    for character in text:
        count += character == "x"
    return count


def seconds(work: Work, text: str) -> float:
    """CPU seconds of this thread for one call."""
    start = time.thread_time()
    work(text)
    return time.thread_time() - start


def _least(work: Work, text: str, times: int) -> float:
    least = seconds(work, text)
    for _ in range(times - 1):
        if least > _TOO_LONG:
            break  # so long that noise makes no difference
        least = min(least, seconds(work, text))
    return least


def suspicious(work: Work, make: Callable[[int], str]) -> bool:
    """Whether the input deserves to be measured with care: a quick look, at two lengths."""
    if _hangs(work, make) or seconds(work, make(256)) > 2 * FLOOR * speed():
        return True
    shorter = seconds(work, make(2 * KILO))
    if shorter > 4 * FLOOR * speed():
        return True
    longer = seconds(work, make(16 * KILO))
    return longer > FLOOR * speed() and (longer > 14 * shorter or longer > MOST / 4 * speed())


def measure(work: Work, make: Callable[[int], str], most: float = MOST) -> Growth:
    """The growth over ``SIZES``; measured anew before anything counts as a fault.

    It stops early where a length takes very long, so that even a cubic reader is found in a few seconds.
    """
    if _hangs(work, make):
        return Growth((), "takes for ever")
    found = _measured(work, make, most, 2)
    return _measured(work, make, most, 4) if found.fault else found


def _hangs(work: Work, make: Callable[[int], str]) -> bool:
    """Whether a text of a few characters takes long already: the work doubles with each of them."""
    return any(seconds(work, make(size)) > MOST * speed() for size in (22, 26, 44))


def _measured(work: Work, make: Callable[[int], str], most: float, times: int) -> Growth:
    taken: list[float] = []
    for size in (256, 512, KILO, 2 * KILO, 4 * KILO, *SIZES):
        taken.append(_least(work, make(size), times))
        if taken[-1] > _TOO_LONG * speed():
            break
    above = [second for second in taken if second > FLOOR * speed()]
    if len(above) > 1 and (above[-1] / above[0]) ** (1 / (len(above) - 1)) > MOST_GROWTH:
        return Growth(tuple(taken), "grows faster than its length")
    if taken[-1] > most * max(speed(), speed_now(times)):
        return Growth(tuple(taken), f"takes {taken[-1] * 1000:.0f} ms (speed {speed():.1f})")
    return Growth(tuple(taken), "")


def at_most(work: Work, text: str, most: float = MOST) -> bool:
    """Whether one call takes at most ``most`` seconds on a machine of speed 1; measured anew before it says no."""
    if seconds(work, text) <= most * speed():
        return True
    return any(seconds(work, text) <= most * max(speed(), speed_now()) for _ in range(6))
