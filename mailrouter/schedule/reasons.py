"""Reasons why somebody is on, or nobody, in a partner's words. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date

from mailrouter.schedule.absences import Leave
from mailrouter.schedule.date_words import WEEKDAYS, called, date_words, joined
from mailrouter.schedule.model import Role, Swap


class Reasons:
    """The words for one role: each method gives a part of a reason, ``whole`` joins them."""

    def __init__(self, role: Role) -> None:
        self._role = role
        self._called = called(role)
        self._order = [person.key for person in role.people]

    def names(self, keys: Collection[str]) -> str:
        """``Laurie and Elaine``, in the role's order."""
        return joined(self._called[key] for key in self._order if key in keys)

    def whole(self, parts: Collection[str]) -> str:
        """``Wednesday: Laurie by the rota; Elaine is away until Friday 1 January``."""
        return "; ".join(parts) or "outside hours"

    def rota(self, begun: Mapping[str, date]) -> Iterator[str]:
        """The reason of people on by the rota. It names the day on which their shift began."""
        for day in sorted(set(begun.values())):
            who = [key for key, begins in begun.items() if begins == day]
            yield f"{WEEKDAYS[day.weekday()]}: {self.names(who)} by the rota"

    def special(self, begun: Mapping[str, date]) -> Iterator[str]:
        """The reason of people on by a special day's line."""
        for day in sorted(set(begun.values())):
            who = [key for key, begins in begun.items() if begins == day]
            yield f"special day, {date_words(day, day)}: {self.names(who)}"

    def special_nobody(self, day: date) -> str:
        """For the hours of such a day that it gives to nobody."""
        return f"special day, {date_words(day, day)}: nobody"

    def not_running(self, day: date) -> str:
        """For days before the arrangement, and after it."""
        since, until = self._role.since, self._role.until
        if since is not None and day < since:
            return f"the arrangement begins on {date_words(since, day)}"
        return f"the arrangement ended on {date_words(until or day, day)}"

    def no_partner(self, key: str, day: date) -> str:
        """The reason of hours whose person is no partner then. Nobody follows them."""
        person = self._role.person(key)
        if person.since is not None and day < person.since:
            return f"{self._called[key]} is a partner from {date_words(person.since, day)}"
        return f"{self._called[key]} was a partner until {date_words(person.until or day, day)}"

    def swap(self, swap: Swap, before: Collection[str]) -> str:
        """The reason of a swap that replaces those ``before``."""
        others = set(before) - {swap.who}
        if not others:
            return f"swap: {self._called[swap.who]}"
        word = "without" if swap.who in before else "instead of"
        return f"swap: {self._called[swap.who]} {word} {self.names(others)}"

    def returned(self, swap: Swap, new: Collection[str]) -> str:
        """The reason of a day given back. ``new`` come on for the swap's person.

        ``new`` is nobody where the others are on anyway.
        """
        who = self._called[swap.who]
        change = f"{self.names(new)} instead of {who}" if new else f"without {who}"
        return f"swap: {change}, in return for {date_words(swap.day, swap.given_back or swap.day)}"

    def away(self, leave: Leave, covering: Collection[str], kept: Mapping[str, str]) -> str:
        """The reason of an absence, with its cover.

        Those who would cover but for what ``kept`` says of them are named, too.
        """
        words = f"{self._called[leave.who]} is away {leave.until}{leave.by_calendar}"
        for key, reason in kept.items():
            words += f"; {self._called[key]} would cover, but {reason}"
        if covering:
            words += f"; {self.names(covering)} {'covers' if len(covering) == 1 else 'cover'}"
        return words

    def holidays(self, out: Mapping[str, str], rota: Collection[str]) -> Iterator[str]:
        """For those of the ``rota`` who have a holiday, with its name; short where it is the same for all."""
        if len(out) == len(rota) and len(set(out.values())) == 1:
            yield f"holiday: {next(iter(out.values()))}"
        else:
            yield from (f"holiday for {self._called[key]}: {name}" for key, name in out.items())
