"""``mailrouter print-config``: what is in force, as YAML that says of each value where it comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from mailrouter import config
from mailrouter.cli.common import print_json, width
from mailrouter.config.effective import FileInForce, Value
from mailrouter.config.to_yaml import flow, scalar

_WIDEST = 80
_COLUMN = 42
"""Where the comments begin, as long as both sides have room."""
_LONGEST_LIST = 50


def print_config(options: argparse.Namespace) -> int:
    """Print every value of both kinds of files; the YAML, fed back, gives the same configuration."""
    files = config.inspect(options.config or config.default_folder())
    if options.json:
        print_json([_as_json(file, value) for file in files for value in file.values])
    else:
        print("\n\n".join("\n".join(as_yaml(file, width())) for file in files))
    return 0


def _as_json(file: FileInForce, value: Value) -> dict[str, object]:
    """``{"file", "key": "listen.smtp", "value", "line", "from"}``; a default's line is null."""
    return {
        "file": file.file,
        "key": ".".join(map(str, value.path)),
        "value": value.value,
        "line": value.line,
        "from": f"{file.file}:{value.line}" if value.line else "default",
    }


def as_yaml(file: FileInForce, width: int = _WIDEST) -> Iterator[str]:
    """One file's lines: each value with ``# FILE:LINE`` or ``# default`` behind it, or above where it has no room."""
    yield f"# {file.file}"
    before: tuple[str | int, ...] = ()
    for value in _one_a_line(file.values):
        path = value.path
        same = next((n for n, (a, b) in enumerate(zip(path, before, strict=False)) if a != b), len(before))
        for depth in range(same, len(path) - 1):
            if isinstance(path[depth], str):
                yield _at(path[: depth + 1], "", same)
        yield from _line(
            value, _at(path, flow(value.value), same), PurePath(file.file).name, min(width, _WIDEST)
        )
        before = path


def _one_a_line(values: Sequence[Value]) -> Iterator[Value]:
    """Long lists, item by item."""
    for value in values:
        if isinstance(value.value, tuple) and len(flow(value.value)) > _LONGEST_LIST:
            for number, item in enumerate(value.value):
                yield Value((*value.path, number), item, value.line)
        else:
            yield value


def _at(path: Sequence[str | int], text: str, same: int) -> str:
    """``name: text`` at its depth; a hyphen begins an entry, which is new unless ``same`` steps lead into it."""
    name = path[-1]
    indent = "  " * (len(path) - 1)
    if isinstance(name, int):
        return f"{indent}- {text}"
    if len(path) > 1 and isinstance(path[-2], int) and same < len(path) - 1:
        indent = indent[:-2] + "- "
    return f"{indent}{scalar(name)}: {text}".rstrip()


def _line(value: Value, line: str, file: str, width: int) -> Iterator[str]:
    source = f"# {file}:{value.line}" if value.line else "# default"
    if value.otherwise and not value.line:
        source += f": {value.otherwise}"
    room = width - len(source)
    if len(line) + 2 > room:
        yield " " * (len(line) - len(line.lstrip())) + source
        yield line
    else:
        yield f"{line:<{min(_COLUMN, room) - 2}}  {source}"
