"""Our message to the operator that lists mails which nobody has. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrouter.message import compose
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class LostMail:
    """One mail that reached nobody: its queue id, its sender (``""`` for ``<>``) and the role's name."""

    queue: str
    sender: str
    role: str


def lost_letter(
    lost: Sequence[LostMail], since: datetime, moment: datetime, hostname: str, postmaster: str, seed: bytes
) -> Pieces:
    """The message; ``seed`` is random."""
    derived = hashlib.blake2b(b"lost mail", key=seed[:64], digest_size=15).digest()
    left = base64.b32encode(derived).decode().lower()
    number = "1 mail" if len(lost) == 1 else f"{len(lost):,} mails"
    headers = b"".join(
        (
            writing.address_field("From", [Mailbox("mailrouter", f"mailrouter@{hostname}")]),
            writing.address_field("To", [Mailbox("", postmaster)]),
            writing.field("Subject", f"Nobody has {number}"),
            f"Date: {writing.date_field(moment)}\r\n".encode(),
            f"Message-ID: {writing.message_id(left, hostname)}\r\n".encode(),
            b"Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5
            b"X-Auto-Response-Suppress: All\r\n",
        )
    )
    lines = [
        f"Besides those you were told of one by one,\n{number} reached no partner since {since:%H:%M}:",
        "",
        *(f"  {one.queue}  {one.role}\n    from {one.sender or '<>'}" for one in lost[:MOST_LISTED]),
        *([f"  … and {len(lost) - MOST_LISTED:,} more"] if len(lost) > MOST_LISTED else []),
        "",
        "Once the cause is mended:",
        "  mailrouter queue retry ID",
        "sends one again.",
    ]
    return compose.fresh(headers, [compose.note_part("\n".join(lines) + "\n")])
