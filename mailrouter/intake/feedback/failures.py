"""Consequences of a failed copy, decided from its message's rows.

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
from mailrouter.intake.feedback.alerts import told_to
from mailrouter.intake.feedback.incident import Answer, read_incident
from mailrouter.intake.feedback.report_limits import remembered
from mailrouter.intake.feedback.sender_dsn import composed, forged, kept_status, news_of, wishes
from mailrouter.intake.received import Received
from mailrouter.message.dsn.undelivered import wants_dsn
from mailrouter.moments import DAY_MS, HOUR_MS, milliseconds, moment_at
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.store.model import Consequence, Delivery, Message
from mailrouter.store.protocols import Reading

log = logging.getLogger("mailrouter.intake")

AWAY_AGAIN_MS = 7 * DAY_MS
"""An out-of-office that the schedule knows nothing of is told again after this long."""
DROPPED = "5.7.0"
"""The status of what an operator dropped: a matter of policy, and no more is said (RFC 3463 §3.8)."""


async def of_failure(
    desk: Desk, reader: Reading, delivery: Delivery, answer: Answer, now: datetime
) -> tuple[Consequence, ...]:
    """The messages due because ``delivery`` did not arrive, or was answered.

    It failed, came back (``bounced``), came round (``loop``) or was answered by a program (``away``).

    An alert or a report of ours that fails brings nothing about but its line in the log. Raises StoreError.
    """
    if delivery.kind in ("alert", "report", "delay", "reply", "letter"):
        return ()
    incident = await read_incident(desk, reader, delivery, now, answer.words, answer.status)
    if incident is None:
        return ()
    found: list[Consequence] = []
    if not incident.roles:
        log.error("%s: its role %s is no more, so nobody is told", delivery.queue_id, delivery.role)
    sayable = incident if answer.sayable else replace(incident, words="", status=incident.code)
    away = answer.news == "away"
    for role in incident.roles:
        if away and _known_away(desk, role, delivery.recipient, now):
            continue
        trouble = incident.trouble(role, answer.news)
        if trouble.sender_hears and not incident.tellable():
            trouble = replace(trouble, sender_hears=False)
        found += told_to(incident, trouble, AWAY_AGAIN_MS if away else HOUR_MS)
        if trouble.sender_hears:
            found += sayable.report(role, refused=answer.news == "failed")
    return tuple(found)


async def of_delay(
    desk: Desk, reader: Reading, delivery: Delivery, words: str, now: datetime, until: datetime
) -> tuple[Consequence, ...]:
    """The one notice to a sender whose mail nobody has yet.

    It is DELAY of RFC 3461 §4.1; ``until`` is when trying will end. Raises StoreError.
    """
    incident = await read_incident(desk, reader, delivery, now, words) if delivery.kind == "copy" else None
    if incident is None:
        return ()
    found: list[Consequence] = []
    for role in incident.roles:
        if incident.sender_hears(role, "delayed"):
            found += incident.report(role, until=until)
    return tuple(found)


async def of_lasting(
    desk: Desk, reader: Reading, delivery: Delivery, words: str, now: datetime
) -> tuple[Consequence, ...]:
    """The messages due because a mailbox keeps failing for a day.

    This mail is still tried. The operator and the other partners are told, once a day. Raises StoreError.
    """
    failing = desk.mailboxes.lasting(delivery.recipient, milliseconds(now))
    if failing is None or delivery.kind != "copy":
        return ()
    incident = await read_incident(desk, reader, delivery, now, words)
    if incident is None:
        return ()
    found: list[Consequence] = []
    for role in incident.roles:
        trouble = replace(incident.trouble(role, "failing"), since=moment_at(failing.since))
        found += told_to(incident, trouble, DAY_MS)
    return tuple(found)


async def of_drop(desk: Desk, reader: Reading, delivery: Delivery, now: datetime) -> tuple[Consequence, ...]:
    """The report to a sender whose mail has its last copy dropped.

    An operator dropped it, and nobody behind the role gets the mail.

    Raises StoreError.
    """
    return await _given_up(desk, reader, delivery, now, DROPPED)


async def of_withdrawal(
    desk: Desk, reader: Reading, delivery: Delivery, now: datetime
) -> tuple[Consequence, ...]:
    """The report to the sender where the last copy is withdrawn.

    Nothing takes the place of ``delivery``, and all others have failed.

    Raises StoreError.
    """
    return await _given_up(desk, reader, delivery, now)


async def _given_up(
    desk: Desk, reader: Reading, delivery: Delivery, now: datetime, status: str = ""
) -> tuple[Consequence, ...]:
    """``status`` is the report's; without it that of the copies that failed."""
    incident = (
        await read_incident(desk, reader, delivery, now, status=status) if delivery.kind == "copy" else None
    )
    if incident is None:
        return ()
    found: list[Consequence] = []
    for role in incident.roles:
        if incident.sender_hears(role, "failed"):
            refused = (kept_status(other.last_reply) for other in incident.others(role))
            told = incident if status else replace(incident, status=next(filter(None, refused), ""))
            if status or told.tellable():
                found += told.report(role, refused=True)
    return tuple(found)


def of_expansion(
    desk: Desk, message: Message, roles: Iterable[Role], received: Received
) -> list[Consequence]:
    """The reports to a sender who asked to hear of success: each role's mail was passed on to everybody behind it.

    For such an address that is all there is to say (RFC 3461 §5.2.7.2); what becomes of the copies is told by nobody.
    They are capped, for whoever writes in a stranger's name would have us send that stranger one for each mail.
    """
    if not message.reverse_path or forged(desk, received.head):
        return []
    now, at = received.moment, milliseconds(received.moment)
    found = []
    for role in roles:
        if any(wants_dsn(wish, "expanded") for wish in wishes(message, role, "notify")):
            news = replace(news_of(desk, role, message, (), now), expanded=True)
            once = remembered("success", message, role, at)
            made = composed(news, message, role, received.head, received.shape, at)
            found += [Consequence(report, memory=once) for report in made]
    return found


def _known_away(desk: Desk, role: Role, email: str, now: datetime) -> bool:
    duty = desk.rosters[role.key].duty(now)
    return any(away.person.mailbox == canonical(email) for away in duty.away)
