"""Being back, and what is cancelled: what these come to in one role's schedule. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.absences import Leaves
from mailrouter.schedule.changes.edits import DropAbsence, DropSwap, Edit, EndAbsence
from mailrouter.schedule.date_words import called, date_words
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Back, Cancel
from mailrouter.schedule.language.spans import Said
from mailrouter.schedule.localtime import to_utc
from mailrouter.schedule.model import Role
from mailrouter.schedule.views.change_words import away_words, moment_said, span_words, swap_words, times_of

_COMES_ROUND = (
    "{name} is away on days that come round, and a single one of them can't be taken out by mail. "
    'Write into the file what is to hold instead (answer "send file" to get it).'
)


def came_back(role: Role, back: Back, today: date) -> tuple[list[Edit], list[str], date]:
    """The edits that end who was away, a sentence, and the day. Raises Unclear."""
    name, zone = called(role)[back.who], role.person(back.who).time_zone or role.time_zone
    moment = datetime.combine(back.day, time.min) + timedelta(minutes=back.minute or 0)
    if back.day < today:
        raise Unclear(f"{date_words(back.day, today)} is over already.")
    own = [a for a in role.absences if a.who == back.who and a.end > moment]
    # A day's absence from its beginning is ended by coming back on that day.
    held = [a for a in own if a.start <= moment and not a.recurs]
    when = moment_said(moment, today)
    if not held and any(
        a.recurs and Leaves(replace(role, absences=(a,))).at(back.who, to_utc(moment, zone)) for a in own
    ):
        raise Unclear(_COMES_ROUND.format(name=name))
    if not held:
        raise Unclear(f"{name} isn't away {when}, as the schedule has it.")
    reach = max(a.end for a in held)
    later = [a for a in own if a not in held and a.start <= reach and not a.recurs]
    if later:
        raise Unclear(
            f"{name} is away again {span_words(later[0].start, later[0].end, today)}; cancel that first."
        )
    edits: list[Edit] = [
        DropAbsence(a) if a.start == moment else EndAbsence(a, moment, back.minute is None) for a in held
    ]
    theirs = times_of(role, back.who) if back.minute else ""
    return edits, [f"{name} is back {when}{theirs}."], back.day


def cancelled(role: Role, cancel: Cancel, today: date) -> tuple[list[Edit], list[str], date]:
    """The edits of a cancellation, their sentences, and the first day. Raises Unclear."""
    edits: list[Edit] = []
    words: list[str] = []
    name = called(role)[cancel.who]
    if not cancel.spans:
        return _only_thing(role, cancel, name, today)
    for span in cancel.spans:
        edit, said = _one_cancelled(role, cancel, span, name, today)
        edits.append(edit)
        words.append(said)
    return edits, words, cancel.spans[0].start.date()


def _only_thing(role: Role, cancel: Cancel, name: str, today: date) -> tuple[list[Edit], list[str], date]:
    """``cancel my leave``: where there is one thing alone that isn't over, that is meant. Raises Unclear."""
    found: list[tuple[Edit, str, date]] = []
    if cancel.what != "swap":
        for absence in role.absences:
            if absence.who == cancel.who and not absence.recurs and absence.end.date() > today:
                held = away_words(role, absence, today)
                first = max(absence.start.date(), today)
                found.append((DropAbsence(absence), f"{name} is not away {held} any more.", first))
    else:
        for swap in role.swaps:
            if max(swap.day, swap.given_back or swap.day) >= today:
                said = f"This no longer holds: {swap_words(swap, role, today)}"
                found.append((DropSwap(swap), said, max(swap.day, today)))
    if not found:
        raise Unclear(f"Nothing of {name}'s stands in the schedule that could be cancelled.")
    if len(found) > 1:
        raise Unclear('More than one thing stands in the schedule; write "cancel" and the days.')
    ((edit, words, first),) = found
    return [edit], [words], first


def _one_cancelled(role: Role, cancel: Cancel, span: Said, name: str, today: date) -> tuple[Edit, str]:
    absences = [a for a in role.absences if a.who == cancel.who and a.start < span.end and a.end > span.start]
    swaps = [
        s
        for s in role.swaps
        if any(d and span.start.date() <= d <= span.last_day for d in (s.day, s.given_back))
    ]
    if cancel.what == "absence":
        swaps = []
    elif cancel.what == "swap":
        absences = []
    when = span_words(span.start, span.end, today)
    if not absences and not swaps:
        raise Unclear(f"Nothing of {name}'s stands in the schedule {when}.")
    if len(absences) + len(swaps) > 1:
        raise Unclear(f"More than one thing stands in the schedule {when}; say which, by its days.")
    if swaps:
        return DropSwap(swaps[0]), f"This no longer holds: {swap_words(swaps[0], role, today)}"
    (absence,) = absences
    held = away_words(role, absence, today)
    if absence.every is not None:
        raise Unclear(_COMES_ROUND.format(name=name))
    if (absence.start, absence.end) != (span.start, span.end):
        raise Unclear(
            f'{name} is away {held}. Write "back" and the day to shorten it, or cancel the whole of it.'
        )
    return DropAbsence(absence), f"{name} is not away {held} any more."
