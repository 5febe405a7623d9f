"""Small cases from public bug reports, each with what is right of it, through the service's own code.

``NOT_YET`` are those that come out wrong today. Each of them must still fail, so the set can only shrink.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.end_to_end import cases_of_files, cases_of_mail, cases_of_partners
from tests.support import cases

Check = Callable[[Path, bytes], Awaitable[None]]

CHECKS: dict[str, Check] = cases_of_mail.CHECKS | cases_of_partners.CHECKS | cases_of_files.CHECKS
NOT_YET: frozenset[str] = frozenset()
"""By number; there is none."""

CASES = cases.cases()


@pytest.mark.skipif(not CASES, reason=cases.WHY_ABSENT)
def test_every_case_is_looked_at() -> None:
    """There is a check for each of them, and none for what is not there."""
    assert set(CHECKS) == {case.number for case in CASES}
    assert set(CHECKS) >= NOT_YET


@pytest.mark.skipif(not CASES, reason=cases.WHY_ABSENT)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
async def test_a_case_comes_out_right(case: cases.Case, tmp_path: Path) -> None:
    """As its source says; what is in ``NOT_YET`` must still be wrong, or it is to be taken out of there."""
    check = CHECKS[case.number]
    if case.number not in NOT_YET:
        await check(tmp_path, case.raw)
        return
    with pytest.raises(AssertionError):
        await check(tmp_path, case.raw)
