"""From what pydantic found, and where in its own terms, to problems with a place in the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from mailrouter.config.fields import Reading
from mailrouter.config.tree import Entry, Items, Mapping, Node, Text, Tree, is_empty
from mailrouter.config.wrong import Wrong, shown
from mailrouter.errors import Problem

_SHAPES = {
    "model_type": "`name: value` lines belong here",
    "dict_type": "`name: value` lines belong here",
    "tuple_type": "a list belongs here",
}


def problems_of(error: ValidationError | None, reading: Reading, tree: Tree) -> Iterator[Problem]:
    """Everything found while reading ``tree``, each problem once."""
    for node, key, what, hint in reading.unknown:
        entry = node.entries[key]
        yield tree.problem(entry.line, entry.column, what, hint)
    found: set[Problem] = set()
    for detail in error.errors(include_url=False) if error else ():
        problem = _problem(detail, tree)
        if problem not in found:  # a word that stands for two keys is wrong once
            found.add(problem)
            yield problem


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
        return tree.problem(line, column, f"{_SHAPES[kind]}, not {_kind(node)}", _shape_hint(kind, node))
    return tree.problem(line, column, str(detail["msg"]))


def _missing(loc: Sequence[str | int], tree: Tree) -> Problem:
    """A key that isn't there points at the mapping that should hold it; one without a value at itself."""
    _, node, _ = follow(tree.root, loc[:-1])
    name = str(loc[-1])
    if isinstance(node, Mapping) and name in node.entries:
        entry = node.entries[name]
        return tree.problem(entry.line, entry.column, f"`{name}` has no value", "write it after the colon")
    return tree.problem(node.line, node.column, f"`{name}` is missing here", f"add a line `{name}: …`")


def _offset(wrong: Wrong, node: Text, line: str) -> int:
    """How far into the value the wrong part is, where the value stands on its line as it was read."""
    start = node.column + node.quoted
    value = node.value or ""
    return wrong.offset + node.quoted if wrong.offset and line[start : start + len(value)] == value else 0


def _kind(node: Node) -> str:
    if isinstance(node, Text):
        return shown(node.value or "nothing")
    return "a list" if isinstance(node, Items) else "a mapping"


def _shape_hint(kind: str, node: Node) -> str:
    if kind == "tuple_type":
        return "begin each entry with a hyphen: - …" if isinstance(node, Mapping) else "write [one, two]"
    return "remove the hyphen or brackets" if isinstance(node, Items) else "as in {name: value}"


def follow(root: Node | None, loc: Sequence[str | int]) -> tuple[Entry | None, Node, int]:
    """The entry and the node at ``loc``, and how many steps led there.

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
