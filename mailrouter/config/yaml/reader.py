"""YAML as people type it: every value stays the text that was typed and keeps its place.

YAML 1.1 would read ``NO`` as false, ``12:30`` as 750 and ``010`` as 8, let a second key silently replace the
first, and let a few hundred bytes of aliases unfold into gigabytes. Here a scalar is text, a second key is a
problem, and depth and size are bounded. The tree is built from the parser's events (libyaml's where it is
installed), not from its constructor, so nothing in a file can name a Python type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import yaml

from mailrouter.config.values.errors import shown
from mailrouter.config.yaml.parser_errors import in_plain_words
from mailrouter.config.yaml.tree import Entry, Items, Mapping, Node, Text, Tree
from mailrouter.errors import Problem

MAX_BYTES = 1_000_000
"""A year of absences of a large team is a few thousand bytes; more than this is some other file."""
MAX_LINES = 20_000
MAX_LINE = 10_000
"""Characters of a line; people write some hundred."""
MAX_TEXT = 1_000
"""Characters of a name or a value: the longest that is of use is the address of a calendar."""
MOST_PROBLEMS = 50
"""Problems of the text itself that are told; reading on would find the same slip again and again."""
MAX_DEPTH = 20
MAX_VALUES = 20_000
"""Values in one file, each use of an alias counted with all it stands for."""

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# What YAML 1.1 calls printable (§5.1), less its exotic line breaks and the byte order mark: in a text that
# people edit these are accidents of pasting, and editors count their lines differently.
_CONTROL = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")
_BREAK = re.compile("\r\n|\r|\n")
_CURLY = "“”„‟‘’‚‛«»"
_EMPTY = ("", "~")


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not come yet."""

    line: int
    column: int
    anchor: str | None
    pairs: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    key: Text | None = None
    size: int = 1
    depth: int = 1


class _Stop(Exception):
    """Reading on would be of no use; the problem has been noted."""


def read(file: str, data: bytes, loader: Any = None) -> Tree:
    """The tree of a file's bytes. Never raises: whatever is wrong is in ``problems``, each with its place."""
    if len(data) > MAX_BYTES:
        return Tree(
            file, problems=(Problem(file, 1, 1, "the file is larger than 1 MB", "is it the right file?"),)
        )
    if data.count(b"\n") + data.count(b"\r") > 2 * MAX_LINES:
        return _refused(file, 0, f"the file has more than {MAX_LINES:,} lines")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _not_utf8(file, data, error)
    tree = Tree(file, tuple(_BREAK.split(text)))
    if len(tree.lines) > MAX_LINES:
        return _refused(file, 0, f"the file has more than {MAX_LINES:,} lines")
    long = next((number for number, line in enumerate(tree.lines) if len(line) > MAX_LINE), None)
    if long is not None:
        return _refused(file, long, f"the line has more than {MAX_LINE:,} characters")
    if odd := _CONTROL.search(text):
        before = _BREAK.split(text[: odd.start()])
        name = f"U+{ord(odd[0]):04X}"
        problem = tree.problem(
            len(before) - 1,
            len(before[-1]),
            f"an invisible character ({name})",
            "delete it and type the line anew",
        )
        return Tree(file, tree.lines, None, (problem,))
    return _Composition(tree, loader or Loader).read(text)


def _refused(file: str, line: int, what: str) -> Tree:
    """A tree of nothing but a problem: this is not what people write."""
    return Tree(file, problems=(Problem(file, line + 1, 1, what, "is it the right file?"),))


def _not_utf8(file: str, data: bytes, error: UnicodeDecodeError) -> Tree:
    hint = "save it as UTF-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
        return Tree(
            file, problems=(Problem(file, 1, 1, "the file is not text in UTF-8 but in UTF-16", hint),)
        )
    lines = tuple(line[:MAX_LINE] for line in _BREAK.split(data.decode("utf-8", "replace")))
    before = _BREAK.split(data[: error.start].decode("utf-8-sig", "replace"))
    tree = Tree(file, lines)
    return Tree(file, lines, None, (tree.problem(len(before) - 1, len(before[-1]), "not UTF-8 text", hint),))


class _Composition:
    """One pass over the events of one text."""

    def __init__(self, tree: Tree, loader: Any) -> None:
        self.tree, self.loader = tree, loader
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.stack: list[_Open] = []
        self.root: Node | None = None
        self.size = 0

    def read(self, text: str) -> Tree:
        whole = True
        try:
            for event in self._events(text):
                self._take(event)
        except _Stop:
            whole = False
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            # ValueError and OverflowError: the pure Python scanner on escapes such as "\U99999999".
            whole = False
            with suppress(_Stop):
                self._say(*in_plain_words(error, self.tree.lines))
        root = self.root if whole else None
        if whole and (root is None or (isinstance(root, Text) and root.value is None)):
            root = Mapping({}, 0, 0)
        return Tree(self.tree.file, self.tree.lines, root, tuple(self.problems))

    def _events(self, text: str) -> Iterator[Any]:
        parser = self.loader(text)
        try:
            while (event := parser.get_event()) is not None:
                yield event
        finally:
            parser.dispose()

    def _say(self, line: int, column: int, what: str, hint: str = "") -> None:
        self.problems.append(self.tree.problem(line, column, what, hint))
        if len(self.problems) >= MOST_PROBLEMS:
            raise _Stop

    def _take(self, event: Any) -> None:
        line, column = event.start_mark.line, event.start_mark.column
        if type(event) is yaml.ScalarEvent and event.tag is None:  # nine events in ten
            self._add(self._scalar(event, line, column), event.anchor)
            return
        if getattr(event, "tag", None) and not (isinstance(event, yaml.ScalarEvent) and event.tag == "!"):
            self._say(
                line,
                column,
                "a value starting with `!` has a special meaning in YAML",
                "put quotes around it",
            )
        match event:
            case yaml.AliasEvent():
                self._alias(str(event.anchor), line, column)
            case yaml.ScalarEvent():
                self._add(self._scalar(event, line, column), event.anchor)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._within_depth(1, line, column)
                pairs = isinstance(event, yaml.MappingStartEvent)
                self.stack.append(_Open(line, column, event.anchor, pairs))
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._close()
            case yaml.DocumentStartEvent() if self.root is not None:
                self._say(
                    line, column, "`---` starts a second document", "keep one in a file: remove the line"
                )
                raise _Stop

    def _within_depth(self, deeper: int, line: int, column: int) -> None:
        if len(self.stack) + deeper > MAX_DEPTH:
            self._say(line, column, "lists and mappings are nested too deeply here", "is a bracket missing?")
            raise _Stop

    def _scalar(self, event: Any, line: int, column: int) -> Text:
        value = event.value
        if len(value) > MAX_TEXT:
            self._say(line, column, f"the text has more than {MAX_TEXT:,} characters", "is a quote missing?")
            raise _Stop
        if unfit := _UNFIT.search(value):
            self._say(
                line, column, f"the text holds an invisible character (U+{ord(unfit[0]):04X})", "remove it"
            )
        quoted = bool(event.style)  # None from Python's parser and "" from libyaml's mean a plain scalar
        if not quoted and value in _EMPTY:
            return Text(None, line, column)
        if not quoted and value[0] in _CURLY:
            self._say(line, column, f"{value[0]} is a typographic quote", "use the straight ones: \" or '")
            value = value.strip(_CURLY) or value
        return Text(value, line, column, quoted)

    def _alias(self, name: str, line: int, column: int) -> None:
        if name not in self.anchors:
            inside = any(name == open_.anchor for open_ in self.stack)
            what = (
                f"`*{shown(name)}` stands inside what it names"
                if inside
                else (f"`*{shown(name)}` refers to something that isn't above")
            )
            self._say(line, column, what, "a value that starts with * needs quotes around it")
            self._add(Text(None, line, column), None)
        else:
            self._add(self.anchors[name], None, (line, column))

    def _add(self, node: Node, anchor: str | None, place: tuple[int, int] | None = None) -> None:
        line, column = place or (node.line, node.column)
        # An alias may stand for a deep list, so depth is checked for every node that has one, not only for brackets.
        if node.depth:
            self._within_depth(node.depth, line, column)
        if anchor:
            self.anchors[anchor] = node
        self.size += node.size
        if self.size > MAX_VALUES:
            self._say(
                line, column, f"the file holds more than {MAX_VALUES:,} values", "is it the right file?"
            )
            raise _Stop
        if not self.stack:
            self.root = node
            return
        parent = self.stack[-1]
        parent.size += node.size
        if parent.depth <= node.depth:
            parent.depth = node.depth + 1
        if not parent.pairs:
            parent.items.append(node)
        elif parent.key is None:
            if not isinstance(node, Text):
                self._say(
                    line, column, "a list or mapping can't be the name before a colon", _brackets_hint(node)
                )
                node = Text(None, line, column)
            elif not node.value:
                self._say(line, column, "there is no name before this colon", "write it as name: value")
            parent.key = Text(node.value or "", line, column)
        else:
            self._pair(parent, parent.key, node)
            parent.key = None

    def _pair(self, parent: _Open, key: Text, node: Node) -> None:
        name = key.value or ""
        if not name:
            return  # has been reported
        if (first := parent.entries.get(name)) is None:
            parent.entries[name] = Entry(name, node, key.line, key.column)
            return
        place = f"line {first.line + 1}" + (f", column {first.column + 1}" if first.line == key.line else "")
        self._say(
            key.line,
            key.column,
            f"`{shown(name)}` is here for the second time",
            f"the first is on {place}; keep one",
        )

    def _close(self) -> None:
        done = self.stack.pop()
        # The values inside have been counted as they came; only the container itself is new.
        self.size -= done.size - 1
        node: Node
        if done.pairs:
            node = Mapping(done.entries, done.line, done.column, done.size, done.depth)
        else:
            node = Items(tuple(done.items), done.line, done.column, done.size, done.depth)
        self._add(node, done.anchor)


def _brackets_hint(node: Node) -> str:
    if isinstance(node, Mapping):
        return "{{ }} belongs to templates, not here"
    return "write the name without brackets"
