"""Days that come round, as partners say them: every friday, first friday, other friday, second friday of the month."""

from __future__ import annotations

import re

from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.schedule.model import Every

HINT = "write it as friday, first friday, or other friday"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GROUPS = {"day": tuple(range(7)), "weekday": tuple(range(5)), "workday": tuple(range(5))}
_NTH = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
_NTH |= {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
_MONTH = re.compile(r"(?<!\s)\s++(of|in)\s++(the|each|every|a)\s++month$")
_BETWEEN_DAYS = re.compile(r"(?<!\s)\s++and\s++|(?<!\s)\s*+[,&]\s*+|(?<!\s)\s++")


def every(text: str) -> Every:
    """The days that are meant. Raises Wrong.

    >>> every("first friday"), every("other monday").weeks, every("monday and thursday").weekdays
    (Every(weekdays=(4,), nth=1, weeks=1), 2, (0, 3))
    """
    words = text.strip().casefold().removeprefix("every ")
    of_month = _MONTH.search(words)
    words = _MONTH.sub("", words)
    how, _, rest = words.partition(" ")
    if how in _NTH:
        days, nth = _days(rest, text), _NTH[how]
        if nth not in (1, -1) and not of_month:
            # "Every second Friday" is every other one to some, and the second of each month to others.
            said = f"write {how} {rest} of the month" + (f", or other {rest}" if nth == 2 else "")
            raise Wrong(f"`{shown(text)}` can be read in two ways", said)
        return Every(days, nth)
    if of_month:
        raise Wrong(
            f"`{shown(text)}` doesn't say which of the month", f"write first {words}, or last {words}"
        )
    if how in ("other", "alternate"):
        return Every(_days(rest, text), None, 2)
    return Every(_GROUPS[words]) if words in _GROUPS else Every(_days(words, text))


def _days(words: str, text: str) -> tuple[int, ...]:
    found = [_weekday(word, text) for word in _BETWEEN_DAYS.split(words.strip())]
    return tuple(sorted(set(found)))


def _weekday(word: str, text: str) -> int:
    for number, name in enumerate(_WEEKDAYS):
        if word in (name, f"{name}s", name[:3]):
            return number
    meant = did_you_mean(word, (*_WEEKDAYS, *_GROUPS, *_NTH, "other")) if word else ""
    raise Wrong(f"{shown(text)} is not a day that comes round", meant or HINT)


def every_words(every: Every) -> str:
    """A recurrence, as it is written in a file."""
    names = next((word for word, days in _GROUPS.items() if days == every.weekdays), "")
    names = names or " and ".join(_WEEKDAYS[day] for day in every.weekdays)
    if every.weeks == 2:
        return f"other {names}"
    if every.nth is None:
        return names
    nth = next(word for word, number in _NTH.items() if number == every.nth)
    return f"{nth} {names}" if every.nth in (1, -1) else f"{nth} {names} of the month"
