"""The rota as partners write it: who works on which weekday, in one week or several that take turns; special days."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from mailrouter.config.files.fields import Lines, Reading, Unknown, listed, reads, reads_with
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.config.values.times import RANGE_HINT, day, days_between, time_range
from mailrouter.config.yaml.tree import Entry, Items, Node, Placed, Tree, is_empty
from mailrouter.config.yaml.tree import Mapping as MappingNode
from mailrouter.errors import Problem
from mailrouter.schedule.model import Minute, Rota, Shift

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
EVERYBODY = ("both", "all", "everyone", "everybody")
NOBODY = ("nobody", "none", "null", "-")
RESERVED = (*EVERYBODY, *NOBODY)
_JOINED = re.compile(r"(?<!\s)\s++(?:and|&|\+|und|et|y)\s++|(?<!\s)\s++[/;+&]\s*+|[/;+&]\s*+")
_BETWEEN = ("and", "und", "et", "y", "")
_FREE = ("no", "off", "free", "closed", "false", "holiday", "vacation", "weekend")
_PARTS = {
    **dict.fromkeys(("morning", "mornings", "am", "a.m."), "09:00-13:00"),
    **dict.fromkeys(("afternoon", "afternoons", "pm", "p.m."), "13:00-17:00"),
    **dict.fromkeys(("half", "half day", "half-day"), "09:00-13:00"),
}
"""What people say of half a day, with hours as an example."""
_SEVERAL = re.compile(
    r"(?:(?<!\s)\s++)?(?:,|;|/|&|\+|-|\u2013|\u2014|\bto\b|\band\b|\bthru\b|\bthrough\b|\buntil\b)\s*+"
)
_NAME_END = re.compile(r"[@\s]")
_APART = re.compile(r"[\s;,/&+]+")
_RANGE_SIGN = re.compile(r"[-\u2013\u2014]|to|thr|until")

_LONGEST_DAYS = 120
"""Characters of the names of several days."""

TypedShift = tuple[str, Minute | None, Minute | None]
"""A partner's key, start and end; None and None mean the role's hours."""


@dataclass(frozen=True, slots=True)
class Working:
    """The role's working hours without lunch, and partners' own zones."""

    hours: tuple[tuple[Minute, Minute], ...]
    zones: Mapping[str, ZoneInfo]

    def shifts(self, typed: Iterable[Iterable[TypedShift]]) -> tuple[Shift, ...]:
        """A day's shifts. Hours beside a name are in that person's time; the role's are in the role's."""
        found: list[Shift] = []
        for entry in typed:
            for who, start, end in entry:
                if start is None or end is None:
                    found += (Shift(who, *hours) for hours in self.hours)
                else:
                    found.append(Shift(who, start, end, self.zones.get(who)))
        return tuple(dict.fromkeys(found))  # [both, laurie] names her twice


def partner_key(typed: str, info: ValidationInfo[Reading]) -> str:
    """The key of the partner that is meant, whatever its case. Raises Wrong."""
    known = info.context.partners
    if known is None:
        return typed
    if typed.casefold() in known:
        return known[typed.casefold()]
    if typed.casefold() in _FREE:
        raise Wrong(f"{shown(typed)} is not a partner here", "for a day on which nobody works write nobody")
    if typed.casefold() in ("yes", "on", "true", "x", "open"):
        raise Wrong(
            f"{shown(typed)} is not a partner here", "write who works: a partner's short name, or both"
        )
    first = _NAME_END.split(typed, maxsplit=1)[0].casefold()
    hint = did_you_mean(typed, known.values()) or (f"write {known[first]}" if first in known else "")
    hint = hint or f"partners are {shown(', '.join(known.values()), 100)}"
    raise Wrong(f"{shown(typed)} is not a partner here", hint)


def _shifts(text: str, info: ValidationInfo[Reading]) -> tuple[TypedShift, ...]:
    """``laurie``, ``laurie 09:00-13:00``, or ``both`` in place of a name."""
    who, space, hours = text.partition(" ")
    if not who:
        raise Wrong("a partner is missing here", "write laurie, or laurie 09:00-13:00")
    if who[0].isdigit() and ":" in who:
        raise Wrong(
            f"{shown(text)} doesn't say who works", "begin with the partner, as in laurie 09:00-13:00"
        )
    if "#" in who:
        name = shown(who.partition("#")[0])
        raise Wrong("a comment needs a space before its #", f"write {name} # …", offset=who.index("#"))
    known = info.context.partners or {}
    if several := _several(text, known):
        hint = f"put a comma between them, and brackets around all: [{shown(several, 60)}]"
        raise Wrong("a comma is missing between two people", hint)
    if who.casefold() in NOBODY:
        raise Wrong(f"`{who}` can't stand in a list", "for a day off write nobody alone, without brackets")
    start: Minute | None = None
    end: Minute | None = None
    if space:
        bare = hours.lstrip()
        if who.casefold() in known and bare.casefold() in _PARTS:
            hint = f"write the hours, as in {who} {_PARTS[bare.casefold()]}"
            raise Wrong(f"{shown(bare)} is not a range of times", hint, offset=len(text) - len(bare))
        if bare[:1].isalpha() and who.casefold() in known and not any(map(str.isdigit, bare)):
            key = known[who.casefold()]
            raise Wrong(f"{shown(text)} is not a partner's short name", f"write {key}, or {key} 09:00-13:00")
        if not bare[:1].isdigit():
            raise Wrong(f"{shown(bare)} is not a range of times", RANGE_HINT, offset=len(text) - len(bare))
        try:
            start, end = time_range(bare)
        except Wrong as wrong:
            raise wrong.further(len(text) - len(bare)) from None
    if who.casefold() in EVERYBODY:
        return tuple((key, start, end) for key in (info.context.partners or {}).values())
    return ((partner_key(who, info), start, end),)


def _several(text: str, known: Mapping[str, str]) -> str:
    """``laurie 09:00-13:00, elaine`` for ``laurie 09:00-13:00; elaine``; nothing where one person is named."""
    first, *words = _APART.split(text.strip())
    if not any(word.casefold() in known for word in words):
        return ""
    said = [first]
    for word in words:
        if word.casefold() in known:
            said[-1] += ","
        if word.casefold() not in _BETWEEN:
            said.append(word)
    return " ".join(said).replace(",,", ",")


def _one_day(value: Any) -> Any:
    """A name alone is a list of one; ``nobody`` an empty list."""
    if not isinstance(value, str):
        return value
    if value.casefold() in NOBODY:
        return []
    if "," in value:
        raise Wrong("several people need brackets around them", f"write [{shown(value, 60)}]")
    if _JOINED.search(value):
        several = _JOINED.sub(", ", value)
        raise Wrong("several people need brackets around them", f"write [{shown(several, 60)}]")
    return listed(value)


Day = Annotated[tuple[Annotated[tuple[TypedShift, ...], reads_with(_shifts)], ...], BeforeValidator(_one_day)]


class WeekFile(Lines):
    """A week; a day that isn't there is nobody's."""

    @classmethod
    def _unknown(cls, node: MappingNode, key: str, known: list[str]) -> Unknown:
        said = [_weekday(word) for word in _SEVERAL.split(key.casefold()[:_LONGEST_DAYS]) if word]
        if len(said) > 1 and all(word in WEEKDAYS for word in said):
            range_of = said[0] != said[1] and _RANGE_SIGN.search(key.casefold())
            first, last = WEEKDAYS.index(said[0]), WEEKDAYS.index(said[-1])
            meant = WEEKDAYS[first : last + 1] if range_of and first < last else said
            hint = f"write a line for each: {', '.join(f'{name}: …' for name in meant)}"
            return Unknown(node, key, f"`{shown(key)}` is more than one day", hint)
        if key.casefold() in (
            "weekdays",
            "weekday",
            "workdays",
            "daily",
            "every day",
            "everyday",
            "all",
            "always",
        ):
            hint = "write a line for each: monday: …, tuesday: …"
            return Unknown(node, key, f"`{shown(key)}` is more than one day", hint)
        return super()._unknown(node, key, known)

    monday: Day = ()
    tuesday: Day = ()
    wednesday: Day = ()
    thursday: Day = ()
    friday: Day = ()
    saturday: Day = ()
    sunday: Day = ()

    def facts(self, working: Working) -> tuple[tuple[Shift, ...], ...]:
        """Seven days of shifts."""
        return tuple(working.shifts(getattr(self, name)) for name in WEEKDAYS)


class WeeksFile(Lines):
    """Weeks that take turns, counted from the one that holds ``starting``."""

    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = dict.fromkeys(
        WEEKDAYS, ("a weekday can't stand beside `weeks`", "put it inside one of the weeks")
    )
    starting: Annotated[date, reads(day)]
    weeks: Annotated[tuple[WeekFile, ...], Field(min_length=1)]


RotaFile = Annotated[
    Annotated[WeekFile, Tag("week")] | Annotated[WeeksFile, Tag("weeks")],
    Discriminator(lambda v: "weeks" if isinstance(v, dict) and ("weeks" in v or "starting" in v) else "week"),
]


def rota_facts(typed: WeekFile | WeeksFile, working: Working) -> Rota:
    """The rota as facts. A shift without hours has the role's."""
    if isinstance(typed, WeekFile):
        return Rota((typed.facts(working),))
    return Rota(tuple(week.facts(working) for week in typed.weeks), typed.starting)


def _none_empty(value: Any) -> Any:
    """Refuse a day with nothing after its colon.

    It would be left out, and the rota would hold as if the line weren't there.
    """
    for key, entry in value.node.entries.items() if isinstance(value, Placed) else ():
        if is_empty(entry.value):
            raise Wrong(f"`{shown(key)}` has no value", "write who works then: a partner, both or nobody")
    return value


def _one_line_a_day(typed: dict[tuple[date, date], Any]) -> dict[tuple[date, date], Any]:
    last: date | None = None
    for first, until in sorted(typed):
        if last is not None and first <= last:
            raise Wrong(f"{first.isoformat()} is in two lines here", "keep one of them for each day")
        last = until
    return typed


SpecialDays = Annotated[
    dict[Annotated[tuple[date, date], reads(days_between)], Day],
    BeforeValidator(_none_empty),
    AfterValidator(_one_line_a_day),
]
"""Single days, and days from one to another, that are not as the rota says."""


def special_days(
    typed: Mapping[tuple[date, date], Any], working: Working
) -> tuple[tuple[date, tuple[Shift, ...]], ...]:
    """The shifts of each special day, in order."""
    found: list[tuple[date, tuple[Shift, ...]]] = []
    for (first, last), day_ in sorted(typed.items()):
        shifts = working.shifts(day_)
        found += ((first + timedelta(days=ahead), shifts) for ahead in range((last - first).days + 1))
    return tuple(found)


def with_whole_weekdays(tree: Tree) -> Tree:
    """The tree with ``Mon`` and ``MONDAY`` in the rota as ``monday``; a day spelt twice is a problem."""
    root = tree.root
    if not isinstance(root, MappingNode) or "rota" not in root.entries:
        return tree
    problems: list[Problem] = []
    rota = root.entries["rota"]
    entries = {**root.entries, "rota": replace(rota, value=_renamed(rota.value, tree, problems))}
    return replace(tree, root=replace(root, entries=entries), problems=(*tree.problems, *problems))


def _renamed(node: Node, tree: Tree, problems: list[Problem]) -> Node:
    if not isinstance(node, MappingNode):
        return node
    found: dict[str, Entry] = {}
    for key, entry in node.entries.items():
        name = _weekday(key)
        if key == "weeks" and isinstance(entry.value, Items):
            weeks = tuple(_renamed(week, tree, problems) for week in entry.value.items)
            entry = replace(entry, value=replace(entry.value, items=weeks))
        if name in found:
            first = found[name]
            what = f"`{shown(entry.typed)}` is here for the second time"
            hint = f"`{shown(first.typed)}` is on line {first.line + 1}; keep one"
            problems.append(tree.problem(entry.line, entry.column, what, hint))
        else:
            found[name] = entry
    return replace(node, entries=found)


def _weekday(key: str) -> str:
    folded = key.casefold()
    return next((name for name in WEEKDAYS if folded in (name, name[:3])), key)
