"""Partners, stand-ins and holidays as partners write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import (
    BeforeValidator,
    Field,
    ValidationInfo,
)

from mailrouter.config.files.calendar_file import CalendarFile
from mailrouter.config.files.fields import Lines, Reading, line_of_text, listed, reads, reads_with
from mailrouter.config.files.rota_file import RESERVED, partner_key
from mailrouter.config.values.addresses import email
from mailrouter.config.values.errors import Wrong, shown
from mailrouter.config.values.times import day
from mailrouter.config.values.zones import time_zone
from mailrouter.config.yaml.tree import Placed, is_empty
from mailrouter.schedule.holidays import known_country
from mailrouter.schedule.model import HolidayRule, Person

_KEY = re.compile(r"[^\W_][\w.-]{0,39}")
_PHONE = re.compile(r"[0-9+().,/*# \xa0-]{3,40}( ?(x|ext\.?) ?[0-9]{1,8})?", re.IGNORECASE)


def short_name(text: str) -> str:
    """A partner's key: one word, as it will stand in the rota. Raises Wrong."""
    if not _KEY.fullmatch(text):
        raise Wrong(f"`{shown(text)}` can't be a partner's short name", "use one word, as in laurie")
    if text.casefold() in RESERVED:
        raise Wrong(f"`{text}` has a meaning of its own in the rota", "choose another short name")
    return text


def phone(text: str) -> str:
    """A telephone number, as people write them. Raises Wrong."""
    if not _PHONE.fullmatch(text) or sum(map(str.isdecimal, text)) < 3:
        raise Wrong(f"{shown(text)} is not a telephone number", "write it as +1 650 555 0101")
    return text


def _email(text: str, info: ValidationInfo[Reading]) -> str:
    return email(text, info.context.dotless)


Email = Annotated[str, reads_with(_email)]
Name = Annotated[str, reads(line_of_text)]
Phone = Annotated[str, reads(phone)]
Zone = Annotated[ZoneInfo, reads(time_zone)]
Day = date
Date = Annotated[Day, reads(day)]


def _country(text: str) -> str:
    _refuse(known_country(text, None))
    return text


def _subdivision(text: str, info: ValidationInfo[Reading]) -> str:
    if country := info.data.get("country"):
        _refuse(known_country(country, text))
    return text


def _refuse(wrong: str | None) -> None:
    if wrong:
        what, _, hint = wrong.partition("; ")
        raise Wrong(what, hint)


UNNAMED = "a day off"
"""What a holiday is called that was given no name."""


def _named_days(value: Any) -> Any:
    """``[2026-12-24]`` as well as ``{2026-12-24: Christmas Eve}``; and a name may be left out."""
    if isinstance(value, Placed):
        unnamed = (day for day, entry in value.node.entries.items() if is_empty(entry.value))
        return Placed({**dict.fromkeys(unnamed, UNNAMED), **value}.items(), value.node)
    return (
        dict.fromkeys(value, UNNAMED)
        if isinstance(value, list) and all(isinstance(v, str) for v in value)
        else value
    )


class HolidaysFile(Lines):
    """Public holidays: whose, and which days more or fewer."""

    country: Annotated[str, reads(_country)]
    subdivision: Annotated[str, reads_with(_subdivision)] | None = None
    also: Annotated[dict[Date, Name], BeforeValidator(_named_days)] = Field(default_factory=dict)
    never: Annotated[tuple[Date, ...], BeforeValidator(listed)] = ()

    def facts(self) -> HolidayRule:
        """As the schedule has it."""
        return HolidayRule(self.country, self.subdivision, tuple(self.also.items()), self.never)


def _none_on_purpose(value: Any) -> Any:
    return HolidaysFile.model_construct(country="") if value == "none" else value


Holidays = Annotated[HolidaysFile | None, BeforeValidator(_none_on_purpose)]
"""Public holidays, or ``none`` for none on purpose."""


class PersonFile(Lines):
    """Somebody with a mailbox."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("mail", "e-mail", "address", "email_address"), "email"),
        **dict.fromkeys(("tel", "telephone", "mobile", "cell", "number"), "phone"),
        **dict.fromkeys(("timezone", "tz", "zone"), "time_zone"),
    }
    texts: ClassVar[frozenset[str]] = frozenset({"name"})
    name: Name
    email: Email
    phone: Phone | None = None
    time_zone: Zone | None = None
    holidays: Holidays = None

    def facts(self, key: str) -> Person:
        """As the schedule has it; a stand-in's key is their address."""
        rule = self.holidays.facts() if self.holidays else None
        return Person(key or self.email, self.name, self.email, self.phone, rule, self.time_zone)


def last_day(text: str, info: ValidationInfo[Reading]) -> Day:
    """The ``until`` of an arrangement or a partner: a day, and not before the first. Raises Wrong."""
    last, first = day(text), info.data.get("since")
    if first is not None and last < first:
        raise Wrong(f"{text} lies before the first day, {first.isoformat()}", "`until` is the last day")
    return last


FROM_LATER = ("from", "start", "since", "begin", "begins", "starts", "starting", "first_day")
UNTIL_LATER = ("until", "end", "to", "till", "ends", "ending", "last_day", "thru", "through")
BOUNDS: Mapping[str, str] = {**dict.fromkeys(FROM_LATER, "from"), **dict.fromkeys(UNTIL_LATER, "until")}
"""Words that people use for the first and the last day."""


class PartnerFile(PersonFile):
    """A partner: somebody with a mailbox, from a day to a day, who may follow a former partner and have a calendar."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **PersonFile.synonyms,
        **BOUNDS,
        **dict.fromkeys(("replaces", "successor_of", "succeeds", "takes_over", "takes_over_from"), "follows"),
    }
    since: Date | None = Field(None, alias="from")
    until: Annotated[Day | None, reads_with(last_day)] = None
    follows: Annotated[str | None, reads_with(partner_key)] = None
    calendar: CalendarFile | None = None

    def facts(self, key: str) -> Person:
        """As the schedule has it."""
        calendar = self.calendar.facts() if self.calendar else None
        person = super().facts(key)
        return replace(person, since=self.since, until=self.until, follows=self.follows, calendar=calendar)
