"""What a YAML parser complains of, in the words of somebody who has never heard of YAML."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailrouter.config.values.errors import shown
from mailrouter.config.yaml.slips import Words, last_written, never_closed, slip

_CONFLICT = "keep one of the two, and delete the lines of <, = and >"
_BULLET = re.compile("\\s*([\u2022\u00b7\u2013\u2014\u2212\u25aa\u2023\u25e6\uf0b7])\\s")
_EQUALS = re.compile(r"\s*+([\w-]++)\s*+=\s*+(.*)")
_NO_SPACE = re.compile(r"\s*+([\w-]++:)(\S.*)")
_NO_COLON = re.compile(r"(\s*)([\w-]+)\s+([^#\s].*)")


def in_plain_words(error: Exception, lines: Sequence[str]) -> Words:
    """The place and the words for ``error``, a parser's, raised while it read ``lines``."""
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    at_the_end = line > (last := last_written(lines))
    if at_the_end and lines:  # the end of a text is on a line after its last
        line, column = last, len(lines[last])
    text = lines[line] if lines else ""
    said = f"{getattr(error, 'context', '') or ''} {getattr(error, 'problem', '') or ''}"

    if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
        return line, 0, "two versions of the file were put together here", _CONFLICT
    if text.lstrip().startswith(">"):
        return line, text.index(">"), "a line can't start with >", "remove it here and on the lines below"
    if text[column : column + 1] == ":":
        before = text[:column].rstrip()
        if not before or before.endswith((",", "[", "{", ": ", "-")):
            return line, column, "a value can't start with a colon", 'put quotes around it, as in "::1/128"'
    for near in (line, line - 1):
        if near >= 0 and (bullet := _BULLET.match(lines[near])):
            what = f"a {bullet[1]} where a hyphen belongs"
            return near, bullet.start(1), what, "begin the entry with an ordinary hyphen and a space: - "
    if equals := _EQUALS.match(text):
        hint = f"write {shown(equals[1])}: {shown(equals[2])}"
        return line, text.index("="), "an = where a colon belongs", hint
    indentation = text[: len(text) - len(text.lstrip())]
    if "\t" in indentation or text[column : column + 1] == "\t":
        return line, text.index("\t"), "a tab", "use spaces to move text to the right"
    for near in (line, line - 1):
        if near >= 0 and "\xa0" in lines[near] and ("mapping" in said or "key" in said or "token" in said):
            return near, lines[near].index("\xa0"), "a no-break space", "replace it by an ordinary space"
    if "escape" in said:
        what = "a backslash in double quotes has a special meaning"
        return line, column, what, "use single quotes: '…'"
    if "quoted scalar" in said and context:
        return (
            context.line,
            context.column,
            "this quote is never closed",
            "put the same quote at the value's end",
        )
    if (at_the_end or "flow node" in said) and (opened := never_closed(lines)):
        return _unclosed(*opened, len(lines), 0, lines)
    if slipped := slip(line, column, lines):
        return slipped
    if context and ("flow sequence" in said or "flow mapping" in said):
        return _unclosed(context.line, context.column, line, column, lines)
    if "mapping values are not allowed" in said:
        above = _NO_COLON.match(lines[line - 1]) if line else None
        if above and ":" not in lines[line - 1] and above[1] == indentation:
            hint = f"write {shown(above[2])}: {shown(above[3])}"
            return line - 1, above.end(2), f"a colon is missing after `{shown(above[2])}`", hint
        if ":" in text[:column]:
            hint = "put quotes around the value, or begin a new line after the first colon"
            return line, column, "a second colon on this line", hint
        return line, column, "a colon that doesn't fit here", _colon_hint(line, lines)
    if "sequence entries are not allowed" in said:
        return line, column, "a list can't start on this line", "begin it on a new line, or write [one, two]"
    if "start any token" in said or "expected alphabetic" in said:
        return (
            line,
            column,
            f"a value can't start with {text[column : column + 1]}",
            "put quotes around the value",
        )
    if "block scalar" in said:
        return line, column, "| and > begin a text on the lines below", "put quotes around the value"
    if "could not find expected ':'" in said:
        place = context or mark
        line, column = (place.line, place.column) if place else (line, column)
        text = lines[line] if line < len(lines) else ""
        if text.startswith(("<<<<<<<", "=======", ">>>>>>>")):
            return line, 0, "two versions of the file were put together here", _CONFLICT
        if tight := _NO_SPACE.match(text):
            hint = f"write {shown(tight[1])} {shown(tight[2])}"
            return line, tight.end(1), "a space is missing after the colon", hint
        return line, column, "there is no colon after this name", "write it as name: value"
    if "directive" in said or "YAML document" in said:
        return (
            line,
            column,
            "a line starting with % has a special meaning",
            "remove it, or put quotes around it",
        )
    return line, column, *_misplaced(line, column, text, context)


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


def _misplaced(line: int, column: int, text: str, context: object) -> tuple[str, str]:
    if text[column : column + 1] in ("]", "}"):
        return "a closing bracket without an opening one", "remove it"
    if text[:column].count("'") + text[:column].count('"') >= 2:
        return (
            "something stands after the closing quote",
            "quote the whole value; within '…' a ' is written twice",
        )
    if context is not None and not text[:column].strip():
        return "this line isn't in line with those above", "lines of one group start in the same column"
    return (
        "this can't be understood here",
        "is a bracket, quote or colon missing on this line or the one above?",
    )
