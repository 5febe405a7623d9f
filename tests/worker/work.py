"""What the worker process is asked to do in tests."""

from __future__ import annotations

import os
import signal
import time
from fractions import Fraction
from typing import NoReturn

from mailrouter.errors import ConfigurationError, Problem


def pid() -> int:
    """The process that this runs in."""
    return os.getpid()


def hang() -> NoReturn:
    """Never ends, and never lets go of the interpreter's lock for long."""
    while True:
        pass


def sleep(seconds: float, name: str) -> str:
    """Takes a while."""
    time.sleep(seconds)
    return name


def killed() -> None:
    """Ended by the kernel, as where memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


def much_memory() -> int:
    """More than a process may have."""
    return len(bytearray(3 << 30))


def large(octets: int) -> bytes:
    """An answer of that size."""
    return bytes(octets)


def nested() -> int:
    """Deeper than the interpreter goes."""
    return nested() + 1


def broken_file() -> None:
    """An error of ours that holds more than words."""
    raise ConfigurationError([Problem("roles/vp-hr.yaml", 3, 1, "a tab", "use spaces")])


def fault(words: str) -> None:
    """A fault whose words may be a stranger's."""
    raise KeyError(words)


def foreign() -> object:
    """A value of a class that no answer may hold."""
    return Fraction(1, 2)


def written(path: str) -> None:
    """Writes a file."""
    with open(path, "w") as file:
        file.write("x" * 100)
