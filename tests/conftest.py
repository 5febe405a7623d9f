"""What holds for all tests: how many examples, in which order, and what a skip means.

Where ``MAILROUTER_NO_SKIPS`` is set, a skipped test fails the run, unless it was skipped for want of data that a clean
clone does not have.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from tests.support.examples import FULL, USUAL
from tests.support.shared import excused

# How long an example takes says how busy the machine is. The properties' numbers (tests/support/examples.py) are those
# of `full`; `quick` is for `make quick`, chosen by --hypothesis-profile=quick.
settings.register_profile("full", deadline=None, max_examples=USUAL)
settings.register_profile("mailrouter", deadline=None, max_examples=USUAL // 2)
settings.register_profile("quick", deadline=None, max_examples=USUAL // 20)
settings.load_profile("full" if FULL else "mailrouter")


_LONG = ("/tests/end_to_end/", "/tests/cli/", "/tests/packaging/", "/tests/live/")
"""Folders whose files take long. They come first, so that no worker is left with one of them at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long first; nothing else changes its place."""
    items.sort(key=lambda item: not any(folder in str(item.path) for folder in _LONG))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    """On a machine that is to have every peer, a skip says that a peer is missing."""
    report = yield
    wanted = report.skipped and not hasattr(report, "wasxfail") and os.environ.get("MAILROUTER_NO_SKIPS")
    if wanted and not excused(str(report.longrepr)):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
