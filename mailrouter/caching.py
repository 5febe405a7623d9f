"""Caches whose keys come from outside: few keys, and none that is long. Pure.

A cache holds its keys for as long as the service runs. Four thousand keys of 60 KB, which anybody may send, would be
240 MB; four thousand of 320 octets are one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar

LONGEST_KEY = 320
"""Octets of a key that is kept: an address has at most 320 (RFC 5321 §4.5.3.1.1 and §4.5.3.1.2)."""
_WIDE = LONGEST_KEY // 4  # characters that are sure to have no more octets

Key = TypeVar("Key")
Value = TypeVar("Value")


def is_short(text: Any) -> bool:
    """Whether ``text`` (str or bytes) may be the key of a cache: at most ``LONGEST_KEY`` octets."""
    size = len(text)
    return size <= _WIDE or (size <= LONGEST_KEY and text.isascii())


def cached_by_text(most: int) -> Callable[[Callable[[Key], Value]], Callable[[Key], Value]]:
    """``cached_by_short`` for functions of one str or bytes. It spares a call to ask how long the text is."""

    def decorate(work: Callable[[Key], Value]) -> Callable[[Key], Value]:
        kept = lru_cache(maxsize=most)(work)

        @wraps(work)
        def ask(key: Any) -> Value:
            size = len(key)
            if size <= _WIDE or (size <= LONGEST_KEY and key.isascii()):
                return kept(key)
            return work(key)

        return ask

    return decorate


def cached_by_short(
    most: int, fits: Callable[[Key], bool]
) -> Callable[[Callable[[Key], Value]], Callable[[Key], Value]]:
    """Cache a one-argument function for ``most`` short keys. Longer keys are not kept."""

    def decorate(work: Callable[[Key], Value]) -> Callable[[Key], Value]:
        kept = lru_cache(maxsize=most)(work)

        @wraps(work)
        def ask(key: Key) -> Value:
            return kept(key) if fits(key) else work(key)

        return ask

    return decorate
