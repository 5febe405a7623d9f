"""All compiled patterns of the product, each with how it is applied."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import mailrouter

_ANCHORED = {"match", "fullmatch"}


class Found(NamedTuple):
    """One pattern: ``module:NAME``, and the methods that the code calls on that name."""

    name: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]


@cache
def module_names() -> tuple[str, ...]:
    """Every module of the package."""
    found = [info.name for info in pkgutil.walk_packages(mailrouter.__path__, "mailrouter.")]
    return ("mailrouter", *[name for name in found if not name.endswith("__main__")])


@cache
def source_tree(module: str) -> ast.Module:
    """The source of a module, parsed."""
    return ast.parse(inspect.getsource(importlib.import_module(module)))


@cache
def all_patterns() -> tuple[Found, ...]:
    """The patterns in the namespaces of all modules, in their classes, tuples and dicts; each once."""
    seen: dict[int, None] = {}
    found = []
    for module in module_names():
        used = _methods(module)
        for name, value in vars(importlib.import_module(module)).items():
            if name.startswith("__"):
                continue
            for pattern in _inside(value, module):
                if id(pattern) not in seen:
                    seen[id(pattern)] = None
                    found.append(Found(f"{module}:{name}", pattern, used.get(name, frozenset())))
    return tuple(found)


def _inside(value: object, module: str, depth: int = 0) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth > 3:
        return
    elif isinstance(value, dict):
        for inner in (*value.keys(), *value.values()):
            yield from _inside(inner, module, depth + 1)
    elif isinstance(value, (tuple, list, set, frozenset)):
        for inner in value:
            yield from _inside(inner, module, depth + 1)
    elif inspect.isclass(value) and value.__module__ == module:
        for inner in vars(value).values():
            yield from _inside(inner, module, depth + 1)


@cache
def _methods(module: str) -> dict[str, frozenset[str]]:
    """Which methods are called on which names of a module; nothing for a name that is also handed on."""
    called: dict[str, set[str]] = {}
    handed: dict[str, int] = {}
    for node in ast.walk(source_tree(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            called.setdefault(node.value.id, set()).add(node.attr)
            handed[node.value.id] = handed.get(node.value.id, 0) - 1
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            handed[node.id] = handed.get(node.id, 0) + 1
    return {name: frozenset(methods) for name, methods in called.items() if handed.get(name, 0) == 0}


def applied(found: Found) -> Callable[[str], object]:
    """The pattern at work on a text: anchored where the code only ever matches, else looked for everywhere."""
    pattern = found.pattern
    work: Callable[[Any], Any]
    if found.methods and found.methods <= _ANCHORED:
        work = pattern.fullmatch if found.methods == {"fullmatch"} else pattern.match
    else:

        def every(text: Any) -> None:
            for _ in pattern.finditer(text):
                pass

        work = every

    if isinstance(pattern.pattern, bytes):
        return lambda text: work(text.encode("latin-1", "ignore"))
    return work
