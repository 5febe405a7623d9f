"""What follows when a copy did not arrive: who is told, decided from what the store knows of the whole message.

The operator and the other partners hear of one mailbox at most once an hour. The sender hears only when nobody behind
the role could be reached, once, from a report that names the role alone (RFC 3464); whether that is so is asked again
in the transaction that records the failure (``mailrouter.store.consequences``).
"""

from __future__ import annotations

import hmac
import logging
import os
import re
from binascii import a2b_qp
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from mailrouter.address import canonical, split_tag
from mailrouter.errors import StoreError
from mailrouter.intake.facts import Desk
from mailrouter.intake.handing import addressed
from mailrouter.intake.rows import day_of, milliseconds, own_message
from mailrouter.message.dsn import Undelivered, compose_dsn, wants_dsn
from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape
from mailrouter.routing.undelivered import News, Trouble, operator_alert, partner_notice
from mailrouter.routing.verdict import verdicts
from mailrouter.schedule.model import Person, Role
from mailrouter.store.model import (
    Consequence,
    Delivery,
    Kind,
    Message,
    Milliseconds,
    QueueEntry,
    ReplyMemory,
    State,
    queue_id,
)
from mailrouter.store.reader import StoreReader

log = logging.getLogger("mailrouter.intake")

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
AWAY_AGAIN_MS = 7 * 24 * HOUR_MS
"""An out-of-office that the schedule knows nothing of is told again after this long."""
SUCCESSES = (20, 1000)
"""Reports of success a day, at most: to one sender, and over all."""
REPORTS = 100
"""Reports of failure, and of delay, a day to one sender at most: many more only come to a forged one."""
_WORD = re.compile(r"\w{4,}")
_OF_SERVERS = frozenset(
    _WORD.findall(
        "account address been body blocked command content could delivered delivery denied disabled does domain "
        "error exist failed found from full have header host inactive local mail mailbox message over permanent "
        "please policy quota received recipient refused rejected relay sender server service size spam such "
        "temporarily that their this unavailable unknown user virus with your"
    )
)
"""What servers say of themselves, and people write as well."""
_CODES = re.compile(r"(?<![\w.])(?:[245]\.[0-9]{1,3}\.[0-9]{1,3}|[245][0-9][0-9])(?![\w.])")
DROPPED = "5.7.0"
"""The status of what an operator dropped: a matter of policy, and no more is said (RFC 3463 §3.8)."""
ALIVE: tuple[State, ...] = ("queued", "held", "delivered")


def of_failure(
    desk: Desk,
    reader: StoreReader,
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
    words = without_handoff(reader, delivery, words)
    if not (roles := _roles(desk, entry, delivery)):
        log.error("%s: its role %s is no more, so nobody is told", delivery.queue_id, delivery.role)
    for role in roles:
        away = news == "away"
        if away and _known_away(desk, role, delivery.recipient, now):
            continue
        trouble = _trouble(desk, role, entry, delivery, news, words, now, head)
        # Two mailboxes that fail would tell of each other's notices for ever; and no mail is missing.
        partners = () if trouble.ours else desk.role_at(role, now).partners
        again = AWAY_AGAIN_MS if away else HOUR_MS
        found += _told(desk, trouble, partners, entry.message, again, _others(entry, role, delivery))
        if trouble.sender_hears:
            said, code = words if sayable else "", status or status_in(words)
            found += _report(
                desk, role, entry, delivery, said, code, now, head, shape, refused=news == "failed"
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
    words = without_handoff(reader, delivery, words)
    found: list[Consequence] = []
    for role in _roles(desk, entry, delivery):
        if _hears(entry, role, "delayed") and not _forged(desk, head):
            found += _report(desk, role, entry, delivery, words, "", now, head, shape, until=until)
    return tuple(found)


def of_lasting(
    desk: Desk, reader: StoreReader, delivery: Delivery, words: str, now: datetime
) -> tuple[Consequence, ...]:
    """What is sent because a mailbox has been failing for a day or more, though this mail is still tried: to the
    operator and the other partners, once a day. Raises StoreError."""
    failing = desk.mailboxes.lasting(delivery.recipient, milliseconds(now))
    entry = reader.entry(delivery.message) if failing and delivery.kind == "copy" else None
    if failing is None or entry is None:
        return ()
    head, _ = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in _roles(desk, entry, delivery):
        trouble = _trouble(desk, role, entry, delivery, "failing", words, now, head)
        trouble = replace(trouble, since=_moment(failing.since))
        found += _told(
            desk,
            trouble,
            desk.role_at(role, now).partners,
            entry.message,
            DAY_MS,
            _others(entry, role, delivery),
        )
    return tuple(found)


def of_drop(desk: Desk, reader: StoreReader, delivery: Delivery, now: datetime) -> tuple[Consequence, ...]:
    """The report to the sender that nobody behind the role gets the mail, where an operator drops the last copy.

    Raises StoreError.
    """
    entry = reader.entry(delivery.message)
    if entry is None or delivery.kind != "copy":
        return ()
    head, shape = header_of(reader, entry.message)
    found: list[Consequence] = []
    for role in _roles(desk, entry, delivery):
        if _hears(entry, role, "failed") and not _forged(desk, head):
            found += _report(desk, role, entry, delivery, "", DROPPED, now, head, shape, refused=True)
    return tuple(found)


def of_expansion(
    desk: Desk, message: Message, roles: Iterable[Role], head: Head, shape: Shape, now: datetime
) -> list[Consequence]:
    """The reports to a sender who asked to hear of success: each role's mail was passed on to everybody behind it.

    For such an address that is all there is to say (RFC 3461 §5.2.7.2); what becomes of the copies is told by nobody.
    They are capped, for whoever writes in a stranger's name would have us send that stranger one for each mail.
    """
    if not message.reverse_path or _forged(desk, head):
        return []
    at = milliseconds(now)
    caps = ((f"success {canonical(message.reverse_path)}", SUCCESSES[0]), ("success", SUCCESSES[1]))
    found = []
    for role in roles:
        if any(wants_dsn(wish, "expanded") for wish in _wishes(message, role, "notify")):
            news = replace(_news(desk, role, message, (), now), expanded=True)
            once = ReplyMemory(f"expanded {message.id} {role.key}", at, 0, day_of(at), caps)
            made = _composed(news, message, role, head, shape, at)
            found += [Consequence(report, memory=once) for report in made]
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


def without_handoff(reader: StoreReader, delivery: Delivery, words: str) -> str:
    """A server's words, or their codes alone where they may quote the handoff that the delivery carried.

    Content filters name what they found, and IT and the sender are no partners. A word that stands in both is
    enough; the recipient's own address does not count.
    """
    if not delivery.handoff or not words:
        return words
    try:
        handoff = a2b_qp(reader.handoff_body(delivery.handoff)).decode("utf-8", "replace")
    except StoreError:
        handoff = words  # it can't be compared
    quoted = _telling(words) & _telling(handoff) - _telling(delivery.recipient) - _OF_SERVERS
    return " ".join(_CODES.findall(words)[:2]) if quoted else words


def _telling(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))


def _roles(desk: Desk, entry: QueueEntry, delivery: Delivery) -> list[Role]:
    """The roles that a delivery is for. One that carries a handoff names that handoff's role alone."""
    keys = delivery.role.split(",")
    plain = addressed(desk, entry.message.recipients).roles if delivery.kind == "copy" else []
    wanted = canonical(delivery.recipient)
    keys += [role.key for role in plain if any(canonical(person.email) == wanted for person in role.people)]
    known = {role.key: role for role in desk.configuration.roles}
    return [known[key] for key in dict.fromkeys(keys) if key in known]


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


def _others(entry: QueueEntry, role: Role, delivery: Delivery) -> list[Delivery]:
    return [other for other in copies_of(entry, role) if other.id != delivery.id]


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
    others = _others(entry, role, delivery)
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
        trying=tuple(other.recipient for other in others if other.state in ("queued", "held")),
        ours=news != "away" and delivery.kind != "copy",
        lost=tuple(other.recipient for other in others if other.state in ("failed", "bounced")),
        sender_hears=news != "away"
        and delivery.kind == "copy"
        and _hears(entry, role, "failed")
        and not _forged(desk, head),
    )


def _told(
    desk: Desk,
    trouble: Trouble,
    partners: Iterable[Person],
    message: Message,
    again: int,
    others: Sequence[Delivery],
) -> list[Consequence]:
    """To the operator first, then to the other partners: each at most once in ``again`` milliseconds. ``others`` are
    the other copies of the message."""
    role, at = trouble.role, milliseconds(trouble.moment)
    operator = desk.configuration.settings.postmaster
    to_whom: list[tuple[str, Person | None]] = []
    if desk.role_of(operator)[0] != role:  # its own loop mark would have that refused at our door
        to_whom.append((operator, None))
    failed = canonical(trouble.recipient)
    to_whom += [(person.email, person) for person in partners if canonical(person.email) != failed]
    found = []
    about = trouble.news if trouble.news in ("away", "failing") else "trouble"
    for address, person in to_whom:
        key = told_key(desk, about, role.key, failed, canonical(address))
        memory = ReplyMemory(key, at, at - again, day_of(at), ())
        if person is not None:
            notice = own_message(
                message.id, "notice", role.key, address, partner_notice(trouble, person, desk.wording), at
            )
            # Whose copy ends together with this one has a mailbox that does not take this notice either.
            own = tuple(copy.id for copy in others if copy.recipient == address and copy.state == "queued")
            found.append(Consequence(notice, own, ("failed", "bounced"), memory))
            continue
        alert = own_message(
            message.id, "alert", role.key, address, operator_alert(trouble, address, desk.wording), at
        )
        told = Consequence(alert, memory=memory)
        found.append(
            told if about != "trouble" or trouble.ours else _nobody_has_it(desk, trouble, told, others)
        )
    return found


def _nobody_has_it(
    desk: Desk, trouble: Trouble, told: Consequence, others: Sequence[Delivery]
) -> Consequence:
    """The alert that no partner has a mail, or ``told`` where one has it, or may still get it.

    Which of them it is, the transaction decides: two copies may end in the same moment. It has an hour of its own, or
    else the last word about a mail might be that it is still being sent.
    """
    role, at = trouble.role, milliseconds(trouble.moment)
    lost = tuple(copy.recipient for copy in others)
    address = told.delivery.recipient
    made = operator_alert(replace(trouble, have=(), trying=(), lost=lost), address, desk.wording)
    key = told_key(desk, "nobody", role.key, canonical(address))
    return Consequence(
        own_message(told.delivery.message, "alert", role.key, address, made, at),
        tuple(copy.id for copy in others),
        ALIVE,
        ReplyMemory(key, at, at - HOUR_MS, day_of(at), ()),
        told,
    )


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

    What was ``refused`` is still whole in the store; of what came back the header alone is left. What was refused for
    what it holds (RFC 3463 §3.7, §3.8) is not given back whole: its sender may be forged, and it would be ours then.
    """
    message, at = entry.message, milliseconds(now)
    code = status or status_in(words)
    news = replace(
        _news(desk, role, message, entry.deliveries, now),
        status=code,
        diagnostic=words,
        full=refused and message.dsn.ret.upper() == "FULL" and code.split(".")[1:2] not in (["6"], ["7"]),
        retry_until=until.astimezone(role.time_zone) if until else None,
    )
    others = tuple(other.id for other in _others(entry, role, delivery))
    kind = "delay" if until else "report"
    caps = ((f"{kind} {canonical(message.reverse_path)}", REPORTS),)
    once = ReplyMemory(f"{kind} {message.id} {role.key}", at, 0, day_of(at), caps)
    states: tuple[State, ...] = ("delivered",) if until else ALIVE
    made = _composed(news, message, role, head, shape, at)
    return [Consequence(report, others, states, once) for report in made]


def _news(
    desk: Desk, role: Role, message: Message, deliveries: Iterable[Delivery], now: datetime
) -> Undelivered:
    """What every report to this sender holds."""
    return Undelivered(
        role_address=role.address,
        role_name=role.name,
        reverse_path=message.reverse_path,
        hostname=desk.configuration.settings.hostname,
        moment=now.astimezone(role.time_zone),
        arrived=_moment(message.received_at).astimezone(role.time_zone),
        seed=os.urandom(32),
        private=_private(desk, deliveries),
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
    kind: Kind = "delay" if news.retry_until else "report"
    report = own_message(message.id, kind, role.key, message.reverse_path, made, at)
    report.eight_bit = (news.full and message.eight_bit) or news.international
    report.smtputf8 = news.international
    return [report]


def _private(desk: Desk, deliveries: Iterable[Delivery]) -> tuple[str, ...]:
    """The people of every role, whoever got a copy (they may be no partners any more), and the next hop."""
    people = [word for role in desk.configuration.roles for p in role.people for word in (p.email, p.name)]
    people += [other.recipient for other in deliveries if other.kind in ("copy", "companion", "notice")]
    host = desk.configuration.settings.deliver.host
    return (*dict.fromkeys(people), *([host] if host else []))


def status_in(words: str) -> str:
    """The enhanced code of a reply as it is kept (``550 5.1.1 …``); ``""`` where there is none."""
    parts: Sequence[str] = words.split(None, 2)
    return parts[1] if len(parts) > 1 and parts[1].count(".") == 2 else ""


def told_key(desk: Desk, about: str, *names: str) -> str:
    """The key of the memory that something was told: keyed, for the table is not to tell whose mailbox had troubles."""
    words = "\0".join((about, *names))
    return f"told {hmac.digest(desk.keys.memory, words.encode(), 'sha256')[:15].hex()}"


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)
