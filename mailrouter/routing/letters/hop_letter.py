"""The operator's letter that the next server works again. The trouble lasted. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mailrouter.message.pieces import Pieces
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.letters.own_mail import OwnMail


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
    return OwnMail(
        to=Mailbox("", postmaster),
        subject=f"The next mail server takes mail again ({trouble.hop})",
        words=_words(trouble),
        moment=trouble.until,
        hostname=trouble.hostname,
        seed=trouble.seed,
        what="next hop",
    ).pieces()


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
