"""The calendars that other programs test themselves with, where they are: ``../shared/suites/icalendar_rrule``."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "suites" / "icalendar_rrule"
RECURRENCES = FOLDER / "libical" / "src" / "test" / "icalrecur_test.txt"
NEEDED = pytest.mark.skipif(
    not RECURRENCES.exists(), reason="the calendars are not there (../shared/suites beside the checkout)"
)


def files() -> list[Path]:
    """Every file, calendars and others, in the order of their names."""
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path.name != "README.md")
