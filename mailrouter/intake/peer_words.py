"""What another server said, as far as it may be told: its words may quote the handoff that a copy carried."""

from __future__ import annotations

import re
from binascii import a2b_qp

from mailrouter.errors import StoreError
from mailrouter.store.model import (
    Delivery,
)
from mailrouter.store.reader import StoreReader

_WORD = re.compile(r"\w{4,}")
_OF_SERVERS = frozenset(
    _WORD.findall(
        "account address been body blocked command content could delivered delivery denied disabled does domain "
        "error exist failed found from full have header host inactive local mail mailbox message over permanent "
        "please policy quota received recipient refused rejected relay sender server service size spam such "
        "temporarily that their this unavailable unknown user virus with your"
    )
)
"""What servers say of themselves, and people write as well."""
_CODES = re.compile(r"(?<![\w.])(?:[245]\.[0-9]{1,3}\.[0-9]{1,3}|[245][0-9][0-9])(?![\w.])")


def without_handoff(reader: StoreReader, delivery: Delivery, words: str) -> str:
    """A server's words, or their codes alone where they may quote the handoff that the delivery carried.

    Content filters name what they found, and IT and the sender are no partners. A word that stands in both is
    enough; the recipient's own address does not count.
    """
    if not delivery.handoff or not words:
        return words
    try:
        handoff = a2b_qp(reader.handoff_body(delivery.handoff)).decode("utf-8", "replace")
    except StoreError:
        handoff = words  # it can't be compared
    quoted = _telling(words) & _telling(handoff) - _telling(delivery.recipient) - _OF_SERVERS
    return " ".join(_CODES.findall(words)[:2]) if quoted else words


def _telling(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
