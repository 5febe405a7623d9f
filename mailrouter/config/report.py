"""Problems with their places, from the errors that pydantic found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from pydantic import ValidationError

from mailrouter.config.files.fields import MOST_PROBLEMS, Reading
from mailrouter.config.files.role_file import RoleFile
from mailrouter.config.files.rota_file import WEEKDAYS
from mailrouter.config.to_yaml import flow
from mailrouter.config.values.errors import Wrong, shown
from mailrouter.config.yaml.tree import Entry, Items, Mapping, Node, Text, Tree, is_empty
from mailrouter.errors import Problem

_AS_IN = {
    **{
        name: flow(told.examples[0])
        for name, (_, told) in RoleFile.described().items()
        if told and isinstance(told.examples[0], dict)
    },
    "role": "vp-hr@example.com",
    "name": "VP Human Resources",
    "time_zone": "Europe/Berlin",
    "person": "{name: Laurie Cremona, email: laurie@example.com}",
    "partners": "{laurie: {name: Laurie Cremona, email: laurie@example.com}}",
    "week": "{monday: laurie, tuesday: elaine}",
    **dict.fromkeys(WEEKDAYS, "[laurie 09:00-13:00, elaine 12:00-17:00]"),
    "rota": "{monday: laurie, tuesday: elaine}",
    "holidays": "{country: US}",
    "special_days": "{2026-12-24: nobody, 2026-12-28: both}",
    "absences": "{partner: elaine, from: 2026-12-21, until: 2027-01-01}",
    "swaps": "{date: 2026-12-03, partner: laurie}",
    "emergency": "{name: HR duty line, phone: +1 650 555 0100}",
    "handoff": "{attach: thread}",
    "auto_reply": "{inside: nobody, outside: nobody}",
    "also": "{2026-12-24: Christmas Eve}",
    "listen": "{smtp: 127.0.0.1:2525}",
    "timeouts": "{reply: 5 min}",
    "retry": "{first: 2 min, most: 30 min}",
    "log": "{format: json}",
}
"""How values that aren't one text are written, for hints."""
_SHAPES = {
    "model_type": "`name: value` lines belong here",
    "dict_type": "`name: value` lines belong here",
    "tuple_type": "a list belongs here",
}


def problems_of(error: ValidationError | None, reading: Reading, tree: Tree) -> Iterator[Problem]:
    """The problems found while reading ``tree``, each once; of many, some, and how many there are beside."""
    all_ = _all_problems(error, reading, tree)
    yield from islice(all_, MOST_PROBLEMS)
    if further := sum(1 for _ in all_) + reading.further:
        yield _further(tree.file, len(tree.lines), further)


def few(problems: Iterable[Problem]) -> list[Problem]:
    """Problems in the order of files and lines, each once; of a file with many, some, and how many there are beside."""
    found: list[Problem] = []
    ordered = sorted(set(problems), key=lambda p: (p.file, p.line, p.column, p.what))
    for _, group in groupby(ordered, key=lambda p: p.file):
        of_file = list(group)
        found += of_file[: MOST_PROBLEMS + 1]  # the last may be the one that counts others
        if len(of_file) > MOST_PROBLEMS + 1:
            found.append(_further(of_file[-1].file, of_file[-1].line, len(of_file) - MOST_PROBLEMS - 1))
    return found


def _further(file: str, line: int, count: int) -> Problem:
    things = "problem is" if count == 1 else "problems are"
    return Problem(file, line, 1, f"{count:,} more {things} not shown", "mend these first")


def _all_problems(error: ValidationError | None, reading: Reading, tree: Tree) -> Iterator[Problem]:
    for unknown in reading.unknown:
        entry = unknown.node.entries[unknown.key]
        yield tree.problem(entry.line, entry.column, unknown.what, unknown.hint)
    found: set[Problem] = set()
    for detail in error.errors(include_url=False) if error else ():
        if detail["type"] == "missing" and _is_misspelt(detail["loc"], reading, tree):
            continue  # told at the key that is meant to be this one
        problem = _problem(detail, tree)
        if problem not in found:  # a word that stands for two keys is wrong once
            found.add(problem)
            yield problem


def _is_misspelt(loc: Sequence[str | int], reading: Reading, tree: Tree) -> bool:
    _, node, _ = follow(tree.root, loc[:-1])
    return any(unknown.node is node and unknown.meant == loc[-1] for unknown in reading.unknown)


def _problem(detail: Any, tree: Tree) -> Problem:
    loc: Sequence[str | int] = detail["loc"]
    kind: str = detail["type"]
    if kind == "missing":
        return _missing(loc, tree)
    entry, node, _ = follow(tree.root, loc)
    line, column = (
        (entry.line, entry.column) if loc[-1:] == ("[key]",) and entry else (node.line, node.column)
    )
    if kind == "value_error" and isinstance(wrong := detail["ctx"]["error"], Wrong):
        if isinstance(node, Text) and node.line < len(tree.lines):
            column += _offset(wrong, node, tree.lines[node.line])
        return tree.problem(line, column, wrong.what, wrong.hint)
    if is_empty(node):
        return tree.problem(line, column, "a value is missing here")
    if kind == "too_short":
        return tree.problem(line, column, "the list is empty", "fill it or remove it")
    if kind in _SHAPES:
        return tree.problem(
            line, column, f"{_SHAPES[kind]}, not {_kind(node)}", _shape_hint(kind, loc, node, tree)
        )
    return tree.problem(line, column, str(detail["msg"]))


def _missing(loc: Sequence[str | int], tree: Tree) -> Problem:
    """The problem of a missing key, at the mapping for it. A key without a value is its own place."""
    _, node, _ = follow(tree.root, loc[:-1])
    name = str(loc[-1])
    if isinstance(node, Mapping) and name in node.entries:
        entry = node.entries[name]
        return tree.problem(entry.line, entry.column, f"`{name}` has no value", "write it after the colon")
    if node is tree.root:
        hint = f"add a line, as in  {name}: {_AS_IN.get(name, '…')}"
        return Problem(tree.file, 1, 1, f"`{name}` is missing", hint)
    hint = f"add `{name}: …` between the braces" if _in_braces(node, tree) else f"add a line `{name}: …`"
    return tree.problem(node.line, node.column, f"`{name}` is missing here", hint)


def _offset(wrong: Wrong, node: Text, line: str) -> int:
    """The offset of the wrong part in a value on its line."""
    start = node.column + node.quoted
    value = node.value or ""
    return wrong.offset + node.quoted if wrong.offset and line[start : start + len(value)] == value else 0


def _kind(node: Node) -> str:
    if isinstance(node, Text):
        return shown(node.value or "nothing")
    return "a list" if isinstance(node, Items) else "`name: value` lines"


def _shape_hint(kind: str, loc: Sequence[str | int], node: Node, tree: Tree) -> str:
    """The form of what belongs at ``loc``, where ``node`` has another."""
    names = [step for step in loc if isinstance(step, str)]
    name = "person" if names[-2:-1] == ["partners"] else names[-1] if names else ""
    if isinstance(node, Mapping) and node.entries and not _in_braces(node, tree):
        first = next(iter(node.entries))
        return f"put a hyphen before it, - {shown(first)}: …, and two spaces before the lines below"
    if kind == "tuple_type" and name in ("absences", "swaps"):
        return f"write each on a line below, as in  - {_AS_IN[name]}"
    return f"as in {_AS_IN[name]}" if name in _AS_IN else "write [one, two]"


def _in_braces(node: Node, tree: Tree) -> bool:
    return node.line < len(tree.lines) and tree.lines[node.line][node.column : node.column + 1] == "{"


def follow(root: Node | None, loc: Sequence[str | int]) -> tuple[Entry | None, Node, int]:
    """Entry and node at ``loc``, with the number of steps taken.

    Steps that have no counterpart in the file (the tag of an alternative, a key behind a word that stands for
    the whole mapping) are passed over.
    """
    entry: Entry | None = None
    node: Node = root if root is not None else Mapping({}, 0, 0)
    steps = 0
    for step in loc:
        if isinstance(node, Mapping) and isinstance(step, str) and step in node.entries:
            entry = node.entries[step]
            node = entry.value
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
        else:
            continue
        steps += 1
    return entry, node, steps
