"""No reader of what comes from outside does more than linear work, nor holds the loop for long."""

from __future__ import annotations

import pytest

from tests.bounded import drawing, growth
from tests.bounded.readers import READERS, Reader

KILO = 1024
NOT_YET: frozenset[str] = frozenset()
"""Readers that are known to be slow; each still has to be found slow, and leaves this list when it is mended."""


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_readers_are_linear(reader: Reader) -> None:
    """Fed with pieces of their own grammar, again and again, alone and in pairs."""
    slow = []
    for name, make in drawing.mixed(reader.tokens, 24):
        if growth.suspicious(reader.work, make) and (
            fault := growth.measure(reader.work, make, reader.most).fault
        ):
            slow.append(f"{name} {fault}")
            break
    if reader.name in NOT_YET:
        assert slow, f"{reader.name} is linear now: take it out of NOT_YET"
    else:
        assert slow == []


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_readers_stay_short_at_their_bound(reader: Reader) -> None:
    """What is longer than the bound is cut before anything works on it: twice as long takes hardly longer."""
    inputs = sorted(
        drawing.mixed(reader.tokens, 24), key=lambda made: -growth.seconds(reader.work, made[1](8 * KILO))
    )
    for name, make in inputs[:2]:
        assert growth.at_most(reader.work, make(max(reader.bound, 64 * KILO)), reader.most), name
