"""Readings of a schedule mail, by when it was written. Pure.

"Today" and "Friday" count from the mail's Date in the writer's zone. Where that is another day than the one on which it
came in, where no Date tells, or in the small hours, its words are read from each of these days. Only if all give the
same is it done; else the writer is asked, with the dates written out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from mailrouter.routing.partner.schedule_mail import Asked
from mailrouter.schedule.changes.changes import change_for
from mailrouter.schedule.date_words import date_words
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Plain, Request
from mailrouter.schedule.language.requests_parser import requests_in
from mailrouter.schedule.localtime import day_start
from mailrouter.schedule.model import Person, Role
from mailrouter.schedule.nights import Nights

_SKEW = timedelta(minutes=10)
"""How far a clock that is set by hand may be ahead."""
_OLD = timedelta(days=5)
"""A mail that was longer on its way is asked about whatever it says: no queue holds one so long."""
_MAY_HAVE_TAKEN = 5
"""Days that a mail without a Date may have been on its way."""
_SMALL_HOURS = time(4)
"""Until then "tomorrow" may be the day that has begun."""
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The wall times from which to read a mail, with reasons.

    The likeliest first, and why there are several (a sentence).
    """

    nows: tuple[datetime, ...]
    why: str = ""
    always: bool = False
    """The writer is asked even where all readings are the same."""


def understood(asked: Asked, role: Role, author: Person, arrived: datetime) -> tuple[Request, ...]:
    """The readings of the words; ``arrived`` is aware. Raises Unclear, also where they can mean several things."""
    seen = _seen(asked.sent_at, role, author, arrived)
    found = requests_in(asked.text, asked.subject, role, author.key, seen.nows[0])
    if all(isinstance(request, Plain) for request in found):
        return found
    others = []
    for now in seen.nows[1:]:
        try:
            others.append((now, requests_in(asked.text, asked.subject, role, author.key, now)))
        except Unclear:
            others.append((now, ()))
    readings = [(seen.nows[0], found), *((now, other) for now, other in others if other != found)]
    readings += _of_the_night(asked, role, author, arrived, found)
    if len(readings) == 1 and not seen.always:
        return found
    words = [_words(role, requests, now) for now, requests in readings if requests]
    told = list(dict.fromkeys(word for word in words if word))
    why = seen.why or "It is late, so the day that has begun may be meant or the one before."
    if len(told) == 1:
        raise Unclear(f"{why} Is this still meant: {told[0]} Then write it again, with the date.")
    meant = f"This could mean: {' Or: '.join(told)}" if told else ""
    raise Unclear(
        " ".join(filter(None, [why, meant, 'Write it again with the date, as in "off 21 December".']))
    )


def _seen(sent: datetime | None, role: Role, author: Person, arrived: datetime) -> _Seen:
    zone = author.time_zone or role.time_zone
    here = arrived.astimezone(zone).replace(tzinfo=None)
    came = f"it came in on {date_words(here.date(), here.date())}"
    if sent is None:
        earlier = (
            datetime.combine(here.date() - days * _ONE_DAY, time(12))
            for days in range(1, _MAY_HAVE_TAKEN + 1)
        )
        return _Seen((here, *earlier), f"The mail doesn't say when it was written; {came}.")
    there = sent.astimezone(zone).replace(tzinfo=None)
    own = sent.replace(tzinfo=None)
    days = [there, here] if sent.utcoffset() == timedelta(0) else [there, own, here]
    if len({wall.date() for wall in days}) == 1:
        return _Seen((min(there, here),))
    written = f"{date_words(there.date(), here.date())} at {there:%H:%M}"
    why = f"You wrote this on {written}, and {came}."
    if sent > arrived + _SKEW:
        why = f"The mail says that it was written on {written}, and {came}."
    elif own.date() != there.date() and there.date() == here.date():
        why = f"Where you wrote this it was {date_words(own.date(), here.date())}; here {came}."
    nows = {wall.date(): wall for wall in reversed(days)}
    first = nows.pop(min(there, here).date() if there.date() == here.date() else there.date())
    return _Seen((first, *nows.values()), why, abs(arrived - sent) > _OLD)


def _of_the_night(
    asked: Asked, role: Role, author: Person, arrived: datetime, found: tuple[Request, ...]
) -> list[tuple[datetime, tuple[Request, ...]]]:
    """The reading for a writer whose yesterday isn't over. Their shift runs over midnight, or they are awake late.

    Nothing where that is the same as ``found``, or is over by now.
    """
    zone = author.time_zone or role.time_zone
    here = arrived.astimezone(zone).replace(tzinfo=None)
    nights = Nights(role)
    running = nights.any and day_start(here.date(), zone) <= arrived < nights.begins(here.date(), author.key)
    if not running and here.time() >= _SMALL_HOURS:
        return []
    late = datetime.combine(here.date() - _ONE_DAY, time(23, 59))
    try:
        other = requests_in(asked.text, asked.subject, role, author.key, late)
        change_for(role, other, late if running else here, arrived)
    except Unclear:
        return []
    return [] if other == found else [(late, other)]


def _words(role: Role, requests: tuple[Request, ...], now: datetime) -> str:
    """The requests' results, in words with dates; ``""`` where they come to nothing."""
    try:
        words = " ".join(change_for(role, requests, now).words)
    except Unclear:
        return ""
    today = date_words(now.date(), now.date())
    return words.replace(" from today", f" from {today}").replace(" today", f" on {today}")
