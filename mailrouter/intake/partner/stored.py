"""Changes of the store that partners' mail brings about."""

from __future__ import annotations

from mailrouter.intake.partner.decide import Handing
from mailrouter.message.text.writing import quoted_printable
from mailrouter.moments import milliseconds
from mailrouter.runtime.rows import notices_of
from mailrouter.schedule.date_words import called
from mailrouter.store.ids import MessageId
from mailrouter.store.model import HandoffChange, Message, NewHandoff, ScheduleChange, WaitingHandoff


def changes_of(message: Message, found: Handing, first: int) -> list[HandoffChange]:
    """The changes to be stored; notices are numbered from ``first``."""
    changes: list[HandoffChange] = []
    for decided in found.decided:
        role, decision = decided.role, decided.handover
        author = decision.author
        if author is None or decision.act not in ("set", "ask", "again", "answer"):
            continue
        written_at = milliseconds(decision.written_at or decided.moment)
        new = aside = schedule = None
        if decision.file is not None:
            file, name = decision.file, called(role)[author.key]
            schedule = ScheduleChange(
                role.key,
                message.id,
                message.received_at,
                name,
                file.what,
                file.before,
                file.after,
                MessageId(file.undoes),
            )
        elif decision.act == "set":
            body = quoted_printable(decision.text)
            new = NewHandoff(role.key, called(role)[author.key], written_at, decision.text, body)
        elif decision.act == "ask":
            mailbox = author.mailbox
            aside = WaitingHandoff(
                message.id, role.key, decided.request.tag, mailbox, written_at, decision.text
            )
        changes.append(
            HandoffChange(
                new=new,
                waiting=aside,
                confirms=None if decision.act == "again" else decided.waiting,
                once=decided.once if decided.waiting is None or decision.act == "again" else "",
                notices=notices_of(message, role, decision.notices, first),
                schedule=schedule,
            )
        )
        first += len(decision.notices)
    return changes
