"""How long things took, in classes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailrouter.store.timings import Timings

BOUNDS = (0.1, 1.0, 5.0)


@given(st.lists(st.floats(0, 100)))
def test_each_counts_once_in_the_first_class_that_holds_it(seconds: list[float]) -> None:
    """The sum over classes is the number of all; up to each bound, as many as are no longer than it."""
    timings = Timings(BOUNDS)
    for one in seconds:
        timings.add(one)
    assert sum(timings.counts) == len(seconds)
    for number, bound in enumerate(BOUNDS, 1):
        assert sum(timings.counts[:number]) == sum(one <= bound for one in seconds)
