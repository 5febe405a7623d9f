"""How many examples a property is tried with, by the Hypothesis profile in force."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100
"""The examples of Hypothesis' own default, beside which the properties' numbers are meant."""

FEWEST = 5
"""No profile tries a property with fewer, unless its own number is smaller."""


def examples(number: int) -> int:
    """Scale a property's own ``number`` by the profile in force; for ``settings(max_examples=…)``."""
    assert settings.default is not None  # a profile was loaded (tests/conftest.py)
    return max(min(number, FEWEST), number * settings.default.max_examples // USUAL)
