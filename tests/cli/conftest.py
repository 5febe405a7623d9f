"""Fixtures that commands share with the configuration's tests."""

from tests.config.conftest import folder

__all__ = ["folder"]
