"""Our messages about handoffs: taken, to be confirmed, unusable. For partners alone. Pure.

They come from the address that they are about, so that an answer is a better handoff. They leave with the null
reverse-path: each answers a mail without a person's doing (RFC 3834 §3.3), so nothing may answer it in turn, and
no bounce may carry a handoff back through servers that it is not for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailrouter.message import compose
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.showing import quoted, visible
from mailrouter.routing.letters.letter import dated, derived, threading
from mailrouter.routing.letters.own_mail import AUTOMATIC, role_marks
from mailrouter.routing.model import Situation
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.sections import read_sections
from mailrouter.routing.people import today_of
from mailrouter.routing.wording import handoff_facts
from mailrouter.schedule.date_words import called, date_words
from mailrouter.schedule.model import Person, Role
from mailrouter.trust.confirmations import handoff_address

WAIT_DAYS = 7
"""Days for which a handoff waits to be confirmed."""
_MOST_LINES = 200
_MOST_CHARACTERS = 10_000
_LONGEST = 500
"""What is shown of a handoff; all of it is kept."""
_TITLES = (("done", "Done"), ("left", "Left"), ("watch", "Watch"), ("other", "Under no heading"))


@dataclass(frozen=True, slots=True)
class Notice:
    """One message of ours to one partner."""

    recipient: str
    pieces: Pieces


@dataclass(frozen=True, slots=True)
class Question:
    """A question to a partner about a mail: an answer that says yes to ``sender`` confirms it.

    ``origin`` is the server that handed the mail in: with the Subject it tells one's own mail from a forgery. ``last``:
    there are no more questions this hour, whatever comes in.
    """

    sender: str
    origin: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class NoticeText:
    """The text of a notice, from ``sender``; ``letters.dated`` tells of ``what`` and ``known_by``."""

    sender: str
    subject: str
    words: str
    what: str
    known_by: str = ""
    parts: Sequence[Pieces] = ()


def taken(
    situation: Situation, head: Head, to: Person, author: Person, handoff: Written, at: datetime
) -> Notice:
    """The notice of a new version as understood, and the old one."""
    role = situation.role
    facts = {
        **_facts(situation),
        **_when(situation, at),
        "author": called(role)[author.key],
        "source": handoff.source,
    }
    words = situation.wording.notice("handoff-taken", facts | {"read": _read(situation, handoff.text)})
    subject = f"Handoff for {role.name} by {facts['author']}, {facts['written']}"
    text = NoticeText(handoff_address(role.address), subject, words, "taken")
    return notice(situation, head, to, text)


def confirm(situation: Situation, head: Head, to: Person, written: Written, question: Question) -> Notice:
    """A question to the registered mailbox of whoever is named in From."""
    role, moment = situation.role, situation.duty.moment
    until = (moment + timedelta(days=WAIT_DAYS)).astimezone(role.time_zone).date()
    facts = {
        **_facts(situation),
        **_when(situation, moment),
        "author": called(role)[to.key],
        "source": written.source,
        "until": date_words(until, today_of(role, situation.duty)),
        "read": _read(situation, written.text),
        "last": question.last,
        **told_apart(head, question.origin),
    }
    words = situation.wording.notice("handoff-confirm", facts)
    subject = f"Please confirm: handoff for {role.name}"
    return notice(situation, head, to, NoticeText(question.sender, subject, words, "confirm"))


def once_more(
    situation: Situation, head: Head, to: Person, sender: str, what: str, until: datetime
) -> Notice:
    """The notice that an answer to ``sender`` was no yes.

    ``what`` waits for it ``until`` then: "handoff for".
    """
    role = situation.role
    day = date_words(until.astimezone(role.time_zone).date(), today_of(role, situation.duty))
    facts = {"author": called(role)[to.key], "role": role.name, "until": day}
    words = situation.wording.notice("confirm-again", facts)
    text = NoticeText(sender, f"Please say yes: {what} {role.name}", words, "again")
    return notice(situation, head, to, text)


def told_apart(head: Head, origin: str) -> dict[str, object]:
    """By what somebody knows their own mail: its Subject, quoted on one line, and the server that it came from."""
    subject = head.text("subject") or ""
    return {"subject": quoted(subject) if visible(subject) else "(none)", "origin": visible(origin, 200)}


def unusable(
    situation: Situation, head: Head, to: Person, author: Person, problem: str, *, passed_to: str = ""
) -> Notice:
    """The notice that a partner's mail can't be used; with what to do. ``passed_to``: "Elaine gets it", as it came."""
    role = situation.role
    facts = {
        **_facts(situation),
        **_when(situation, situation.duty.moment),
        "author": called(role)[author.key],
        "own": to.key == author.key,
        "passed_to": passed_to,
        "problem": problem,
    }
    words = situation.wording.notice("handoff-unusable", facts)
    subject = f"No new handoff for {role.name}"
    text = NoticeText(handoff_address(role.address), subject, words, "unusable")
    return notice(situation, head, to, text)


def read_facts(handoff: str) -> dict[str, object]:
    """The reading of a handoff: ``sections`` of ``name`` and ``lines``; ``more`` lines that are not shown; and
    ``found``: whether any heading was.
    """
    found = read_sections(handoff)
    sections: list[dict[str, object]] = []
    room, more, shown = _MOST_CHARACTERS, 0, 0
    for key, title in _TITLES:
        lines: list[str] = []
        for line in getattr(found, key):
            line = writing.safe_subject(line, _LONGEST)
            if shown >= _MOST_LINES or len(line) > room:
                more += 1
                room = 0
                continue
            lines.append(line)
            room -= len(line)
            shown += 1
        if lines:
            sections.append({"name": title, "lines": lines})
    return {
        "sections": sections,
        "more": more,
        "found": bool(found.done or found.left or found.watch),
    }


def _read(situation: Situation, handoff: str) -> str:
    return situation.wording.notice("handoff-read", read_facts(handoff))


def _facts(situation: Situation) -> dict[str, object]:
    """The facts from which every notice is worded. ``before`` tells of the version in force, with its age; or None."""
    role, before = situation.role, situation.handoff
    today = today_of(role, situation.duty)
    return {
        "role": role.name,
        "address": handoff_address(role.address),
        "before": None if before is None else handoff_facts(role, before, today),
    }


def _when(situation: Situation, at: datetime) -> dict[str, object]:
    role: Role = situation.role
    local = at.astimezone(role.time_zone)
    return {"written": date_words(local.date(), today_of(role, situation.duty)), "time": f"{local:%H:%M}"}


def notice(situation: Situation, head: Head, to: Person, text: NoticeText) -> Notice:
    """Our message to a partner, answering the mail of ``head``."""
    role = situation.role
    back = Mailbox(role.name, text.sender)
    headers = b"".join(
        (
            role_marks(situation.loop_mark, role.address),
            writing.address_field("From", [back]),
            writing.address_field("Reply-To", [back]),
            writing.address_field("To", [Mailbox(to.name, to.email)]),
            writing.field("Subject", writing.safe_subject(text.subject)),
            *dated(situation, f"{text.what} {role.key} {to.email}", text.known_by),
            *threading(head),
            AUTOMATIC,
        )
    )
    boundary = (
        compose.choose_boundary(derived(situation, "notice", text.what, to.email)) if text.parts else ""
    )
    parts = [compose.note_part(text.words), *text.parts]
    return Notice(to.email, compose.fresh(headers, parts, boundary=boundary))
