"""Text for a terminal of any width: wrapped, ruled into cards, coloured where that is wanted. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["plain", "bold", "faint", "sends", "gets", "hears", "why"]

_CODES: dict[Style, str] = {
    "bold": "1",
    "faint": "2",
    "sends": "1;36",
    "gets": "1;32",
    "hears": "1;35",
    "why": "1;33",
}
WIDEST = 88
"""Longer lines are tiring to read, however wide the window is."""
_NARROWEST = 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a card: ``text`` behind ``lead`` (such as ``1. ``); lines it wraps onto stand under the
    text. ``quoted`` lines repeat the lead."""

    text: str = ""
    lead: str = ""
    style: Style = "plain"
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A titled card; ``style`` is the title's."""

    title: str
    style: Style
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Paper:
    """The way to write: columns, whether in colour, and whether beyond ASCII."""

    columns: int = 80
    colour: bool = False
    unicode: bool = True

    @property
    def width(self) -> int:
        """Columns used."""
        return max(_NARROWEST, min(self.columns, WIDEST))

    def heading(self, text: str) -> list[str]:
        """A title with a double rule below."""
        rule = ("═" if self.unicode else "=") * self.width
        lines = [self._styled(line, "bold") for line in wrap(text, self.width)]
        return ["", *lines, self._styled(rule, "faint")]

    def prose(self, text: str) -> list[str]:
        """A paragraph."""
        return wrap(text, self.width)

    def cards(self, cards: Iterable[Card]) -> list[str]:
        """Cards under each other, open at the right. No letter's width can break them so."""
        top, next_, end, bar, dash = "┌├└│─" if self.unicode else "+++|-"
        out: list[str] = []
        for card in cards:
            first, *more = wrap(card.title, self.width - 4) or [""]
            corner = self._styled((next_ if out else top) + dash, "faint")
            rule = self._styled(dash * (self.width - cells(first) - 4), "faint")
            out.append(f"{corner} {self._styled(first, card.style)} {rule}".rstrip())
            left = self._styled(bar, "faint")
            out += [f"{left}  {self._styled(text, card.style)}" for text in more]
            for line in card.lines:
                for text in _laid_out(line, self.width - 2):
                    out.append(f"{left} {self._styled(text, line.style)}".rstrip())
        return [*out, self._styled(end + dash * (self.width - 1), "faint")] if out else []

    def command(self, words: Sequence[str], indent: str = "") -> list[str]:
        """A shell command on as many lines as needed, for pasting.

        A word may be an option with its value, which are parted only where they must be.
        """
        lines: list[str] = []
        line = indent + words[0]
        for word in words[1:]:
            if cells(line) + cells(word) + 3 <= self.width:
                line += " " + word
                continue
            lines.append(line + " \\")
            line = f"{indent}  {word}"
            if cells(line) + 2 > self.width and " " in word:
                option, _, line = word.partition(" ")
                lines.append(f"{indent}  {option} \\")
        return [*lines, line]

    def _styled(self, text: str, style: Style) -> str:
        if not self.colour or style == "plain" or not text:
            return text
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m"


def _laid_out(line: Line, width: int) -> Iterator[str]:
    rest = line.lead if line.quoted else " " * len(line.lead)
    for n, text in enumerate(wrap(line.text, width - len(line.lead)) or [""]):
        yield (rest if n else line.lead) + text


def wrap(text: str, width: int) -> list[str]:
    """``text`` in lines of at most ``width`` cells, broken at spaces; a longer word has a line to itself.

    A word in a script without spaces is broken anywhere. Space at the beginning is kept: it is an indent;
    what follows a hyphen stays right of it.
    """
    indent = line = text[: len(text) - len(text.lstrip())][: width // 2]
    if text.lstrip().startswith("- "):
        indent += "  "
    lines: list[str] = []
    for word in _words(text, width - len(indent)):
        gap = " " if line.strip() else ""
        if gap and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line, gap = indent, ""
        line += gap + word
    return [*lines, line] if line.strip() else lines


def _words(text: str, width: int) -> Iterator[str]:
    for word in text.split():
        if cells(word) <= width or len(word) == cells(word):
            yield word
            continue
        piece = ""
        for letter in word:
            if cells(piece) + cells(letter) > width:
                yield piece
                piece = ""
            piece += letter
        yield piece


def cells(text: str) -> int:
    """The columns that a text takes: East Asian letters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def harmless(text: str) -> str:
    """Text from a mail without anything that could steer a terminal: controls and marks of direction."""
    return "".join(
        letter if letter.isprintable() else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
        for letter in text.expandtabs(4)
    )
