"""The data that some tests use where it is there: ``../shared`` beside the checkout, no part of the project."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "shared"
MARK = "../shared"
"""Stands in the reason of each skip for want of it."""


def excused(reason: str) -> bool:
    """Whether a skip is right even where nothing may be skipped: it is for data that a clean clone does not have."""
    return MARK in reason and not FOLDER.is_dir()
