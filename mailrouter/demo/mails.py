"""The demo's mails, and a mail program's way of sending."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr

from mailrouter.demo.folder import QUIET_ROLE, ROLE
from mailrouter.demo.signed_mail import SIGNED
from mailrouter.errors import MailrouterError
from mailrouter.message.text.writing import date_field
from mailrouter.store.ids import MessageId, message_id_of

TIMEOUT = 20
"""Seconds that the relay has to answer."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail of the show: what it stands for, and from its From field on what is sent."""

    title: str
    about: str
    sender: str
    recipient: str
    rest: str

    def raw(self, now: datetime) -> bytes:
        """The mail in CRLF lines, with Date and Message-ID (RFC 5322 §2.1)."""
        ours = (
            f"From: {self.sender}\nDate: {date_field(now)}\nMessage-ID: {make_msgid(domain='example.test')}\n"
        )
        return (ours + self.rest).replace("\n", "\r\n").encode()


def scenes(now: datetime) -> tuple[Scene, ...]:
    """The show, in its order; ``now`` sets the invitation's date."""
    return (
        Scene(
            "A plain mail",
            "Jane, a colleague, writes to the one address. Elaine is away, so both partners get a note that says "
            "so, and the handoff that Elaine left.",
            "Jane Doe <jane@example.test>",
            ROLE,
            _PLAIN,
        ),
        Scene(
            "A signed mail",
            "Ruth, a lawyer outside, signs her mails. A changed mail would look tampered with, so hers stays as it "
            "is, and the note and the handoff come in a second mail.",
            "Ruth Stone <ruth@stone-law.example>",
            ROLE,
            f"To: {ROLE}\nSubject: Our opinion on the working hours\n{SIGNED}",
        ),
        Scene(
            "A calendar invitation",
            "Calendars read these mails, and anything added could break them. It goes to both as it is.",
            "Tom Reed <tom@example.test>",
            ROLE,
            _INVITATION.format(day=f"{now + timedelta(days=7):%Y%m%d}", stamp=f"{now:%Y%m%dT%H%M%SZ}"),
        ),
        Scene(
            "A newsletter",
            "A list sends the same to many, so there is nothing to add for the partners.",
            "HR Weekly <news@hr-weekly.example>",
            ROLE,
            _NEWSLETTER,
        ),
        Scene(
            "Nobody is in",
            "A second role, the Office Manager, is shared by Ben and Mia. Both are away this week. Jane writes to "
            "them, and this time she is answered.",
            "Jane Doe <jane@example.test>",
            QUIET_ROLE,
            _SHELVES,
        ),
    )


def send(scene: Scene, raw: bytes, host: str, port: int) -> MessageId:
    """Send it by SMTP; gives the id under which the relay took it. Raises MailrouterError, OSError."""
    path = parseaddr(scene.sender)[1]
    with smtplib.SMTP(host, port, local_hostname="mail.example.test", timeout=TIMEOUT) as relay:
        commands: tuple[Callable[[], tuple[int, bytes]], ...] = (
            relay.ehlo,
            lambda: relay.mail(path),
            lambda: relay.rcpt(scene.recipient),
            lambda: relay.data(raw),
        )
        words = ""
        for command in commands:
            code, reply = command()
            words = reply.decode("ascii", "replace")
            if not 200 <= code < 300:
                raise MailrouterError(f"The relay did not take a mail of the demo: {code} {words}")
    return message_id_of(words.rpartition(" ")[2])


_PLAIN = f"""\
To: {ROLE}
Subject: A second trainer?
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

may we hire a second trainer for the spring courses?
I need a yes or no by Thursday.

Jane
"""
_SHELVES = f"""\
To: {QUIET_ROLE}
Subject: New shelves
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello,

who can let the carpenter in tomorrow?

Jane
"""
_NEWSLETTER = f"""\
To: {ROLE}
Subject: HR Weekly: five ideas for job sharing
List-Id: HR Weekly <news.hr-weekly.example>
List-Unsubscribe: <mailto:leave@hr-weekly.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

This week: two people, one job, one address.
"""
_INVITATION = f"""\
To: {ROLE}
Subject: Invitation: Budget meeting
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="invitation"

--invitation
Content-Type: text/plain; charset=utf-8

Budget meeting, next week at 10:00 (UTC).
--invitation
Content-Type: text/calendar; charset=utf-8; method=REQUEST

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Calendar//EN
METHOD:REQUEST
BEGIN:VEVENT
UID:budget-{{stamp}}@example.test
DTSTAMP:{{stamp}}
DTSTART:{{day}}T100000Z
DTEND:{{day}}T110000Z
SUMMARY:Budget meeting
ORGANIZER;CN=Tom Reed:mailto:tom@example.test
ATTENDEE;RSVP=TRUE:mailto:{ROLE}
END:VEVENT
END:VCALENDAR
--invitation--
"""
