"""The patience with which copies are sent."""

from __future__ import annotations

from dataclasses import dataclass

from mailrouter.config.values.durations import HINT, Seconds, duration, span
from mailrouter.config.values.errors import Wrong, shown

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
    """The time until the sender hears of a delay; ``never`` is None. Raises Wrong."""
    return None if text.strip().lower() == "never" else trying(text)


def _within(text: str, least: Seconds, most: Seconds, why: str) -> Seconds:
    seconds = duration(text)
    if seconds < least:
        raise Wrong(f"{shown(text)} is no time at all", HINT)
    if seconds > most:
        raise Wrong(f"{shown(text)} is too long", f"at most {span(most)}: {why}")
    return seconds
