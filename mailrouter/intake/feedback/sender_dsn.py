"""Reports to a sender that nobody behind the role was reached. They follow RFC 3464 and name the role alone."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from mailrouter.address import split_tag
from mailrouter.message.dsn.compose import compose_dsn
from mailrouter.message.dsn.undelivered import Undelivered, wants_dsn
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.moments import moment_at
from mailrouter.routing.verdict import verdicts
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import own_message
from mailrouter.schedule.model import Role
from mailrouter.store.ids import Milliseconds, queue_id
from mailrouter.store.model import Delivery, Kind, Message, QueueEntry

log = logging.getLogger("mailrouter.intake")

REPORT_SIZE = 65_536
"""Octets that a report is larger than the mail in it, at most."""


def hears(entry: QueueEntry, role: Role, event: Literal["failed", "delayed"]) -> bool:
    """Whether the sender wants to hear of this: there is one, and no NOTIFY speaks against it."""
    if not entry.message.reverse_path:
        return False
    return any(wants_dsn(wish, event) for wish in wishes(entry.message, role, "notify"))


def forged(desk: Desk, head: Head) -> bool:
    """Whether a mail is spam or forged: no report follows then (RFC 5321 §6.2)."""
    found = verdicts(head, desk.configuration.settings.authserv_id)
    return found.spam or found.dmarc_fail


def wishes(message: Message, role: Role, which: Literal["notify", "orcpt"]) -> list[str | None]:
    """The parameter of each recipient that meant this role; None where it had none."""
    asked = getattr(message.dsn, which)
    mine = {role.address, *role.aliases}
    wishes = [asked.get(r) for r in message.recipients if split_tag(r)[0] in mine]
    return wishes or [None]


def fits_whole(desk: Desk, message: Message) -> bool:
    """Whether the next server takes a report with the whole message. What it takes is known from its SIZE."""
    limit = desk.next_hop_size()
    return limit is None or message.size + REPORT_SIZE <= limit


def news_of(
    desk: Desk, role: Role, message: Message, deliveries: Iterable[Delivery], now: datetime
) -> Undelivered:
    """The facts that every report to this sender holds."""
    return Undelivered(
        role_address=role.address,
        role_name=role.name,
        reverse_path=message.reverse_path,
        hostname=desk.configuration.settings.hostname,
        moment=now.astimezone(role.time_zone),
        arrived=moment_at(message.received_at).astimezone(role.time_zone),
        seed=os.urandom(32),
        private=_private(desk, deliveries),
        envid=message.dsn.envid or None,
        orcpt=next(filter(None, wishes(message, role, "orcpt")), None),
    )


def composed(
    news: Undelivered, message: Message, role: Role, head: Head, shape: Shape, at: Milliseconds
) -> list[Delivery]:
    """The report as a delivery; nothing where the return path can't be written into one."""
    try:
        made = compose_dsn(news, head, shape)
    except ValueError as error:
        log.warning("%s: no report can be sent: %s", queue_id(message.id), error)
        return []
    kind: Kind = "delay" if news.retry_until else "report"
    report = own_message(message.id, kind, role.key, message.reverse_path, made, at)
    report.eight_bit = (news.full and message.eight_bit) or news.international
    report.smtputf8 = news.international
    return [report]


def _private(desk: Desk, deliveries: Iterable[Delivery]) -> tuple[str, ...]:
    """Words that a report must not repeat: people, mailboxes, the next hop.

    They are the people of every role, and whoever got a copy (they may be no partners any more).
    """
    people = [word for role in desk.configuration.roles for p in role.people for word in (p.email, p.name)]
    people += [other.recipient for other in deliveries if other.kind in ("copy", "companion", "notice")]
    host = desk.configuration.settings.deliver.host
    return (*dict.fromkeys(people), *([host] if host else []))


def kept_status(words: str) -> str:
    """The enhanced code of a kept reply (``550 5.1.1 …``); ``""`` where there is none."""
    parts: Sequence[str] = words.split(None, 2)
    return parts[1] if len(parts) > 1 and parts[1].count(".") == 2 else ""
