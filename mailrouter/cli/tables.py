"""Schedules as tables for a terminal: day by day with reasons, and four weeks at a glance. They read without colour."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from mailrouter.schedule.date_words import MONTHS, WEEKDAYS, called, joined, short_date
from mailrouter.schedule.localtime import day_start, local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import Span
from mailrouter.schedule.views.grid import Day

_DAY_COLUMN = len("Thu 31 Dec  ")
_HOURS_COLUMN = len("09:00–17:00  ")
_NARROWEST_REASON = 16
_NARROW = 56
"""Columns below which the reason stands below the names."""
_PAINTS = ("\x1b[36m", "\x1b[35m", "\x1b[32m", "\x1b[33m", "\x1b[34m")
_RED, _FAINT, _BOLD, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


def as_table(spans: Sequence[Span], role: Role, width: int = 80, colour: bool = False) -> str:
    """One line a span, grouped by day: the day, the hours, who is on, and why.

    Hours outside the rota are left out. A span that ends after midnight stands at the day it begins on; one
    of more than a day is shown day by day. No line is longer than ``width`` columns, down to what names need.
    """
    shown = [part for span in spans if span.on or span.why != "outside hours" for part in _by_day(span, role)]
    if not shown:
        return "nobody has hours on these days"
    brush = Brush(role, colour)
    column = max(len(_names(span, role)) for span in shown) + 2
    lines: list[str] = []
    day_before = None
    for span in shown:
        start, end = (moment.astimezone(role.time_zone) for moment in (span.start, span.end))
        day = start.date()
        first = "" if day == day_before else short_date(day)
        hours = f"{start:%H:%M}–{_end_of(start, end)}"
        if width < _NARROW:
            lines += _narrow(span, first, hours, brush, width)
        else:
            who = brush.names(span.on) + " " * (column - len(_names(span, role)))
            head = f"{brush.bold(first)}{' ' * (_DAY_COLUMN - len(first))}{hours:<{_HOURS_COLUMN}}{who}"
            indent = _DAY_COLUMN + _HOURS_COLUMN + column
            reason = textwrap.wrap(_reason(span), max(width - indent, _NARROWEST_REASON))
            lines += [
                head + brush.faint(reason[0]),
                *(" " * indent + brush.faint(more) for more in reason[1:]),
            ]
        day_before = day
    return "\n".join(lines)


def _narrow(span: Span, first: str, hours: str, brush: Brush, width: int) -> Iterator[str]:
    """One day for a narrow terminal.

    The day has a line of its own, with the hours and names below it, and a reason that says more than ``by the rota``.
    """
    if first:
        yield brush.bold(first)
    yield f"  {hours}  {brush.names(span.on)}"
    if (reason := _reason(span)) != "by the rota":
        for line in textwrap.wrap(reason, max(width - 4, _NARROWEST_REASON)):
            yield f"    {brush.faint(line)}"


def at_a_glance(days: Sequence[Day], role: Role, width: int = 80, colour: bool = False) -> str:
    """Whole weeks, a line each, a column a weekday; names are shortened, cell by cell, as far as the room asks for.

    No name is left out: where there is no room for all, it is said how many they are. ``+`` joins people whose hours
    overlap, ``/`` those who follow one another; ``*`` is not as the rota has it.
    """
    brush = Brush(role, colour)
    label = len("30 Nov") + 2
    column = max(4, min((width - label) // 7, 11))
    weeks = [days[first : first + 7] for first in range(0, len(days), 7)]
    cells = [[_cell(day, brush, column - 1) for day in week] for week in weeks]
    lines = [" " * label + "".join(f"{name[:3]:<{column}}" for name in WEEKDAYS).rstrip()]
    for row, week in zip(cells, weeks, strict=True):
        painted = [
            f"{brush.cell(cell, day)}{' ' * (column - len(cell))}"
            for cell, day in zip(row, week, strict=True)
        ]
        lines.append(f"{_short(week[0].date):<{label}}{''.join(painted)}".rstrip())
    every = [cell for row in cells for cell in row]
    letters = brush.shortened(1)
    legend = [
        f"{letters[k]} {name}"
        for k, name in brush.called.items()
        if any(_shows(letters[k], c) for c in every)
    ]
    if figure := next((cell.rstrip("*") for cell in every if cell.rstrip("*").isdigit()), ""):
        legend.append(f"{figure} so many are in")
    legend += [words for sign, words in _SIGNS.items() if any(sign in cell for cell in every)]
    return "\n".join([*lines, *textwrap.wrap(", ".join(legend), width)])


_SIGNS = {
    "+": "+ together",
    "/": "/ one after the other",
    "!": "! nobody on a working day",
    "*": "* not as the rota has it",
}


_APART = re.compile(r"[+/*]")
_DAY_AND_NAMES = re.compile(r"^\w+: [^;]+ by the rota(?!; \w+: )")


def _shows(letters: str, cell: str) -> bool:
    """Whether a cell has these letters in place of a name."""
    return letters in _APART.split(cell)


class Brush:
    """A role's names, coloured one by one where the terminal allows it."""

    def __init__(self, role: Role, colour: bool) -> None:
        self.called, self._colour = called(role), colour
        self._full = {person.key: person.name for person in role.people}
        self._paint = {key: _PAINTS[place % len(_PAINTS)] for place, key in enumerate(self.called)}

    def shortened(self, most: int) -> dict[str, str]:
        """Unambiguous abbreviations of the names, by key.

        They are the first ``most`` letters or some more; initials where these do not tell people apart.
        """
        short = ({key: name[:length] for key, name in self.called.items()} for length in range(most, 4))
        initials = {key: "".join(word[0] for word in name.split()) for key, name in self._full.items()}
        longer = ({key: name[:length] for key, name in self.called.items()} for length in range(4, 20))
        for found in (*short, initials, *longer):
            if len(set(found.values())) == len(found):
                return found
        return dict(self.called)

    def names(self, keys: Sequence[str]) -> str:
        """``Laurie and Elaine``, or ``nobody``."""
        if not keys:
            return self._painted("nobody", _RED)
        return joined(self._painted(self.called[key], self._paint[key]) for key in keys)

    def cell(self, text: str, day: Day) -> str:
        """A cell in its person's colour, red where nobody is in."""
        if day.working and not day.parts:
            return self._painted(text, _RED)
        return self._painted(
            text, self._paint[day.on[0]] if len(day.on) == 1 else _BOLD if day.on else _FAINT
        )

    def bold(self, text: str) -> str:
        """A heading."""
        return self._painted(text, _BOLD) if text else text

    def faint(self, text: str) -> str:
        """The text in faint: it may be overlooked."""
        return self._painted(text, _FAINT)

    def _painted(self, text: str, paint: str) -> str:
        return f"{paint}{text}{_PLAIN}" if self._colour else text


def _cell(day: Day, brush: Brush, room: int) -> str:
    """The people on duty in a word: ``Laurie``, ``Lau+Ela``, ``NOBODY``; ``·`` on a day without hours."""
    star = "" if day.as_rota else "*"
    if not day.parts:
        alarm = "NOBODY" if room >= len("NOBODY*") else "!"
        return f"{alarm if day.working else '·'}{star}"
    sign = "+" if any(len(part.on) > 1 for part in day.parts) else "/"
    for names in (brush.called, brush.shortened(3), brush.shortened(1)):
        cell = sign.join(names[key] for key in day.on) + star
        if len(cell) <= room:
            return cell
    return f"{len(day.on)}{star}"  # a name left out would be a lie


def _short(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1][:3]}"


def _by_day(span: Span, role: Role) -> Iterator[Span]:
    """The span itself, or its days where it is longer than one."""
    start = span.start
    while span.end - start > timedelta(days=1):
        midnight = day_start(local_day(start, role.time_zone) + timedelta(days=1), role.time_zone)
        yield Span(start, midnight, span.on, span.why)
        start = midnight
    yield Span(start, span.end, span.on, span.why)


def _end_of(start: datetime, end: datetime) -> str:
    """The end on the clock; midnight is the end of the day that it ends."""
    return "24:00" if end.time() == datetime.min.time() and end.date() > start.date() else f"{end:%H:%M}"


def _names(span: Span, role: Role) -> str:
    names = called(role)
    return joined(names[key] for key in span.on) or "nobody"


def _reason(span: Span) -> str:
    """The reason without day and names, which have their own columns."""
    return _DAY_AND_NAMES.sub("by the rota", span.why)
