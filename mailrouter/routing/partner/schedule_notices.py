"""Our messages about the schedule: changed, to be confirmed, not understood, the file itself. For partners alone. Pure.

They come from the schedule address, so that an answer is the next request. An answer to one about a change names
that change by its Message-ID, and one to the file which text of it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from mailrouter.errors import Problem
from mailrouter.message import compose
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces
from mailrouter.message.text import writing
from mailrouter.message.text.showing import marked
from mailrouter.message.text.writing import quoted_printable
from mailrouter.routing.model import Situation
from mailrouter.routing.partner.file.difference import FileDifference
from mailrouter.routing.partner.file.merged import with_version
from mailrouter.routing.partner.handoff_notices import (
    WAIT_DAYS,
    Notice,
    NoticeText,
    Question,
    notice,
    told_apart,
)
from mailrouter.routing.people import today_of
from mailrouter.schedule.date_words import called, date_words
from mailrouter.schedule.model import Person, Role
from mailrouter.schedule.views.diff import Difference, summed_up, week_lines
from mailrouter.trust.confirmations import schedule_address

_CHANGE, _FILE = "schedule-", "schedule-file-"
ANSWERED_CHANGE = re.compile(r"<schedule-(?!file-)([0-9a-z]++)-[a-z2-7]++@")
ANSWERED_FILE = re.compile(r"<schedule-file-([0-9a-f]++)-[a-z2-7]++@")
_MOST_DIFFERENCES = 12
_MOST_WEEKS = 3
_MOST_SAID = 40
_LONGEST = 200
_LONGEST_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Understood:
    """A request as it was read: ``words``, a line each.

    ``first`` is the first day spoken of; without one it is the first that differs. ``notes`` are written into the
    file; they are shown to the author alone, for others they stand there. ``undoes`` is the change that is taken back.
    """

    words: Sequence[str]
    first: date | None = None
    notes: Sequence[str] = ()
    undoes: int = 0


def changed_notices(
    situation: Situation,
    head: Head,
    author: Person | None,
    change: FileDifference,
    understood: Understood,
    queue: str,
) -> tuple[Notice, ...]:
    """To all partners: what was understood, what is different, and the weeks as they stand now. ``author`` is None for
    a command."""
    words, undone = understood.words, bool(understood.undoes)
    old, new = change.old, change.new
    today = today_of(old, situation.duty)
    told = summed_up(change.days, today)
    name = called(old)[author.key] if author else ""
    facts = {
        **_facts(situation),
        "author": name,
        "said": [writing.safe_subject(line, _LONGEST) for line in words],
        "undone": undone,
        "changes": [difference.in_mail() for difference in told[:_MOST_DIFFERENCES]],
        "more": max(0, len(told) - _MOST_DIFFERENCES),
        "file": change.lines.lines,
        "more_file": change.lines.more,
        "weeks": _weeks(new, today, change.days, understood.first),
    }
    parts = [_attached(old, change.text)] if change.lines.more else []
    subject = f"Schedule of {old.name}: {'undone' if undone else words[0]}"
    sender = schedule_address(old.address)
    known_by = f"{_CHANGE}{queue}-"
    body = situation.wording.notice("schedule-changed", {**facts, "notes": []})
    shown = [writing.safe_subject(note, _LONGEST) for note in understood.notes]
    own = situation.wording.notice("schedule-changed", {**facts, "notes": shown}) if shown else body
    text = NoticeText(sender, subject, body, "rescheduled", known_by, parts)
    return tuple(
        notice(situation, head, person, replace(text, words=own) if person == author else text)
        for person in situation.role.partners  # those of this moment
    )


def confirm(
    situation: Situation,
    head: Head,
    to: Person,
    lines: Sequence[str],
    question: Question,
    change: FileDifference | None = None,
) -> Notice:
    """A question to the registered mailbox of whoever is named in From.

    ``lines`` are what was written, none for an edited file, of which ``change`` tells what it does (None: it can't be
    used).
    """
    role = situation.role
    today = today_of(role, situation.duty)
    told = summed_up(change.days, today) if change else []
    said, more_said = marked(lines, "> ", _MOST_SAID)
    until = (situation.duty.moment + timedelta(days=WAIT_DAYS)).astimezone(role.time_zone).date()
    facts = {
        **_facts(situation),
        "author": called(role)[to.key],
        "lines": said,
        "more_lines": more_said,
        "file": change.lines.lines if change else (),
        "more_file": change.lines.more if change else 0,
        "broken": change is None,
        "changes": marked((difference.in_mail() for difference in told[:_MOST_DIFFERENCES]), "  ", 40)[0],
        "more": max(0, len(told) - _MOST_DIFFERENCES),
        "until": date_words(until, today),
        "last": question.last,
        **told_apart(head, question.origin),
    }
    words = situation.wording.notice("schedule-confirm", facts)
    parts = [_attached(role, change.text)] if change else []
    subject = f"Please confirm: schedule of {role.name}"
    text = NoticeText(question.sender, subject, words, "confirm schedule", parts=parts)
    return notice(situation, head, to, text)


def refused(situation: Situation, head: Head, to: Person, problem: str, *, examples: bool = True) -> Notice:
    """The notice that nothing changed, with examples and this week."""
    return _answer(situation, head, to, _Answer([problem], examples))


def problems(
    situation: Situation, head: Head, to: Person, found: Sequence[Problem], *, already: bool = False
) -> Notice:
    """The notice of faults in a file's text: the one that came, or the one that is there ``already``."""
    said = "The file has problems as it is" if already else "The file can't be taken as you wrote it"
    lines = [f"{said}, so nothing was changed.", *problem_lines(found)]
    return _answer(situation, head, to, _Answer(lines))


def problem_lines(found: Sequence[Problem]) -> list[str]:
    """Each problem as one line for people: ``Line 14, "- elane": elane is not a partner here; did you mean …``.

    Without a mark below the place: in most mail programs it would stand below another.
    """
    lines = []
    for problem in found:
        shown = " ".join(problem.source_line.split())
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        place = f'Line {problem.line}, "{shown}"' if shown else f"Line {problem.line}"
        said = f"{problem.what}; {problem.hint}" if problem.hint else problem.what
        lines.append(writing.safe_subject(f"{place}: {said}", 400))
    return lines


def week(situation: Situation, head: Head, to: Person, role: Role, *, examples: bool) -> Notice:
    """The people who are in, this week and the next."""
    return _answer(situation, head, to, _Answer([], examples, "who is in", role, weeks=2))


def file(situation: Situation, head: Head, to: Person, content: bytes, mark: str) -> Notice:
    """The file itself, for the partner who asked; its version stands in a line of its own."""
    role = situation.role
    words = situation.wording.notice("schedule-file", _facts(situation))
    subject, parts = f"The schedule of {role.name}", [_attached(role, content, mark)]
    text = NoticeText(schedule_address(role.address), subject, words, "file", f"{_FILE}{mark}-", parts)
    return notice(situation, head, to, text)


def _attached(role: Role, content: bytes, version: str = "") -> Pieces:
    """A text of the role's file, to be attached; with its version in a line of its own, if any is given."""
    body = content.decode("utf-8", "replace").lstrip("\ufeff")
    body = with_version(body, version) if version else body
    return compose.handoff_part("", quoted_printable(body), f"{role.key}.yaml")


def lost(situation: Situation, to: Person, what: str, why: str) -> Notice:
    """The notice that a told change could not be made. It could not be put into the file after all."""
    lines = [f"This could not be put into the file after all: {what}", why, "Please write it again."]
    return _answer(situation, Head(b"\r\n"), to, _Answer(lines))


def broken(situation: Situation, to: Person, found: Sequence[Problem], file: str, kept: bool) -> Notice:
    """The notice that the role's file can't be used, once a text."""
    role = situation.role
    facts = {**_facts(situation), "file": file, "problems": problem_lines(found), "kept": kept}
    words = situation.wording.notice("schedule-broken", facts)
    subject = f"The schedule of {role.name} has problems"
    text = NoticeText(schedule_address(role.address), subject, words, "broken file")
    return notice(situation, Head(b"\r\n"), to, text)


def vanished(situation: Situation, to: Person, file: str) -> Notice:
    """Make the message that the role's file is missing."""
    role = situation.role
    facts = {"role": role.name, "role_address": role.address, "file": file}
    words = situation.wording.notice("role-file-gone", facts)
    subject = f"The file of {role.name} is missing"
    text = NoticeText(schedule_address(role.address), subject, words, "missing file")
    return notice(situation, Head(b"\r\n"), to, text)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The answer to a partner: some lines, examples of requests, and so many weeks of ``role``, or of the schedule."""

    lines: Sequence[str]
    examples: bool = False
    what: str = "not changed"
    role: Role | None = None
    weeks: int = 1


def _answer(situation: Situation, head: Head, to: Person, answer: _Answer) -> Notice:
    role = answer.role or situation.schedule
    today = today_of(role, situation.duty)
    facts = {
        **_facts(situation),
        "lines": list(answer.lines),
        "examples": answer.examples,
        "other": _somebody_else(situation.role, to),  # no former partner
        "weeks": _weeks(role, today, (), None, answer.weeks),
    }
    words = situation.wording.notice("schedule-answer", facts)
    subject = f"Schedule of {role.name}: {answer.what}"
    text = NoticeText(schedule_address(role.address), subject, words, f"answer {answer.what}")
    return notice(situation, head, to, text)


def _somebody_else(role: Role, to: Person) -> str:
    names = called(role)
    return next((names[p.key] for p in role.partners if p.key != to.key), "")


def _weeks(
    role: Role, today: date, found: Sequence[Difference], first: date | None, at_least: int = 1
) -> list[dict[str, object]]:
    """The weeks, Monday to Sunday, that hold what is different; none of them begins before today."""
    days = [d for change in found for d in (change.first, change.last)]
    mondays = sorted(
        {day - timedelta(days=day.weekday()) for day in (days or [first or today]) if day >= today}
    )
    if not mondays:
        mondays = [today - timedelta(days=today.weekday())]
    while len(mondays) < at_least:
        mondays.append(mondays[-1] + timedelta(days=7))
    weeks: list[dict[str, object]] = []
    for monday in mondays[:_MOST_WEEKS]:
        lines = week_lines(role, max(monday, today), monday + timedelta(days=6))
        weeks.append({"monday": date_words(monday, today), "lines": lines})
    return weeks


def _facts(situation: Situation) -> dict[str, object]:
    role = situation.role
    local = situation.duty.moment.astimezone(role.time_zone)
    return {
        "role": role.name,
        "address": schedule_address(role.address),
        "written": date_words(local.date(), today_of(role, situation.duty)),
        "time": f"{local:%H:%M}",
    }
