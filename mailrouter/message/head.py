"""The header section of a message: where each field stands, and what it says. Pure; nothing here raises.

The section is cut at CRLF only, so that a bare CR or an odd separator in a value can never become a field
of its own, and every line stays reachable as it was received.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial
from itertools import accumulate
from typing import NamedTuple

from mailrouter.message import mime
from mailrouter.message.mailboxes import MAX_MAILBOXES, Mailbox, read_mailboxes
from mailrouter.message.words import decode_unlabelled, decode_words, strip_controls, unfold

MAX_FIELDS = 10_000
"""Fields that are told apart; what stands after them is kept as one nameless range."""
_MAX_IDS = 1_000

_FIELD_END = re.compile(rb"\r\n(?![ \t])")  # RFC 5322 §2.2.3: a line that starts with white space goes on
_MESSAGE_ID = re.compile(r'<[^<>\s"]{1,990}>|<"[^"<>\r\n]{1,900}"@[^<>\s"]{1,255}>')


class Field(NamedTuple):
    """One header field: its name in lower case, its octets ``raw[start:end]`` with folds and last CRLF.

    A range that is no field (no colon, an mbox ``From`` line, a continuation with nothing before it) has the
    name ``""``.
    """

    name: str
    start: int
    end: int


_make_field = partial(tuple.__new__, Field)


class Head:
    """A header section to be read. Of a whole message, only what stands before the blank line counts."""

    __slots__ = ("_boxes", "_first", "_known", "_names", "fields", "raw")

    def __init__(self, raw: bytes) -> None:
        end = 0 if raw[:2] == b"\r\n" else raw.find(b"\r\n\r\n")
        if end >= 0 and raw[:2] != b"\r\n":
            end += 2
        section = raw if end < 0 else raw[:end]
        self.raw = raw
        self.fields: tuple[Field, ...]
        self._known: dict[str, str] = {}
        self._names: tuple[str, ...] | None = None
        self._boxes: dict[tuple[str, ...], tuple[Mailbox, ...]] = {}
        lines = _FIELD_END.split(section, MAX_FIELDS)
        if not lines[-1]:
            lines.pop()
        cut = [line.partition(b":") for line in lines]
        names = [mime.field_name(before) if colon else "" for before, colon, _ in cut]
        if len(lines) > MAX_FIELDS:
            names[-1] = ""
        starts = [0, *accumulate([len(line) + 2 for line in lines])]
        starts[-1] = len(section)
        # Made in one go in C: this runs for every field of every message.
        self.fields = tuple(map(_make_field, zip(names, starts, starts[1:], strict=False)))
        self._first = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))

    def has(self, name: str) -> bool:
        """Is there a field of this name?"""
        return name.lower() in self._first

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields in lower case, each once; the one that comes last in the header first."""
        if self._names is None:
            self._names = tuple([name for name in self._first if name])
        return self._names

    def first_of(self, names: Iterable[str]) -> str | None:
        """The first of ``names`` (lower case) that is a field here, or None."""
        first = self._first
        for name in names:
            if name in first:
                return name
        return None

    def raw_value(self, name: str) -> bytes | None:
        """The octets after the colon of the first field of this name, folds kept, without the last CRLF."""
        index = self._first.get(name.lower())
        return None if index is None else self._value(index)

    def raw_values(self, name: str) -> tuple[bytes, ...]:
        """``raw_value`` of every field of this name, in order."""
        name = name.lower()
        first = self._first.get(name)
        if first is None:
            return ()
        return tuple(
            self._value(i) for i, field in enumerate(self.fields[first:], first) if field.name == name
        )

    def text(self, name: str) -> str | None:
        """The first field's value, unfolded, decoded (RFC 2047), without controls; None: not there."""
        raw = self.raw_value(name)
        if raw is None:
            return None
        if name not in self._known:
            self._known[name] = _readable(raw)
        return self._known[name]

    def all_text(self, name: str) -> tuple[str, ...]:
        """``text`` of every field of this name, in order."""
        return tuple(map(_readable, self.raw_values(name)))

    def mailboxes(self, *names: str) -> tuple[Mailbox, ...]:
        """The mailboxes of all fields of these names, in the order of the names."""
        known = self._boxes.get(names)
        if known is None:
            found: list[Mailbox] = []
            for name in names:
                for raw in self.raw_values(name):
                    if len(found) < MAX_MAILBOXES:
                        found.extend(read_mailboxes(decode_unlabelled(unfold(raw))))
            known = self._boxes[names] = tuple(found[:MAX_MAILBOXES])
        return known

    @property
    def message_id(self) -> str | None:
        """The Message-ID with its angle brackets (RFC 5322 §3.6.4), or None."""
        ids = self._ids("message-id")
        return ids[0] if ids else None

    @property
    def in_reply_to(self) -> str | None:
        """The first id of In-Reply-To with its angle brackets, or None."""
        ids = self._ids("in-reply-to")
        return ids[0] if ids else None

    @property
    def references(self) -> tuple[str, ...]:
        """The ids of References, oldest first, with their angle brackets."""
        return self._ids("references")

    @property
    def content_type(self) -> str:
        """The media type in lower case; ``text/plain`` where none can be read (RFC 2045 §5.2)."""
        return mime.media_type(self._unfolded("content-type")) or "text/plain"

    def parameter(self, name: str, param: str) -> str | None:
        """A parameter of a structured field, decoded (RFC 2231), without controls; None: not there."""
        value = mime.parameter(self._unfolded(name), param)
        return None if value is None else strip_controls(value)

    def _unfolded(self, name: str) -> str:
        return decode_unlabelled(unfold(self.raw_value(name) or b""))

    def _ids(self, name: str) -> tuple[str, ...]:
        raw = self.raw_value(name)
        if raw is None:
            return ()
        found = _MESSAGE_ID.findall(unfold(raw).decode("ascii", "ignore"))
        return tuple(found[:_MAX_IDS])

    def _value(self, index: int) -> bytes:
        name, start, end = self.fields[index]
        return self.raw[self.raw.find(b":", start) + 1 if name else start : end].removesuffix(b"\r\n")


def _readable(raw: bytes) -> str:
    return strip_controls(decode_words(decode_unlabelled(unfold(raw))))
