"""An alert to the operator about a mail that is not read for it: facts of its envelope alone. Pure."""

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
class PlainAlert:
    """What it says, to whom, and in which role's name it is stopped where it comes back. ``seed`` is random."""

    subject: str
    words: str
    postmaster: str
    hostname: str
    role_address: str
    loop_mark: str
    moment: datetime
    seed: bytes

    def pieces(self) -> Pieces:
        """The message."""
        derived = hashlib.blake2b(self.subject.encode(), key=self.seed[:64], digest_size=15)
        left = base64.b32encode(derived.digest()).decode().lower()
        headers = b"".join(
            (
                f"Mailrouter-Loop: {self.loop_mark}\r\n".encode("ascii"),
                writing.field("Mailrouter-Role", self.role_address),
                writing.address_field("From", [Mailbox("mailrouter", f"mailrouter@{self.hostname}")]),
                writing.address_field("To", [Mailbox("", self.postmaster)]),
                writing.field("Subject", writing.safe_subject(self.subject)),
                f"Date: {writing.date_field(self.moment)}\r\n".encode(),
                f"Message-ID: {writing.message_id(left, self.hostname)}\r\n".encode(),
                b"Auto-Submitted: auto-generated\r\n",  # RFC 3834 §5
                b"X-Auto-Response-Suppress: All\r\n",
            )
        )
        return compose.fresh(headers, [compose.note_part(self.words)])
