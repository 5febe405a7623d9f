"""What mail to addresses for partners comes to: changes of the store, and the plan for what is mail after all."""

from __future__ import annotations

from dataclasses import replace

from mailrouter.address import canonical
from mailrouter.intake.partner.decide import Addressed, Handing, waits_as
from mailrouter.intake.planning import Arrival, decide
from mailrouter.message.text.writing import quoted_printable
from mailrouter.routing.model import Plan
from mailrouter.routing.plan import last_resort
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import milliseconds, notices_of
from mailrouter.schedule.date_words import called
from mailrouter.store.ids import MessageId
from mailrouter.store.model import HandoffChange, Message, NewHandoff, ScheduleChange, WaitingHandoff
from mailrouter.turns import Steps


def decide_rest(desk: Desk, arrival: Arrival, to: Addressed, found: Handing) -> Steps[Plan]:
    """The plan, in steps, for those roles for which it is mail, with the reasons of both."""
    known = {role.key for role in to.roles}
    mail = {role.key: role for role in found.mail if role.key not in known}
    plain = {role.key: role for role in found.plain if role.key not in known and role.key not in mail}
    made = Plan((), None, ())
    if roles := [*to.roles, *mail.values()]:
        made = yield from decide(desk, replace(arrival, roles=roles, to_handoff=frozenset(mail)))
    if plain:
        marks = [(role, desk.loop_marks[role.key]) for role in plain.values()]
        rest = last_resort(marks, arrival.shape.size, arrival.reverse_path, arrival.received, found.why)
        made = replace(made, copies=made.copies + rest.copies, reasons=made.reasons + rest.reasons)
    return replace(made, reasons=found.reasons + made.reasons)


def changes_of(message: Message, found: Handing, first: int) -> list[HandoffChange]:
    """What is stored for it; notices are numbered from ``first``."""
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
            mailbox = canonical(author.email)
            aside = WaitingHandoff(
                message.id, waits_as(role, decided.purpose.tag), mailbox, written_at, decision.text
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
