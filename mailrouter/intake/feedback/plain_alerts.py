"""Alerts to the operator about mail that mailrouter no longer reads. Twice it did not survive reading it."""

from __future__ import annotations

import os
from datetime import datetime

from mailrouter.address import canonical
from mailrouter.message.pieces import Pieces
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.writing import safe_subject
from mailrouter.moments import milliseconds
from mailrouter.routing.letters.own_mail import OwnMail, role_marks
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import own_message
from mailrouter.schedule.model import Role
from mailrouter.store.model import Consequence, Delivery, Message, Outcome


def of_untold(
    desk: Desk, message: Message | None, delivery: Delivery, outcome: Outcome, now: datetime
) -> tuple[Consequence, ...]:
    """The alert that an outcome could not be told as usual."""
    became = "is still being tried" if outcome.state == "queued" else f"has {outcome.state}"
    words = (
        f"A mail to {delivery.recipient} {became}, and mailrouter could not tell anybody about it as it usually does: "
        "that failed, or ended the service unexpectedly. So nothing of the mail was read for this message, and neither "
        "the sender nor the other partners were told.\n\n"
        f"{_facts(message, delivery)}\nWhat the next server said: {outcome.reply[:200]}\n\n"
        f"To look: mailrouter queue show {delivery.queue_id}\n"
        "Please tell those whom it concerns, and keep the log for a report to mailrouter's makers."
    )
    return _alert(desk, delivery, f"A mail to {delivery.recipient} needs your eyes", words, now)


def of_suspect(
    desk: Desk, message: Message | None, delivery: Delivery, now: datetime
) -> tuple[Consequence, ...]:
    """The alert that a suspect delivery was put on hold. It was under way at two unexpected ends in a row."""
    words = (
        "mailrouter ended unexpectedly twice in a row, and both times it was working on the same mail. It may be the "
        "cause, so it is on hold now, and all other mail goes on. Nothing of it was read for this message.\n\n"
        f"{_facts(message, delivery)}\n\n"
        f"To look: mailrouter queue show {delivery.queue_id}\n"
        f"To send it after all: mailrouter queue release {delivery.queue_id}"
    )
    return _alert(desk, delivery, f"A mail to {delivery.recipient} is on hold", words, now)


def _facts(message: Message | None, delivery: Delivery) -> str:
    lines = [f"Queue id: {delivery.queue_id}", f"To: {delivery.recipient} ({delivery.kind})"]
    if message is not None:
        lines.append(f"From: {safe_subject(message.reverse_path, 200) or '<>'}, by {message.client}")
        lines.append(f"Size: {message.size} octets")
    return "\n".join(lines)


def of_arriving(desk: Desk, path: str, client: str, size: int, now: datetime) -> Pieces | None:
    """The alert that a suspect mail is put off at the door.

    It was being worked on at two unexpected ends; None where nobody can be told.
    """
    words = (
        "mailrouter ended unexpectedly twice in a row, and both times it was working on the same mail as it came in. "
        "It may be the cause, so it is answered 451 from now on, and its sender keeps it. All other mail is taken. "
        "Nothing of it was read for this message.\n\n"
        f"From: {safe_subject(path, 200) or '<>'}, by {client}\nSize: {size} octets\n\n"
        "To have it taken after all: restart mailrouter.\n"
        "Please keep the log for a report to mailrouter's makers."
    )
    return _made(desk, next(iter(desk.configuration.roles), None), "A mail is not taken for now", words, now)


def of_settings(desk: Desk, problems: str, now: datetime) -> Pieces | None:
    """The alert that mailrouter goes by its last right settings. None where nobody can be told."""
    words = (
        "mailrouter was started, and its settings (mailrouter.yaml) can't be used. So that mail goes on, it works by "
        "those that were right last, all of them; what was changed since is not in force.\n\n"
        f"{problems}\n\n"
        "Mend the file, look at it with `mailrouter check`, and restart mailrouter."
    )
    return _made(
        desk, next(iter(desk.configuration.roles), None), "mailrouter's settings are broken", words, now
    )


def _alert(
    desk: Desk, delivery: Delivery, subject: str, words: str, now: datetime
) -> tuple[Consequence, ...]:
    postmaster = desk.configuration.settings.postmaster
    keys = delivery.roles
    role = next((role for role in desk.configuration.roles if role.key in keys), None)
    # One about an alert of ours would never end.
    if delivery.kind == "alert" and canonical(delivery.recipient) == canonical(postmaster):
        return ()
    made = _made(desk, role, subject, words, now)
    if made is None:
        return ()
    role_key = role.key if role else delivery.role
    return (
        Consequence(own_message(delivery.message, "alert", role_key, postmaster, made, milliseconds(now))),
    )


def _made(desk: Desk, role: Role | None, subject: str, words: str, now: datetime) -> Pieces | None:
    settings = desk.configuration.settings
    if desk.role_of(settings.postmaster)[0] is not None:  # it would come in again
        return None
    address, mark = (role.address, desk.loop_marks[role.key]) if role else ("", "")
    return OwnMail(
        to=Mailbox("", settings.postmaster),
        subject=subject,
        words=words,
        moment=now,
        hostname=settings.hostname,
        seed=os.urandom(32),
        what=subject,
        marks=role_marks(mark, address),
    ).pieces()
