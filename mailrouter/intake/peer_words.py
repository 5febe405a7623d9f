"""What another server said, as far as it may be told: it may quote the handoff that a copy carried, or the mail."""

from __future__ import annotations

import email
import email.policy
import re
from binascii import a2b_qp

from mailrouter.errors import StoreError
from mailrouter.message.head import Head
from mailrouter.store.model import Delivery
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
_QUOTED = re.compile(r"[\"'`\u2018\u201c\u00ab]([^\"'`\u2019\u201d\u00bb]+)[\"'`\u2019\u201d\u00bb]")
_ANY_WORD = re.compile(r"\w+")
PHRASE = 3
"""So many words in a row that stand in the text of a mail are a quotation."""
MOST_COMPARED = 65536
"""Octets of a mail, from its beginning, in which a quotation is looked for: a few milliseconds, for a mail that failed or
was put off."""


def for_log(reader: StoreReader, delivery: Delivery, words: str) -> str:
    """A server's words for the log, or their codes alone where they may quote the mail: its subject by a word, its text
    by three in a row, or by a word in quotation marks.

    Logs go to places where mail may not. The queue keeps the words as they were said.
    """
    if not _ANY_WORD.search(_CODES.sub("", words)):
        return words
    try:
        raw = reader.chunk(delivery.message, 0)[:MOST_COMPARED]
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        subject = Head(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n").text("subject") or ""
        text = "\n".join(
            str(part.get_content()) for part in mail.walk() if part.get_content_maintype() == "text"
        )
    except Exception:  # gone, or of a kind that can't be read: it can't be compared
        return codes(words)
    own = _telling(delivery.recipient) | _OF_SERVERS
    quoted = _telling(" ".join(_QUOTED.findall(words)))
    if (
        _telling(words) & _telling(subject) - own
        or quoted & _telling(text) - own
        or _phrases(words) & _phrases(text)
    ):
        return codes(words)
    return words


def codes(words: str) -> str:
    """The codes alone of what a server said: ``550 5.7.1``."""
    return " ".join(_CODES.findall(words)[:2])


def _phrases(text: str) -> set[tuple[str, ...]]:
    found = _ANY_WORD.findall(_CODES.sub(" ", text.casefold()))
    return set(zip(*(found[n:] for n in range(PHRASE)), strict=False))


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
    return codes(words) if quoted else words


def _telling(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
