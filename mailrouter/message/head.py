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

from mailrouter.message import bounds, mime
from mailrouter.message.text.charsets import decode_unlabelled
from mailrouter.message.text.mailboxes import Mailbox, read_mailboxes
from mailrouter.message.text.words import decode_words, strip_controls, unfold

_FIELD_END = re.compile(rb"\r\n(?![ \t])")  # RFC 5322 §2.2.3: a line that starts with white space goes on
_MESSAGE_ID = re.compile(r'<[^<>\s"]{1,990}+>|<"[^"<>\r\n]{1,900}+"@[^<>\s"]{1,255}+>')


class Field(NamedTuple):
    """A header field: its name in lower case, its octets ``raw[start:end]`` with folds and last CRLF.

    A range that is no field (no colon, an mbox ``From`` line, a continuation with nothing before it) has the
    name ``""``.
    """

    name: str
    start: int
    end: int


_make_field = partial(tuple.__new__, Field)


class Head:
    """A header section to be read. Of a whole message, only what stands before the blank line counts.

    Fields are told apart within ``bounds.HEADER`` octets and ``bounds.FIELDS`` fields; what stands after them is
    kept as one nameless range. Each field is read once, within the bounds of its kind.
    """

    __slots__ = ("_boxes", "_first", "_known", "_last", "_names", "_written", "fields", "raw")

    def __init__(self, raw: bytes) -> None:
        end = 0 if raw[:2] == b"\r\n" else raw.find(b"\r\n\r\n")
        if end >= 0 and raw[:2] != b"\r\n":
            end += 2
        section = raw if end < 0 else raw[:end]
        self.raw = raw
        self.fields: tuple[Field, ...]
        self._known: dict[str, tuple[str, ...]] = {}
        self._written: dict[str, tuple[str, ...]] = {}
        self._names: tuple[str, ...] | None = None
        self._boxes: dict[str, tuple[Mailbox, ...]] = {}
        too_large = len(section) > bounds.HEADER
        lines = _FIELD_END.split(section[: bounds.HEADER] if too_large else section, bounds.FIELDS)
        if not lines[-1] and not too_large:
            lines.pop()
        cut = [line.partition(b":") for line in lines]
        names = [mime.field_name(before) if colon else "" for before, colon, _ in cut]
        if too_large or len(lines) > bounds.FIELDS:
            names[-1] = ""
        starts = [0, *accumulate([len(line) + 2 for line in lines])]
        starts[-1] = len(section)
        # Made in one go in C: this runs for every field of every message.
        self.fields = tuple(map(_make_field, zip(names, starts, starts[1:], strict=False)))
        self._first = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))
        self._last = self._first
        if len(self._first) < len(names):  # a name comes twice
            self._last = dict(zip(names, range(len(names)), strict=True))

    def has(self, name: str) -> bool:
        """Whether there is a field of this name."""
        return name.lower() in self._first

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all fields in lower case, each once; the one that comes last in the header first."""
        if self._names is None:
            self._names = tuple([name for name in self._first if name])
        return self._names

    def first_of(self, names: Iterable[str]) -> str | None:
        """The first present field of ``names`` (lower case), or None."""
        first = self._first
        for name in names:
            if name in first:
                return name
        return None

    def raw_value(self, name: str) -> bytes | None:
        """The first such field's octets after the colon. Folds are kept; without the last CRLF."""
        index = self._first.get(name.lower())
        return None if index is None else self._value(index)

    def raw_values(self, name: str) -> tuple[bytes, ...]:
        """``raw_value`` of every field of this name, in order."""
        name = name.lower()
        first = self._first.get(name)
        if first is None:
            return ()
        last = self._last[name]
        if first == last:  # nearly always
            return (self._value(first),)
        return tuple(
            [
                self._value(i)
                for i, field in enumerate(self.fields[first : last + 1], first)
                if field.name == name
            ]
        )

    def text(self, name: str) -> str | None:
        """The first field's value as people read it; None: not there. See ``all_text``."""
        values = self.all_text(name)
        return values[0] if values else None

    def all_text(self, name: str) -> tuple[str, ...]:
        """Every value of an unstructured field such as Subject, in order: unfolded, decoded (RFC 2047), no controls.

        Of each value ``bounds.UNSTRUCTURED`` octets are read, of a name ``bounds.FIELDS_OF_A_NAME`` fields.
        """
        known = self._known.get(name)
        if known is None:
            values = self._values(name, bounds.UNSTRUCTURED)
            known = self._known[name] = tuple(map(_readable, values))
        return known

    def structured(self, name: str) -> str | None:
        """The first value of a structured field as it was written; None: not there. See ``all_structured``."""
        values = self.all_structured(name)
        return values[0] if values else None

    def all_structured(self, name: str) -> tuple[str, ...]:
        """All values, as written, of a field such as Authentication-Results. They are in order.

        Folds are undone (RFC 5322 §2.2.3), and nothing else is: an encoded word has no meaning in a structured
        field (RFC 2047 §5), so it stays as it stands, and so does each control, and the white space at the ends.
        Octets above 127 show as characters above 127. Each value has at most ``bounds.STRUCTURED`` + 1 characters:
        one that is longer than ``bounds.STRUCTURED`` was cut. Of a name ``bounds.FIELDS_OF_A_NAME`` fields are read.
        """
        known = self._written.get(name)
        if known is None:
            values = self._values(name, bounds.STRUCTURED + 1)
            known = self._written[name] = tuple(map(decode_unlabelled, map(unfold, values)))
        return known

    def mailboxes(self, *names: str) -> tuple[Mailbox, ...]:
        """The mailboxes of all these fields, in order of ``names``.

        Of each name's fields ``bounds.ADDRESSES`` octets are read, and of all together ``bounds.MAILBOXES`` mailboxes.
        """
        if len(names) == 1:
            return self._mailboxes(names[0])
        return tuple([box for name in names for box in self._mailboxes(name)])[: bounds.MAILBOXES]

    def _mailboxes(self, name: str) -> tuple[Mailbox, ...]:
        known = self._boxes.get(name)
        if known is None:
            found: list[Mailbox] = []
            left = bounds.ADDRESSES
            values = self._values(name, bounds.ADDRESSES + 1)[: bounds.ADDRESS_FIELDS]
            for raw in values:
                if left > 0 and len(found) < bounds.MAILBOXES:
                    # Cut between two addresses: what is left of one may be another one.
                    whole = raw if len(raw) <= left else raw[:left].rpartition(b",")[0]
                    text = decode_unlabelled(unfold(whole))
                    found.extend(read_mailboxes(text, bounds.ADDRESS_TOKENS // len(values)))
                    left -= len(raw)
            known = self._boxes[name] = tuple(found[: bounds.MAILBOXES])
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
    def conversation(self) -> tuple[str, ...]:
        """The ids by which its conversation is known: where that began, and what this mail answers."""
        references, answered = self.references, self.in_reply_to
        ends = (references[0], references[-1]) if references else ()
        return (*ends, answered) if answered else ends

    @property
    def content_type(self) -> str:
        """The media type in lower case; ``text/plain`` where none can be read (RFC 2045 §5.2)."""
        return mime.media_type(self.structured("content-type") or "") or "text/plain"

    def parameter(self, name: str, param: str) -> str | None:
        """A parameter of a structured field, decoded (RFC 2231), without controls; None: not there."""
        value = mime.parameter(self.structured(name) or "", param)
        return None if value is None else strip_controls(value)

    def _ids(self, name: str) -> tuple[str, ...]:
        raw = self.raw_value(name)
        if raw is None:
            return ()
        found = _MESSAGE_ID.findall(unfold(raw[: bounds.IDS]).decode("ascii", "ignore"))
        return tuple(found[: bounds.MESSAGE_IDS])

    def _values(self, name: str, most: int) -> list[bytes]:
        """The raw values read of a name, each cut to ``most``."""
        if name not in self._first and name.lower() not in self._first:
            return []
        return [raw[:most] for raw in self.raw_values(name)[: bounds.FIELDS_OF_A_NAME]]

    def _value(self, index: int) -> bytes:
        name, start, end = self.fields[index]
        return self.raw[self.raw.find(b":", start) + 1 if name else start : end].removesuffix(b"\r\n")


def _readable(raw: bytes) -> str:
    return strip_controls(decode_words(decode_unlabelled(unfold(raw))))
