"""Our message to the operator that the next server works again, after a trouble that lasted. Pure."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime

from mailrouter.message import compose
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox


@dataclass(frozen=True, slots=True)
class HopTrouble:
    """A trouble of the next server that is over: ``since`` and ``until`` have the time zone in which they are read.

    ``words`` is what the server said, ``waited`` how many mails waited when it ended. ``seed`` is random.
    """

    hop: str
    since: datetime
    until: datetime
    words: str
    waited: int
    hostname: str
    seed: bytes


def hop_letter(trouble: HopTrouble, postmaster: str) -> Pieces:
    """The message: from when to when, why, and how many mails waited."""
    derived = hashlib.blake2b(b"next hop", key=trouble.seed[:64], digest_size=15).digest()
    left = base64.b32encode(derived).decode().lower()
    headers = b"".join(
        (
            writing.address_field("From", [Mailbox("mailrouter", f"mailrouter@{trouble.hostname}")]),
            writing.address_field("To", [Mailbox("", postmaster)]),
            writing.field("Subject", f"The next mail server takes mail again ({trouble.hop})"),
            f"Date: {writing.date_field(trouble.until)}\r\n".encode(),
            f"Message-ID: {writing.message_id(left, trouble.hostname)}\r\n".encode(),
            b"Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5
            b"X-Auto-Response-Suppress: All\r\n",
        )
    )
    return compose.fresh(headers, [compose.note_part(_words(trouble))])


def _words(trouble: HopTrouble) -> str:
    waited = {0: "No mail waited.", 1: "1 mail waited; it is being sent now."}.get(
        trouble.waited, f"{trouble.waited:,} mails waited; they are being sent now."
    )
    return (
        f"mailrouter could not deliver to {trouble.hop}\n"
        f"from {_moment(trouble.since)} to {_moment(trouble.until)}.\n\n"
        f"{waited} Nothing was lost, and nobody\nwas told that a mail had failed.\n\n"
        f"The reason was:\n  {trouble.words}\n"
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} {at.tzname() or ''}".strip()
