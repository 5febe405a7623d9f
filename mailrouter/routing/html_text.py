"""HTML mail as the plain text that its writer saw: lists become ``- ``, headings ``## ``. Pure; never raises.

Each character is read a fixed number of times. The standard library's ``html.parser`` is not used: 400 KB of
``<!--`` take it over a minute, and ``<![<![`` makes it raise.
"""

from __future__ import annotations

import html
import re

MAX_HTML = 600_000
"""Characters that are read."""

# Up to the next < at most, so that nothing is read twice; a > may stand in a quoted attribute.
_TAG = re.compile(
    r"""<(?:(?P<slash>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]{0,20})
        (?P<rest>(?:\s(?:[^<>"']|"[^"<]*"|'[^'<]*')*)?/?|[^<>]*)
        |[!?/][^<>]*)>""",
    re.X,
)
_ATTRIBUTE = re.compile(r"""([a-zA-Z-]{1,30})\s*=\s*(?:"([^"<]*)"|'([^'<]*)'|([^\s"'<>]+))""")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_BULLET = re.compile(r"[·•▪◦§‣]\s+|o\s{3,}")  # how Word writes a list: a paragraph with a drawn bullet
_HIDDEN = frozenset({"head", "title", "style", "script", "template", "noscript", "object", "svg"})
_BLOCKS = frozenset(
    {
        *("p", "div", "tr", "table", "section", "article", "header", "footer", "main", "center", "form"),
        *("ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"),
        *("address", "figure", "body", "html"),
    }
)
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MAX_DEPTH = 12
_LONGEST_LINE = 8_000
"""Characters after which a line ends by itself; it is looked at again with each tag."""


def text_of_html(source: str) -> str:
    """The text in lines. A quoted mail stands behind ``> ``, an address behind the words that link to it."""
    page = _Page()
    source = _without_comments(source[:MAX_HTML])
    at = 0
    for match in _TAG.finditer(source):
        page.text(source[at : match.start()])
        if match["name"]:
            page.tag(match["name"].lower(), bool(match["slash"]), match["rest"])
        at = match.end()
    page.text(source[at:])
    return page.finish()


class _Page:
    """Lines as they are written, and what is open around the place where we are."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._mark = ""
        self._hidden = ""
        self._hidden_depth = 0
        self._lists = 0
        self._quotes: list[bool] = []
        self._pre = 0
        self._links: list[tuple[str, int]] = []

    def text(self, source: str) -> None:
        """What stands between two tags."""
        if self._hidden or not source:
            return
        words = html.unescape(source)
        if self._pre:
            *whole, words = words.replace("\r\n", "\n").split("\n")
            for line in whole:
                self._line += line
                self._break()
            self._line += words
            return
        if self._line.strip() or len(words) > 3:
            words = self._bullet(words)
        words = _SPACE.sub(" ", words)
        self._line += words.lstrip() if not self._line or self._line[-1] == " " else words
        if len(self._line) > _LONGEST_LINE:
            self._break()

    def _bullet(self, words: str) -> str:
        """Word's bullets, which are letters and no-break spaces, as ``- ``."""
        start = self._line + words
        if not self._mark and (match := _BULLET.match(start.lstrip())):
            self._mark, self._line = "- ", ""
            return start.lstrip()[match.end() :]
        return words

    def tag(self, name: str, closing: bool, rest: str) -> None:
        """A tag; unknown ones say nothing."""
        if self._hidden:
            if name == self._hidden:
                self._hidden_depth += -1 if closing else 1
                self._hidden = self._hidden if self._hidden_depth > 0 else ""
            elif name == "body" and self._hidden == "head":
                self._hidden = ""  # a head that was never closed
            return
        given = {} if closing or not rest else _attributes(rest)
        if not closing and (
            name in _HIDDEN or (name in ("div", "span", "p") and _invisible(given.get("style", "")))
        ):
            self._hidden, self._hidden_depth = name, 1
        elif name == "br":
            self._break()
        elif name == "a":
            self._link(given.get("href", ""), closing)
        elif name in ("td", "th"):
            self._line += " " if self._line and not closing else ""
        elif name in _BLOCKS:
            self._block(name, closing, given)

    def _block(self, name: str, closing: bool, given: dict[str, str]) -> None:
        ended = bool(self._line.strip())
        if ended:
            self._break()
        if name == "p" and closing:
            if not ended:
                self._blank()  # an empty paragraph is how Outlook writes an empty line
        elif name == "li":
            self._mark = "" if closing else "  " * max(0, min(self._lists, _MAX_DEPTH) - 1) + "- "
        elif name in ("ul", "ol"):
            self._lists = max(0, self._lists + (-1 if closing else 1))
        elif name in _HEADINGS:
            self._mark = "" if closing else "## "
            if not closing:
                self._blank()
        elif name == "pre":
            self._pre = max(0, self._pre + (-1 if closing else 1))
        elif name == "blockquote":
            if not closing:
                self._quotes.append(_is_quote(given))
            elif self._quotes:
                self._quotes.pop()

    def _link(self, href: str, closing: bool) -> None:
        if not closing:
            self._links = [(html.unescape(href).strip(), len(self._line))]
            return
        for target, start in self._links:
            words = self._line[start:].strip()
            bare = target.removeprefix("mailto:")
            if target.lower().startswith(("http://", "https://")) and words.rstrip("/") not in (
                bare.rstrip("/"),
                bare.partition("://")[2].rstrip("/"),
            ):
                self._line = f"{self._line.rstrip()} <{_SPACE.sub('', target)[:500]}>"
        self._links = []

    def _blank(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def _break(self) -> None:
        words = self._line.rstrip() if self._pre else self._line.strip()
        quote = "> " * min(sum(self._quotes), _MAX_DEPTH)
        mark = self._mark if words else ""
        if words:
            self._mark = ""
        self._lines.append((quote + mark + words).rstrip())
        self._line = ""
        self._links = []

    def finish(self) -> str:
        if self._line.strip():
            self._break()
        return "\n".join(self._lines)


def _attributes(rest: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(rest[:5_000]):
        found.setdefault(name.lower(), double or single or bare)
    return found


def _invisible(style: str) -> bool:
    return "display:none" in style.lower().replace(" ", "")


def _is_quote(given: dict[str, str]) -> bool:
    """Not where a mail program means nothing but an indent (Gmail's has no border)."""
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
