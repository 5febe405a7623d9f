"""What a YAML parser complains of, in the words of somebody who has never heard of YAML."""

from __future__ import annotations

from collections.abc import Sequence

Words = tuple[int, int, str, str]
"""Line and column (from 0), what is wrong, what to do."""


def in_plain_words(error: Exception, lines: Sequence[str]) -> Words:
    """The place and the words for ``error``, a parser's, raised while it read ``lines``."""
    mark = getattr(error, "problem_mark", None)
    context = getattr(error, "context_mark", None)
    line, column = (mark.line, mark.column) if mark else (0, 0)
    if line >= len(lines):  # libyaml puts the end of a text on the line after its last
        line, column = max(len(lines) - 1, 0), len(lines[-1]) if lines else 0
    text = lines[line] if lines else ""
    said = f"{getattr(error, 'context', '') or ''} {getattr(error, 'problem', '') or ''}"

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
    if context and ("flow sequence" in said or "flow mapping" in said):
        return _unclosed(context.line, context.column, line, column, lines)
    if "mapping values are not allowed" in said:
        return line, column, "a colon that doesn't fit here", _colon_hint(line, column, lines)
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
    wrong = lines[end][end_column : end_column + 1]
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


def _colon_hint(line: int, column: int, lines: Sequence[str]) -> str:
    text = lines[line]
    if ":" in text[:column]:
        return "put quotes around a value that holds a colon and a space"
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
