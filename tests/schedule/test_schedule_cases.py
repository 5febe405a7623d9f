"""The table of schedule cases, row by row, through the loader."""

from __future__ import annotations

import pytest

from tests.schedule.cases import Case, cases, found, weekday_of

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.place} {case.moment}")
def test_who_is_on_and_why(case: Case) -> None:
    """At this moment those named are on duty, for the reason that stands there; and the weekday is right."""
    assert found(case) == (case.who, case.why), case.title
    assert case.weekday in (None, weekday_of(case))


def test_the_table_is_large_and_every_row_has_a_reason() -> None:
    """A hundred and fifty rows at the least, in a dozen zones and topics, none without its why."""
    assert len(CASES) >= 150
    assert len({case.place.partition(":")[0] for case in CASES}) >= 10
    assert all(case.why for case in CASES)
