"""What holds for all tests: where ``MAILROUTER_NO_SKIPS`` is set, a skipped test fails the run, unless it was skipped for
want of data that a clean clone does not have."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support.shared import excused

# How long an example takes says how busy the machine is. `quick` is for `make quick`: a tenth of the examples of each
# property (tests/support/examples.py); chosen by --hypothesis-profile=quick.
settings.register_profile("mailrouter", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("mailrouter")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """On a machine that is to have every peer, a skip says that a peer is missing."""
    report = yield
    wanted = report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MAILROUTER_NO_SKIPS")
    if wanted and not excused(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
