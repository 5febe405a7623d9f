"""The secret in a feed's address: who knows it reads the feed. Pure.

An HMAC of the relay's key (RFC 2104), so nothing need be kept to know our own; ``generation``, which is drawn anew,
takes the address before it out of use.
"""

from __future__ import annotations

import re

from mailrouter import keyed

SECRET = re.compile(r"[a-z2-7]{32}")
"""160 bits, in letters and digits that survive any program that an address is pasted into."""


def feed_secret(key: bytes, role: str, partner: str, generation: str) -> str:
    """The secret of a role's feed, or of one partner's. Both by short names; ``partner`` is ``""`` for the role's."""
    words = "\0".join(("calendar feed", role, partner, generation))
    return keyed.base32(keyed.digest(key, words.encode())[:20])
