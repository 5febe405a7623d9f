"""Partners, stand-ins, holidays, absences and swaps as partners write them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from mailrouter.config.addresses import email
from mailrouter.config.calendar_file import CalendarFile
from mailrouter.config.fields import Lines, Reading, line_of_text, listed, reads, reads_with
from mailrouter.config.rota_file import RESERVED, partner_key
from mailrouter.config.times import day, midnight, moment, time_range
from mailrouter.config.wrong import Wrong, shown
from mailrouter.schedule.holidays import known_country
from mailrouter.schedule.model import Absence, HolidayRule, Minute, Person, Swap

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


def _named_days(value: Any) -> Any:
    """``[2026-12-24]`` as well as ``{2026-12-24: Christmas Eve}``."""
    return (
        dict.fromkeys(value, "holiday")
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


class PersonFile(Lines):
    """Somebody with a mailbox."""

    name: Name
    email: Email
    phone: Phone | None = None
    holidays: HolidaysFile | None = None

    def facts(self, key: str) -> Person:
        """As the schedule has it; a stand-in's key is their address."""
        rule = self.holidays.facts() if self.holidays else None
        return Person(key or self.email, self.name, self.email, self.phone, rule)


class PartnerFile(PersonFile):
    """A partner: somebody with a mailbox, and maybe a calendar."""

    calendar: CalendarFile | None = None

    def facts(self, key: str) -> Person:
        """As the schedule has it."""
        return replace(super().facts(key), calendar=self.calendar.facts() if self.calendar else None)


def _cover_kind(value: Any) -> str:
    return "person" if isinstance(value, dict) else "partner"


def _covering_partner(text: str, info: ValidationInfo[Reading]) -> str:
    if "@" in text:
        raise Wrong(
            "a stand-in needs a name beside the address", "write {name: Jo Doe, email: jo@example.com}"
        )
    return partner_key(text, info)


def _not_oneself(cover: Any, info: ValidationInfo[Reading]) -> Any:
    if isinstance(cover, str) and cover == info.data.get("partner"):
        raise Wrong(
            f"{cover} can't cover for themselves", "name another partner, or a {name, email} stand-in"
        )
    return cover


def _until(text: str, info: ValidationInfo[Reading]) -> date | datetime:
    until, start = moment(text), info.data.get("start")
    if start is not None and _end(until) <= _start(start):
        raise Wrong(
            f"{shown(text)} is not after the absence begins", "`until` is the last day away, or a moment"
        )
    return until


def _start(typed: date | datetime) -> datetime:
    return typed if isinstance(typed, datetime) else midnight(typed)


def _end(typed: date | datetime) -> datetime:
    return typed if isinstance(typed, datetime) else midnight(typed + timedelta(days=1))


Partner = Annotated[str, reads_with(partner_key)]
Cover = Annotated[
    Annotated[Annotated[str, reads_with(_covering_partner)], Tag("partner")]
    | Annotated[PersonFile, Tag("person")],
    Discriminator(_cover_kind),
    AfterValidator(_not_oneself),
]


class AbsenceFile(Lines):
    """Somebody is away. A date is a whole day, ``until`` included; a moment at the end is not included."""

    partner: Partner
    start: Annotated[date | datetime, reads(moment)] = Field(alias="from")
    until: Annotated[date | datetime, reads_with(_until)]
    note: Annotated[str, reads(partial(line_of_text, limit=500))] = ""
    cover: Cover | None = None

    def facts(self) -> Absence:
        """As the schedule has it: a date's end is the next midnight."""
        cover = self.cover.facts("") if isinstance(self.cover, PersonFile) else self.cover
        whole = not isinstance(self.start, datetime) and not isinstance(self.until, datetime)
        return Absence(self.partner, _start(self.start), _end(self.until), self.note, cover, whole)


def _given_back(text: str, info: ValidationInfo[Reading]) -> date:
    given = day(text)
    if given == info.data.get("date"):
        raise Wrong("the day given back is the day of the swap", "name the day the others work in return")
    return given


class SwapFile(Lines):
    """Somebody works on a day instead of everyone there."""

    date: Date
    partner: Partner
    given_back: Annotated[Day | None, reads_with(_given_back)] = Field(None, alias="for")
    hours: Annotated[tuple[Minute, Minute] | None, reads(time_range)] = None

    def facts(self) -> Swap:
        """As the schedule has it; without hours of its own it takes the role's."""
        start, end = self.hours or (None, None)
        return Swap(self.partner, self.date, self.given_back, start, end)
