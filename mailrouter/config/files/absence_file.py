"""Absences and swaps as partners write them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationInfo, model_validator

from mailrouter.config.files.fields import Lines, Reading, line_of_text, reads, reads_with
from mailrouter.config.files.people_file import BOUNDS, Date, Day, PersonFile
from mailrouter.config.files.rota_file import NOBODY, partner_key
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.config.values.recurrence import every as comes_round
from mailrouter.config.values.times import day_and_hours, midnight, moment, time_range
from mailrouter.config.yaml.tree import Placed
from mailrouter.schedule.model import BEGINNING, FOREVER, Absence, Every, Minute, Swap


def _cover_kind(value: Any) -> str:
    return "person" if isinstance(value, dict) else "partner"


def _covering_partner(text: str, info: ValidationInfo[Reading]) -> str:
    if "@" in text:
        raise Wrong(
            "a stand-in needs a name beside the address", "write {name: Jo Doe, email: jo@example.com}"
        )
    if text.casefold() in NOBODY or text.casefold() in ("no", "no one", "noone"):
        raise Wrong(f"`{shown(text)}` can't cover", "leave `cover` out where nobody does")
    try:
        return partner_key(text, info)
    except Wrong as wrong:
        if not wrong.hint.startswith("partners are"):  # somebody was meant
            raise
        hint = f"write one of {wrong.hint.removeprefix('partners are ')}; or for somebody else "
        raise Wrong(wrong.what, f"{hint}cover: {{name: {shown(text)}, email: …}}") from None


def _not_oneself(cover: Any, info: ValidationInfo[Reading]) -> Any:
    if isinstance(cover, str) and cover == info.data.get("partner"):
        raise Wrong(
            f"{cover} can't cover for themselves", "name another partner, or a {name, email} stand-in"
        )
    return cover


FurtherNotice = None
"""What ``until: further notice`` is read as."""
_NO_END = (
    "?",
    "open",
    "open-ended",
    "tbd",
    "tba",
    "unknown",
    "unclear",
    "forever",
    "notice",
    "further",
    "indefinite",
)


def _until(text: str, info: ValidationInfo[Reading]) -> date | datetime | None:
    if text.casefold().removeprefix("until ") == "further notice":
        return FurtherNotice
    if text.casefold().strip("?. ") in _NO_END or not text.strip("?. "):
        raise Wrong(f"{shown(text)} is not a date", "where nobody knows yet, write until: further notice")
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


_WHEN = ("date", "from", "until", "every")


class AbsenceFile(Lines):
    """Somebody is away. A date is a whole day, ``until`` included; a moment at the end is not included.

    On one ``date``; ``from`` one ``until`` another; or ``every`` so often, then and now within such bounds.
    """

    synonyms: ClassVar[Mapping[str, str]] = {
        **BOUNDS,
        **dict.fromkeys(("who", "person", "name", "member"), "partner"),
        **dict.fromkeys(("day", "when", "on"), "date"),
        **dict.fromkeys(("time", "times", "between"), "hours"),
        **dict.fromkeys(("reason", "comment", "why", "remark", "text"), "note"),
        **dict.fromkeys(
            ("covers", "covered_by", "substitute", "stand_in", "stand-in", "deputy", "by"), "cover"
        ),
        **dict.fromkeys(("repeat", "repeats", "each", "recurring", "weekly"), "every"),
    }
    texts: ClassVar[frozenset[str]] = frozenset({"note"})
    known: ClassVar[frozenset[str]] = frozenset({"partner", "hours", "note", "cover", *_WHEN})
    partner: Partner
    on: Date | None = Field(None, alias="date")
    start: Annotated[date | datetime | None, reads(moment)] = Field(None, alias="from")
    until: Annotated[date | datetime | None, reads_with(_until)] = None
    every: Annotated[Every | None, reads(comes_round)] = None
    hours: Annotated[tuple[Minute, Minute] | None, reads(time_range)] = None
    note: Annotated[str, reads(partial(line_of_text, limit=500))] = ""
    cover: Cover | None = None

    @model_validator(mode="before")
    @classmethod
    def _when(cls, data: Any) -> Any:
        """Check that exactly one way of saying when is used, whole."""
        if not isinstance(data, Placed):
            return data
        keys = [key for key in data if isinstance(data[key], str)]
        strange = [key for key in data if key not in cls.known]
        misspelt = [key for key in strange if cls._meant(key) in _WHEN]
        if "date" in keys and (more := [key for key in ("from", "until", "every") if key in keys]):
            raise Wrong(
                f"`date` is one day, and can't stand beside `{more[0]}`",
                "for several days write from and until",
            )
        if "date" in keys or misspelt:
            return data
        if "from" in keys and "until" not in keys and "every" not in keys:
            raise Wrong("`until` is missing here", "add the last day away, or until: further notice")
        if "until" in keys and "from" not in keys and "every" not in keys:
            raise Wrong("`from` is missing here", "add the first day away, as in from: 2026-12-21")
        if not any(key in keys for key in _WHEN):
            raise Wrong("it isn't said when this is", "add date: …, or from: … and until: …, or every: …")
        for key in ("from", "until"):
            if ("every" in keys or "hours" in keys) and ":" in str(data.get(key, "")):
                what = f"`{key}` can't have a time where there is `{'every' if 'every' in keys else 'hours'}`"
                raise Wrong(what, "write the day alone; `hours` is for the part of each day")
        if str(data.get("every", "")).casefold().startswith(("other", "alternate")) and "from" not in keys:
            raise Wrong("`every: other …` has two ways to begin", "add from: and a day on which it is")
        return data

    @classmethod
    def _meant(cls, key: str) -> str:
        hint = did_you_mean(key, cls.known)
        return cls.synonyms.get(key.lower(), "") or next(
            (name for name in cls.known if f"`{name}`" in hint), ""
        )

    def facts(self) -> Absence:
        """As the schedule has it: a date's end is the next midnight."""
        cover = self.cover.facts("") if isinstance(self.cover, PersonFile) else self.cover
        if self.on is not None:
            first, last = self.hours or (0, 24 * 60)
            start, end = (midnight(self.on) + timedelta(minutes=minutes) for minutes in (first, last))
            whole = self.hours is None
            return Absence(self.partner, start, end, self.note, cover, whole, whole)
        from_day, until_day = (not isinstance(bound, datetime) for bound in (self.start, self.until))
        start = BEGINNING if self.start is None else _start(self.start)
        end = FOREVER if self.until is FurtherNotice else _end(self.until)
        return Absence(
            self.partner, start, end, self.note, cover, from_day, until_day, self.every, self.hours
        )


def _given_back(text: str, info: ValidationInfo[Reading]) -> tuple[date, tuple[Minute, Minute] | None]:
    given = day_and_hours(text)
    if given[0] == info.data.get("date"):
        raise Wrong("the day given back is the day of the swap", "name the day the others work in return")
    return given


class SwapFile(Lines):
    """Somebody works on a day instead of everyone there."""

    synonyms: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("day", "when", "on"), "date"),
        **dict.fromkeys(("who", "person", "name", "works"), "partner"),
        **dict.fromkeys(("back", "in_return", "return", "given_back", "instead_of", "instead"), "for"),
        **dict.fromkeys(("time", "times", "between"), "hours"),
    }
    date: Date
    partner: Partner
    given_back: Annotated[tuple[Day, tuple[Minute, Minute] | None] | None, reads_with(_given_back)] = Field(
        None, alias="for"
    )
    hours: Annotated[tuple[Minute, Minute] | None, reads(time_range)] = None

    def facts(self) -> Swap:
        """As the schedule has it; without hours of its own it takes the role's."""
        start, end = self.hours or (None, None)
        back, hours = self.given_back or (None, None)
        return Swap(self.partner, self.date, back, start, end, *(hours or (None, None)))
