"""Our message to the operator that lists mails which nobody has. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrouter.message.pieces import Pieces
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.letters.own_mail import OwnMail

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
    number = "1 mail" if len(lost) == 1 else f"{len(lost):,} mails"
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
    words = "\n".join(lines) + "\n"
    to = Mailbox("", postmaster)
    return OwnMail(to, f"Nobody has {number}", words, moment, hostname, seed, "lost mail").pieces()
