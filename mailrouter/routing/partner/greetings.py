"""Cutting off how people begin and end a mail: ``Hello Elaine,`` above, ``Best regards`` and a name below. Pure.

Only whole lines that are nothing else, at the very beginning and the very end; what might be an item stays.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mailrouter.message.text.courtesies import CLOSING, GREETING

# Both never go back over what they have read, and are tried only on lines that are short enough.
_GREETING = re.compile(
    rf"(?:{GREETING}|morning)"
    r"(?P<names>(?:\s++[^\W\d](?:[^\s,:;!?]|,(?=\s++(?:and|und|et|y|e|en)\b))*+){0,4}+)\s*+[,!.]*+\Z",
    re.I,
)
_TOGETHER_WORDS = (
    "all alle allen allerseits and both da dag e en et everybody everyone folks friends guys team there tous toutes"
    " tutti todos todas und y you zusammen beide beiden the"
)
"""Words in a greeting that aren't written like a name."""
_TOGETHER = frozenset(_TOGETHER_WORDS.split())
_CLOSING = re.compile(rf"{CLOSING}\s*+[,!.]*+\Z", re.I)
_ITEM = re.compile(r"\s*+(?:[-*+•–]|\d{1,3}+[.)])\s")
_BELOW = 4
"""Lines that may stand below a closing: a name, a job, a telephone number."""
_WIDTH = 60
_LONGEST = 120
"""Characters of a greeting, a closing or a name: a longer line is text that somebody wrote."""


def without_courtesies(text: str, names: Collection[str] = ()) -> str:
    """``text`` without greeting and closing. ``names`` are the author's: one alone on the last line is a signature.

    A text that is nothing else stays as it is.
    """
    lines = text.split("\n")
    start = _after_greeting(lines)
    end = _closing_from(lines, frozenset(name.casefold() for name in names if name))
    left = "\n".join(lines[start:end]).strip("\n")
    return left if left.strip() else text


def _after_greeting(lines: list[str]) -> int:
    for index, line in enumerate(lines):
        if line.strip():
            return index + 1 if _greets(line) else 0
    return 0


def _greets(line: str) -> bool:
    """Whether a line greets by name and says no more: "Hi Elaine", and not "Hi Elaine, call Jim", nor "Hi call Jim"."""
    said = line.strip()
    found = _GREETING.match(said) if len(said) <= _LONGEST else None
    if found is None:
        return False
    words = found["names"].split()
    return len(words) < 2 or all(
        word[0].isupper() or word.strip(",.").casefold() in _TOGETHER for word in words
    )


def _matches(courtesy: re.Pattern[str], line: str) -> bool:
    said = line.strip()
    return len(said) <= _LONGEST and courtesy.match(said) is not None


def _closing_from(lines: list[str], names: frozenset[str]) -> int:
    filled = [index for index, line in enumerate(lines) if line.strip()]
    for index in filled[-1 - _BELOW :]:
        below = [lines[later] for later in filled if later > index]
        if _matches(_CLOSING, lines[index]) and not any(map(_may_be_an_item, below)):
            return index
    # "Call Laurie" is an item, "Laurie" below an empty line is who wrote it.
    if (
        len(filled) > 1
        and lines[filled[-1]].strip(" -–,.").casefold() in names
        and filled[-1] - filled[-2] > 1
    ):
        return filled[-1]
    return len(lines)


def _may_be_an_item(line: str) -> bool:
    said = line.strip()
    return len(said) > _WIDTH or said.endswith(":") or _ITEM.match(line) is not None
