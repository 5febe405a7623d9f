"""Requests to the process that reads a calendar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.calendars.ics import END, START


def request(
    file: Path | str = "", url: str = "", hosts: tuple[str, ...] = ("127.0.0.1",), **more: Any
) -> dict[str, Any]:
    """As the service asks it, with the rule ``busy`` for somebody in Berlin."""
    return {
        "file": str(file),
        "url": url,
        "hosts": list(hosts),
        "absent_when": ["busy"],
        "email": "elaine@example.test",
        "zone": "Europe/Berlin",
        "start": int(START.timestamp()),
        "end": int(END.timestamp()),
        **more,
    }
