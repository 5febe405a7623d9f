"""What a partner's words come to in one role's schedule: the edits of the file, and the same in facts. Pure.

The edits are made twice, in the text (``mailrouter.config.editing``) and here in facts; only where both give the same
role is the text used.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from mailrouter.schedule.layers import Layers
from mailrouter.schedule.model import Absence, Role, Swap
from mailrouter.schedule.said import Back, Cancel, Off, Request, Swapping, Unclear, Works
from mailrouter.schedule.said_dates import Said
from mailrouter.schedule.words import called, clock_words, date_words, joined

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AddAbsence:
    """A new absence, last in the list."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class DropAbsence:
    """An absence that goes."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """An absence that ends at ``end`` (a wall time, not included)."""

    absence: Absence
    end: datetime


@dataclass(frozen=True, slots=True)
class AddSwap:
    """A new swap, last in the list."""

    swap: Swap


@dataclass(frozen=True, slots=True)
class DropSwap:
    """A swap that goes."""

    swap: Swap


Edit = AddAbsence | DropAbsence | EndAbsence | AddSwap | DropSwap


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done, and in words what was understood: a sentence for each request. Without edits, it stands so
    already. ``first`` is the first day that is spoken of."""

    edits: tuple[Edit, ...]
    words: tuple[str, ...]
    first: date


def change_for(role: Role, requests: Iterable[Request], now: datetime) -> Change:
    """The change that these requests come to, one after the other; ``now`` is a wall time. Raises Unclear."""
    edits: list[Edit] = []
    words: list[str] = []
    days: list[date] = []
    today = now.date()
    for request in requests:
        new, said, first = _for_request(role, request, today)
        edits += new
        words += said
        days.append(first)
        role = changed(role, new)
    return Change(tuple(edits), tuple(words), min(days, default=today))


def changed(role: Role, edits: Sequence[Edit]) -> Role:
    """The role with these edits made."""
    absences, swaps = list(role.absences), list(role.swaps)
    for edit in edits:
        match edit:
            case AddAbsence(absence):
                absences.append(absence)
            case DropAbsence(absence):
                absences.remove(absence)
            case EndAbsence(absence, end):
                whole = absence.whole_days and end.time() == time.min
                absences[absences.index(absence)] = replace(absence, end=end, whole_days=whole)
            case AddSwap(swap):
                swaps.append(swap)
            case DropSwap(swap):
                swaps.remove(swap)
    return replace(role, absences=tuple(absences), swaps=tuple(swaps))


def same_schedule(one: Role, other: Role) -> bool:
    """Whether two roles are the same but for how an absence's days were written."""
    return _plain(one) == _plain(other)


def _plain(role: Role) -> Role:
    return replace(role, absences=tuple(replace(a, whole_days=True) for a in role.absences))


def _for_request(role: Role, request: Request, today: date) -> tuple[list[Edit], list[str], date]:
    match request:
        case Off():
            return _off(role, request, today)
        case Swapping():
            return _swap(role, request, today)
        case Back():
            return _back(role, request, today)
        case Cancel():
            return _cancel(role, request, today)
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
        new = Absence(off.who, span.start, span.end, off.note, off.cover, span.whole_days)
        covers = f"; {names[off.cover]} covers" if off.cover else ""
        said = f"{names[off.who]} is away {span_words(span.start, span.end, today)}{covers}."
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


def _swap(role: Role, wish: Swapping, today: date) -> tuple[list[Edit], list[str], date]:
    names = called(role)
    for day in filter(None, (wish.day, wish.back)):
        if day < today:
            raise Unclear(f"{date_words(day, today)} is over already.")
    for swap in role.swaps:
        if swap.day == wish.day and swap.given_back == wish.back and swap.who in (wish.who, wish.other):
            return [], [f"{_swap_words(swap, role, today)[:-1]}: that stands so already."], wish.day
    layers = Layers(role)
    worker = _other_than(_only_one(layers, wish.day, (wish.who, wish.other), today), wish)
    _is_partner(role, worker, wish.day, wish.day, today)
    if wish.back is not None:
        _is_partner(role, _other_than(worker, wish), wish.back, wish.back, today)
    if wish.back is not None and _only_one(layers, wish.back, (wish.who, wish.other), today) != worker:
        name = names[worker]
        raise Unclear(
            f"{name} would work on {date_words(wish.day, today)}, but {date_words(wish.back, today)} "
            f"isn't {name}'s day to give back."
        )
    swap = Swap(worker, wish.day, wish.back)
    return [AddSwap(swap)], [_swap_words(swap, role, today)], wish.day


def _works(role: Role, wish: Works, today: date) -> tuple[list[Edit], list[str], date]:
    _is_partner(role, wish.who, wish.day, wish.day, today)
    start, end = wish.hours or (None, None)
    swap = Swap(wish.who, wish.day, wish.back, start, end)
    words = _swap_words(swap, role, today)
    if swap in role.swaps:
        return [], [f"{words[:-1]}: that stands so already."], wish.day
    return [AddSwap(swap)], [words], wish.day


def _is_partner(role: Role, key: str, first: date, last: date, today: date) -> None:
    """Raises Unclear for somebody who is no partner on any of these days: before their first day, or after their last."""
    person = role.person(key)
    if person.since is not None and last < person.since:
        why = f"is no partner before {date_words(person.since, today)}"
    elif person.until is not None and first > person.until:
        why = f"is no partner after {date_words(person.until, today)}"
    else:
        return
    raise Unclear(f"{called(role)[key]} {why}.")


def _only_one(layers: Layers, day: date, pair: tuple[str, str], today: date) -> str:
    """Which of two works on ``day``."""
    on = {key for slot in layers.slots(day) for key in slot.on}
    both = [key for key in pair if key in on]
    if len(both) == 1:
        return both[0]
    names = called(layers.role)
    who = joined(names[key] for key in pair)
    verb = "are both in" if both else "are both not in"
    raise Unclear(f"{who} {verb} on {date_words(day, today)}, so it isn't clear what a swap would change.")


def _other_than(key: str, wish: Swapping) -> str:
    return wish.other if key == wish.who else wish.who


def _back(role: Role, back: Back, today: date) -> tuple[list[Edit], list[str], date]:
    name = called(role)[back.who]
    moment = datetime.combine(back.day, time.min) + timedelta(minutes=back.minute or 0)
    if back.day < today:
        raise Unclear(f"{date_words(back.day, today)} is over already.")
    own = [a for a in role.absences if a.who == back.who and a.end > moment]
    # A day's absence from its beginning is ended by coming back on that day.
    held = [a for a in own if a.start <= moment]
    when = _moment_words(moment, today)
    if not held:
        raise Unclear(f"{name} isn't away {when}, as the schedule has it.")
    reach = max(a.end for a in held)
    later = [a for a in own if a not in held and a.start <= reach]
    if later:
        raise Unclear(
            f"{name} is away again {span_words(later[0].start, later[0].end, today)}; cancel that first."
        )
    edits: list[Edit] = [DropAbsence(a) if a.start == moment else EndAbsence(a, moment) for a in held]
    return edits, [f"{name} is back {when}."], back.day


def _cancel(role: Role, cancel: Cancel, today: date) -> tuple[list[Edit], list[str], date]:
    edits: list[Edit] = []
    words: list[str] = []
    name = called(role)[cancel.who]
    for span in cancel.spans:
        edit, said = _one_cancelled(role, cancel, span, name, today)
        edits.append(edit)
        words.append(said)
    return edits, words, cancel.spans[0].start.date()


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
        return DropSwap(swaps[0]), f"This no longer holds: {_swap_words(swaps[0], role, today)}"
    (absence,) = absences
    held = span_words(absence.start, absence.end, today)
    if (absence.start, absence.end) != (span.start, span.end):
        raise Unclear(
            f'{name} is away {held}. Write "back" and the day to shorten it, or cancel the whole of it.'
        )
    return DropAbsence(absence), f"{name} is not away {held} any more."


def _swap_words(swap: Swap, role: Role, today: date) -> str:
    names = called(role)
    others = _others(role, swap, swap.day, names)
    hours = ""
    if swap.start is not None and swap.end is not None:
        hours = f" from {clock_words(swap.start)} to {clock_words(swap.end)}"
    words = f"{names[swap.who]} works on {date_words(swap.day, today)}{hours} instead of {others}"
    if swap.given_back:
        others = _others(role, swap, swap.given_back, names)
        words += f", and {others} on {date_words(swap.given_back, today)} in return"
    return f"{words}."


def _others(role: Role, swap: Swap, day: date, names: Mapping[str, str]) -> str:
    return joined(names[p.key] for p in role.partners if p.key != swap.who and p.is_partner_on(day))


def span_words(start: datetime, end: datetime, today: date) -> str:
    """``on Thursday 3 December``, ``on … from 14:00``, ``from … to …``: wall times, ``end`` not included.

    >>> span_words(datetime(2026, 12, 21), datetime(2027, 1, 2), date(2026, 12, 3))
    'from Monday 21 December to Friday 1 January 2027'
    """
    last = (end - timedelta(microseconds=1)).date()
    first_time = "" if start.time() == time.min else f"{start:%H:%M}"
    last_time = "" if end.time() == time.min else f"{end:%H:%M}"
    first_day, last_day = date_words(start.date(), today), date_words(last, today)
    if start.date() != last:
        at = f" at {first_time}" if first_time else ""
        return f"from {first_day}{at} to {last_day}" + (f" at {last_time}" if last_time else "")
    hours = f" from {first_time}" if first_time else ""
    hours += f" {'to' if first_time else 'until'} {last_time}" if last_time else ""
    return f"on {first_day}{hours}"


def _moment_words(moment: datetime, today: date) -> str:
    day = "today" if moment.date() == today else f"on {date_words(moment.date(), today)}"
    minute = moment.hour * 60 + moment.minute
    return f"{day} from {clock_words(minute)}" if minute else day
