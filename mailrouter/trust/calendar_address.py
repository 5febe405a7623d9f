"""The secret in a feed's address: who knows it reads the feed. Pure.

An HMAC of the relay's key (RFC 2104), so nothing need be kept to know our own; ``generation``, which is drawn anew,
takes the address before it out of use.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode

SECRET = re.compile(r"[a-z2-7]{32}")
"""160 bits, in letters and digits that survive any program that an address is pasted into."""


def feed_secret(key: bytes, role: str, partner: str, generation: str) -> str:
    """The secret of a role's feed (``partner`` is ``""``) or of a partner's, by their short names."""
    words = "\0".join(("calendar feed", role, partner, generation))
    return b32encode(hmac.digest(key, words.encode(), "sha256")[:20]).decode().lower()


def same(secret: str, other: str) -> bool:
    """Whether two secrets are the same, in the same time wherever they differ."""
    return hmac.compare_digest(secret.encode(), other.encode())
