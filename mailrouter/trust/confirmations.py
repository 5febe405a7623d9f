"""The address to which a partner answers to confirm a mail: it proves the mailbox that got it. Pure.

``ROLE+handoff-TOKEN`` or ``ROLE+schedule-TOKEN``: a sub-address (RFC 5233) of the role, since that is all that the
mail server before us delivers to us. The token is 22 characters of lower-case base32 (RFC 4648 §6, without padding),
because servers on the way fold case: 10 for the id of the message that is to be confirmed (50 bits), 12 for the tag,
the first 60 bits of an HMAC-SHA256 (RFC 2104 §5) over what it is for, the role and the id. When it ends, and that it
serves once, is the store's to say.
"""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Sequence

from mailrouter import keyed
from mailrouter.address import with_tag
from mailrouter.trust.tokens import LONGEST_LOCAL_PART, TokenError

TAG = "handoff"
SCHEDULE = "schedule"
"""The sub-addresses to which partners write."""
LENGTH = 22
MOST_ASKED = 3
"""Within an hour one mailbox is asked about so many mails, as long as none of the questions is answered."""

_BODY = 10
_FORM = re.compile(r"[a-z2-7]{22}\Z")
_ZEROS = 14  # 50 bits fill 10 characters; the other 14 of 64 are zero


def make(key: bytes, role: str, message: int, tag: str = TAG) -> str:
    """The token for ``message`` to ``role`` at its address with ``tag``. The role by its short name.

    Raises ValueError for an empty key and for a number beyond 50 bits.
    """
    if not key:
        raise ValueError("a token needs a key")
    if message < 0 or message >> (64 - _ZEROS):
        raise ValueError(f"message {message} does not fit into a token")
    body = keyed.base32((message << _ZEROS).to_bytes(8, "big"))[:_BODY]
    return body + _tag(key, role, body, tag)


def read(keys: Sequence[bytes], role: str, token: str, tag: str = TAG) -> int:
    """The message id in a good ``token``, by any of ``keys``. Raises TokenError."""
    folded = token.lower()
    if not token.isascii() or not _FORM.match(folded):
        raise TokenError("malformed", "this confirms nothing")
    body, mark = folded[:_BODY], folded[_BODY:]
    if not keyed.made_by_any(keys, lambda key: _tag(key, role, body, tag), mark):
        raise TokenError("forged", "this confirmation was not made here")
    return int.from_bytes(b32decode(body.upper() + "AAA==="), "big") >> _ZEROS


def handoff_address(role_address: str, token: str = "") -> str:
    """``ROLE+handoff@…``, or ``ROLE+handoff-TOKEN@…`` with a token. Raises ValueError as ``partners_address``."""
    return partners_address(role_address, TAG, token)


def schedule_address(role_address: str) -> str:
    """``ROLE+schedule@…``."""
    return partners_address(role_address, SCHEDULE)


def partners_address(role_address: str, tag: str, token: str = "") -> str:
    """A role's address with a sub-address, or with that and a token.

    Raises ValueError where a token makes the local part longer than 64 octets (RFC 5321 §4.5.3.1.1).
    """
    whole = with_tag(role_address, f"{tag}-{token}" if token else tag)
    if token and len(whole.rpartition("@")[0].encode("utf-8")) > LONGEST_LOCAL_PART:
        raise ValueError(f"{role_address} is too long to ask for a confirmation by mail")
    return whole


def _tag(key: bytes, role: str, body: str, tag: str = TAG) -> str:
    # What it is for stands first, so that no other mark made with this key is ever a confirmation.
    purpose = tag.encode("ascii") + b"\0"
    digest = keyed.digest(key, purpose + role.encode("utf-8") + b"\0" + body.encode("ascii"))
    return keyed.base32(digest[:10])[: LENGTH - _BODY]
