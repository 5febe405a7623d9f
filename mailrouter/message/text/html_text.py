"""HTML mail as the plain text that its writer saw: lists become ``- ``, headings ``## ``. Pure; never raises.

Each character is read a fixed number of times, and what is kept is never longer than what was read. The standard
library's ``html.parser`` is not used: 400 KB of ``<!--`` take it over a minute, and ``<![<![`` makes it raise.
"""

from __future__ import annotations

import re

from mailrouter.message import bounds
from mailrouter.message.text.html_references import without_references

# Up to the next < at most, so that nothing is read twice; a > may stand in a quoted attribute.
_TAG = re.compile(
    r"""<(?:(?P<slash>/?+)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,20}+)
        (?P<rest>(?:\s(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+)?+(?=>)|[^<>]*+)
        |[!?/][^<>]*+)>""",
    re.X,
)
_ATTRIBUTE = re.compile(
    r"""(?<![a-z-])(style|href|class|type)\s*+=\s*+(?:"([^"<]*+)"|'([^'<]*+)'|([^\s"'<>]++))""", re.I
)
_ATTRIBUTES = 5_000  # characters of one tag that are read for them
_SPACE = re.compile(r"[ \t\r\n\f\xa0]++")
_BULLET = re.compile(r"[·•▪◦§‣]\s++|o\s{3,}+")  # how Word writes a list: a paragraph with a drawn bullet
_HIDDEN = frozenset(
    {"head", "title", "style", "script", "template", "noscript", "object", "svg", "s", "strike", "del"}
)
"""What is not shown, or is struck out: its writer has taken it back."""
_WITH_STYLE = frozenset({"div", "span", "p"})
_WITH_ATTRIBUTES = _WITH_STYLE | {"a", "blockquote"}
_BLOCKS = frozenset(
    {
        *("p", "div", "tr", "table", "section", "article", "header", "footer", "main", "center", "form"),
        *("ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"),
        *("address", "figure", "body", "html"),
    }
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MAX_DEPTH = 12
"""Depth to which lists are indented and quotations marked."""
_MAX_OPEN = 100
"""Quotations that are kept in mind while they are open; the rest is counted."""
_LONGEST_LINE = 8_000
"""Characters after which a line ends by itself."""
_LONGEST_TARGET = 500


def fits(*sources: str) -> bool:
    """Whether ``text_of_html`` reads all of these pages, and not just their beginning."""
    return (
        sum(map(len, sources)) <= bounds.HTML and sum(page.count("<") for page in sources) <= bounds.HTML_TAGS
    )


def text_of_html(source: str, *, marks: bool = True) -> str:
    """The text in lines. A quoted mail stands behind ``> ``, an address behind the words that link to it.

    Without ``marks`` the words stand alone: no ``> ``, ``- ``, ``## `` and no addresses of links. Of ``source``
    ``bounds.HTML`` characters and ``bounds.HTML_TAGS`` tags are read.
    """
    page = _Page(marks)
    source = _without_comments(source[: bounds.HTML])
    at = 0
    for count, match in enumerate(_TAG.finditer(source)):
        if count >= bounds.HTML_TAGS:
            return page.finish()
        page.text(source[at : match.start()])
        if match["name"]:
            page.tag(match["name"].lower(), bool(match["slash"]), match["rest"])
        at = match.end()
    page.text(source[at:])
    return page.finish()


class _Page:
    """The lines written so far, and the elements now open."""

    def __init__(self, marks: bool) -> None:
        self._marks = marks
        self._lines: list[str] = []
        self._line: list[str] = []
        """The pieces of the line that is being written; none of them is empty."""
        self._size = 0
        self._blank_so_far = True
        self._mark = ""
        self._hidden = ""
        self._hidden_depth = 0
        self._lists = 0
        self._open_quotes: list[bool] = []
        self._further_quotes = 0
        self._quoted = 0
        self._pre = 0
        self._link: tuple[str, int] | None = None

    def text(self, source: str) -> None:
        """Take the text between two tags."""
        if self._hidden or not source:
            return
        words = without_references(source)
        if self._pre:
            *whole, words = words.replace("\r\n", "\n").split("\n")
            for line in whole:
                self._put(line)
                self._break()
            self._put(words)
            return
        words = _SPACE.sub(" ", self._bullet(words))
        self._put(words.lstrip() if self._ends_blank() else words)
        if self._size > _LONGEST_LINE:
            self._break()

    def _put(self, words: str) -> None:
        if words:
            self._line.append(words)
            self._size += len(words)
            self._blank_so_far = self._blank_so_far and words.isspace()

    def _ends_blank(self) -> bool:
        return not self._line or self._line[-1][-1] == " "

    def _bullet(self, words: str) -> str:
        """Word's bullets, which are letters and no-break spaces, as ``- ``; they may come in pieces."""
        if self._mark or self._size > 4:
            return words
        before = "".join(self._line).lstrip()
        if (before or len(words) > 3) and (match := _BULLET.match(start := (before + words).lstrip())):
            self._mark = "- "
            self._empty()
            return start[match.end() :]
        return words

    def _empty(self) -> None:
        self._line, self._size, self._blank_so_far = [], 0, True

    def tag(self, name: str, closing: bool, rest: str) -> None:
        """A tag; unknown ones say nothing."""
        if self._hidden:
            if name == self._hidden:
                self._hidden_depth += -1 if closing else 1
                self._hidden = self._hidden if self._hidden_depth > 0 else ""
            elif name == "body" and self._hidden == "head":
                self._hidden = ""  # a head that was never closed
            return
        given = {} if closing or not rest or name not in _WITH_ATTRIBUTES else _attributes(rest)
        if not closing and (
            name in _HIDDEN or (name in _WITH_STYLE and given and _invisible(given.get("style", "")))
        ):
            self._hidden, self._hidden_depth = name, 1
        elif name == "br":
            self._break()
        elif name == "a":
            self._anchor(given.get("href", ""), closing)
        elif name in ("td", "th"):
            if not closing and not self._ends_blank():
                self._put(" ")
        elif name in _BLOCKS:
            self._block(name, closing, given)

    def _block(self, name: str, closing: bool, given: dict[str, str]) -> None:
        ended = not self._blank_so_far
        if ended:
            self._break()
        if name == "p" and closing:
            if not ended:
                self._empty_line()  # an empty paragraph is how Outlook writes an empty line
        elif name == "li":
            self._mark = "" if closing else "  " * max(0, min(self._lists, _MAX_DEPTH) - 1) + "- "
        elif name in ("ul", "ol"):
            self._lists = max(0, self._lists + (-1 if closing else 1))
        elif name in _HEADINGS:
            self._mark = "" if closing else "## "
            if not closing:
                self._empty_line()
        elif name == "pre":
            self._pre = max(0, self._pre + (-1 if closing else 1))
        elif name == "blockquote":
            self._quote(closing, given)

    def _quote(self, closing: bool, given: dict[str, str]) -> None:
        if not closing:
            if len(self._open_quotes) >= _MAX_OPEN:
                self._further_quotes += 1
                return
            self._open_quotes.append(_is_quote(given))
            self._quoted += self._open_quotes[-1]
        elif self._further_quotes:
            self._further_quotes -= 1
        elif self._open_quotes:
            self._quoted -= self._open_quotes.pop()

    def _anchor(self, href: str, closing: bool) -> None:
        if not closing:
            self._link = (without_references(href).strip(), len(self._line))
            return
        if self._link is None:
            return
        (target, start), self._link = self._link, None
        if not self._marks or not target.lower().startswith(("http://", "https://")):
            return
        words = "".join(self._line[start:]).strip().rstrip("/")
        if words not in (target.rstrip("/"), target.partition("://")[2].rstrip("/")):
            while self._line and self._line[-1].isspace():
                self._size -= len(self._line.pop())
            if self._line:
                self._line[-1] = self._line[-1].rstrip()
            self._put(f" <{_SPACE.sub('', target)[:_LONGEST_TARGET]}>")

    def _empty_line(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def _break(self) -> None:
        line = "".join(self._line)
        words = line.rstrip() if self._pre else line.strip()
        mark = self._mark if words and self._marks else ""
        if words:
            self._mark = ""
        quote = "> " * min(self._quoted, _MAX_DEPTH) if self._marks else ""
        self._lines.append((quote + mark + words).rstrip())
        self._empty()
        self._link = None

    def finish(self) -> str:
        if not self._blank_so_far:
            self._break()
        return "\n".join(self._lines)


def _attributes(rest: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest[:_ATTRIBUTES]):
        found.setdefault(name.lower(), double or single or bare)
    return found


def _invisible(style: str) -> bool:
    style = style.lower().replace(" ", "")
    return "display:none" in style or "line-through" in style


def _is_quote(given: dict[str, str]) -> bool:
    """Whether an element quotes, and does more than indent. Gmail's indent has no border."""
    if given.get("type", "").lower() == "cite" or "quote" in given.get("class", "").lower():
        return True
    return "border:none" not in given.get("style", "").lower().replace(" ", "")


def _without_comments(source: str) -> str:
    """Without ``<!-- … -->``; an open one hides the rest, as in a browser."""
    kept: list[str] = []
    at = 0
    while (start := source.find("<!--", at)) >= 0:
        kept.append(source[at:start])
        end = source.find("-->", start + 4)
        if end < 0:
            return "".join(kept)
        at = end + 3
    return "".join([*kept, source[at:]])
