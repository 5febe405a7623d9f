"""Guesses at misspelt dates and times, for hints."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAMES = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
_MONTH_NAMES = (*_NAMES, "November", "December")
_NUMBERS = re.compile(r"([0-9]{1,2})[./\- ]\s?([0-9]{1,2})[./\- ]\s?([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[./\- ]?([0-9]{1,2})[./\- ]?([0-9]{1,2})")
_IN_WORDS = re.compile(
    r"(?:[a-z]+,? )?(?:the )?([0-9]{1,2})(?:st|nd|rd|th)?\.?(?: of)? ([a-z]{3,9})\.?,? ([0-9]{4})"
)
_MONTH_FIRST = re.compile(r"(?:[a-z]+,? )?([a-z]{3,9})\.? ([0-9]{1,2})(?:st|nd|rd|th)?,? ([0-9]{4})")
_DASHES = re.compile("[\u2010-\u2015\u2212\u00ad\ufe58\ufe63\uff0d]")
_ISO = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}( [0-9:]+)?")
_CLOCK = re.compile(r"([0-9]{1,2})(?:[:.h ]?([0-9]{2}))?\s*(a\.?m\.?|p\.?m\.?|h|uhr|o'clock)?", re.IGNORECASE)


def date_meant(text: str) -> tuple[str, str]:
    """A complaint about ``text`` with advice: ``("", "")`` where there is no telling.

    >>> date_meant("12/21/2026"), date_meant("Dec 21, 2026")[1]
    (('12/21/2026 is not a date here', 'write it as 2026-12-21'), 'write it as 2026-12-21')
    >>> date_meant("1/2/2027")
    ('1/2/2027 can be read in two ways', '2 January is 2027-01-02, and 1 February is 2027-02-01')
    """
    if (plain := _DASHES.sub("-", text)) != text and _ISO.fullmatch(plain.strip()):
        return (
            f"{text} has dashes in place of hyphens",
            f"type it anew with the minus key: {plain.strip()}",
        )
    said = text.strip().casefold()
    what = f"{text} is not a date here"
    if found := _NUMBERS.fullmatch(said):
        first, second, year = int(found[1]), int(found[2]), _year(found[3])
        month_first, day_first = _date(year, first, second), _date(year, second, first)
        if "." in said or not month_first or not day_first or month_first == day_first:
            sure = day_first if "." in said else month_first or day_first
            return (what, f"write it as {sure.isoformat()}") if sure else ("", "")
        both = (f"{_words(found_)} is {found_.isoformat()}" for found_ in (month_first, day_first))
        return f"{text} can be read in two ways", ", and ".join(both)
    meant = _written_out(said)
    return (what, f"write it as {meant.isoformat()}") if meant else ("", "")


def _written_out(said: str) -> date | None:
    if found := _YEAR_FIRST.fullmatch(said):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _IN_WORDS.fullmatch(said):
        return _date(int(found[3]), _month(found[2]), int(found[1]))
    if found := _MONTH_FIRST.fullmatch(said):
        return _date(int(found[3]), _month(found[1]), int(found[2]))
    return None


def clock_meant(text: str) -> str:
    """``17:00`` for ``5pm``, ``17.00``, ``1700`` or ``17``; nothing where there is no telling."""
    found = _CLOCK.fullmatch(text.strip())
    if not found:
        return ""
    hours, minutes, half = int(found[1]), int(found[2] or 0), (found[3] or "").casefold().replace(".", "")
    if half in ("am", "pm"):
        if not 1 <= hours <= 12:
            return ""
        hours = hours % 12 + (12 if half == "pm" else 0)
    return f"{hours:02}:{minutes:02}" if minutes < 60 and hours * 60 + minutes <= 24 * 60 else ""


def range_meant(first: str, last: str) -> str:
    """``09:00-17:00`` for ``9am`` and ``5pm``, ``9`` and ``5``, ``9.00`` and ``17.00``; nothing where it is unclear.

    >>> range_meant("9", "5"), range_meant("9am", "5pm"), range_meant("22", "6")
    ('09:00-17:00', '09:00-17:00', '22:00-06:00')
    """
    start, end = clock_meant(first), clock_meant(last)
    if not start or not end:
        return ""
    if (
        end < start < "12:00" and last.strip().isdigit()
    ):  # nobody works from nine in the morning until five at night
        end = f"{int(end[:2]) + 12:02}{end[2:]}"
    return f"{start}-{end}"


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(name: str) -> int:
    near = [number for number, short in enumerate(_MONTHS, 1) if name.startswith(short)]
    return near[0] if near and _MONTH_NAMES[near[0] - 1].casefold().startswith(name[:4]) else 0


def _words(day: date) -> str:
    return f"{day.day} {_MONTH_NAMES[day.month - 1]}"
