"""A month as a picture: SVG that fits light and dark pages, in colours and in words. Pure.

Every day is drawn as a bar a person, from when they come to when they go; the name stands in the bar, so that colour
is never needed to read it. A reader that shows no pictures gets the title, the description and a line for each day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from html import escape

from mailrouter.schedule.date_words import MONTHS, WEEKDAYS, called, clock_words
from mailrouter.schedule.localtime import DAY, at_minute
from mailrouter.schedule.model import Role
from mailrouter.schedule.views.grid import Day, days, month_of, weeks_of_month

_CELL, _HEAD, _TOP, _BAR, _GAP = 104, 26, 46, 17, 3
_EDGE, _LEFT = 12, 6
_WIDTH = 7 * _CELL + 2 * _EDGE
_HOLIDAY = "holiday: "
_CHARACTER = 6.2
"""Pixels that a letter of a label takes, about."""
# Blue, orange, green, purple, pink, brown: told apart by people who don't see red from green, dark enough for white.
_COLOURS = ("#2b6cb0", "#b45309", "#2f855a", "#6b46c1", "#b83280", "#744210")

_STYLE = """\
svg { background: #ffffff; font-family: system-ui, sans-serif; }
text { fill: #1a202c; font-size: 12px; }
.title { font-size: 17px; font-weight: 600; }
.faint { fill: #5a6472; }
.day { fill: #f7f8fa; stroke: #cbd2dc; }
.free { fill: #ffffff; }
.bar text, .key text { fill: #ffffff; }
.nobody { fill: none; stroke: #c53030; stroke-dasharray: 4 3; }
.alarm { fill: #c53030; }
@media (prefers-color-scheme: dark) {
  svg { background: #14181f; }
  text { fill: #e6e9ee; }
  .faint { fill: #a3adbb; }
  .day { fill: #202631; stroke: #3b4454; }
  .free { fill: #14181f; }
  .nobody { stroke: #fc8181; }
  .alarm { fill: #fc8181; }
}"""


def month_picture(role: Role, of: date, *, reasons: bool = True) -> str:
    """The month that holds ``of``, from Monday to Sunday: a whole SVG document.

    Without ``reasons``, for colleagues, it has holidays' names and no other word of why somebody is in or not.
    """
    first, last = month_of(of)
    found = {day.date: day for day in days(role, *weeks_of_month(of)) if first <= day.date <= last}
    if not reasons:
        found = {date: replace(day, why=_holidays(day)) for date, day in found.items()}
    paint = _colours(role, found.values())
    opens, closes = _hours(role, found.values())
    rows = max([2, *(len(_lanes(day)) for day in found.values())])
    height = _HEAD + rows * (_BAR + _GAP) + 4
    monday, sunday = weeks_of_month(of)
    weeks = ((sunday - monday).days + 1) // 7
    total = _TOP + 22 + weeks * height + 58
    title = f"{role.name}, {MONTHS[first.month - 1]} {first.year}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {total}" width="{_WIDTH}" height="{total}" '
        'role="img" aria-labelledby="title about">',
        f'<title id="title">{escape(title)}: who is in</title>',
        f'<desc id="about">{escape(_about(role, found.values()))}</desc>',
        f"<style>\n{_STYLE}\n</style>",
        f'<text class="title" x="{_EDGE}" y="30">{escape(title)}</text>',
    ]
    for number, name in enumerate(WEEKDAYS):
        lines.append(
            f'<text class="faint" x="{_EDGE + number * _CELL + _LEFT}" y="{_TOP + 12}">{name[:3]}</text>'
        )
    for day in found.values():
        x = _EDGE + day.date.weekday() * _CELL
        y = _TOP + 22 + (day.date - monday).days // 7 * height
        lines += _cell(day, role, paint, (opens, closes), (x, y, height))
    lines += _key(role, paint, (opens, closes), total - 36)
    return "\n".join([*lines, "</svg>", ""])


def _holidays(day: Day) -> tuple[str, ...]:
    return tuple(why for why in day.why if why.startswith(_HOLIDAY))


def _cell(
    day: Day, role: Role, paint: Mapping[str, str], hours: tuple[int, int], place: tuple[int, int, int]
) -> Iterator[str]:
    """One day, at ``place``: left, top and height in units of the picture."""
    x, y, height = place
    names = called(role)
    opens, closes = (at_minute(day.date, minute, role.time_zone) for minute in hours)
    whole = max((closes - opens).total_seconds(), 1)
    free = "" if day.working or day.parts else " free"
    yield f'<g role="listitem"><title>{escape(told(day, role))}</title>'
    yield f'<rect class="day{free}" x="{x}" y="{y}" width="{_CELL}" height="{height}"/>'
    mark = "" if day.as_rota else " *"
    yield f'<text class="faint" x="{x + _LEFT}" y="{y + 17}">{day.date.day}{mark}</text>'
    room = _CELL - 2 * _LEFT
    if day.working and not day.parts:
        yield f'<rect class="nobody" x="{x + _LEFT}" y="{y + _HEAD}" width="{room}" height="{_BAR}" rx="3"/>'
        yield f'<text class="alarm" x="{x + _LEFT + 5}" y="{y + _HEAD + 13}">nobody</text>'
    elif not day.parts and day.why:
        words = _shortened(day.why[0].removeprefix(_HOLIDAY), int(room / _CHARACTER))
        yield f'<text class="faint" x="{x + _LEFT}" y="{y + _HEAD + 13}">{escape(words)}</text>'
    for lane, (key, stretches) in enumerate(_lanes(day).items()):
        top = y + _HEAD + lane * (_BAR + _GAP)
        for start, end in stretches:
            left = max((start - opens).total_seconds() / whole, 0) * room
            right = min((end - opens).total_seconds() / whole, 1) * room
            wide = max(right - left, 2)
            yield (
                f'<g class="bar"><rect fill="{paint[key]}" x="{x + _LEFT + left:.1f}" y="{top}" '
                f'width="{wide:.1f}" height="{_BAR}" rx="3"/>'
            )
            if label := _fitting(names[key], wide - 7):
                yield f'<text x="{x + _LEFT + left + 5:.1f}" y="{top + 13}">{escape(label)}</text>'
            yield "</g>"
    yield "</g>"


def _key(role: Role, paint: Mapping[str, str], hours: tuple[int, int], y: int) -> Iterator[str]:
    """The picture's key. It tells who has which colour, what the width of a day is, and what the asterisk says."""
    x = float(_EDGE)
    names = called(role)
    for key, colour in paint.items():
        wide = len(names[key]) * _CHARACTER + 14
        yield f'<g class="key"><rect fill="{colour}" x="{x:.0f}" y="{y - 13}" width="{wide:.0f}" height="17" rx="3"/>'
        yield f'<text x="{x + 7:.0f}" y="{y}">{escape(names[key])}</text></g>'
        x += wide + 8
    span = f"a day is {clock_words(hours[0])} to {clock_words(hours[1])}, {role.time_zone.key}"
    words = f"{span} · * not as the rota has it"
    below = x + 6 + len(words) * _CHARACTER > _WIDTH - _EDGE
    x, y = (_EDGE, y + 22) if below else (x + 6, y)
    yield f'<text class="faint" x="{x:.0f}" y="{y}">{escape(words)}</text>'


def told(day: Day, role: Role) -> str:
    """A day in words: ``Wednesday 2 December: Laurie 09:00-13:00, Elaine 12:00-17:00``, and why where it is unusual."""
    names, zone = called(role), role.time_zone
    said = ", ".join(
        f"{names[key]} {start.astimezone(zone):%H:%M}–{_end(start, end, role)}"
        for key, stretches in _lanes(day).items()
        for start, end in stretches
    )
    who = said or ("nobody" if day.working or day.why else "no hours")
    because = f" ({'; '.join(day.why)})" if day.why and not day.as_rota else ""
    return f"{WEEKDAYS[day.date.weekday()]} {day.date.day} {MONTHS[day.date.month - 1]}: {who}{because}"


def _about(role: Role, found: Iterable[Day]) -> str:
    lines = [told(day, role) for day in found if day.parts or day.working or day.why]
    return "\n".join(lines) or "Nobody has hours in this month."


def _lanes(day: Day) -> dict[str, list[tuple[datetime, datetime]]]:
    """Each person's stretches of the day, by order of coming."""
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for part in day.parts:
        for key in part.on:
            stretches = found.setdefault(key, [])
            if stretches and stretches[-1][1] == part.start:
                stretches[-1] = (stretches[-1][0], part.end)
            else:
                stretches.append((part.start, part.end))
    return found


def _hours(role: Role, found: Iterable[Day]) -> tuple[int, int]:
    """The whole clock hours that a day's width stands for. All that anybody works lies in them."""
    first, last = role.hours[0], min(role.hours[1], DAY)
    for day in found:
        for part in day.parts:
            start, end = (moment.astimezone(role.time_zone) for moment in (part.start, part.end))
            first = min(first, start.hour * 60 + start.minute)
            last = max(last, end.hour * 60 + end.minute if end.date() == start.date() else DAY)
    return first // 60 * 60, -(-last // 60) * 60


def _colours(role: Role, found: Iterable[Day]) -> dict[str, str]:
    """A colour a person: all partners of some time in the month, then stand-ins who are on."""
    on = {key for day in found for key in day.on}
    keys = [person.key for person in role.people]
    return {key: _COLOURS[place % len(_COLOURS)] for place, key in enumerate(keys) if key in on}


def _fitting(name: str, wide: float) -> str:
    """The name, its first letter, or nothing, by the room there is."""
    if len(name) * _CHARACTER <= wide:
        return name
    return name[:1] if wide >= _CHARACTER else ""


def _shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _end(start: datetime, end: datetime, role: Role) -> str:
    """The end on the clock; midnight is the end of the day."""
    first, last = start.astimezone(role.time_zone), end.astimezone(role.time_zone)
    return "24:00" if last.date() > first.date() and last.time() == datetime.min.time() else f"{last:%H:%M}"
