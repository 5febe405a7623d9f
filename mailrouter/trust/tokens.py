"""Return-path tokens: which delivery a bounce belongs to, in words nobody else can make up. Pure.

A token is 28 characters of lower-case base32 (RFC 4648 §6, without padding), since servers on the way fold
the case of local parts: 16 for the delivery's id (63 bits) and the day it was made (17 bits, days since
1970-01-01), 12 for the tag, the first 60 bits of an HMAC-SHA256 over both (RFC 2104 §5).
"""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Sequence
from typing import Literal

from mailrouter import keyed
from mailrouter.address import with_tag
from mailrouter.errors import MailrouterError

VALID_DAYS = 21
"""Days for which a token is taken: longer than any server keeps trying (RFC 5321 §4.5.4.1), with a margin."""
LENGTH = 28
LONGEST_LOCAL_PART = 64  # octets, RFC 5321 §4.5.3.1.1
LONGEST_ROLE = LONGEST_LOCAL_PART - len("+b-") - LENGTH
"""Octets of a role's local part that leave room for a token; a longer one needs a ``return_domain``."""

_PREFIX = "b-"
_BODY = 16
_DAY_BITS, _DELIVERY_BITS = 17, 63
_FORM = re.compile(r"[a-z2-7]{28}\Z")
_PURPOSE = b"return-path\0"  # so that no other mark made with this key is ever a token


class TokenError(MailrouterError):
    """A token is not taken. ``reason``: ``malformed``, ``forged``, or ``expired`` (once it was ours)."""

    def __init__(self, reason: Literal["malformed", "forged", "expired"], why: str) -> None:
        self.reason: Literal["malformed", "forged", "expired"] = reason
        super().__init__(why)


def make(key: bytes, delivery: int, day: int) -> str:
    """The token of ``delivery`` made on ``day`` (days since 1970-01-01).

    Raises ValueError for an empty key and for numbers that don't fit (63 and 17 bits, not negative).
    """
    if not key:
        raise ValueError("a token needs a key")
    if delivery < 0 or delivery >> _DELIVERY_BITS or day < 0 or day >> _DAY_BITS:
        raise ValueError(f"delivery {delivery} on day {day} does not fit into a token")
    number = delivery << _DAY_BITS | day
    body = keyed.base32(number.to_bytes(10, "big"))
    return body + _tag(key, body)


def read(keys: Sequence[bytes], token: str, today: int) -> int:
    """The delivery that ``token`` was made for, by any of ``keys``. These are the current key and those before it.

    ``today`` counts like ``make``'s day. A day after today is taken: only our own clock can have written it.
    Raises TokenError.
    """
    folded = token.lower()
    if not token.isascii() or not _FORM.match(folded):
        raise TokenError("malformed", "this is no token of a return path")
    body, tag = folded[:_BODY], folded[_BODY:]
    if not keyed.made_by_any(keys, lambda key: _tag(key, body), tag):
        raise TokenError("forged", "this token was not made here")
    number = int.from_bytes(b32decode(body.upper()), "big")
    age = today - (number & (1 << _DAY_BITS) - 1)
    if age > VALID_DAYS:
        raise TokenError("expired", f"this token was made {age} days ago and was good for {VALID_DAYS}")
    return number >> _DAY_BITS


def return_path(role_address: str, token: str, return_domain: str | None = None) -> str:
    """The reverse-path of a copy: ``ROLE+b-TOKEN`` at ``return_domain`` or else at the role's own domain.

    Where the role's local part leaves no room within 64 octets, ``b-TOKEN`` alone at ``return_domain``, which
    is all ours. Without one the address must be a sub-address (RFC 5233) of the role, since that is all that
    the mail server before us delivers to us: a shortened name would be unknown there. Then a local part of
    more than ``LONGEST_ROLE`` octets raises ValueError.
    """
    local, _, domain = with_tag(role_address, _PREFIX + token).rpartition("@")
    if len(local.encode("utf-8")) <= LONGEST_LOCAL_PART:
        return f"{local}@{return_domain or domain}"
    if return_domain:
        return f"{_PREFIX}{token}@{return_domain}"
    raise ValueError(
        f"{role_address} is too long for a return path: at most {LONGEST_ROLE} characters before the @, "
        "or a return_domain"
    )


def token_of(address: str) -> str | None:
    """The token's part of a return path, in lower case; None: this is no return path.

    After ``+b-`` that is whatever stands there, for ``read`` to judge; ``b-`` alone may begin anybody's name,
    so there only what has a token's form counts.
    """
    local = address.strip().rpartition("@")[0].strip('"').lower()
    _, tagged, token = local.rpartition("+" + _PREFIX)
    if tagged:
        return token
    bare = local.removeprefix(_PREFIX)
    return bare if bare != local and _FORM.match(bare) else None


def _tag(key: bytes, body: str) -> str:
    digest = keyed.digest(key, _PURPOSE + body.encode("ascii"))
    return keyed.base32(digest[:10])[: LENGTH - _BODY]
