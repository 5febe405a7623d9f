"""The machine's time zone by its name in the tz database."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from mailrouter.config.values.errors import Wrong
from mailrouter.config.values.zones import time_zone


def system_time_zone(environ: Mapping[str, str], root: Path = Path("/")) -> str:
    """The zone in ``TZ``, else by ``/etc/localtime``, else ``/etc/timezone``; ``""`` for no name."""
    for name in _names(environ, root):
        try:
            return time_zone(name).key
        except Wrong:
            continue
    return ""


def _names(environ: Mapping[str, str], root: Path) -> Iterator[str]:
    yield environ.get("TZ", "").removeprefix(":")
    yield os.path.realpath(root / "etc/localtime").partition("zoneinfo/")[2]
    try:
        yield (root / "etc/timezone").read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        pass  # most systems have none
