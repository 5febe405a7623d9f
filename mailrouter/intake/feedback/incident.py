"""A delivery that failed, came back, was answered or is put off: what is known of its mail, and what can be told."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mailrouter.intake.feedback import report_limits
from mailrouter.intake.feedback.affected import ALIVE, header_of, others_of, roles_of
from mailrouter.intake.feedback.sender_dsn import composed, fits_whole, forged, hears, kept_status, news_of
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.moments import milliseconds, moment_at
from mailrouter.routing.letters.undelivered import News, Trouble
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Person, Role
from mailrouter.store.ids import queue_id
from mailrouter.store.model import Consequence, Delivery, Message, QueueEntry, State
from mailrouter.store.protocols import Reading


@dataclass(frozen=True, slots=True)
class Answer:
    """Another server's or mailbox's answer to a delivery.

    ``words`` is one line by that server, ``status`` its enhanced code (RFC 3463) where it is known apart from them.
    Without ``sayable`` the sender gets none of the words.
    """

    news: News
    words: str
    status: str = ""
    sayable: bool = True


@dataclass(frozen=True, slots=True)
class Incident:
    """The facts about a ``delivery`` in trouble, with its message: read once, by ``read_incident``, as the store has
    them.

    ``head`` is the message's header, an empty one where that is gone. ``words`` and ``status`` are the other server's,
    as in ``Answer``; both are empty where it said nothing.
    """

    desk: Desk
    entry: QueueEntry
    delivery: Delivery
    head: Head
    shape: Shape
    now: datetime
    words: str = ""
    status: str = ""

    @property
    def message(self) -> Message:
        """The message of the delivery."""
        return self.entry.message

    @property
    def code(self) -> str:
        """The enhanced status code that is known; ``""`` for none."""
        return self.status or kept_status(self.words)

    @property
    def roles(self) -> list[Role]:
        """The roles that the delivery is for."""
        return roles_of(self.desk, self.entry, self.delivery)

    def partners(self, role: Role) -> Sequence[Person]:
        """The partners of ``role`` at this moment."""
        return self.desk.role_at(role, self.now).partners

    def others(self, role: Role) -> list[Delivery]:
        """The message's other copies for ``role``."""
        return others_of(self.entry, role, self.delivery)

    def sender_hears(self, role: Role, event: Literal["failed", "delayed"]) -> bool:
        """Whether the sender wants to hear, and was probably not forged."""
        return hears(self.entry, role, event) and not forged(self.desk, self.head)

    def tellable(self) -> bool:
        """Whether the sender may hear of a refusal with this code (``report_limits.tellable``)."""
        return report_limits.tellable(self.desk, self.message, self.head, self.code)

    def trouble(self, role: Role, news: News) -> Trouble:
        """The facts for the operator and the partners of ``role``."""
        delivery, message, words = self.delivery, self.message, self.words
        others = self.others(role)
        if delivery.inside and words:
            words += " (the rest is left out: it may quote a handoff)"
        about_a_copy = delivery.kind == "copy"
        return Trouble(
            news=news,
            role=role,
            recipient=delivery.recipient,
            words=words,
            queue=queue_id(message.id),
            sender=message.reverse_path,
            subject=self.head.text("subject") or "",
            message_id=message.message_id,
            arrived=moment_at(message.received_at),
            moment=self.now,
            hostname=self.desk.configuration.settings.hostname,
            loop_mark=self.desk.loop_marks[role.key],
            seed=os.urandom(32),
            have=_in(others, "delivered"),
            trying=_in(others, "queued", "held"),
            ours=news != "away" and not about_a_copy,
            lost=_in(others, "failed", "bounced"),
            sender_hears=news != "away" and about_a_copy and self.sender_hears(role, "failed"),
        )

    def report(
        self, role: Role, *, refused: bool = False, until: datetime | None = None
    ) -> list[Consequence]:
        """The report to the sender; none where its return path can't be written into one.

        What was ``refused`` is still whole in the store; of what came back the header alone is left. What was refused
        for what it holds (RFC 3463 §3.7, §3.8) is not given back whole: its sender may be forged, and it would be ours
        then. ``until`` makes it the notice of a delay, and says when trying will end.
        """
        message, at, code = self.message, milliseconds(self.now), self.code
        news = replace(
            news_of(self.desk, role, message, self.entry.deliveries, self.now),
            status=code,
            diagnostic=self.words,
            full=refused
            and message.dsn.ret.upper() == "FULL"
            and code.split(".")[1:2] not in (["6"], ["7"])
            and fits_whole(self.desk, message),
            retry_until=until.astimezone(role.time_zone) if until else None,
        )
        others = tuple(other.id for other in self.others(role))
        once = report_limits.remembered("delay" if until else "report", message, role, at)
        states: tuple[State, ...] = ("delivered",) if until else ALIVE
        made = composed(news, message, role, self.head, self.shape, at)
        if not until:
            for report in made:
                report.about, report.claim = self.delivery.id, "nobody"
        return [Consequence(report, others, states, once, nobody_of=role.key) for report in made]


async def read_incident(
    desk: Desk, reader: Reading, delivery: Delivery, now: datetime, words: str = "", status: str = ""
) -> Incident | None:
    """The facts about a delivery's mail; None where its message is gone. Raises StoreError."""
    entry = await reader.entry(delivery.message)
    if entry is None:
        return None
    head, shape = await header_of(reader, entry.message)
    return Incident(desk, entry, delivery, head, shape, now, words, status)


def _in(copies: Sequence[Delivery], *states: State) -> tuple[str, ...]:
    return tuple(copy.recipient for copy in copies if copy.state in states)
