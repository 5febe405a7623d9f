"""What a partner asks of the schedule in a few words: a small grammar, read to the last word or not at all. Pure.

A wrong guess is worse than none: whatever is not understood for certain is ``Unclear``, with the reason in words
for whoever wrote it. What the words come to in one role's schedule is worked out in ``mailrouter.schedule.changes``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from mailrouter.schedule.model import Minute, Role
from mailrouter.schedule.said_dates import Said, read_day, read_spans, read_time
from mailrouter.schedule.said_words import MOST, Reader, Unclear, tokens
from mailrouter.schedule.words import called

NOTE_LENGTH = 200
_OFF = (
    *("off work", "off sick", "off ill", "off", "away", "absent", "sick", "ill", "out of office", "out"),
    *("on leave", "on holiday", "on holidays", "on vacation", "on annual leave", "not in"),
)
_IS = ("is going to be", "am going to be", "will be", "'ll be", "'m", "'s", "'re", "am", "is", "are", "be")
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day))\b[^.!?:;0-9]{0,40}[,.!:]?\s*\Z", re.I
)
_CLOSING = re.compile(
    r"(?:many |with )?(?:thanks|thank you|thx|cheers|best|best wishes|(?:kind |best |warm )?regards|yours|love|bye)"
    r"\b[^.!?:;0-9]{0,30}[,.!]?\s*\Z",
    re.I,
)
_NOTE = re.compile(
    r"(?:[\s,;]|^)(?:because(?: of)?|note:|reason:)\s+(?P<said>[^,.;()]+)|\((?P<aside>[^()]*)\)", re.I
)
_HEDGE = re.compile(r"\b(?:if|unless|maybe|perhaps|probably|might|or|not|depending|tbc|hopefully)\b|\?", re.I)
_MEANS_SOMETHING = re.compile(
    r"\b(?:today|tomorrow|tonight|off|away|swap|cancel|undo|back|covers?|not|wait|instead"
    r"|mon|tues?|wed|thu|thur|thurs|fri|sat|sun|\w+day|jan\w*|feb\w*|mar|march|apr\w*|june?|july?|aug\w*|sep\w*|oct\w*"
    r"|nov\w*|dec\w*)\b",
    re.I,
)
_LINES_BELOW = 10


@dataclass(frozen=True, slots=True)
class Off:
    """``who`` (a partner's key) is away for these stretches; ``cover`` is a partner's key or None."""

    who: str
    spans: tuple[Said, ...]
    cover: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Swapping:
    """``who`` and ``other`` change places on ``day``, and on ``back`` the other way round, if it is said."""

    who: str
    other: str
    day: date
    back: date | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """``who`` is back from ``day``, at ``minute`` or from its beginning."""

    who: str
    day: date
    minute: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """What stands in the schedule for exactly these stretches is to go; ``what`` says which, if it is said."""

    who: str
    spans: tuple[Said, ...]
    what: Literal["absence", "swap", ""] = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A request without anything to say about it."""

    what: Literal["undo", "send file", "week", "help"]


@dataclass(frozen=True, slots=True)
class Works:
    """``who`` works on ``day`` instead of everyone there, whoever that is; see ``model.Swap``. By command only."""

    who: str
    day: date
    back: date | None = None
    hours: tuple[Minute, Minute] | None = None


Request = Off | Swapping | Back | Cancel | Works | Plain
_PLAIN: Mapping[str, Literal["undo", "send file", "week", "help"]] = {
    **dict.fromkeys(("undo", "undo that", "undo it", "undo this", "undo the last change"), "undo"),
    **dict.fromkeys(("send file", "send the file", "send me the file", "send schedule", "file"), "send file"),
    **dict.fromkeys(("week", "who is in", "show week", "schedule"), "week"),
    **dict.fromkeys(("help", "examples"), "help"),
}


def requests_in(text: str, subject: str, role: Role, author: str, now: datetime) -> tuple[Request, ...]:
    """All that ``author`` (a partner's key) asks for; ``now`` is a wall time of the role's zone.

    ``text`` is what was written, without signature and quoted mail; where it says nothing, ``subject`` counts.
    Raises Unclear: then nothing is to be done at all.
    """
    if len(text) > MOST:
        raise Unclear("It is longer than any change of the schedule.")
    lines = _said_lines(text)
    if not lines:
        lines = [re.sub(r"^(?:(?:re|aw|fwd?|wg)\s*:\s*)+", "", subject.strip(), flags=re.I)]
    if not any(lines):
        raise Unclear("Nothing is written in it.")
    person = role.person(author)
    own = {name.casefold() for name in (person.key, person.name, person.first_name)}
    if len(lines) > 1 and lines[-1].strip(" -–—,.").casefold() in own:
        del lines[-1]
    return _Statements(role, author, now).read(lines)


def _said_lines(text: str) -> list[str]:
    """The lines that say something: without a greeting above and a closing below."""
    lines = [line.strip() for line in text.split("\n")]
    lines = [line for line in lines if line]
    if lines and _GREETING.match(lines[0]) and not _MEANS_SOMETHING.search(lines[0].partition(" ")[2]):
        lines = lines[1:]
    for number, line in enumerate(lines):
        if number and _CLOSING.match(line):
            below = lines[number + 1 :]
            if len(below) > _LINES_BELOW or any(map(_MEANS_SOMETHING.search, below)):
                raise Unclear("There is more below the closing words; write only what is to change.")
            return lines[:number]
    return lines


class _Statements:
    """One mail, statement by statement."""

    def __init__(self, role: Role, author: str, now: datetime) -> None:
        self.role, self.author, self.now = role, author, now
        self.names = tuple(_names(role))

    def read(self, lines: Iterable[str]) -> tuple[Request, ...]:
        found: list[Request] = []
        for line in lines:
            said, note = _without_note(line)
            before = len(found)
            self._line(Reader(tokens(said)), found)
            if note:
                self._note(found, before, note)
        if not found:
            raise Unclear("Nothing is written in it.")
        if len(found) > 1 and any(isinstance(request, Plain) for request in found):
            raise Unclear("Please write that in a mail of its own.")
        return tuple(found)

    def _note(self, found: list[Request], before: int, note: str) -> None:
        if not found or not isinstance(found[-1], Off):
            raise Unclear(f'"{note}" is not understood.')
        found[-1] = replace(found[-1], note=note)

    def _line(self, reader: Reader, found: list[Request]) -> None:
        while not reader.ended:
            reader.skip(".", ",", "please", "thanks", "thank you", "also", "and")
            if reader.ended:
                return
            if (cover := self._cover(reader, found[-1] if found else None)) is not None:
                if not found or not isinstance(found[-1], Off) or found[-1].cover:
                    raise Unclear("Who is away is missing beside who covers.")
                found[-1] = replace(found[-1], cover=_not_oneself(cover, found[-1].who, self.role))
            else:
                found.append(self._statement(reader))
            reader.skip("please", "thanks", "thank you")
            if not reader.ended and reader.peek().text not in (".", ",", "and", "-"):
                raise reader.odd()
            reader.accept("-")

    def _statement(self, reader: Reader) -> Request:
        for words in sorted(_PLAIN, key=len, reverse=True):
            here = reader.at
            if reader.accept(words):
                reader.skip("please", "thanks", "thank you", ", please", ", thanks", ", thank you")
                if reader.ended or reader.peek().text == ".":
                    return Plain(_PLAIN[words])
                reader.at = here
        if reader.accept("cancel", "delete", "remove"):
            return self._cancelled(reader)
        here = reader.at
        if (swap := self._swapped(reader)) is not None:
            return swap
        reader.at = here
        who = self._who(reader)
        reader.accept(*_IS)
        if reader.accept("back at work", "back in", "back"):
            return self._came_back(reader, who or self.author)
        if reader.accept("taking", "take", "takes"):
            spans = read_spans(reader, self.now)
            if not reader.accept("off"):
                raise reader.odd()
            return Off(who or self.author, spans)
        if not reader.accept(*_OFF):
            reader.at = here
            return self._day_first(reader)
        if reader.peek().text in (":", "-"):
            reader.next()
        reader.skip("all day")
        return Off(who or self.author, read_spans(reader, self.now))

    def _day_first(self, reader: Reader) -> Request:
        """``tomorrow off``, ``On Friday I am off``, ``Elaine Friday off``."""
        here = reader.at
        try:
            before = self._who(reader)
            spans = read_spans(reader, self.now)
            reader.skip(",")
            after = self._who(reader) if before is None else None
            reader.accept(*_IS)
        except Unclear as unclear:
            if reader.at > here + 1 or any(t.kind in ("slashed", "dotted") for t in reader.tokens):
                raise unclear
            reader.at = here
            raise reader.odd() from None
        if not reader.accept(*_OFF):
            raise reader.odd()
        return Off(before or after or self.author, spans)

    def _came_back(self, reader: Reader, who: str) -> Back:
        reader.skip("on", "from", "at work")
        today = self.now.date()
        minute = read_time(reader)
        day = read_day(reader, today)
        if day is not None and minute is None:
            minute = read_time(reader)
        if day is None and minute is None:
            raise Unclear('From when? Write "back today", or "back on" and the day.')
        return Back(who, day or today, minute)

    def _cancelled(self, reader: Reader) -> Cancel:
        reader.accept("my", "the")
        who = self._who(reader) or self.author
        reader.accept("'s")
        what: Literal["absence", "swap", ""] = ""
        if reader.accept("absence", "absences", "time off", "days off", "day off", "leave", "holiday", *_OFF):
            what = "absence"
        elif reader.accept("swap", "swaps"):
            what = "swap"
        if reader.ended or reader.peek().text == ".":
            raise Unclear('Which days? Write "cancel" and the days, or answer the last change with "undo".')
        return Cancel(who, read_spans(reader, self.now), what)

    def _swapped(self, reader: Reader) -> Swapping | None:
        who = self._who(reader)
        pair = None
        if who is not None and reader.accept("and"):
            pair = self._who(reader)
            if pair is None:
                return None
        reader.accept("are", "am", "is", "'m", "'re", "'d like to", "would like to", "want to")
        if not reader.accept("swapping", "swap", "swaps", "swapped"):
            return None
        who = who or self.author
        reader.accept("my", "our", "'s")
        today = self.now.date()
        first = self._day(reader)
        back = None
        other = pair
        while not reader.ended and reader.peek().text != ".":
            if reader.accept("with"):
                named = self._who(reader)
                if named is None or other is not None:
                    raise reader.odd()
                other = named
                if reader.accept("'s") or (back is None and self._at_day(reader)):
                    back = self._day(reader)
            elif back is None and reader.accept("for", "against", "and"):
                reader.accept("my", "his", "her", "their")
                owner = self._who(reader)
                reader.accept("'s")
                if owner is not None and owner != who:
                    if other not in (None, owner):
                        raise reader.odd()
                    other = owner
                back = read_day(reader, today)
                if back is None:
                    raise reader.odd()
            else:
                break
        if other is None:
            others = [person.key for person in self.role.partners if person.key != who]
            if len(others) != 1:
                raise Unclear('With whom? Write "swap Thursday with" and the name.')
            other = others[0]
        if other == who:
            raise Unclear("A swap needs somebody else.")
        if first == back:
            raise Unclear("Both days of the swap are the same.")
        return Swapping(who, other, first, back)

    def _day(self, reader: Reader) -> date:
        found = read_day(reader, self.now.date())
        if found is None:
            raise reader.odd()
        return found

    def _at_day(self, reader: Reader) -> bool:
        here = reader.at
        try:
            return read_day(reader, self.now.date()) is not None
        except Unclear:
            return True
        finally:
            reader.at = here

    def _cover(self, reader: Reader, last: Request | None) -> str | None:
        """Who covers, if that is what stands here; nobody is ``""``."""
        here = reader.at
        reader.accept("with")
        if reader.accept("nobody covers", "no cover", "without cover"):
            return ""
        if reader.accept("covered by", "cover by", "cover :", "cover"):
            found = self._who(reader)
            if found is None:
                raise reader.odd()
            return found
        who = self._who(reader)
        if who is not None:
            reader.accept("will", "'ll", "can", *_IS)
            if reader.accept("covers", "cover", "covering"):
                if reader.accept("for"):
                    whom = self._who(reader, me=("me", "her", "him", "them"))
                    away = last.who if isinstance(last, Off) else None
                    pronoun = reader.tokens[reader.at - 1].text in ("her", "him", "them")
                    if whom is None or (whom != away and not pronoun):
                        raise reader.odd()
                return who
        reader.at = here
        return None

    def _who(self, reader: Reader, me: tuple[str, ...] = ("i",)) -> str | None:
        if reader.accept(*me):
            return self.author
        for name, key in self.names:
            if all(reader.peek(ahead).text == word for ahead, word in enumerate(name)):
                if key is None:
                    raise Unclear(f"Two people are called {' '.join(name).title()}; use the short name.")
                reader.at += len(name)
                return key
        return None


def _names(role: Role) -> list[tuple[tuple[str, ...], str | None]]:
    """All that the partners can be called, the longest first; None for a name that two have."""
    found: dict[tuple[str, ...], str | None] = {}
    for person in role.partners:
        for name in {person.key, person.name, person.first_name, called(role)[person.key]}:
            words = tuple(token.text for token in tokens(name))
            found[words] = person.key if found.get(words, person.key) == person.key else None
    for person in role.partners:  # a short name is one partner's alone
        found[tuple(token.text for token in tokens(person.key))] = person.key
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _not_oneself(cover: str, who: str, role: Role) -> str | None:
    if cover == who:
        raise Unclear(f"{called(role)[who]} can't cover for themselves.")
    return cover or None


def _without_note(line: str) -> tuple[str, str]:
    """A line without its ``because …``, ``note: …`` or ``(…)``; and that."""
    found = _NOTE.search(line)
    if found is None:
        return line, ""
    note = (found["said"] or found["aside"] or "").strip(" .()")
    if _HEDGE.search(note):
        raise Unclear(f'It depends on something: "{note}". Write it once it is certain.')
    if len(note) > NOTE_LENGTH:
        raise Unclear(f"The note is longer than {NOTE_LENGTH} characters.")
    return f"{line[: found.start()]} {line[found.end() :]}", note


__all__ = ["Back", "Cancel", "Off", "Plain", "Request", "Swapping", "Unclear", "Works", "requests_in"]
