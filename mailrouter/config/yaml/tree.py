"""A YAML file as nodes that know their place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mailrouter.config.values.errors import masked
from mailrouter.errors import Problem


@dataclass(slots=True)  # not frozen: of these there are a hundred in a file, and each costs a third so
class Text:
    """A scalar as typed. ``value`` is None where nothing was typed (or ``~``). Places count from 0.

    ``size`` is how many values a node holds with itself, ``depth`` how deep lists and mappings are nested.
    """

    value: str | None
    line: int
    column: int
    quoted: bool = False
    size: int = 1
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int
    column: int
    size: int = 1
    depth: int = 1


@dataclass(slots=True)  # not frozen: of these there are a hundred in a file, and each costs a third so
class Entry:
    """One ``key: value``; the place is the key's, ``typed`` the key as it stands in the file."""

    typed: str
    value: Node
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Entries by key, in the order of the file."""

    entries: dict[str, Entry]
    line: int
    column: int
    size: int = 1
    depth: int = 1


Node = Text | Items | Mapping


@dataclass(frozen=True, slots=True)
class Tree:
    """A file, read: its name for people, its lines, what it holds and what is wrong with it.

    ``root`` is an empty mapping for an empty file, and None where the text could not be read to its end.
    """

    file: str
    lines: tuple[str, ...] = ()
    root: Node | None = None
    problems: tuple[Problem, ...] = ()

    def problem(self, line: int, column: int, what: str, hint: str = "", *, warning: bool = False) -> Problem:
        """A problem at a place counted from 0, with its source line."""
        source = masked(self.lines[line]) if 0 <= line < len(self.lines) else ""
        return Problem(self.file, line + 1, column + 1, what, hint, source, warning)


class Placed(dict[str, Any]):
    """A mapping as plain data with its node in the file."""

    def __init__(self, pairs: Iterable[tuple[str, Any]], node: Mapping) -> None:
        super().__init__(pairs)
        self.node = node


def plain(node: Node) -> Any:
    """The node as text, lists and dicts; entries with nothing after the colon are left out."""
    match node:
        case Text():
            return node.value
        case Items():
            return [plain(item) for item in node.items]
        case Mapping():
            typed = (entry for entry in node.entries.items() if not is_empty(entry[1].value))
            return Placed(((key, plain(entry.value)) for key, entry in typed), node)


def is_empty(node: Node) -> bool:
    """Whether nothing was typed."""
    return isinstance(node, Text) and node.value is None
