"""Common slips of people new to YAML, recognised in the lines.

A parser complains where it gave up, which is often a line below the slip. Here the lines around that place are
looked at, as a colleague would, for a missing space, indent, quote or `#` too many.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailrouter.config.values.errors import shown

Words = tuple[int, int, str, str]
"""Line and column (from 0), what is wrong, what to do."""
TEXTS = ("note", "name")
"""Keys whose values are words of people's own: the ones that hold colons, commas and apostrophes."""

_LONGEST = 2000
"""Characters of a line that people type; a longer one isn't looked at."""

_LINE = re.compile(r"(\s*(?:- +)?)([^\W\d][\w-]*):(\s.*)?$")
_TIGHT = re.compile(r"(\s*(?:- +|- *\{)?[^\W\d][\w-]*:)([^\s:/].*)")
_HYPHEN = re.compile(r"(\s*-)([^\s\d-].*)")
_COMMENTED = re.compile(r"\s*#+\s*(absences|swaps|special_days|holidays|rota)\s*:\s*(?:#.*)?$")
_KEYS = r"(?:partner|date|from|until|every|hours|cover|note|name|email|phone|time_zone|holidays)\s*+:"
# The text goes on over each comma that no key follows, and over each space that doesn't end it.
_IN_BRACES = re.compile(
    rf"\b({'|'.join(TEXTS)})\s*+:\s++"
    rf"((?:[^\s,}}]++|,(?!\s*+{_KEYS})|\s++(?!,\s*+{_KEYS}|\}}|$))*+)\s*+(?=,|\}}|$)"
)
_ON_A_LINE = re.compile(rf"\s*+(?:- ++)?({'|'.join(TEXTS)})\s*+:\s++((?:\S++|\s++(?!$))*+)\s*$")
_QUOTED_OR_REMARK = re.compile(r"'[^']*+'|\"[^\"]*+\"|(?:^|(?<=\s))#.*")
_BRACKET = re.compile(r"[\[\]{}]")
_COLON = re.compile(r":(\s|$)")


def slip(line: int, column: int, lines: Sequence[str]) -> Words | None:
    """The probable slip at the place where the parser gave up. None where none is plain."""
    above = _above(line, lines)
    if max(len(lines[line]), len(lines[above or 0])) > _LONGEST:
        return None
    return (
        _missing_space(line, above, lines)
        or _text_without_quotes(line, column, lines)
        or _left_commented(line, above, lines)
        or _too_far_left(line, above, lines)
    )


def quoted(value: str) -> str:
    """``value`` in quotes that YAML takes, whatever is in it.

    >>> quoted("it's my leave"), quoted('say "no"')
    ('"it\\'s my leave"', '\\'say "no"\\'')
    """
    inner = value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value
    if '"' in inner or "\\" in inner:
        doubled = inner.replace("'", "''")
        return f"'{doubled}'"
    return f'"{inner}"'


def never_closed(lines: Sequence[str]) -> tuple[int, int] | None:
    """The place of the last bracket that nothing closes, if any."""
    opened: list[tuple[int, int]] = []
    for line, text in enumerate(lines):
        # Quoted texts and remarks are blanked out, so that their brackets don't count.
        plain = _QUOTED_OR_REMARK.sub(lambda found: " " * len(found[0]), text)
        for found in _BRACKET.finditer(plain):
            if found[0] in "[{":
                opened.append((line, found.start()))
            elif opened:
                opened.pop()
    return opened[-1] if opened else None


def last_written(lines: Sequence[str]) -> int:
    """The last line with anything on it; 0 of an empty file."""
    return max((number for number, text in enumerate(lines) if text.strip()), default=0)


def _above(line: int, lines: Sequence[str]) -> int | None:
    """The nearest line above that is neither empty nor a remark."""
    for number in range(min(line, len(lines)) - 1, -1, -1):
        if (text := lines[number].strip()) and not text.startswith("#"):
            return number
    return None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def _missing_space(line: int, above: int | None, lines: Sequence[str]) -> Words | None:
    for number in (line, above):
        if number is None:
            continue
        text = lines[number]
        if found := _HYPHEN.match(text):
            hint = f"write - {shown(found[2])}"
            return number, found.end(1), "a space is missing after the hyphen", hint
        if found := _TIGHT.match(text):
            # Of several such lines below one another, which the parser takes for one text, the first is told.
            while (before := _above(number, lines)) is not None and (earlier := _TIGHT.match(lines[before])):
                number, found = before, earlier
            hint = f"write {shown(found[1].strip())} {shown(found[2])}"
            return number, found.end(1), "a space is missing after the colon", hint
    return None


def _text_without_quotes(line: int, column: int, lines: Sequence[str]) -> Words | None:
    text = lines[line]
    matches = [*_IN_BRACES.finditer(text)] if "{" in text[:column] else []
    if not matches and (found := _ON_A_LINE.match(text)):
        matches = [found]
    for found in matches:
        start, end = found.span(2)
        value = found[2]
        if not start < column <= end:
            continue
        hint = f"put quotes around it: {found[1]}: {shown(quoted(value), 60)}"
        if value[:1] in ("'", '"'):
            what = f"a {value[0]} inside a text between two {value[0]}"
            return line, column, what, hint
        if _COLON.search(value):
            return line, column, f"a colon in the {found[1]}", hint
    return None


def _left_commented(line: int, above: int | None, lines: Sequence[str]) -> Words | None:
    """Recognise an example in force below a word still commented out."""
    if not lines[line].lstrip().startswith("- "):
        return None
    for number in range(line - 1, above if above is not None else -1, -1):
        if found := _COMMENTED.match(lines[number]):
            hint = f"take the # off `{found[1]}:` on line {number + 1}, too, so that it begins the line"
            return line, _indent(lines[line]), f"`{found[1]}:` is missing above this", hint
    return None


def _too_far_left(line: int, above: int | None, lines: Sequence[str]) -> Words | None:
    """Recognise a line whose parent, further left, has a value already. Such a line belongs to nothing."""
    before = _above(above, lines) if above is not None else None
    if above is None or before is None:
        return None
    found, earlier = _LINE.match(lines[above]), _LINE.match(lines[before])
    wanted, indent = _indent(lines[line]), _indent(lines[above])
    if not found or not (found[3] or "").strip() or indent >= wanted or not earlier or "-" in found[1]:
        return None
    heads_the_group = not (earlier[3] or "").split("#")[0].strip() and _indent(lines[before]) == indent
    if heads_the_group or _indent(lines[before]) == wanted:
        side = "the line below" if heads_the_group else "those around it"
        spaces = {1: "a space", 2: "two spaces"}.get(wanted - indent, f"{wanted - indent} spaces")
        return above, indent, f"this line isn't in line with {side}", f"put {spaces} before it"
    return None
