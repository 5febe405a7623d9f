"""Our messages about copies that did not arrive: to the operator, and to the other partners. Pure.

The sender hears only when nobody could be reached, and then from ``mailrouter.message.dsn.compose``. Whoever reads these
may know where partners read their mail; a remote server's words are shown to them as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.letters.own_mail import OwnMail, role_marks
from mailrouter.routing.wording import Wording
from mailrouter.schedule.date_words import called, date_words, joined
from mailrouter.schedule.model import Person, Role

News = Literal["failed", "bounced", "away", "failing", "loop"]
"""Refused when it was sent; taken and returned; answered by an out-of-office of the mailbox's own; one of many that
did not arrive for a day; or come back to the role itself."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The facts about a copy that failed or was answered. A machine answered it.

    ``recipient`` is whom it was for; ``words`` is one line by the other server; ``sender`` is the original's
    reverse-path, ``""`` for ``<>``; ``have`` are the emails of partners whose copies arrived, ``trying`` of those
    still tried, ``lost`` of those whose copies did not arrive either; ``sender_hears`` says that a report goes to
    the sender if nobody has it; ``ours``: it was no copy but a message of ours beside it; ``since`` is when mail
    began to fail at that mailbox; ``nobody``: no partner has the mail, nor will. ``seed`` is random.
    """

    news: News
    role: Role
    recipient: str
    words: str
    queue: str
    sender: str
    subject: str
    message_id: str
    arrived: datetime
    moment: datetime
    hostname: str
    loop_mark: str
    seed: bytes
    have: tuple[str, ...] = ()
    trying: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    ours: bool = False
    sender_hears: bool = False
    since: datetime | None = None
    nobody: bool = False


def operator_alert(trouble: Trouble, postmaster: str, wording: Wording) -> Pieces:
    """The alert to IT: whose mailbox, which mail, the other server's words."""
    facts = _facts(trouble)
    if trouble.news == "away":
        subject = f"{facts['who']}'s mailbox answers for {trouble.role.name}"
        words = wording.notice("away-operator", facts)
    elif trouble.news == "failing":
        subject = f"Mail for {trouble.role.name} has not been reaching {trouble.recipient}"
        words = wording.notice("failing-operator", facts)
    elif trouble.news == "loop":
        subject = (
            f"Mail for {trouble.role.name} came back to it: {trouble.recipient or 'a mailbox'} forwards it"
        )
        words = wording.notice("loop-operator", facts)
    elif trouble.nobody:
        subject = f"Nobody has a mail for {trouble.role.name}"
        words = wording.notice("undelivered-operator", facts)
    else:
        what = "A message about mail" if trouble.ours else "Mail"
        subject = f"{what} for {trouble.role.name} did not reach {trouble.recipient}"
        words = wording.notice("undelivered-operator", facts)
    # Not from the role: nobody answers a machine there. Not from the postmaster, to whom it goes.
    return _message(trouble, None, Mailbox("", postmaster), subject, words, "operator")


def partner_notice(trouble: Trouble, to: Person, wording: Wording) -> Pieces:
    """The notice to another partner. That one may be the only one to have the mail."""
    facts = _facts(trouble) | {
        "you_have": to.email in trouble.have,
        "you_wait": to.email in trouble.trying,
        "you_lost": to.email in trouble.lost,
    }
    name = facts["who"]
    if trouble.news == "away":
        subject, words = f"{name}'s mailbox says {name} is away", wording.notice("away-unknown", facts)
    elif trouble.news == "failing":
        subject, words = f"Mail has not been reaching {name}", wording.notice("failing", facts)
    elif trouble.news == "loop":
        subject, words = f"A mail came back from {name}'s mailbox", wording.notice("loop", facts)
    else:
        subject, words = f"A mail did not reach {name}", wording.notice("undelivered", facts)
    back = Mailbox(trouble.role.name, trouble.role.address)
    return _message(trouble, back, Mailbox(to.name, to.email), subject, words, f"notice {to.email}")


def _facts(trouble: Trouble) -> dict[str, object]:
    role = trouble.role
    names = called(role)
    by_email: Mapping[str, str] = {person.email: names[person.key] for person in role.people}
    arrived = trouble.arrived.astimezone(role.time_zone)
    today = trouble.moment.astimezone(role.time_zone).date()
    return {
        "role": role.name,
        "role_address": role.address,
        "who": by_email.get(trouble.recipient, trouble.recipient),
        "recipient": trouble.recipient,
        "bounced": trouble.news == "bounced",
        "ours": trouble.ours,
        "words": trouble.words,
        "queue": trouble.queue,
        "sender": trouble.sender,
        "subject": writing.safe_subject(trouble.subject, 120),
        "message_id": trouble.message_id,
        "arrived": f"{date_words(arrived.date(), today)} at {arrived:%H:%M}",
        "have": joined(by_email.get(email, email) for email in trouble.have),
        "have_many": len(trouble.have) > 1,
        "trying": joined(by_email.get(email, email) for email in trouble.trying),
        "sender_hears": trouble.sender_hears,
        "since": date_words(trouble.since.astimezone(role.time_zone).date(), today) if trouble.since else "",
    }


def _message(
    trouble: Trouble, sender: Mailbox | None, to: Mailbox, subject: str, words: str, what: str
) -> Pieces:
    role = trouble.role
    return OwnMail(
        to=to,
        subject=subject,
        words=words,
        moment=trouble.moment.astimezone(role.time_zone),
        hostname=trouble.hostname,
        seed=trouble.seed,
        what=f"{what} {trouble.recipient}",
        sender=sender,
        marks=role_marks(trouble.loop_mark, role.address),
    ).pieces()
