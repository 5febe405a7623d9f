"""How patiently copies are sent: lengths of time as people write them, and the settings made of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailrouter.config.wrong import Wrong, did_you_mean, shown

Seconds = float

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400,
}  # fmt: skip
_SPAN = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*([A-Za-z]+)")
_HINT = "write it as 30 s, 5 min, 4 h or 5 days"

LONGEST_TIMEOUT = 3600
LONGEST_PAUSE = 86400
LONGEST_TRYING = 14 * 86400
"""Within the time for which a copy's return path is taken (``trust.tokens``), with a week for the bounce."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds that the next server has: for the connection, for each reply, for the reply to the end of a message.

    RFC 5321 §4.5.3.2 gives the least; a server beside us that is slower than this is in trouble.
    """

    connect: Seconds = 30.0
    reply: Seconds = 300.0
    data_end: Seconds = 600.0


@dataclass(frozen=True, slots=True)
class Retry:
    """Seconds: until the first further try, between tries at most, until trying ends, and until the sender hears that
    it takes long (None: never)."""

    first: Seconds = 120.0
    most: Seconds = 1800.0
    give_up: Seconds = 432_000.0
    delay_notice: Seconds | None = 14_400.0


USUAL_TIMEOUTS, USUAL_RETRY = Timeouts(), Retry()


def duration(text: str) -> Seconds:
    """A length of time in seconds: ``30 s``, ``5 min``, ``4 h``, ``5 days``. Raises Wrong."""
    found = _SPAN.fullmatch(text.strip())
    if not found:
        bare = text.strip().isdecimal()
        raise Wrong(
            f"{shown(text)} has no unit" if bare else f"{shown(text)} is not a length of time",
            f"write {text.strip()} s or {text.strip()} min" if bare else _HINT,
        )
    unit = found[2].lower()
    if unit not in _UNITS:
        meant = did_you_mean(unit, ["seconds", "minutes", "hours", "days"])
        raise Wrong(f"{shown(found[2])} is not a unit of time", meant or _HINT, offset=found.start(2))
    return float(found[1]) * _UNITS[unit]


def timeout(text: str) -> Seconds:
    """A length of time the next server may have. Raises Wrong."""
    return _within(text, 0.1, LONGEST_TIMEOUT, "a server that is well answers in seconds")


def pause(text: str) -> Seconds:
    """A pause between two tries. Raises Wrong."""
    return _within(text, 0.1, LONGEST_PAUSE, "mail should not wait longer than it has to")


def trying(text: str) -> Seconds:
    """For how long a mail is tried. Raises Wrong."""
    return _within(text, 0.1, LONGEST_TRYING, "bounces of older mail would find no way back")


def notice(text: str) -> Seconds | None:
    """When the sender hears of a delay; ``never`` is None. Raises Wrong."""
    return None if text.strip().lower() == "never" else trying(text)


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


def _within(text: str, least: Seconds, most: Seconds, why: str) -> Seconds:
    seconds = duration(text)
    if seconds < least:
        raise Wrong(f"{shown(text)} is no time at all", _HINT)
    if seconds > most:
        raise Wrong(f"{shown(text)} is too long", f"at most {span(most)}: {why}")
    return seconds
