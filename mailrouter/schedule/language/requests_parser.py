"""A partner's requests in a few words: a small grammar, read to the last word or not at all. Pure.

A wrong guess is worse than none: whatever is not understood for certain is ``Unclear``, with the reason in words
for whoever wrote it. What the words come to in one role's schedule is worked out in
``mailrouter.schedule.changes.changes``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from mailrouter.schedule.date_words import called
from mailrouter.schedule.language.days import read_day, read_time, settled_start
from mailrouter.schedule.language.hours import hours_of
from mailrouter.schedule.language.lexer import MOST, NotUnderstood, Reader, Unclear, tokens
from mailrouter.schedule.language.mail_lines import said_lines, without_note
from mailrouter.schedule.language.names import IS, People
from mailrouter.schedule.language.requests import Back, Cancel, Off, Plain, Request
from mailrouter.schedule.language.spans import Said, not_over, read_spans, timed
from mailrouter.schedule.language.swaps import Swaps
from mailrouter.schedule.model import Role

_OFF = (
    *("off work", "off sick", "off ill", "off duty", "off", "away", "absent", "out sick", "sick", "ill"),
    *(
        "unwell",
        "out of office",
        "out of the office",
        "out",
        "ooo",
        "unavailable",
        "not available",
        "not working",
    ),
    *("on sick leave", "on leave", "on holiday", "on holidays", "on vacation", "on annual leave", "not in"),
    *("not at work", "not around", "not coming in", "calling in sick", "called in sick"),
)
_NOT_IN = tuple(
    f"{verb} {rest}"
    for verb in ("won't", "will not", "can't", "cannot", "can not", "don't", "do not", "doesn't", "does not")
    for rest in ("be able to come in", "be able to work", "be at work", "be around", "be in", "be there")
) + tuple(
    f"{verb} {rest}"
    for verb in ("won't", "will not", "can't", "cannot", "can not", "don't", "do not", "doesn't", "does not")
    for rest in ("come in", "come to work", "come", "make it in", "make it", "work")
)
_LEAVE = (
    *(
        "annual leave",
        "sick leave",
        "holidays",
        "holiday",
        "vacation",
        "days off",
        "day off",
        "time off",
        "pto",
    ),
    *("absence", "absent"),
)
_TAKES = (
    *("am taking", "'m taking", "is taking", "'s taking", "taking", "will take", "'ll take", "take", "takes"),
    *("need to take", "needs to take", "need", "needs", "have", "has", "'ve got", "got"),
)
_LEAVES = (
    "leaving work",
    "leaving early",
    "leaving",
    "going home early",
    "going home",
    "finishing early",
    "finishing",
)
_COMES = ("in late", "coming in late", "coming in", "starting late", "starting", "in")
_POLITE = (
    "please",
    "thanks",
    "thank you",
    "sorry",
    ", please",
    ", thanks",
    ", thank you",
    ", sorry",
    "?",
    ", ?",
)
_MOST_REQUESTS = 20
"""Changes that one mail may ask for."""
_POLITELY = ("", "can you ", "could you ", "would you ")
_PLAIN: Mapping[str, Literal["undo", "send file", "week", "help"]] = {
    **dict.fromkeys(("undo", "undo that", "undo it", "undo this", "undo the last change"), "undo"),
    **dict.fromkeys(
        ("undo my last change", "take that back", "take it back", "cancel that", "cancel it"), "undo"
    ),
    **dict.fromkeys(("file", "the file"), "send file"),
    **dict.fromkeys(
        (
            f"{asked}{verb} {it}"
            for asked in _POLITELY
            for verb in ("send", "send me", "get")
            for it in ("file", "the file", "schedule", "the schedule")
        ),
        "send file",
    ),
    **dict.fromkeys(
        (
            f"{asked}{when}"
            for asked in (
                "who is in",
                "who 's in",
                "who is on",
                "show week",
                "show schedule",
                "week",
                "schedule",
            )
            for when in ("", " today", " tomorrow", " this week", " next week")
        ),
        "week",
    ),
    **dict.fromkeys(("help", "examples", "what can i write"), "help"),
}


def requests_in(text: str, subject: str, role: Role, author: str, now: datetime) -> tuple[Request, ...]:
    """All that ``author`` (a partner's key) asks for; ``now`` is a wall time where the author is.

    ``text`` is what was written, without signature and quoted mail; where it says nothing, ``subject`` counts, if it is
    the writer's own.
    Raises Unclear: then nothing is to be done at all.
    """
    if len(text) > MOST:
        raise Unclear("It is longer than any change of the schedule.")
    person = role.person(author)
    names = called(role)
    known = {
        p.key: {name.casefold() for name in (p.key, p.name, p.first_name, names[p.key])}
        for p in role.partners
    }
    own = known.get(person.key, set())
    others = {name for key, theirs in known.items() if key != person.key for name in theirs} - own
    return _Statements(role, author, now, own | others).read(said_lines(text, subject, own, others))


class _Statements:
    """One mail, statement by statement."""

    def __init__(self, role: Role, author: str, now: datetime, names: Collection[str]) -> None:
        self.author, self.now, self._names = author, now, names
        self._hours = hours_of(role, author)
        self.people = People(role, author)
        self.swaps = Swaps(self.people, now)

    def read(self, lines: Iterable[str]) -> tuple[Request, ...]:
        found: list[Request] = []
        for line in lines:
            said, note = without_note(line, self._names)
            before = len(found)
            try:
                self._line(Reader(tokens(said), self._hours), found)
            except NotUnderstood as odd:
                if before < len(found) and isinstance(found[-1], Off) and not note:
                    raise Unclear(f"{odd.why} A note for the two of you stands in brackets.") from None
                raise
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
            reader.skip(".", ",", "please", "thanks", "thank you", "sorry", "also", "and")
            if reader.ended:
                return
            last = found[-1] if found else None
            if (cover := self.people.cover(reader, last.who if isinstance(last, Off) else None)) is not None:
                if not isinstance(last, Off) or last.cover:
                    raise Unclear(
                        'Who is away is missing beside who covers. Write it as "off Monday, Elaine covers".'
                    )
                found[-1] = replace(last, cover=self.people.not_oneself(cover, last.who))
            else:
                found.append(self._statement(reader))
                if len(found) > _MOST_REQUESTS:
                    raise Unclear(
                        f"A mail can ask for {_MOST_REQUESTS} changes; write the rest in another one."
                    )
            reader.skip("please", "thanks", "thank you", "sorry")
            if not reader.ended and reader.peek().text not in (".", ",", "and", "-", "with"):
                raise reader.odd()
            if reader.accept("-") and reader.ended:
                return

    def _statement(self, reader: Reader) -> Request:
        for words in sorted(_PLAIN, key=len, reverse=True):
            here = reader.at
            if reader.accept(words):
                reader.skip(*_POLITE)
                if reader.ended or reader.peek().text == ".":
                    return Plain(_PLAIN[words])
                reader.at = here
        if reader.accept("cancel", "delete", "remove"):
            return self._cancelled(reader)
        here = reader.at
        if (swap := self.swaps.read(reader)) is not None:
            return swap
        reader.at = here
        who = self.people.read(reader)
        if reader.accept(*_TAKES):
            return self._taken(reader, who)
        if not reader.accept(*_NOT_IN):
            reader.accept(*IS)
            if reader.accept("back at work", "back in", "back"):
                return self._came_back(reader, who or self.author)
            if (part := self._part_of_today(reader)) is not None:
                return Off(who or self.author, (part,))
            if reader.peek().text == "half" and reader.peek(1).text == "day":
                raise Unclear('Which half? Write "off", the day, and "morning" or "afternoon".')
            if not reader.accept(*_OFF) and (who is not None or not reader.accept(*_LEAVE)):
                reader.at = here
                return self._day_first(reader)
        return Off(who or self.author, self._when(reader))

    def _when(self, reader: Reader) -> tuple[Said, ...]:
        """The days behind ``off``."""
        if reader.peek().text in (":", "-"):
            reader.next()
        reader.skip("all day", "sick", "work", "again")
        if reader.ended or reader.peek().text in (".", ","):
            raise Unclear('When? Write "off today", or "off" and the days.')
        if reader.peek().text == "half":
            raise Unclear('Which half? Write "off", the day, and "morning" or "afternoon".')
        return read_spans(reader, self.now)

    def _taken(self, reader: Reader, who: str | None) -> Off:
        """``taking Friday off``, ``I need Friday off``."""
        spans = read_spans(reader, self.now)
        if not reader.accept("off"):
            raise Unclear(
                'What about these days? Write "off" and the days, or "swap", the day, and with whom.'
            )
        return Off(who or self.author, spans)

    def _part_of_today(self, reader: Reader) -> Said | None:
        """``leaving at 15:00``, ``in at 11:00 tomorrow``: a part of one day, from its beginning or to its end."""
        here = reader.at
        leaves, comes = reader.accept(*_LEAVES), reader.accept(*_COMES)
        if leaves or comes:
            today = self.now.date()
            day = read_day(reader, today)
            time = read_time(reader)
            day = day or read_day(reader, today) or today
            if time is not None:
                bounds = (time, None) if leaves else (None, time)
                return not_over(timed(reader, self.now, day, *bounds), self.now)
            if leaves or "late" in comes:
                raise Unclear('From when? Write the time, as in "off today from 15:00" or "off until 11:00".')
        reader.at = here
        return None

    def _day_first(self, reader: Reader) -> Request:
        """``tomorrow off``, ``On Friday I am off``, ``Elaine Friday off``."""
        here = reader.at
        try:
            before = self.people.read(reader)
            spans = read_spans(reader, self.now)
            reader.skip(",")
            after = self.people.read(reader) if before is None else None
            reader.accept(*IS)
        except Unclear as unclear:
            if reader.at > here + 1 or any(t.kind in ("slashed", "dotted") for t in reader.tokens):
                raise unclear
            reader.at = here
            raise reader.odd() from None
        if not reader.accept(*_OFF, *_NOT_IN):
            raise reader.odd()
        return Off(before or after or self.author, spans)

    def _came_back(self, reader: Reader, who: str) -> Back:
        reader.skip("on", "from", "at work")
        today = self.now.date()
        time = read_time(reader)
        day = read_day(reader, today)
        if day is not None and time is None:
            time = read_time(reader)
        if day is None and time is None:
            raise Unclear('From when? Write "back today", or "back on" and the day.')
        return Back(who, day or today, settled_start(reader, day or today, time))

    def _cancelled(self, reader: Reader) -> Cancel:
        reader.accept("my", "the")
        who = self.people.read(reader) or self.author
        reader.accept("'s")
        what: Literal["absence", "swap", ""] = ""
        if reader.accept(*_LEAVE, "absences", "leave", *_OFF):
            what = "absence"
        elif reader.accept("swap", "swaps"):
            what = "swap"
        if reader.ended or reader.peek().text == ".":
            if not what:
                raise Unclear(
                    'Which days? Write "cancel" and the days, or answer the last change with "undo".'
                )
            return Cancel(who, (), what)
        return Cancel(who, read_spans(reader, self.now), what)
