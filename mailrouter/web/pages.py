"""A page, as the listener sees it: from what was asked to an answer. No library stands between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Asked:
    """A GET or HEAD: the parts of the path that the page's pattern names, and the header's fields in lower case."""

    parts: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A page's answer; ``fields`` are added to the answer's header."""

    status: int
    content_type: str
    body: bytes
    fields: Mapping[str, str] = field(default_factory=dict)


Page = Callable[[Asked], Awaitable[Answer]]
Pages = Mapping[str, Page]
"""Pages by their paths; ``{name}`` in a path stands for one part of it, as in ``/calendar/{secret}.ics``."""


def text(status: int, said: str) -> Answer:
    """An answer of plain lines."""
    return Answer(status, TEXT, said.encode() + b"\n")
