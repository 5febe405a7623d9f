"""The short version of ``make torture``: a few rounds of each fault on one store, under load."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.torture.faults import FAULTS
from tests.torture.run import left_out, torture

SHORT = {
    "killed": 2,
    "killed while starting": 1,
    "ended before a COMMIT": 1,
    "killed in a COMMIT": 2,
    "ended after a COMMIT": 1,
    "stopped": 1,
    "disk full": 1,
    "disk errors": 1,
    "refused by the next hop": 2,
    "power cut": 1,
}

OWED = 500
"""Copies, answers and notices that are promised at the least: with little to lose little is tried."""


@pytest.mark.skipif(any(map(left_out, FAULTS)), reason=next(filter(None, map(left_out, FAULTS)), ""))
def test_nothing_that_was_answered_250_is_lost(tmp_path: Path) -> None:
    """Copies, large ones, answers, handoffs and their notices: all there and whole, each at least once."""
    found = torture(tmp_path, lambda fault: SHORT.get(fault.name, 0), seed=20261125, least=OWED)
    owed = sum(row.owed for row in found.rows)
    print(f"\n{found.kills} kills, {owed} owed, {found.lost} lost, {found.seconds:.0f} s")
    assert found.kills >= 10
    assert owed >= OWED
    assert found.handoffs > 5
    assert found.lost == 0
    assert found.torn == 0
    assert found.untrue == []
    assert found.held <= 2 * found.kills, "hardly anybody is on hold by a kill that no mail has brought about"
    assert found.half_received == 0
    assert found.integrity == "ok"
