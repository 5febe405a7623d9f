"""The texts that people read, and the facts they are worded from. Pure.

Notes and answers are made of names and dates; no reason for an absence is among the facts, and outsiders'
facts hold no names, so no template can tell what it must not.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from mailrouter.routing.people import away_reason, people_facts, today_of
from mailrouter.schedule.date_words import called, date_words
from mailrouter.schedule.duty import Duty
from mailrouter.schedule.model import Role

WIDTH = 76
"""Characters of a line: it can be quoted once and still fits a terminal."""
STALE_DAYS = 7


class Words(Protocol):
    """The texts people read, rendered from templates. Any exception means: this text can't be had."""

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        """The text of template ``name``; see the folder ``templates/mail``."""


@dataclass(frozen=True, slots=True)
class CurrentHandoff:
    """The role's newest handoff. ``body_size`` are the octets of its stored, quoted-printable body."""

    version: int
    author: str
    written_at: datetime
    body_size: int


class Wording:
    """The roles' texts. Each is rendered once and kept while nothing that it is worded from has changed.

    One is kept a kind and role, so it never holds more than a few texts a role.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self._kept: dict[tuple[str, str], tuple[tuple[object, ...], str]] = {}

    def note(self, role: Role, duty: Duty, inside: bool) -> str:
        """The note on the partners' copies; ``inside`` where nobody outside could get to see it quoted."""

        def make() -> str:
            return self._text("note", people_facts(role, duty, inside=inside, names=True))

        return self._for_stretch("note inside" if inside else "note outside", role, duty, make)

    def reply(self, role: Role, duty: Duty, inside: bool) -> str:
        """The automatic answer to a sender inside or outside."""

        def make() -> str:
            return self._text("reply", people_facts(role, duty, inside=inside, names=inside))

        return self._for_stretch("reply inside" if inside else "reply outside", role, duty, make)

    def handoff(self, role: Role, handoff: CurrentHandoff, today: date) -> str:
        """The lines above a handoff, and a blank line."""

        def make() -> str:
            return self._text("handoff", handoff_facts(role, handoff, today)) + "\n"

        return self._once("handoff", role, (role, handoff, today), make)

    def away(self, role: Role, duty: Duty) -> str:
        """``Elaine is away until Friday 1 January``, for a reason; nothing where nobody is."""
        return self._for_stretch("away", role, duty, lambda: away_reason(role, duty))

    def unreached(self, role: Role, duty: Duty, key: str, since: datetime) -> str:
        """The line on a partner's mailbox unreached ``since``. Others read it; the partner is ``key``."""
        today = today_of(role, duty)

        def make() -> str:
            day = since.astimezone(role.time_zone).date()
            return self._text("unreached", {"who": called(role)[key], "since": date_words(day, today)})

        return self._once(f"unreached {key}", role, (role, since, today), make)

    def companion(self, role: Role, subject: str) -> str:
        """The first lines of a message that follows an untouched copy."""
        return self._text("companion", {"role": role.name, "subject": subject})

    def notice(self, name: str, facts: Mapping[str, object]) -> str:
        """A message about a handoff, or a part of one: never kept, for it holds what a partner wrote."""
        return self._text(name, facts)

    def _for_stretch(self, kind: str, role: Role, duty: Duty, make: Callable[[], str]) -> str:
        # Within a stretch of the schedule these are the very same objects, so that comparing them is cheap.
        based_on = (role, duty.on, duty.away, duty.next_on, duty.gap, today_of(role, duty))
        return self._once(kind, role, based_on, make)

    def _once(self, kind: str, role: Role, based_on: tuple[object, ...], make: Callable[[], str]) -> str:
        key = (kind, role.key)
        kept = self._kept.get(key)
        if kept is None or kept[0] != based_on:
            kept = self._kept[key] = (based_on, make())
        return kept[1]

    def _text(self, name: str, facts: Mapping[str, object]) -> str:
        return tidy(self._words.render(name, facts))


def tidy(text: str) -> str:
    """Lines without trailing blanks, at most 76 characters wide. Never two blank lines, and a line end last."""
    lines: list[str] = []
    for line in text.strip().split("\n"):
        line = line.rstrip()
        bare = line.lstrip()
        # What goes on of an entry stands below its words, so that it can't be taken for a line of its own.
        indent = " " * (len(line) - len(bare) + 2 * bare.startswith("- "))
        if len(line) > WIDTH:
            lines += textwrap.wrap(
                line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
        elif line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines) + "\n"


def age_words(written: date, today: date) -> str:
    """``today``, ``yesterday`` or ``3 days ago``."""
    days = (today - written).days
    return "today" if days <= 0 else "yesterday" if days == 1 else f"{days} days ago"


def handoff_facts(role: Role, handoff: CurrentHandoff, today: date) -> dict[str, object]:
    """The facts for the lines above a handoff."""
    written = handoff.written_at.astimezone(role.time_zone)
    days = (today - written.date()).days
    return {
        "role": role.name,
        "author": handoff.author,
        "written": date_words(written.date(), today),
        "time": f"{written:%H:%M}",
        "age": age_words(written.date(), today),
        "days": days,
        "stale": days >= STALE_DAYS,
    }
