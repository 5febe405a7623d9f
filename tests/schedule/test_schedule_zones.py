"""Hand-over moments and the ends of absences set exactly on the odd local times of many zones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mailrouter.schedule.localtime import to_utc
from mailrouter.schedule.model import Absence, Role, Rota, Shift
from mailrouter.schedule.timeline import timeline
from tests.schedule.roles import role_of

SUITE = Path(__file__).resolve().parents[3] / "shared" / "suites" / "time_zones" / "edge_local_times.json"
ABSENT = "the edge times of time zones are not there (../shared/suites/time_zones beside the checkout)"
EDGES: list[dict[str, Any]] = json.loads(SUITE.read_text()) if SUITE.exists() else []
# Of our own, so that something is tried everywhere: gap, fold, half an hour, a day that was skipped.
OWN = [
    {"zone": "America/Los_Angeles", "local": "2026-03-08T02:30"},
    {"zone": "Europe/Berlin", "local": "2026-10-25T02:30"},
    {"zone": "Australia/Lord_Howe", "local": "2026-04-05T01:45"},
    {"zone": "America/Havana", "local": "2026-03-08T00:30"},
    {"zone": "Pacific/Apia", "local": "2011-12-30T12:00"},
]


def handing_over_at(wall: datetime, zone: ZoneInfo) -> Role:
    """Laurie all day long until this very minute of the wall clock, Elaine all day long from then on."""
    minute = wall.hour * 60 + wall.minute
    before = (Shift("laurie", 0, minute),) if minute else ()
    days = [(Shift("laurie", 0, 1440),)] * 7
    days[wall.weekday()] = (*before, Shift("elaine", minute, 1440))
    days[(wall.weekday() + 1) % 7] = (Shift("elaine", 0, 1440),)
    return replace(role_of(), time_zone=zone, rota=Rota((tuple(days),)))


def names(edge: dict[str, Any]) -> str:
    return f"{edge['zone']} {edge['local']}"


def check(edge: dict[str, Any]) -> None:
    zone, wall = ZoneInfo(edge["zone"]), datetime.fromisoformat(edge["local"])
    start, end = to_utc(wall, zone), to_utc(wall, zone, end=True)
    role = handing_over_at(wall, zone)
    spans = timeline(role, start - timedelta(hours=20), end + timedelta(hours=20))
    assert all(span.on for span in spans), "a minute was skipped"
    assert all(a.end == b.start for a, b in pairwise(spans))
    # Where the clocks show the minute twice both are there between the two; else nobody is there with the other.
    together = [span for span in spans if len(span.on) == 2]
    assert sum(((span.end - span.start) for span in together), timedelta()) == end - start
    away = Absence("elaine", wall - timedelta(hours=3), wall, cover="laurie")
    covered = timeline(
        replace(role, absences=(away,)), start - timedelta(hours=20), end + timedelta(hours=20)
    )
    assert [span for span in covered if span.start >= end and "elaine" not in span.on] == [
        span for span in spans if span.start >= end and "elaine" not in span.on
    ]


@pytest.mark.parametrize("edge", OWN, ids=names)
def test_a_hand_over_on_an_odd_minute(edge: dict[str, Any]) -> None:
    """Nobody is missing around it, and both are in for as long as the clocks show the minute again."""
    check(edge)


@pytest.mark.skipif(not EDGES, reason=ABSENT)
def test_the_edges_of_many_zones() -> None:
    """The same at every gap, fold and skipped day of the suite; what it says of them is what we find."""
    assert len(EDGES) >= 15
    for edge in EDGES:
        check(edge)
        zone, wall = ZoneInfo(edge["zone"]), datetime.fromisoformat(edge["local"])
        first, last = to_utc(wall, zone), to_utc(wall, zone, end=True)
        shown = first.astimezone(zone).replace(tzinfo=None)
        found = "fold" if first != last else "gap" if shown != wall else "plain"
        assert found == edge["zoneinfo_says"], names(edge)
        assert first.tzinfo is UTC
