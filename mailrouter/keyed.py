"""Marks that only we can make, and how their octets are written. Pure."""

from __future__ import annotations

import hmac
from base64 import b32encode
from collections.abc import Callable, Iterable
from functools import lru_cache


def digest(key: bytes, words: bytes) -> bytes:
    """The HMAC-SHA256 of ``words`` (RFC 2104): 32 octets.

    ``hmac.digest`` lets go of the interpreter's lock for each of them, and another thread takes it: two microseconds
    of work then cost the event loop some twenty. A copy of an object that has the key does not.
    """
    made = _with(key).copy()
    made.update(words)
    return made.digest()


@lru_cache(maxsize=8)
def _with(key: bytes) -> hmac.HMAC:
    return hmac.new(key, None, "sha256")


def memory_key(key: bytes, words: str) -> str:
    """The key under which the store remembers something of people: whoever has the store can't read ``words`` in it."""
    return digest(key, words.encode())[:15].hex()


def made_by_any(keys: Iterable[bytes], make: Callable[[bytes], str], mark: str) -> bool:
    """Whether ``mark`` is what ``make`` gives for one of ``keys``; the time it takes tells nothing of which."""
    genuine = False
    for key in keys:
        genuine |= same(make(key), mark)
    return genuine


def same(mark: str, other: str) -> bool:
    """Compare two marks in constant time."""
    return hmac.compare_digest(mark.encode(), other.encode())


def base32(octets: bytes) -> str:
    """``octets`` in lower-case base32 without padding (RFC 4648 §6): it survives any program that folds case."""
    return b32encode(octets).decode("ascii").rstrip("=").lower()
