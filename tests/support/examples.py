"""How much tests do: examples of a property, rounds of a fault, combinations of cases.

Each kind is tried in every run. ``MAILROUTER_FULL=1`` tries it more often and in all
combinations, as before a release.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

T = TypeVar("T")
FULL = bool(os.environ.get("MAILROUTER_FULL"))
"""Whether everything is tried, however long it takes."""

USUAL = 100
"""The examples of Hypothesis' own default, beside which the properties' numbers are meant."""

FEWEST = 5
"""No profile tries a property with fewer, unless its own number is smaller."""


def examples(number: int) -> int:
    """Scale a property's own ``number`` by the profile in force; for ``settings(max_examples=…)``."""
    assert settings.default is not None  # a profile was loaded (tests/conftest.py)
    return max(min(number, FEWEST), number * settings.default.max_examples // USUAL)


def by_extent(number: T, full: T) -> T:
    """``number`` in every run, ``full`` where everything is tried."""
    return full if FULL else number


def chosen(cases: Sequence[T], *some: int) -> list[T]:
    """``some`` of the cases, by their indices, so that each of their parts is tried; all where everything is tried."""
    return list(cases) if FULL else [cases[n] for n in some]
