"""What the other tests here could not see: patterns inside functions, and parsers that are not ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.bounded.patterns import module_names, source_tree

_APPLYING = {"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer", "compile"}
INSIDE = {
    "mailrouter.message.text.sanitise": "a partner's name or address, escaped",
    "mailrouter.message.provenance.senders": "called while the module is loaded",
    "mailrouter.routing.partner.attribution": "called while the module is loaded",
    "mailrouter.cli.setup.export_aliases": "the aliases of a configuration that was read",
}
"""Modules that compile or apply patterns in functions, with what is in them."""
FOREIGN = {
    "email": {
        "mailrouter.demo.mails": "mail of our own is written",
        "mailrouter.calendars.feeds": "a date is written",
    },
    "html": {"mailrouter.schedule.views.svg": "escaping, for writing"},
    "mailbox": {},
    "quopri": {},
    "codecs": {"mailrouter.message.text.charsets": "by a table of names"},
}
"""Modules of the standard library that no reader uses, and those who may."""


def _inside(module: str) -> list[int]:
    """Lines of a module on which a function compiles a pattern, or applies one that is written there."""
    return [
        node.lineno
        for function in ast.walk(source_tree(module))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
        and node.func.attr in _APPLYING
    ]


def _imported(module: str) -> Iterator[str]:
    for node in ast.walk(source_tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_patterns_stand_where_they_are_seen() -> None:
    """At the top of their module, compiled, where they are collected and measured."""
    found = {module: lines for module in module_names() if (lines := _inside(module))}
    assert {module: lines for module, lines in found.items() if module not in INSIDE} == {}
    assert INSIDE.keys() <= found.keys()


def test_no_parser_of_the_standard_library_reads_mail() -> None:
    """``email`` is quadratic in a dozen places, ``html.unescape`` raises, and a codec of any name can be asked for."""
    wrong = [
        f"{module} imports {name}"
        for module in module_names()
        for name in _imported(module)
        if name != "html.entities" and module not in FOREIGN.get(name.partition(".")[0], {module})
    ]
    assert wrong == []
