"""Moments and lengths of time as they are stored and compared: milliseconds. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

Milliseconds = int
"""A moment since the Unix epoch, or a length of time."""

HOUR_MS: Milliseconds = 3_600_000
DAY_MS: Milliseconds = 86_400_000


def milliseconds(moment: datetime) -> Milliseconds:
    """An aware moment as it is stored."""
    return int(moment.timestamp() * 1000)


def moment_at(at: Milliseconds, zone: tzinfo = UTC) -> datetime:
    """A stored moment as the clocks of ``zone`` show it."""
    return datetime.fromtimestamp(at / 1000, zone)


def day_of(at: Milliseconds) -> str:
    """The day (UTC) by which replies are counted: ``2026-12-03``."""
    return f"{moment_at(at):%Y-%m-%d}"


def hour_of(at: Milliseconds) -> str:
    """The hour (UTC) by which alerts are counted: ``2026-12-03T09``."""
    return f"{moment_at(at):%Y-%m-%dT%H}"


def iso_utc(at: Milliseconds) -> str:
    """A stored moment in UTC by ISO 8601, to the second: ``2026-12-03T09:00:00+00:00``."""
    return moment_at(at).isoformat(timespec="seconds")
