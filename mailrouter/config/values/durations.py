"""Lengths of time as people write them: ``30 s``, ``5 min``, ``4 h``, ``30 days``. Pure."""

from __future__ import annotations

import re

from mailrouter.config.values.errors import Wrong, did_you_mean, shown

Seconds = float

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
    "w": 604800, "week": 604800, "weeks": 604800,
}  # fmt: skip
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([A-Za-z]+)")
HINT = "write it as 30 s, 5 min, 4 h or 5 days"


def duration(text: str) -> Seconds:
    """A length of time in seconds: ``30 s``, ``5 min``, ``4 h``, ``5 days``. Raises Wrong."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        bare = text.strip().isdecimal()
        raise Wrong(
            f"{shown(text)} has no unit" if bare else f"{shown(text)} is not a length of time",
            f"write {text.strip()} s or {text.strip()} min" if bare else HINT,
        )
    unit = found[2].lower()
    if unit not in _UNITS:
        meant = did_you_mean(unit, ["seconds", "minutes", "hours", "days", "weeks"])
        raise Wrong(f"{shown(found[2])} is not a unit of time", meant or HINT, offset=found.start(2))
    return float(found[1]) * _UNITS[unit]


def span(seconds: Seconds | None) -> str:
    """A length of time as a person would write it.

    >>> span(14400), span(90), span(432000), span(None)
    ('4 h', '90 s', '5 days', 'never')
    """
    if seconds is None:
        return "never"
    for length, one, more in ((86400, "day", "days"), (3600, "h", "h"), (60, "min", "min")):
        count, rest = divmod(seconds, length)
        if count and not rest:
            return f"{count:.0f} {one if count == 1 else more}"
    return f"{seconds:g} s"
