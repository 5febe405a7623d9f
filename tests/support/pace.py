"""How slow this machine is at the moment: other programs on it lengthen processor time as well."""

from __future__ import annotations

import re
import sys
import time

_SECONDS = 0.01
"""Processor time of ``_work`` on the machine on which tests' bounds were measured, at rest."""
_TRACED = 10
"""How many times longer code may take whose lines are traced, as those of the product are under coverage.py."""
_WORD = re.compile(r"[a-z]+(?=\d)")


def slowness() -> float:
    """How many times longer a piece of work takes now than it should; at least 1. For bounds of processor time."""
    begun = time.thread_time()
    _work()
    found = max(1.0, (time.thread_time() - begun) / _SECONDS)
    return found * _TRACED if sys.gettrace() is not None else found


def _work() -> None:
    """What parsers do: expressions, slices, dictionaries."""
    text = "".join(f"ab{n};" for n in range(5_000))
    found: dict[str, int] = {}
    for number, word in enumerate(_WORD.finditer(text)):
        piece = text[word.start() : word.end() + 2]
        found[piece] = found.get(piece, 0) + number
    for n in range(20_000):
        found[text[n : n + 4]] = n
