"""The changes that a partner's words bring: the edits of the file, and the same in facts. Pure.

The edits are made twice, in the text (``mailrouter.config.text_edits``) and here in facts; only where both give the same
role is the text used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from mailrouter.schedule.changes.edits import AddAbsence, AddSwap, DropAbsence, Edit, changed
from mailrouter.schedule.changes.ends import came_back, cancelled
from mailrouter.schedule.date_words import called, clock_words, date_words, joined
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Back, Cancel, Hours, Off, Request, Swapping, Works
from mailrouter.schedule.layers import Layers
from mailrouter.schedule.localtime import at_minute
from mailrouter.schedule.model import Absence, Role, Swap
from mailrouter.schedule.nights import Nights
from mailrouter.schedule.views.change_words import away_words, night_words, span_words, swap_words, times_of


@dataclass(frozen=True, slots=True)
class Change:
    """A change to be done, and in words what was understood: a sentence for each request.

    Without edits, it stands so already. ``first`` is the first day that is spoken of; ``notes`` are the notes that are
    written down.
    """

    edits: tuple[Edit, ...]
    words: tuple[str, ...]
    first: date
    notes: tuple[str, ...] = ()


def change_for(
    role: Role, requests: Sequence[Request], now: datetime, moment: datetime | None = None
) -> Change:
    """The change that these requests come to, one after the other. Raises Unclear, also for what is over.

    ``now`` is a wall time of whoever asks; ``moment`` is the same aware of its zone, where absences that have ended by
    then are to be asked back.
    """
    edits: list[Edit] = []
    words: list[str] = []
    days: list[date] = []
    today = now.date()
    notes = tuple(r.note for r in requests if isinstance(r, Off) and r.note)
    for request in requests:
        if isinstance(request, Off):
            _takes_time(role, request, today, moment)
        new, said, first = _for_request(role, request, today)
        edits += new
        words += said
        days.append(first)
        role = changed(role, new)
    return Change(tuple(edits), tuple(words), min(days, default=today), notes)


def _for_request(role: Role, request: Request, today: date) -> tuple[list[Edit], list[str], date]:
    match request:
        case Off():
            return _off(role, request, today)
        case Swapping():
            return _swap(role, request, today)
        case Back():
            return came_back(role, request, today)
        case Cancel():
            return cancelled(role, request, today)
        case Works():
            return _works(role, request, today)
    raise Unclear("That can't stand beside a change.")


def _off(role: Role, off: Off, today: date) -> tuple[list[Edit], list[str], date]:
    names = called(role)
    edits: list[Edit] = []
    words: list[str] = []
    for span in off.spans:
        for key in filter(None, (off.who, off.cover)):
            _is_partner(role, key, span.start.date(), span.last_day, today)
        known = [a for a in role.absences if (a.who, a.start, a.end) == (off.who, span.start, span.end)]
        new = Absence(off.who, span.start, span.end, off.note, off.cover, span.from_day, span.until_day)
        covers = f"; {names[off.cover]} covers" if off.cover else ""
        theirs = "" if span.whole_days else times_of(role, off.who)
        said = f"{names[off.who]} is away {away_words(role, new, today)}{theirs}{covers}."
        if known and (known[0].cover == off.cover or off.cover is None):
            if not off.note or off.note == known[0].note:
                words.append(f"{said[:-1]}: that stands so already.")
                continue
            new = replace(new, cover=known[0].cover)
        if known:
            edits.append(DropAbsence(known[0]))
            new = replace(new, note=off.note or known[0].note)
        edits.append(AddAbsence(new))
        words.append(said)
    return edits, words, off.spans[0].start.date()


def _takes_time(role: Role, off: Off, today: date, moment: datetime | None) -> None:
    """Refuse an absence that is empty, over, or unclear about a night. Raises Unclear."""
    nights = Nights(role)
    name = called(role)[off.who]
    for span in off.spans:
        absence = Absence(off.who, span.start, span.end, "", None, span.from_day, span.until_day)
        start, end = nights.bounds(absence)
        day = span.start.date()
        within = nights.any and day == span.last_day and span.from_day != span.until_day
        if start >= end or (within and not span.from_day and start < nights.begins(day, off.who)):
            night = night_words(day - timedelta(days=1))
            raise Unclear(
                f"{span_words(span.start, span.end, today)} ends within {night}, or begins within it. "
                f"Write from when to when {name} is away, with both days and times."
            )
        if moment is not None and end <= moment:
            raise Unclear(f"{date_words(span.last_day, today)} is over already.")
        if day == span.last_day and not span.whole_days and not _has_hours(role, off.who, start, end):
            raise Unclear(
                f"{name} has no hours {span_words(span.start, span.end, today)} anyway. "
                "If another day is meant, write its date; if hours are to be swapped, write a swap."
            )


def _has_hours(role: Role, who: str, start: datetime, end: datetime) -> bool:
    """Whether a person would be on duty within [start, end). Absences are not looked at."""
    layers = Layers(replace(role, absences=()))
    return any(
        who in slot.on and slot.start < end and slot.end > start
        for slot in layers.onwards(layers.day_of(start) - timedelta(days=1), 2)
    )


def _swap(role: Role, wish: Swapping, today: date) -> tuple[list[Edit], list[str], date]:
    names = called(role)
    for day in filter(None, (wish.day, wish.back)):
        if day < today:
            raise Unclear(f"{date_words(day, today)} is over already.")
    for swap in role.swaps:
        known = _swap_of(swap.who, wish.day, wish.back, wish.hours, wish.back_hours)
        if swap == known and swap.who in (wish.who, wish.other):
            return [], [f"{swap_words(swap, role, today)[:-1]}: that stands so already."], wish.day
    layers = Layers(role)
    pair = (wish.who, wish.other)
    worker = _other_than(_only_one(layers, wish.day, pair, today, wish.hours), wish)
    _is_partner(role, worker, wish.day, wish.day, today)
    if wish.back is not None:
        _is_partner(role, _other_than(worker, wish), wish.back, wish.back, today)
    if wish.back is not None and _only_one(layers, wish.back, pair, today, wish.back_hours) != worker:
        name = names[worker]
        raise Unclear(
            f"{name} would work on {date_words(wish.day, today)}, but {date_words(wish.back, today)} "
            f"isn't {name}'s day to give back."
        )
    swap = _swap_of(worker, wish.day, wish.back, wish.hours, wish.back_hours)
    return [AddSwap(swap)], [swap_words(swap, role, today)], wish.day


def _works(role: Role, wish: Works, today: date) -> tuple[list[Edit], list[str], date]:
    _is_partner(role, wish.who, wish.day, wish.day, today)
    swap = _swap_of(wish.who, wish.day, wish.back, wish.hours)
    words = swap_words(swap, role, today)
    if swap in role.swaps:
        return [], [f"{words[:-1]}: that stands so already."], wish.day
    if wish.instead is not None:
        there = _only_one(Layers(role), wish.day, (wish.who, wish.instead), today, wish.hours)
        if there != wish.instead:
            name, day = called(role)[wish.instead], date_words(wish.day, today)
            raise Unclear(f"{name} isn't in on {day}, so there is nothing to take over.")
    return [AddSwap(swap)], [words], wish.day


def _swap_of(
    who: str, day: date, back: date | None, hours: Hours | None, back_hours: Hours | None = None
) -> Swap:
    return Swap(who, day, back, *(hours or (None, None)), *(back_hours or (None, None)))


def _is_partner(role: Role, key: str, first: date, last: date, today: date) -> None:
    """Refuse somebody who is no partner on any of these days.

    They may lie before their first day, or after their last. Raises Unclear.
    """
    person = role.person(key)
    if person.since is not None and last < person.since:
        why = f"is no partner before {date_words(person.since, today)}"
    elif person.until is not None and first > person.until:
        why = f"is no partner after {date_words(person.until, today)}"
    else:
        return
    raise Unclear(f"{called(role)[key]} {why}.")


def _only_one(
    layers: Layers, day: date, pair: tuple[str, str], today: date, hours: Hours | None = None
) -> str:
    """The one who works on ``day``, or in these hours, of two. Raises Unclear where it isn't one of them alone."""
    first, last = hours or (0, 24 * 60)
    start, end = at_minute(day, first, layers.zone), at_minute(day, last, layers.zone, end=True)
    on = {key for slot in layers.slots(day) if slot.start < end and slot.end > start for key in slot.on}
    both = [key for key in pair if key in on]
    if len(both) == 1:
        return both[0]
    names = called(layers.role)
    who = joined(names[key] for key in pair)
    verb = "are both in" if both else "are both not in"
    part = f" from {clock_words(first)} to {clock_words(last)}" if hours else ""
    raise Unclear(
        f"{who} {verb} on {date_words(day, today)}{part}, so it isn't clear what a swap would change."
    )


def _other_than(key: str, wish: Swapping) -> str:
    return wish.other if key == wish.who else wish.who
