"""The configuration in force, value by value, with each value's place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mailrouter.config import defaults
from mailrouter.config.configuration import Configuration
from mailrouter.config.files.role_file import RoleFile, role_written
from mailrouter.config.folder import Files
from mailrouter.config.report import follow
from mailrouter.config.to_yaml import Written, settings_written
from mailrouter.config.values.errors import masked
from mailrouter.config.yaml.tree import Text, Tree, is_empty

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A value in force, its way through the file, and its line.

    The way is None where there is none; lines count from 1.

    The keys are None where it stands in no file; lines count from 1.

    Without a line it is a default; ``otherwise`` says in words what holds then, where that isn't clear.
    """

    path: Path
    value: str | tuple[str, ...] | None
    line: int | None
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class FileInForce:
    """One file and all values it decides, in the reference's order."""

    file: str
    values: tuple[Value, ...]


def in_force(configuration: Configuration, files: Files) -> tuple[FileInForce, ...]:
    """The settings, then each role; ``configuration`` is what ``files`` gave. Passwords are masked."""
    settings = _file(files.settings, settings_written(configuration.settings), defaults.SETTINGS)
    words = {key: told.otherwise for key, (_, told) in RoleFile.described().items() if told}
    roles = (_file(files.roles[role.key], role_written(role), words) for role in configuration.roles)
    return (settings, *roles)


def _file(tree: Tree, written: Mapping[str, Written], otherwise: Mapping[str, str]) -> FileInForce:
    values = []
    for path, value in _leaves(written, ()):
        line = _line(tree, path)
        words = otherwise.get(str(path[0]), "") if line is None and len(path) == 1 else ""
        values.append(Value(path, value, line, words))
    return FileInForce(tree.file, tuple(values))


def _leaves(written: Written, path: Path) -> Iterator[tuple[Path, str | tuple[str, ...] | None]]:
    """Texts and lists of texts, each with its way."""
    match written:
        case None:
            yield path, None
        case str():
            yield path, masked(written)
        case Mapping():
            for name, value in written.items():
                yield from _leaves(value, (*path, name))
        case _ if all(isinstance(item, str) for item in written):
            yield path, tuple(masked(str(item)) for item in written)
        case _:
            for number, item in enumerate(written):
                yield from _leaves(item, (*path, number))


def _line(tree: Tree, path: Path) -> int | None:
    """The line on which it was typed: at its own key, or at the word that stands for the whole above it."""
    entry, node, steps = follow(tree.root, path)
    if entry is None or is_empty(node) or (steps < len(path) and not isinstance(node, Text)):
        return None
    return entry.line + 1
