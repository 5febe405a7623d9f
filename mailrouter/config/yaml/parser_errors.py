"""A YAML parser's complaints, in words for people new to YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from yaml import Mark

from mailrouter.config.values.errors import shown
from mailrouter.config.yaml.slips import Words, last_written, never_closed, slip

_CONFLICTS = ("<<<<<<<", "=======", ">>>>>>>")
_CONFLICT = (
    "two versions of the file were put together here",
    "keep one of the two, and delete the lines of <, = and >",
)
_BULLET = re.compile("\\s*([\u2022\u00b7\u2013\u2014\u2212\u25aa\u2023\u25e6\uf0b7])\\s")
_EQUALS = re.compile(r"\s*+([\w-]++)\s*+=\s*+(.*)")
_NO_SPACE = re.compile(r"\s*+([\w-]++:)(\S.*)")
_NO_COLON = re.compile(r"(\s*)([\w-]+)\s+([^#\s].*)")


@dataclass(frozen=True, slots=True)
class _Fault:
    """A parser's fault: its line and column from 0, and its words.

    ``context`` is the place where it began what it could not end, if it names one.
    """

    lines: Sequence[str]
    line: int
    column: int
    said: str
    at_the_end: bool
    context: Mark | None
    mark: Mark | None

    @property
    def text(self) -> str:
        """The line."""
        return self.lines[self.line] if self.lines else ""

    @property
    def here(self) -> str:
        """The character at the place, ``""`` behind the last one."""
        return self.text[self.column : self.column + 1]

    @property
    def before(self) -> str:
        """The line up to the place."""
        return self.text[: self.column]

    @property
    def indentation(self) -> str:
        """The white space before the line's text."""
        return self.text[: len(self.text) - len(self.text.lstrip())]

    def told(self, what: str, hint: str) -> Words:
        """The fault in these words, at its own place."""
        return self.line, self.column, what, hint


def in_plain_words(error: Exception, lines: Sequence[str]) -> Words:
    """The place and the words for a parser's ``error`` about ``lines``."""
    mark: Mark | None = getattr(error, "problem_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    at_the_end = line > (last := last_written(lines))
    if at_the_end and lines:  # the end of a text is on a line after its last
        line, column = last, len(lines[last])
    said = f"{getattr(error, 'context', '') or ''} {getattr(error, 'problem', '') or ''}"
    context: Mark | None = getattr(error, "context_mark", None)
    fault = _Fault(lines, line, column, said, at_the_end, context, mark)
    return _by_the_line(fault) or _by_the_parser(fault) or fault.told(*_misplaced(fault))


def _by_the_line(fault: _Fault) -> Words | None:
    """A fault that shows in the line itself or the one above."""
    line, text, before = fault.line, fault.text, fault.before.rstrip()
    near = [(number, fault.lines[number]) for number in (line, line - 1) if number >= 0 and fault.lines]
    if text.startswith(_CONFLICTS):
        return line, 0, *_CONFLICT
    if text.lstrip().startswith(">"):
        return line, text.index(">"), "a line can't start with >", "remove it here and on the lines below"
    if fault.here == ":" and (not before or before.endswith((",", "[", "{", ": ", "-"))):
        return fault.told("a value can't start with a colon", 'put quotes around it, as in "::1/128"')
    for number, shows in near:
        if bullet := _BULLET.match(shows):
            what = f"a {bullet[1]} where a hyphen belongs"
            return number, bullet.start(1), what, "begin the entry with an ordinary hyphen and a space: - "
    if equals := _EQUALS.match(text):
        hint = f"write {shown(equals[1])}: {shown(equals[2])}"
        return line, text.index("="), "an = where a colon belongs", hint
    if "\t" in fault.indentation or fault.here == "\t":
        return line, text.index("\t"), "a tab", "use spaces to move text to the right"
    for number, shows in near:
        if "\xa0" in shows and any(word in fault.said for word in ("mapping", "key", "token")):
            return number, shows.index("\xa0"), "a no-break space", "replace it by an ordinary space"
    return None


def _by_the_parser(fault: _Fault) -> Words | None:
    """The fault that the parser's words tell."""
    said, began = fault.said, fault.context
    if "escape" in said:
        return fault.told("a backslash in double quotes has a special meaning", "use single quotes: '…'")
    if "quoted scalar" in said and began:
        return began.line, began.column, "this quote is never closed", "put the same quote at the value's end"
    if (fault.at_the_end or "flow node" in said) and (opened := never_closed(fault.lines)):
        return _unclosed(*opened, len(fault.lines), 0, fault.lines)
    if slipped := slip(fault.line, fault.column, fault.lines):
        return slipped
    if began and ("flow sequence" in said or "flow mapping" in said):
        return _unclosed(began.line, began.column, fault.line, fault.column, fault.lines)
    if "mapping values are not allowed" in said:
        return _second_colon(fault)
    if "could not find expected ':'" in said:
        return _no_colon(fault)
    for phrases, what, hint in _SIGNS:
        if any(phrase in said for phrase in phrases):
            return fault.told(what.format(here=fault.here), hint)
    return None


def _second_colon(fault: _Fault) -> Words:
    line, lines = fault.line, fault.lines
    above = _NO_COLON.match(lines[line - 1]) if line else None
    if above and ":" not in lines[line - 1] and above[1] == fault.indentation:
        hint = f"write {shown(above[2])}: {shown(above[3])}"
        return line - 1, above.end(2), f"a colon is missing after `{shown(above[2])}`", hint
    if ":" in fault.before:
        hint = "put quotes around the value, or begin a new line after the first colon"
        return fault.told("a second colon on this line", hint)
    return fault.told("a colon that doesn't fit here", _colon_hint(line, lines))


def _no_colon(fault: _Fault) -> Words:
    place = fault.context or fault.mark
    line, column = (place.line, place.column) if place else (fault.line, fault.column)
    text = fault.lines[line] if line < len(fault.lines) else ""
    if text.startswith(_CONFLICTS):
        return line, 0, *_CONFLICT
    if tight := _NO_SPACE.match(text):
        hint = f"write {shown(tight[1])} {shown(tight[2])}"
        return line, tight.end(1), "a space is missing after the colon", hint
    return line, column, "there is no colon after this name", "write it as name: value"


_SIGNS = (
    (
        ("sequence entries are not allowed",),
        "a list can't start on this line",
        "begin it on a new line, or write [one, two]",
    ),
    (
        ("start any token", "expected alphabetic"),
        "a value can't start with {here}",
        "put quotes around the value",
    ),
    (("block scalar",), "| and > begin a text on the lines below", "put quotes around the value"),
    (
        ("directive", "YAML document"),
        "a line starting with % has a special meaning",
        "remove it, or put quotes around it",
    ),
)
"""What the parser says, and what it means; ``{here}`` is the character at the place."""


def _unclosed(line: int, column: int, end: int, end_column: int, lines: Sequence[str]) -> Words:
    """A bracket that isn't closed, or something odd between the two."""
    opened = lines[line][column : column + 1] if line < len(lines) else ""
    closing = {"[": "]", "{": "}"}.get(opened, "a closing bracket")
    wrong = lines[end][end_column : end_column + 1] if end < len(lines) else ""
    if end == line and wrong in ("]", "}"):
        return end, end_column, f"`{opened}` is closed by `{wrong}`", f"close it with {closing}"
    if end == line and wrong:
        return (
            end,
            end_column,
            "a comma is missing before this",
            f"or `{closing}`, to close the bracket before it",
        )
    return line, column, f"`{opened}` is never closed", f"add {closing} where it ends"


def _colon_hint(line: int, lines: Sequence[str]) -> str:
    text = lines[line]
    if line and text.lstrip() != text:
        return "is this line too far to the right, or the quote or colon of the line above missing?"
    return "is the colon missing on the line above?"


def _misplaced(fault: _Fault) -> tuple[str, str]:
    if fault.here in ("]", "}"):
        return "a closing bracket without an opening one", "remove it"
    if fault.before.count("'") + fault.before.count('"') >= 2:
        return (
            "something stands after the closing quote",
            "quote the whole value; within '…' a ' is written twice",
        )
    if fault.context is not None and not fault.before.strip():
        return "this line isn't in line with those above", "lines of one group start in the same column"
    return (
        "this can't be understood here",
        "is a bracket, quote or colon missing on this line or the one above?",
    )
