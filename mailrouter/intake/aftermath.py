"""What follows when a copy did not arrive: who is told, decided from what the store knows of the whole message.

The operator and the other partners hear of one mailbox at most once an hour. The sender hears only when nobody behind
the role could be reached, once, from a report that names the role alone (RFC 3464); whether that is so is asked again
in the transaction that records the failure (``mailrouter.store.consequences``).
"""

from __future__ import annotations

import hmac
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from mailrouter.address import canonical, split_tag
from mailrouter.errors import StoreError
from mailrouter.intake.facts import Desk
from mailrouter.intake.rows import day_of, milliseconds, own_message
from mailrouter.message.dsn import Undelivered, compose_dsn, wants_dsn
from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape
from mailrouter.routing.undelivered import News, Trouble, operator_alert, partner_notice
from mailrouter.routing.verdict import verdicts
from mailrouter.schedule.model import Role
from mailrouter.store.model import (
    Consequence,
    Delivery,
    Message,
    Milliseconds,
    QueueEntry,
    ReplyMemory,
    queue_id,
)
from mailrouter.store.reader import StoreReader

log = logging.getLogger("mailrouter.intake")

HOUR_MS = 3_600_000
AWAY_AGAIN_MS = 7 * 24 * HOUR_MS
"""An out-of-office that the schedule knows nothing of is told again after this long."""
ALIVE = ("queued", "delivered")


def of_failure(
    desk: Desk,
    reader: StoreReader,
    delivery: Delivery,
    news: News,
    words: str,
    now: datetime,
    status: str = "",
) -> tuple[Consequence, ...]:
    """What is sent because ``delivery`` failed, came back (``bounced``) or was answered (``away``).

    ``words`` is one line by the other server, ``status`` its enhanced code where it is known apart from them. An
    alert or a report of ours that fails brings nothing about but its line in the log. Raises StoreError.
    """
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind in ("alert", "report", "reply", "letter"):
        return ()
    found: list[Consequence] = []
    head, shape = header_of(reader, entry.message)
    if not (roles := _roles(desk, delivery)):
        log.error("%s: its role %s is no more, so nobody is told", delivery.queue_id, delivery.role)
    for role in roles:
        away = news == "away"
        if away and _known_away(desk, role, delivery.recipient, now):
            continue
        trouble = _trouble(desk, role, entry, delivery, news, words, now, head)
        found += _told(desk, trouble, entry.message, AWAY_AGAIN_MS if away else HOUR_MS)
        if trouble.sender_hears and not _forged(desk, head):
            found += _report(
                desk, role, entry, delivery, words, status, now, head, shape, refused=news == "failed"
            )
    return tuple(found)


def of_delay(
    desk: Desk, reader: StoreReader, delivery: Delivery, words: str, now: datetime, until: datetime
) -> tuple[Consequence, ...]:
    """The one notice to the sender that nobody behind the role has the mail yet (RFC 3461 §4.1, DELAY), in which
    ``until`` is when trying will end. Raises StoreError."""
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind != "copy":
        return ()
    head, shape = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in _roles(desk, delivery):
        if _hears(entry, role, "delayed") and not _forged(desk, head):
            found += _report(desk, role, entry, delivery, words, "", now, head, shape, until=until)
    return tuple(found)


def of_expansion(
    desk: Desk, message: Message, roles: Iterable[Role], head: Head, shape: Shape, now: datetime
) -> list[Delivery]:
    """The reports to a sender who asked to hear of success: each role's mail was passed on to everybody behind it.

    For such an address that is all there is to say (RFC 3461 §5.2.7.2); what becomes of the copies is told by nobody.
    """
    if not message.reverse_path or _forged(desk, head):
        return []
    found = []
    for role in roles:
        if any(wants_dsn(wish, "expanded") for wish in _wishes(message, role, "notify")):
            news = replace(_news(desk, role, message, now), expanded=True)
            found += _composed(news, message, role, head, shape, milliseconds(now))
    return found


def header_of(reader: StoreReader, message: Message) -> tuple[Head, Shape]:
    """A message's header section, and its shape as far as that tells it; an empty one where it is gone."""
    try:
        raw = reader.chunk(message.id, 0)[: message.body_start]
    except StoreError:
        raw = b""
    scanner = Scanner()
    scanner.feed(raw or b"\r\n")
    shape = scanner.finish()
    return scanner.head, replace(shape, size=message.size, eight_bit=message.eight_bit)


def _roles(desk: Desk, delivery: Delivery) -> list[Role]:
    known = {role.key: role for role in desk.configuration.roles}
    return [known[key] for key in delivery.role.split(",") if key in known]


def _known_away(desk: Desk, role: Role, email: str, now: datetime) -> bool:
    duty = desk.rosters[role.key].duty(now)
    return any(canonical(away.person.email) == canonical(email) for away in duty.away)


def copies_of(entry: QueueEntry, role: Role) -> list[Delivery]:
    """The copies of a message that are for ``role``: by their own word, or by who its people are.

    A delivery that carries a handoff names that handoff's role alone, though it may be for another as well.
    """
    people = {canonical(person.email) for person in role.people}
    return [
        other
        for other in entry.deliveries
        if other.kind == "copy"
        and other.state != "withdrawn"
        and (role.key in other.role.split(",") or canonical(other.recipient) in people)
    ]


def _hears(entry: QueueEntry, role: Role, event: Literal["failed", "delayed"]) -> bool:
    """Whether the sender wants to hear of this: there is one, and no NOTIFY speaks against it."""
    if not entry.message.reverse_path:
        return False
    return any(wants_dsn(wish, event) for wish in _wishes(entry.message, role, "notify"))


def _forged(desk: Desk, head: Head) -> bool:
    """A report about spam, or to a forged sender, would be spam of ours (RFC 5321 §6.2)."""
    found = verdicts(head, desk.configuration.settings.authserv_id)
    return found.spam or found.dmarc_fail


def _wishes(message: Message, role: Role, which: Literal["notify", "orcpt"]) -> list[str | None]:
    """The parameter of each recipient that meant this role; None where it had none."""
    asked = getattr(message.dsn, which)
    mine = {role.address, *role.aliases}
    wishes = [asked.get(r) for r in message.recipients if split_tag(r)[0] in mine]
    return wishes or [None]


def _trouble(
    desk: Desk,
    role: Role,
    entry: QueueEntry,
    delivery: Delivery,
    news: News,
    words: str,
    now: datetime,
    head: Head,
) -> Trouble:
    others = [other for other in copies_of(entry, role) if other.id != delivery.id]
    message = entry.message
    return Trouble(
        news=news,
        role=role,
        recipient=delivery.recipient,
        words=words,
        queue=queue_id(message.id),
        sender=message.reverse_path,
        subject=head.text("subject") or "",
        message_id=message.message_id,
        arrived=_moment(message.received_at),
        moment=now,
        hostname=desk.configuration.settings.hostname,
        loop_mark=desk.loop_marks[role.key],
        seed=os.urandom(32),
        have=tuple(other.recipient for other in others if other.state == "delivered"),
        trying=tuple(other.recipient for other in others if other.state == "queued"),
        sender_hears=news != "away" and delivery.kind == "copy" and _hears(entry, role, "failed"),
    )


def _told(desk: Desk, trouble: Trouble, message: Message, again: int) -> list[Consequence]:
    """To the operator first, then to the other partners: each at most once in ``again`` milliseconds."""
    role, at = trouble.role, milliseconds(trouble.moment)
    to_whom = [(desk.configuration.settings.postmaster, None)]
    failed = canonical(trouble.recipient)
    to_whom += [(person.email, person) for person in role.partners if canonical(person.email) != failed]
    found = []
    for address, person in to_whom:
        if person is None:
            kind, made = "alert", operator_alert(trouble, address, desk.wording)
        else:
            kind, made = "notice", partner_notice(trouble, person, desk.wording)
        key = _key(desk, trouble.news == "away", role.key, failed, canonical(address))
        memory = ReplyMemory(key, at, at - again, day_of(at), ())
        found.append(Consequence(own_message(message.id, kind, role.key, address, made, at), memory=memory))
    return found


def _report(
    desk: Desk,
    role: Role,
    entry: QueueEntry,
    delivery: Delivery,
    words: str,
    status: str,
    now: datetime,
    head: Head,
    shape: Shape,
    *,
    refused: bool = False,
    until: datetime | None = None,
) -> list[Consequence]:
    """The report to the sender; none where its return path can't be written into one.

    What was ``refused`` is still whole in the store; of what came back the header alone is left.
    """
    message, at = entry.message, milliseconds(now)
    news = replace(
        _news(desk, role, message, now),
        status=status or status_in(words),
        diagnostic=words,
        full=refused and message.dsn.ret.upper() == "FULL",
        retry_until=until.astimezone(role.time_zone) if until else None,
    )
    others = tuple(other.id for other in copies_of(entry, role) if other.id != delivery.id)
    kind = "delay" if until else "report"
    once = ReplyMemory(f"{kind} {message.id} {role.key}", at, 0, day_of(at), ())
    states = ("delivered",) if until else ALIVE
    made = _composed(news, message, role, head, shape, at)
    return [Consequence(report, others, states, once) for report in made]


def _news(desk: Desk, role: Role, message: Message, now: datetime) -> Undelivered:
    """What every report to this sender holds."""
    return Undelivered(
        role_address=role.address,
        role_name=role.name,
        reverse_path=message.reverse_path,
        hostname=desk.configuration.settings.hostname,
        moment=now.astimezone(role.time_zone),
        arrived=_moment(message.received_at).astimezone(role.time_zone),
        seed=os.urandom(32),
        private=_private(desk, role),
        envid=message.dsn.envid or None,
        orcpt=next(filter(None, _wishes(message, role, "orcpt")), None),
    )


def _composed(
    news: Undelivered, message: Message, role: Role, head: Head, shape: Shape, at: Milliseconds
) -> list[Delivery]:
    """The report as a delivery; nothing where the return path can't be written into one."""
    try:
        made = compose_dsn(news, head, shape)
    except ValueError as error:
        log.warning("%s: no report can be sent: %s", queue_id(message.id), error)
        return []
    report = own_message(message.id, "report", role.key, message.reverse_path, made, at)
    report.eight_bit = news.full and message.eight_bit
    report.smtputf8 = not message.reverse_path.isascii()
    return [report]


def _private(desk: Desk, role: Role) -> tuple[str, ...]:
    people = [word for person in role.people for word in (person.email, person.name)]
    host = desk.configuration.settings.deliver.host
    return (*people, *([host] if host else []))


def status_in(words: str) -> str:
    """The enhanced code of a reply as it is kept (``550 5.1.1 …``); ``""`` where there is none."""
    parts: Sequence[str] = words.split(None, 2)
    return parts[1] if len(parts) > 1 and parts[1].count(".") == 2 else ""


def _key(desk: Desk, away: bool, *names: str) -> str:
    """Keyed, as the table of memories is not to tell whose mailbox had troubles."""
    words = "\0".join(("away" if away else "trouble", *names))
    return f"told {hmac.digest(desk.key, words.encode(), 'sha256')[:15].hex()}"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
