"""Log lines about events: a name, the queue id, and fields that machines read by themselves.

The record's message is for people and says the same in words, or is the event's name alone. ``cli/operate/logs.py``
gives the line its form: ``ID: EVENT key=value …: words`` as text, and each field as a field in JSON. Fields hold
addresses, numbers and codes, never a subject, a body, a secret or a server's words.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache

Value = str | int | float | bool | Sequence[str] | None
Fields = Mapping[str, Value]

ADDRESSES = frozenset({"from", "to"})
"""Fields that hold addresses: in ``<>`` as text, since an empty one means something."""
MOST_ADDRESSES = 20
"""Of a longer list the line has the first ones; ``nrcpt`` tells how many there are."""
TRACE_SECONDS = 600.0
"""An error that comes again and again is logged with its traceback once in so many seconds."""
MOST_PLACES = 100
_SHORT = 80
"""Characters of a value that is kept as it was written once."""

_BARE = re.compile(r"[!#-<>-\[\]-~]+").fullmatch
"""Matches a value that needs no quotation marks: visible ASCII but ``"``, ``=`` and a backslash."""
_TOKEN = re.compile(r"(?<=-)[a-z2-7]{22}(?:[a-z2-7]{6})?(?=@|\Z)", re.IGNORECASE)
_shown: dict[str, float] = {}
"""When an error's traceback was logged last, by its place."""


class EventRecord(logging.LogRecord):
    """A log record with the event's name, queue id and fields."""

    def __init__(
        self,
        logger: str,
        level: int,
        event: str,
        queue_id: str,
        fields: Fields,
        words: str,
    ) -> None:
        # Not LogRecord.__init__: it works out much that no line shows (measured: a third of a line's cost).
        moment = time.time()
        self.__dict__ = {
            **_NOWHERE,
            "name": logger,
            "msg": words or event,
            "levelname": logging.getLevelName(level),
            "levelno": level,
            "created": moment,
            "msecs": moment % 1 * 1000,
        }
        self.event = event
        self.queue_id = queue_id
        self.fields = fields
        self.words = words


_NOWHERE = {**vars(logging.LogRecord("", logging.INFO, __file__, 0, "", (), None)), "args": ()}
"""The attributes of a record that comes from no line of code."""


def tell(
    log: logging.Logger,
    event: str,
    queue_id: str = "",
    fields: Fields | None = None,
    *,
    level: int = logging.INFO,
    words: str = "",
) -> None:
    """Log one event. A field that is None is left out; addresses lose the token of a return path or confirmation.

    Cheaper than ``Logger.info`` (nobody asks from which line of the code it came): some lines stand in the way of every
    message.
    """
    if log.isEnabledFor(level):
        log.handle(EventRecord(log.name, level, event, queue_id, _shown_fields(fields or {}), words))


def tell_error(
    log: logging.Logger, event: str, fields: Fields, words: str, error: BaseException | None = None
) -> None:
    """Log one event that is an error, with the traceback of ``error``."""
    record = EventRecord(log.name, logging.ERROR, event, "", _shown_fields(fields), words)
    record.exc_info = None if error is None else (type(error), error, error.__traceback__)
    log.handle(record)


def fault(log: logging.Logger, now: float, error: BaseException, words: str, event: str = "fault") -> None:
    """Log a message's error, with its traceback every ``TRACE_SECONDS`` at most. ``now`` is a steady clock's.

    An error that refuses each mail would else write a page for each.
    """
    place = place_of(error)
    fresh = now - _shown.get(place, -TRACE_SECONDS) >= TRACE_SECONDS
    if fresh:
        if len(_shown) >= MOST_PLACES:
            _shown.clear()
        _shown[place] = now
    where = {"error": type(error).__name__, "place": place}
    tell_error(log, event, where, words, error if fresh else None)


def place_of(error: BaseException) -> str:
    """The line of code that an error comes from: ``smtp/server.py:12``; ``""`` where it tells of none."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return (
        ""
        if place is None
        else f"{'/'.join(place.tb_frame.f_code.co_filename.split('/')[-2:])}:{place.tb_lineno}"
    )


def text(record: EventRecord) -> str:
    """``ID: EVENT key=value …: words``.

    >>> text(EventRecord("x", 20, "delivered", "5xk", {"to": "a@b.test", "delay": 0.2}, "", None))
    '5xk: delivered to=<a@b.test> delay=0.2'
    """
    said = [f"{record.queue_id}: {record.event}" if record.queue_id else record.event]
    for name, value in record.fields.items():
        kind = type(value)
        if kind is int or kind is float:
            said.append(f"{name}={value}")
        elif kind is str and len(value) <= _SHORT:  # type: ignore[arg-type]  # mypy doesn't follow kind
            said.append(_known_pair(name, value))
        else:
            said.append(f"{name}={_written(name, value)}")
    line = " ".join(said)
    return f"{line}: {record.words}" if record.words else line


@lru_cache(maxsize=1024)
def _known_pair(name: str, value: Value) -> str:
    """A field as text; most lines tell of the same few addresses, roles and codes."""
    return f"{name}={_written(name, value)}"


def _shown_fields(fields: Fields) -> dict[str, Value]:
    shown: dict[str, Value] = {name: value for name, value in fields.items() if value is not None}
    for name in ADDRESSES:
        if name in shown:
            shown[name] = _masked(shown[name])
    return shown


def _masked(value: Value) -> Value:
    """Addresses without the token by which ours are known: who has that can answer in a partner's place."""
    if isinstance(value, str):
        return _TOKEN.sub("TOKEN", value) if "-" in value else value
    if isinstance(value, Sequence):
        return [_TOKEN.sub("TOKEN", one) for one in value[:MOST_ADDRESSES]]
    return value


def _written(name: str, value: Value) -> str:
    if isinstance(value, str):
        said = f"<{value}>" if name in ADDRESSES else value
        if _BARE(said):
            return said
        if not said.isprintable() or '"' in said or "\\" in said or not said:
            return json.dumps(said)
        return f'"{said}"' if " " in said or "=" in said else said
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float, type(None))):
        return str(value)
    return ",".join([_written(name, one) for one in value])


class Bounded:
    """A bound on lines in a minute: so many for one client, and so many for all of them together."""

    def __init__(self, each: int = 60, together: int = 600) -> None:
        self._each, self._together = each, together
        self._since = float("-inf")
        self._told: dict[str, int] = {}
        self._all = 0
        self.left_out = 0

    def may(self, client: str, now: float) -> bool:
        """Whether a line about ``client`` may be written ``now``. A steady clock, in seconds."""
        if now - self._since >= 60:
            self._since, self._all = now, 0
            self._told.clear()
        told = self._told.get(client, 0)
        if told >= self._each or self._all >= self._together:
            self.left_out += 1
            return False
        self._told[client] = told + 1
        self._all += 1
        return True

    def take_left_out(self) -> int | None:
        """The number of lines left out since the last call; None for none."""
        found, self.left_out = self.left_out, 0
        return found or None
