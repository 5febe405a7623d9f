"""Long work in steps, with turns for others between. Pure.

Work that may take long is a generator: it yields where it can rest, and returns what it comes to. Who has nothing else
to do runs it with ``at_once``; the service runs it with ``mailrouter.intake.resting``.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")
Steps = Generator[None, None, T]


def at_once(work: Steps[T]) -> T:
    """The result of ``work``, without a rest. Raises what it raises."""
    try:
        while True:
            next(work)
    except StopIteration as end:
        found: T = end.value
        return found


def drive(work: Coroutine[Any, Any, T]) -> T:
    """The result of asynchronous work that waits for its turn alone. Raises what it raises."""
    try:
        while True:
            work.send(None)
    except StopIteration as end:
        found: T = end.value
        return found
