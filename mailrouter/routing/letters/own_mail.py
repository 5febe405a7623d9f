"""A message of ours that answers no mail: its header, and a text of our own. Pure."""

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
class OwnMail:
    """A message of ours: words, recipient and moment. ``moment`` has the time zone that its Date shows.

    ``seed`` is random, and ``what`` tells the message from others made of the same seed. Without a ``sender`` it comes
    from the program itself, where nobody answers. ``marks`` are whole fields before all others.
    """

    to: Mailbox
    subject: str
    words: str
    moment: datetime
    hostname: str
    seed: bytes
    what: str
    sender: Mailbox | None = None
    marks: bytes = b""

    def pieces(self) -> Pieces:
        """The message, ready to be sent."""
        derived = hashlib.blake2b(self.what.encode(), key=self.seed[:64], digest_size=15).digest()
        left = base64.b32encode(derived).decode().lower()
        sender = self.sender or Mailbox("mailrouter", f"mailrouter@{self.hostname}")
        headers = b"".join(
            (
                self.marks,
                writing.address_field("From", [sender]),
                writing.address_field("To", [self.to]),
                writing.field("Subject", writing.safe_subject(self.subject)),
                f"Date: {writing.date_field(self.moment)}\r\n".encode(),
                f"Message-ID: {writing.message_id(left, self.hostname)}\r\n".encode(),
                AUTOMATIC,
            )
        )
        return compose.fresh(headers, [compose.note_part(self.words)])


AUTOMATIC = b"Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
"""The fields that keep programs from answering (RFC 3834 §5)."""


def role_marks(loop_mark: str, role_address: str) -> bytes:
    """The fields that stop a forwarded message at the door. A mailbox forwards it to the role."""
    return f"Mailrouter-Loop: {loop_mark}\r\n".encode("ascii") + writing.field(
        "Mailrouter-Role", role_address
    )
