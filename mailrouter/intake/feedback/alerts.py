"""The alerts to the operator, and the notices to the other partners, that a mailbox is in trouble: with their memories.

Each of them hears of one mailbox at most once an hour. That nobody has a mail is told apart from it.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from mailrouter.address import canonical
from mailrouter.intake.feedback.affected import ALIVE, moment, others_of
from mailrouter.intake.feedback.sender_dsn import forged, hears
from mailrouter.message.head import Head
from mailrouter.routing.letters.undelivered import News, Trouble, operator_alert, partner_notice
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import day_of, hour_of, milliseconds, own_message
from mailrouter.schedule.model import Person, Role
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, queue_id
from mailrouter.store.model import Claim, Consequence, Delivery, QueueEntry, ReplyMemory

HOUR_MS = 3_600_000
NOBODY_AN_HOUR = 20
"""Alerts of an hour that nobody has a mail, each about one mail of a role."""


def trouble_of(
    desk: Desk,
    role: Role,
    entry: QueueEntry,
    delivery: Delivery,
    news: News,
    words: str,
    now: datetime,
    head: Head,
) -> Trouble:
    others = others_of(entry, role, delivery)
    message = entry.message
    if delivery.inside and words:
        words += " (the rest is left out: it may quote a handoff)"
    return Trouble(
        news=news,
        role=role,
        recipient=delivery.recipient,
        words=words,
        queue=queue_id(message.id),
        sender=message.reverse_path,
        subject=head.text("subject") or "",
        message_id=message.message_id,
        arrived=moment(message.received_at),
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
        and hears(entry, role, "failed")
        and not forged(desk, head),
    )


def told_to(
    desk: Desk,
    trouble: Trouble,
    partners: Iterable[Person],
    delivery: Delivery,
    again: int,
    others: Sequence[Delivery],
) -> list[Consequence]:
    """To the operator first, then to the other partners: each at most once in ``again`` milliseconds. ``others`` are
    the other copies of the message."""
    message = delivery.message
    claim: tuple[Claim, DeliveryId] = ("", ids.NO_DELIVERY)
    if trouble.news != "away":
        claim = ("failing" if trouble.news == "failing" else "failed", delivery.id)
    role, at = trouble.role, milliseconds(trouble.moment)
    operator = desk.configuration.settings.postmaster
    to_whom: list[tuple[str, Person | None]] = []
    if desk.role_of(operator)[0] != role:  # its own loop mark would have that refused at our door
        to_whom.append((operator, None))
    failed = canonical(trouble.recipient)
    to_whom += [(person.email, person) for person in partners if canonical(person.email) != failed]
    found = []
    about = trouble.news if trouble.news in ("away", "failing") else "trouble"
    # A copy that was sent once more, and came back once more, is news.
    sent_again = (str(delivery.about),) if delivery.about and not trouble.ours else ()
    for address, person in to_whom:
        key = told_key(desk, about, role.key, failed, canonical(address), *sent_again)
        memory = ReplyMemory(key, at, at - again, day_of(at), ())
        if person is not None:
            notice = own_message(
                message, "notice", role.key, address, partner_notice(trouble, person, desk.wording), at, claim
            )
            # Whose copy ends together with this one has a mailbox that does not take this notice either.
            own = tuple(copy.id for copy in others if copy.recipient == address and copy.state == "queued")
            found.append(Consequence(notice, own, ("failed", "bounced"), memory))
            continue
        alert = own_message(
            message, "alert", role.key, address, operator_alert(trouble, address, desk.wording), at, claim
        )
        told = Consequence(alert, memory=memory)
        found.append(
            told
            if about != "trouble" or trouble.ours
            else _nobody_has_it(desk, trouble, told, others, sent_again)
        )
    return found


def _nobody_has_it(
    desk: Desk, trouble: Trouble, told: Consequence, others: Sequence[Delivery], sent_again: tuple[str, ...]
) -> Consequence:
    """The alert that no partner has a mail, or ``told`` where one has it, or may still get it.

    Which of them it is, the transaction decides: two copies may end in the same moment. Each mail has one such alert,
    however many copies failed (and one for each copy that was sent again, ``sent_again``); those beyond
    ``NOBODY_AN_HOUR`` are listed together (``live.lost_mail``).
    """
    role, at = trouble.role, milliseconds(trouble.moment)
    lost = tuple(copy.recipient for copy in others)
    address = told.delivery.recipient
    made = operator_alert(replace(trouble, have=(), trying=(), lost=lost, nobody=True), address, desk.wording)
    key = told_key(desk, "nobody", role.key, canonical(address), trouble.queue, *sent_again)
    caps = ((f"nobody {role.key}", NOBODY_AN_HOUR),)
    return Consequence(
        own_message(
            told.delivery.message, "alert", role.key, address, made, at, ("nobody", told.delivery.about)
        ),
        tuple(copy.id for copy in others),
        ALIVE,
        ReplyMemory(key, at, at - HOUR_MS, hour_of(at), caps),
        told,
        role.key,
    )


def told_key(desk: Desk, about: str, *names: str) -> str:
    """The key of the memory that something was told: keyed, for the table is not to tell whose mailbox had troubles."""
    words = "\0".join((about, *names))
    return f"told {hmac.digest(desk.keys.memory, words.encode(), 'sha256')[:15].hex()}"
