"""What follows when a copy did not arrive, decided from what the store knows of the whole message.

The operator and the other partners hear of one mailbox at most once an hour (``alerts``). The sender
hears only when nobody behind the role could be reached, once (``sender_dsn``); whether that is so
is asked again in the transaction that records the failure (``Consequence`` in ``mailrouter.store.model``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from mailrouter.address import canonical
from mailrouter.intake.feedback.affected import header_of, moment, others_of, roles_of
from mailrouter.intake.feedback.alerts import HOUR_MS, told_to, trouble_of
from mailrouter.intake.feedback.report_limits import remembered, tellable
from mailrouter.intake.feedback.sender_dsn import (
    composed,
    forged,
    hears,
    news_of,
    report_of,
    status_in,
    wishes,
)
from mailrouter.message.dsn.compose import wants_dsn
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.routing.letters.undelivered import News
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import milliseconds
from mailrouter.schedule.model import Role
from mailrouter.store.model import Consequence, Delivery, Message
from mailrouter.store.protocols import Reading

log = logging.getLogger("mailrouter.intake")

DAY_MS = 24 * HOUR_MS
AWAY_AGAIN_MS = 7 * 24 * HOUR_MS
"""An out-of-office that the schedule knows nothing of is told again after this long."""
DROPPED = "5.7.0"
"""The status of what an operator dropped: a matter of policy, and no more is said (RFC 3463 §3.8)."""


def of_failure(
    desk: Desk,
    reader: Reading,
    delivery: Delivery,
    news: News,
    words: str,
    now: datetime,
    status: str = "",
    sayable: bool = True,
) -> tuple[Consequence, ...]:
    """What is sent because ``delivery`` failed, came back (``bounced``), came round (``loop``) or was answered
    (``away``).

    ``words`` is one line by the other server, ``status`` its enhanced code where it is known apart from them;
    without ``sayable`` the sender gets none of the words. An alert or a report of ours that fails brings nothing
    about but its line in the log. Raises StoreError.
    """
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind in ("alert", "report", "delay", "reply", "letter"):
        return ()
    found: list[Consequence] = []
    head, shape = header_of(reader, entry.message)
    if not (roles := roles_of(desk, entry, delivery)):
        log.error("%s: its role %s is no more, so nobody is told", delivery.queue_id, delivery.role)
    code = status or status_in(words)
    for role in roles:
        away = news == "away"
        if away and _known_away(desk, role, delivery.recipient, now):
            continue
        trouble = trouble_of(desk, role, entry, delivery, news, words, now, head)
        if trouble.sender_hears and not tellable(desk, entry.message, head, code):
            trouble = replace(trouble, sender_hears=False)
        # Two mailboxes that fail would tell of each other's notices for ever; and no mail is missing.
        partners = () if trouble.ours else desk.role_at(role, now).partners
        again = AWAY_AGAIN_MS if away else HOUR_MS
        found += told_to(desk, trouble, partners, delivery, again, others_of(entry, role, delivery))
        if trouble.sender_hears:
            said = words if sayable else ""
            found += report_of(
                desk, role, entry, delivery, said, code, now, head, shape, refused=news == "failed"
            )
    return tuple(found)


def of_delay(
    desk: Desk, reader: Reading, delivery: Delivery, words: str, now: datetime, until: datetime
) -> tuple[Consequence, ...]:
    """The one notice to the sender that nobody behind the role has the mail yet (RFC 3461 §4.1, DELAY), in which
    ``until`` is when trying will end. Raises StoreError."""
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind != "copy":
        return ()
    head, shape = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in roles_of(desk, entry, delivery):
        if hears(entry, role, "delayed") and not forged(desk, head):
            found += report_of(desk, role, entry, delivery, words, "", now, head, shape, until=until)
    return tuple(found)


def of_lasting(
    desk: Desk, reader: Reading, delivery: Delivery, words: str, now: datetime
) -> tuple[Consequence, ...]:
    """What is sent because a mailbox has been failing for a day or more, though this mail is still tried: to the
    operator and the other partners, once a day. Raises StoreError."""
    failing = desk.mailboxes.lasting(delivery.recipient, milliseconds(now))
    entry = reader.entry(delivery.message) if failing and delivery.kind == "copy" else None
    if failing is None or entry is None:
        return ()
    head, _ = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in roles_of(desk, entry, delivery):
        trouble = trouble_of(desk, role, entry, delivery, "failing", words, now, head)
        trouble = replace(trouble, since=moment(failing.since))
        found += told_to(
            desk,
            trouble,
            desk.role_at(role, now).partners,
            delivery,
            DAY_MS,
            others_of(entry, role, delivery),
        )
    return tuple(found)


def of_drop(desk: Desk, reader: Reading, delivery: Delivery, now: datetime) -> tuple[Consequence, ...]:
    """The report to the sender that nobody behind the role gets the mail, where an operator drops the last copy.

    Raises StoreError.
    """
    return _given_up(desk, reader, delivery, now, DROPPED)


def of_withdrawal(desk: Desk, reader: Reading, delivery: Delivery, now: datetime) -> tuple[Consequence, ...]:
    """The same where ``delivery`` is withdrawn, nothing takes its place, and all others have failed.

    Raises StoreError.
    """
    return _given_up(desk, reader, delivery, now)


def _given_up(
    desk: Desk, reader: Reading, delivery: Delivery, now: datetime, status: str = ""
) -> tuple[Consequence, ...]:
    """``status`` is the report's; without it that of the copies that failed."""
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind != "copy":
        return ()
    head, shape = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in roles_of(desk, entry, delivery):
        if hears(entry, role, "failed") and not forged(desk, head):
            replies = (other.last_reply for other in others_of(entry, role, delivery))
            refused = next(filter(None, map(status_in, replies)), "")
            if not status and not tellable(desk, entry.message, head, refused):
                continue
            why = status or refused
            found += report_of(desk, role, entry, delivery, "", why, now, head, shape, refused=True)
    return tuple(found)


def of_expansion(
    desk: Desk, message: Message, roles: Iterable[Role], head: Head, shape: Shape, now: datetime
) -> list[Consequence]:
    """The reports to a sender who asked to hear of success: each role's mail was passed on to everybody behind it.

    For such an address that is all there is to say (RFC 3461 §5.2.7.2); what becomes of the copies is told by nobody.
    They are capped, for whoever writes in a stranger's name would have us send that stranger one for each mail.
    """
    if not message.reverse_path or forged(desk, head):
        return []
    at = milliseconds(now)
    found = []
    for role in roles:
        if any(wants_dsn(wish, "expanded") for wish in wishes(message, role, "notify")):
            news = replace(news_of(desk, role, message, (), now), expanded=True)
            once = remembered("success", message, role, at)
            made = composed(news, message, role, head, shape, at)
            found += [Consequence(report, memory=once) for report in made]
    return found


def _known_away(desk: Desk, role: Role, email: str, now: datetime) -> bool:
    duty = desk.rosters[role.key].duty(now)
    return any(canonical(away.person.email) == canonical(email) for away in duty.away)
