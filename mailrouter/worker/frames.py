"""The frames of the worker's pipes: a length of four octets, and so many octets of pickle.

Requests come from the service and may name any function of ours. Answers come from a process that has read what
strangers wrote, so only our own values and a few of the standard library's are made of them.
"""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

LENGTH = struct.Struct("!I")
_PLAIN = frozenset(
    {
        ("builtins", "frozenset"),
        ("builtins", "set"),
        ("collections", "OrderedDict"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "time"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("pathlib", "PosixPath"),
        ("pathlib", "WindowsPath"),
        ("zoneinfo", "ZoneInfo"),
    }
)


_ROOMS = (
    "mailrouter.config.",
    "mailrouter.errors",
    "mailrouter.message.",
    "mailrouter.routing.",
    "mailrouter.schedule.",
)


class Unfit(ValueError):
    """An answer that holds something else than values."""


def request(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    """A request: a function of a module, by its name, and its arguments."""
    return pickle.dumps((function, arguments), pickle.HIGHEST_PROTOCOL)


def framed(data: bytes) -> bytes:
    """The octets with their length before them."""
    return LENGTH.pack(len(data)) + data


def answer_in(data: bytes) -> tuple[str, Any]:
    """An answer that came back: ``value``, ``raised``, ``failed`` or ``last`` (a failure after which the process ends),
    and which. Raises Unfit.
    """
    try:
        kind, value = _Values(io.BytesIO(data)).load()
        if kind not in ("value", "raised", "failed", "last"):
            raise Unfit("an answer of no kind")
        return kind, value
    except Unfit:
        raise
    except Exception as error:
        raise Unfit(f"an answer that can't be read: {type(error).__name__}") from None


class _Values(pickle.Unpickler):
    """Makes nothing but values: our own classes that hold data, and what is listed."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if (module, name) == ("builtins", "getattr"):
            return _zone_reader
        if module.startswith(_ROOMS) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__.startswith(_ROOMS):
                return found
        raise Unfit(f"an answer that holds {module}.{name}")


def _zone_reader(owner: object, name: str) -> Any:
    """``getattr`` as far as a pickled time zone needs it."""
    if owner is ZoneInfo and name == "_unpickle":
        return ZoneInfo._unpickle  # type: ignore[attr-defined]
    raise Unfit("an answer that looks something up")
