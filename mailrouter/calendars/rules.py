"""Recurrence rules (RFC 5545 §3.3.10) too costly to expand, recognised beforehand. Pure."""

from __future__ import annotations

_COARSE = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_LONGEST = 2_000


def too_much(rule: str) -> str:
    """The reason why a rule is not expanded; ``""`` for one that comes once a day at most.

    ``FREQ=SECONDLY``, or every second named by BYSECOND, would be 86,400 events a day.
    """
    if len(rule) > _LONGEST:
        return "its recurrence rule is too long"
    parts = dict(part.upper().partition("=")[::2] for part in rule.replace(" ", "").split(";"))
    if parts.get("FREQ") not in _COARSE:
        return "it recurs more often than daily" if parts.get("FREQ") else "its recurrence rule has no FREQ"
    interval = parts.get("INTERVAL", "1")
    if not (interval.isdecimal() and int(interval[:9]) > 0):
        return "its INTERVAL is no number from 1 on"  # python-dateutil would go round for ever
    if any("," in parts.get(name, "") for name in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        return "it recurs more often than daily"
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN" or "SKIP" in parts:
        return "it recurs by another calendar than the Gregorian (RSCALE)"
    return ""
