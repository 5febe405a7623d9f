"""What the tests of reloading share."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def events_are_seen(caplog: pytest.LogCaptureFixture) -> None:
    """The log has what happens, as that of a service does."""
    caplog.set_level(logging.INFO, logger="mailrouter")
