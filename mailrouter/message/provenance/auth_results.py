"""Authentication-Results as it stands (RFC 8601 §2.2), read strictly. Pure; never raises.

The field is a protocol between programs, and somebody is let in by it: nothing in it is decoded, guessed or
mended. A field with a control, an octet beyond ASCII, an encoded word or anything that the grammar doesn't have
is not read at all. The grammar is widened in three places, for servers that people run: characters in a
property's value that RFC 2045 would have in quotes, ``action=none`` without a property type, and a last semicolon.

Each character is looked at once, from left to right, and no value is longer than ``MAX_FIELD``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_FIELD = 8 * 1024
"""Octets of one field that is read; the longest of real servers have some 4,000."""
_MAX_RESULTS = 100
_MAX_PROPERTIES = 50

# White space, folds, and comments that hold no others.
_SPACE = re.compile(r"(?:[ \t\r\n]*+\([^()\\]*+\))*+[ \t\r\n]*+")
_ID = re.compile(r"[A-Za-z0-9!#$%&'*+\-./:@^_`{|}~]++")
_KEYWORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-])*+")
_DIGITS = re.compile(r"[0-9]++")
_QUOTED = re.compile(r'"((?:[^"\\\r\n]|\\[ -~])*+)"')
_VALUE = re.compile(r"""(?:"(?:[^"\\\r\n]|\\[ -~])*+"|<[^<>"\s;()\\]*+>|[^\s;()<>"\\,])*+""")
_COMMENT = re.compile(r"[^()\\]++|\\.|[()]", re.S)
# As nearly all properties are written; whatever is not is read piece by piece.
_PLAIN = re.compile(
    r"""([A-Za-z0-9][A-Za-z0-9_-]*+)\.([A-Za-z0-9][A-Za-z0-9_-]*+)=([^\s;()<>"\\,]++)(?=[ \t\r;(]|\Z)"""
)
# A fold is CRLF before white space (RFC 5322 §2.2.3); a line of white space alone ends the header for some readers.
_BAD = re.compile(rb"[^\t\r\n -~]|\r(?!\n[ \t])|(?<!\r)\n|\n[ \t]++\r|=\?")
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one method: ``dmarc``, ``pass`` and its properties by name, all but values in lower case.

    A property without a type (``action=none``) is named ``.action``; ``version`` is the method's.
    """

    method: str
    word: str
    properties: tuple[tuple[str, str], ...] = ()
    version: int = 1

    def named(self, *names: str) -> tuple[str, ...]:
        """The values of the properties of these names, in order."""
        return tuple(value for name, value in self.properties if name in names)


@dataclass(frozen=True, slots=True)
class AuthResults:
    """One field: the server it is by, its id in lower case, the version of its form, and its results."""

    server: str
    version: int
    results: tuple[Result, ...]

    def of(self, method: str) -> tuple[Result, ...]:
        """The results of one method."""
        return tuple(result for result in self.results if result.method == method)


class _Unreadable(Exception):
    """The field is not in the grammar."""


def read_results(raw: bytes) -> AuthResults | None:
    """A raw field value, folds kept; None where any of it is not in the grammar.

    >>> read_results(b" mx.example.test; dmarc=pass (p=none) header.from=example.test").of("dmarc")[0].word
    'pass'
    """
    if len(raw) > MAX_FIELD or _BAD.search(raw):
        return None
    try:
        return _Reader(raw.decode("ascii")).field()
    except _Unreadable:
        return None


def server_of(raw: bytes) -> str | None:
    """The id alone, of a field that may be unreadable further on; None where not even that is plain."""
    before = raw[:MAX_FIELD].partition(b";")[0]
    if _BAD.search(before) or b"(" in before or b'"' in before:
        return None
    try:
        reader = _Reader(before.decode("ascii"))
        server, _ = reader.server()
        return server if reader.at_end() else None
    except _Unreadable:
        return None


class _Reader:
    """A field while it is read: the text, and the place that was reached."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0

    def field(self) -> AuthResults:
        """The whole of it."""
        server, version = self.server()
        results: list[Result] = []
        while not self.at_end():
            self._expect(";")
            if self.at_end():
                break  # the last semicolon of some servers
            if not results and self._none():
                return AuthResults(server, version, ())
            if len(results) == _MAX_RESULTS:
                raise _Unreadable
            results.append(self._result())
        return AuthResults(server, version, tuple(results))

    def server(self) -> tuple[str, int]:
        """The id, and the version (1 where none stands)."""
        self._skip()
        quoted = self._match(_QUOTED)
        server = _ESCAPED.sub(r"\1", quoted[1]) if quoted else self._word(_ID)
        self._skip()
        version = self._match(_DIGITS)
        self._skip()
        return server.lower(), int(version[0][:9]) if version else 1

    def at_end(self) -> bool:
        """Whether nothing is left but space and comments."""
        self._skip()
        return self._at == len(self._text)

    def _none(self) -> bool:
        start = self._at
        if self._word(_KEYWORD).lower() == "none" and self.at_end():
            return True
        self._at = start
        return False

    def _result(self) -> Result:
        method = self._word(_KEYWORD).lower()
        version = 1
        self._skip()
        if self._take("/"):
            self._skip()
            version = int(self._word(_DIGITS)[:9])
            self._skip()
        self._expect("=")
        self._skip()
        word = self._word(_KEYWORD).lower()
        properties: list[tuple[str, str]] = []
        while not (self.at_end() or self._peek() == ";"):
            if len(properties) == _MAX_PROPERTIES:
                raise _Unreadable
            properties.append(self._property())
        return Result(method, word, tuple(properties), version)

    def _property(self) -> tuple[str, str]:
        if plain := self._match(_PLAIN):
            return f"{plain[1]}.{plain[2]}".lower(), plain[3]
        kind, name = "", self._word(_KEYWORD).lower()
        self._skip()
        if self._take("."):
            self._skip()
            kind, name = name, self._word(_KEYWORD).lower()
            self._skip()
        self._expect("=")
        spaced = self._at
        self._skip()
        value = self._word(_VALUE)
        if self._at < len(self._text) and self._text[self._at] not in " \t\r;(":
            raise _Unreadable
        # After an empty value the next property would be taken for it.
        if spaced < self._at - len(value) and "=" in value:
            raise _Unreadable
        if _QUOTED.fullmatch(value):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        return f"{kind}.{name}", value

    def _skip(self) -> None:
        """Skip white space, folds and nested comments (RFC 5322 §3.2.2)."""
        self._match(_SPACE)
        while self._peek() == "(":
            depth = 0
            for found in _COMMENT.finditer(self._text, self._at):
                depth += (found[0] == "(") - (found[0] == ")")
                if not depth:
                    break
            else:
                raise _Unreadable
            self._at = found.end()
            self._match(_SPACE)

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def _word(self, pattern: re.Pattern[str]) -> str:
        found = self._match(pattern)
        if found is None:
            raise _Unreadable
        return found[0]

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self, character: str) -> bool:
        if self._peek() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._take(character):
            raise _Unreadable
