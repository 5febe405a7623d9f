"""Lengths of time as people write them: ``30 days``, ``12 h``, ``90 min``. Pure."""

from __future__ import annotations

import re

from mailrouter.config.wrong import Wrong, shown

SECOND = 1000
_UNITS = {
    SECOND: ("s", "sec", "second", "seconds"),
    60 * SECOND: ("m", "min", "minute", "minutes"),
    3600 * SECOND: ("h", "hour", "hours"),
    86_400 * SECOND: ("d", "day", "days"),
    7 * 86_400 * SECOND: ("w", "week", "weeks"),
}
_BY_NAME = {name: length for length, names in _UNITS.items() for name in names}
_LENGTH = re.compile(r"([0-9]{1,6})\s*([a-z]+)", re.IGNORECASE)


def duration(text: str) -> int:
    """Milliseconds. Raises Wrong.

    >>> duration("30 days"), duration("90min")
    (2592000000, 5400000)
    """
    found = _LENGTH.fullmatch(text.strip())
    if not found or found[2].lower() not in _BY_NAME:
        raise Wrong(f"{shown(text)} is not a length of time", "write it as 30 days, 12 h or 90 min")
    return int(found[1]) * _BY_NAME[found[2].lower()]


def duration_written(milliseconds: int) -> str:
    """The way back: in the largest unit that says it exactly, weeks aside.

    >>> duration_written(2592000000), duration_written(5400000)
    ('30 days', '90 min')
    """
    for length, name in ((86_400 * SECOND, "days"), (3600 * SECOND, "h"), (60 * SECOND, "min")):
        if milliseconds % length == 0:
            return f"{milliseconds // length} {name}"
    return f"{milliseconds // SECOND} s"
