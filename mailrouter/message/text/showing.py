"""Words of somebody else's inside a message of ours: on lines that can't be taken for ours. Pure.

Whatever a stranger writes is shown in quotation marks or behind a mark on every line, cut, without controls, without
characters that take no room or turn the direction of writing, and never over more lines than it is given.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator

from mailrouter.message.text.words import MARKS

LINE = 72
"""Characters of a shown line with its mark: short enough that no line of ours is folded anywhere."""
_NOT_SHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MOST_MARKS = 4
_MARK = re.compile(f"[{MARKS}]++")  # some of them count as letters


def visible(text: str, limit: int = 500) -> str:
    """``text`` on one line: what can't be seen becomes a space, each run of spaces one, cut at ``limit`` characters.

    >>> visible("a\\u200b\\r\\nb")
    'a b'
    """
    text = text[: 4 * limit]
    if not text.isascii() or not text.isprintable():
        text = "".join(_shown(_MARK.sub(" ", text)))
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def quoted(text: str, limit: int = 60) -> str:
    r"""``text`` quoted on one line: quotation marks inside have a backslash; at most ``limit`` + 2 characters.

    >>> quoted('the "new" plan')
    '"the \\"new\\" plan"'
    """
    out, room = "", limit
    line = visible(text, 4 * limit)
    for place, character in enumerate(line):
        written = f"\\{character}" if character in '"\\' else character
        if len(written) > room - (place < len(line) - 1):
            out += "…"
            break
        out, room = out + written, room - len(written)
    return f'"{out}"'


def marked(lines: Iterable[str], mark: str, most: int) -> tuple[list[str], int]:
    """``lines`` behind ``mark``, those that are long folded behind it as well; and how many found no room in ``most``."""
    shown: list[str] = []
    more = 0
    for line in lines:
        line = visible(line)
        if not line:
            continue
        folded = textwrap.wrap(
            line,
            LINE,
            initial_indent=mark,
            subsequent_indent=mark,
            break_on_hyphens=False,
            drop_whitespace=True,
        )
        if more or len(shown) + len(folded) > most:
            more += 1
        else:
            shown += folded
    return shown, more


def _shown(text: str) -> Iterator[str]:
    """Each character that can be seen; of marks above and below a letter no more than people write."""
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if kind in _NOT_SHOWN:
            yield " "
        elif marks <= _MOST_MARKS:
            yield character
