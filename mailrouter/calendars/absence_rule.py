"""A role's rule on which events of a calendar are absences. Pure.

What the rule can go by differs with the program that wrote the calendar: Outlook and Exchange say
X-MICROSOFT-CDO-BUSYSTATUS (OOF is "out of office"); everybody says TRANSP (RFC 5545 §3.8.2.7) and most CATEGORIES;
Google's feeds have no sign of an out-of-office event but its title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mailrouter.calendars.lines import Event, value_of
from mailrouter.schedule.ical.feed import OURS

Verdict = Literal["yes", "all-day", "no"]
"""Whether an event is an absence; ``all-day``: if it is whole days."""

_ESCAPED = re.compile(r"\\(.)")
_COMMA = re.compile(r"(?<!\\),")


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule ``absent_when`` as written, with the partner's address. The address tells what they have declined."""

    absent_when: tuple[str, ...]
    email: str = ""


def verdict(event: Event, rule: Rule) -> Verdict:
    """Whether this event (or this exception to one) makes its owner absent.

    Never what was cancelled or declined, nor our own shifts that were copied into the calendar. ``busy`` and
    ``all-day`` leave out what is free, tentative or work elsewhere.
    """
    if OURS.match(event.uid) or _one(event, "STATUS") == "CANCELLED" or _declined(event, rule.email):
        return "no"
    found: Verdict = "no"
    for word in rule.absent_when:
        kind, _, text = word.partition(" ")
        if kind == "all-day":
            found = "all-day" if _busy(event) else found
        elif (
            (kind == "out-of-office" and _one(event, "X-MICROSOFT-CDO-BUSYSTATUS") == "OOF")
            or (kind == "busy" and _busy(event))
            or (kind == "category" and text.casefold() in _categories(event))
            or (kind == "title" and _title(event).startswith(text.casefold()))
        ):
            return "yes"
    return found


def _busy(event: Event) -> bool:
    return (
        _one(event, "TRANSP") != "TRANSPARENT"
        and _one(event, "STATUS") != "TENTATIVE"
        and _one(event, "X-MICROSOFT-CDO-BUSYSTATUS") not in ("FREE", "TENTATIVE", "WORKINGELSEWHERE")
    )


def _one(event: Event, name: str) -> str:
    """The value of a property that comes once, in capitals; ``""`` without it."""
    return next((value_of(rest).strip().upper() for sign, rest in event.signs if sign == name), "")


def _categories(event: Event) -> list[str]:
    lists = [value_of(rest) for sign, rest in event.signs if sign == "CATEGORIES"]
    return [_plain(one) for words in lists for one in _COMMA.split(words)]


def _title(event: Event) -> str:
    return next((_plain(value_of(rest)) for sign, rest in event.signs if sign == "SUMMARY"), "")


def _plain(text: str) -> str:
    """A TEXT value without its escapes (RFC 5545 §3.3.11), for comparing."""
    return _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], text).strip().casefold()


def _declined(event: Event, email: str) -> bool:
    """Whether the calendar's owner has declined: ``ATTENDEE;PARTSTAT=DECLINED:mailto:…`` (RFC 5545 §3.2.12)."""
    if not email:
        return False
    lines: Sequence[str] = [rest for sign, rest in event.signs if sign == "ATTENDEE"]
    return any(
        value_of(rest).strip().casefold() == f"mailto:{email.casefold()}"
        and "PARTSTAT=DECLINED" in rest.upper()
        for rest in lines
    )
