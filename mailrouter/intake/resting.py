"""Work in steps inside the event loop: everybody else has their turn between two of them."""

from __future__ import annotations

import asyncio
import time
from typing import TypeVar

from mailrouter.turns import Steps

T = TypeVar("T")

TURN = 0.01
"""Seconds for which work goes on before others have their turn."""


async def in_turns(work: Steps[T]) -> T:
    """The result of ``work``; after each ``TURN`` everything else that waits has its turn. Raises what it raises."""
    began = time.perf_counter()
    try:
        while True:
            next(work)
            if time.perf_counter() - began > TURN:
                await asyncio.sleep(0)
                began = time.perf_counter()
    except StopIteration as end:
        found: T = end.value
        return found
