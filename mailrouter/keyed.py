"""Marks that only we can make, and how their octets are written. Pure."""

from __future__ import annotations

import hmac
from base64 import b32encode
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


def base32(octets: bytes) -> str:
    """``octets`` in lower-case base32 without padding (RFC 4648 §6): it survives any program that folds case."""
    return b32encode(octets).decode("ascii").rstrip("=").lower()
