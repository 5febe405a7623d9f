"""Swaps in the words people use: ``swap Thursday with Elaine``, ``I take Elaine's Thursday``. Pure."""

from __future__ import annotations

from datetime import date, datetime

from mailrouter.schedule.language.days import NOON, read_day
from mailrouter.schedule.language.lexer import Reader, Unclear
from mailrouter.schedule.language.names import People
from mailrouter.schedule.language.requests import Hours, Swapping, Works
from mailrouter.schedule.language.spans import read_part

_SWAPS = tuple(
    form
    for verb in ("swap", "switch", "trade", "exchange")
    for form in (verb, f"{verb}s", f"{verb}ped", f"{verb}ed", f"{verb}ping", f"{verb}ing", f"{verb[:-1]}ing")
)
_WISH = ("are", "am", "is", "'m", "'re", "'d like to", "would like to", "want to", "will", "'ll")


class Swaps:
    """The swaps that one partner tells of."""

    def __init__(self, people: People, now: datetime) -> None:
        self._people, self._now = people, now

    def read(self, reader: Reader) -> Swapping | Works | None:
        """The swap that stands here, if one does. Raises Unclear."""
        here = reader.at
        if (works := self._works_instead(reader)) is not None:
            return works
        reader.at = here
        who = self._people.read(reader)
        pair = None
        if who is not None and reader.accept("and"):
            pair = self._people.read(reader)
            if pair is None:
                return None
        reader.accept(*_WISH)
        if not reader.accept(*_SWAPS):
            return None
        return self._swap(reader, who or self._people.author, pair)

    def _swap(self, reader: Reader, who: str, other: str | None) -> Swapping:
        reader.accept("my", "our", "'s")
        first, hours = self._day(reader)
        back: date | None = None
        back_hours: Hours | None = None
        while not reader.ended and reader.peek().text != ".":
            if reader.accept("with"):
                named = self._people.read(reader)
                if named is not None:
                    if other is not None:
                        raise reader.odd()
                    other = named
                if named is None or reader.accept("'s") or (back is None and self._at_day(reader)):
                    if back is not None:
                        raise reader.odd()
                    back, back_hours = self._day(reader)
            elif back is None and reader.accept("for", "against", "and"):
                reader.accept("my", "his", "her", "their")
                owner = self._people.read(reader)
                reader.accept("'s")
                if owner is not None and owner != who:
                    if other not in (None, owner):
                        raise reader.odd()
                    other = owner
                back, back_hours = self._day(reader)
            else:
                break
        other = other or self._people.other_than(who)
        if other == who:
            raise Unclear("A swap needs somebody else.")
        if first == back:
            raise Unclear("Both days of the swap are the same.")
        if hours and back and not back_hours:
            raise Unclear(
                'Which part of the day in return? Write its hours as well, as in "for Tuesday morning".'
            )
        return Swapping(who, other, first, back, hours, back_hours)

    def _works_instead(self, reader: Reader) -> Works | None:
        """``I take Elaine's Thursday``, ``Elaine works on Monday instead of me``."""
        who = self._people.read(reader)
        if who is None:
            return None
        reader.accept("will", "'ll", "'m", "am", "is", "'s")
        if reader.accept("taking over", "take over", "takes over", "taking", "take", "takes"):
            instead = self._people.author if reader.accept("my") else self._people.read(reader)
            if instead is None or not (reader.tokens[reader.at - 1].text == "my" or reader.accept("'s")):
                return None
            day, hours = self._day(reader)
        elif reader.accept("working", "work", "works", "in"):
            try:
                day, hours = self._day(reader)
            except Unclear:
                return None
            if not reader.accept("instead of", "for", "in place of"):
                return None
            instead = self._people.read(reader, me=("me",))
            if instead is None:
                raise reader.odd()
        else:
            return None
        if instead == who:
            raise Unclear("A swap needs somebody else.")
        return Works(who, day, None, hours, instead)

    def _day(self, reader: Reader) -> tuple[date, Hours | None]:
        """A day, or a part of one."""
        part = read_part(reader, self._now)
        if part is None:
            raise reader.odd()
        day, start, end = part
        if start is None or end is None:
            return day, None
        opens = min(first for first, _ in self._people.role.working_hours)
        closes = max(last for _, last in self._people.role.working_hours)
        # A morning begins, and an afternoon ends, with the role's hours.
        hours = (opens if start == 0 else start, closes if end == 2 * NOON else end)
        if not hours[0] < hours[1]:
            raise Unclear(f"The hours of {self._people.role.name} have no such part of a day.")
        return day, hours

    def _at_day(self, reader: Reader) -> bool:
        here = reader.at
        try:
            return read_day(reader, self._now.date()) is not None
        except Unclear:
            return True
        finally:
            reader.at = here
