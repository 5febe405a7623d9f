"""A request's text as words, times and dates, in order. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

_TOKENS = re.compile(
    r"""
    (?P<iso>\d{4}-\d{1,2}-\d{1,2})(?!\d)
  | (?P<slashed>\d{1,2}/\d{1,2}(?:/\d{2,4})?)(?![\d/])
  | (?P<dotted>\d{1,2}\.\d{1,2}\.(?:\d{4})?)(?!\d)
  | (?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?)
  | (?<!\d)(?P<number>\d++)(?P<ordinal>st|nd|rd|th)?(?![^\W_])
  | (?P<tail>['’](?:s|m|ll|re|d)\b)
  | (?P<word>[^\W\d_]++(?:['’](?!(?:s|m|ll|re|d)\b)[^\W\d_]++)*+)
  | (?P<stop>[.!;\n]++)
  | (?P<mark>\S)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2212"
_KNOWN = (
    *(
        "today",
        "tomorrow",
        "morning",
        "afternoon",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
    ),
    *("sunday", "january", "february", "march", "april", "june", "july", "august", "september", "october"),
    *(
        "november",
        "december",
        "until",
        "from",
        "cover",
        "covers",
        "cancel",
        "undo",
        "swap",
        "back",
        "away",
        "off",
    ),
    *("sick", "with", "week", "next", "this", "please", "holiday", "vacation", "further", "notice"),
)
"""Words that a misspelt one may have been meant to be."""
MOST = 4_000
"""Characters that are read: what is longer than that is no request."""
_MOST_TOKENS = 600
_MOST_DIGITS = 4
"""Of a number that may be a day, a year or an hour."""
_LONGEST_WORD = 20
"""Characters of a word that may be a misspelt one."""

Hours = tuple[int, int]
"""A part of a day in minutes of it; an end above 1440 is after midnight."""


class Unclear(Exception):
    """The words can't be understood for certain; ``why`` is a sentence for whoever wrote them."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class NotUnderstood(Unclear):
    """A word that is none of the grammar."""


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of what was written. ``kind`` is one of ``iso slashed dotted clock number word tail stop mark``;
    ``text`` is in small letters, every dash ``-`` and every end of a sentence or line ``.``; ``typed`` as it stands."""

    kind: str
    text: str
    typed: str


def tokens(text: str) -> list[Token]:
    """The pieces of ``text``. Raises Unclear for one that is too long to be a request."""
    if len(text) > MOST:
        raise Unclear("It is longer than any change of the schedule.")
    found = []
    for match in _TOKENS.finditer(text):
        kind = match.lastgroup or "mark"
        kind = "number" if kind == "ordinal" else kind
        if kind == "number" and len(match["number"]) > _MOST_DIGITS:
            kind = "mark"
        typed = match[0]
        folded = typed.casefold().replace("’", "'")
        if kind == "number":
            folded = match["number"]
        elif kind == "stop":
            folded = "."
        elif len(typed) == 1 and typed in _DASHES:
            folded = "-"
        found.append(Token(kind, folded, typed.strip()))
        if len(found) > _MOST_TOKENS:
            raise Unclear("It is longer than any change of the schedule.")
    return found


class Reader:
    """A place in a request's text that moves as it is read.

    ``hours`` gives the hours in which somebody works on a day (wall times of the writer's zone), and whether anybody
    does; they tell 3:00 from 15:00. Without it times are read as typed.
    """

    def __init__(
        self, found: Sequence[Token], hours: Callable[[date], tuple[Hours, bool]] | None = None
    ) -> None:
        self.tokens = tuple(found)
        self.hours = hours
        self.at = 0

    @property
    def ended(self) -> bool:
        """Nothing is left."""
        return self.at >= len(self.tokens)

    def peek(self, ahead: int = 0) -> Token:
        """The token here, or one further on; an empty one at the end."""
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else Token("end", "", "")

    def next(self) -> Token:
        """The token here; goes past it."""
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *phrases: str) -> str:
        """Go past the first of these phrases that stands here; gives it, ``""`` for none."""
        for phrase in phrases:
            words = phrase.split(" ")
            if all(self.peek(ahead).text == word for ahead, word in enumerate(words)):
                self.at += len(words)
                return phrase
        return ""

    def skip(self, *phrases: str) -> None:
        """Go past any of these, however many stand here."""
        while self.accept(*phrases):
            pass

    def odd(self) -> Unclear:
        """The error that what stands here is not understood."""
        if self.ended:
            return NotUnderstood("Something is missing at its end.")
        near = [token for token in self.tokens[self.at : self.at + 4] if token.text != "."]
        said = f'"{" ".join(token.typed for token in near) or self.peek().typed}" is not understood'
        for token in near:
            meant = (
                get_close_matches(token.text, _KNOWN, 1, 0.8)
                if token.kind == "word" and len(token.text) <= _LONGEST_WORD
                else []
            )
            if meant and token.text not in _KNOWN and (len(token.text) > 3 or token is near[0]):
                return NotUnderstood(f'{said}; did you mean "{meant[0]}"?')
        return NotUnderstood(f"{said}.")
