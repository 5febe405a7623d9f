"""A role's file: what the partners write, and the ``Role`` it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from mailrouter.config.files.absence_file import AbsenceFile, SwapFile
from mailrouter.config.files.fields import Lines, Reading, listed, one_of, one_word_for, reads, reads_with
from mailrouter.config.files.people_file import (
    BOUNDS,
    Date,
    Day,
    Email,
    Holidays,
    Name,
    PartnerFile,
    Phone,
    last_day,
    short_name,
)
from mailrouter.config.files.rota_file import (
    WEEKDAYS,
    RotaFile,
    SpecialDays,
    Working,
    rota_facts,
    special_days,
)
from mailrouter.config.values.addresses import role_address
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.config.values.times import DAY, time_of_day, time_range
from mailrouter.config.values.zones import time_zone
from mailrouter.schedule.model import Answer, Emergency, Minute, Role, Weekly, hours_without

Note = Literal["absence", "always", "never"]
Attach = Literal["thread", "always", "new", "never"]
Visible = Literal["cc", "hidden"]
Picture = Literal["none", "month"]
ReplyTo = Literal["sender-and-role", "sender"]
Forwarding = Literal["auto", "wrap", "companion", "untouched"]
AlreadyAddressed = Literal["copy", "skip"]
Tell = Literal["inside", "everyone", "nobody"]


def _role_address(text: str, info: ValidationInfo[Reading]) -> str:
    return role_address(text, info.context.dotless)


def _somebody(partners: dict[str, PartnerFile]) -> dict[str, PartnerFile]:
    if not partners:
        raise Wrong("a role needs a partner at least", "write laurie: {name: …, email: …} below")
    for key, person in partners.items():
        if person.follows == key:
            raise Wrong(f"{key} can't follow themselves", "`follows` names the partner who was there before")
        if person.calendar and person.calendar.cover == key:
            hint = "name another partner as the cover of their calendar"
            raise Wrong(f"{key} can't cover for themselves", hint)
    return partners


def _lunch(text: str, info: ValidationInfo[Reading]) -> tuple[Minute, Minute]:
    lunch, hours = time_range(text), info.data.get("hours")
    if hours is not None and lunch[0] < hours[0]:  # of a night shift: after midnight
        lunch = lunch[0] + DAY, lunch[1] + DAY
    if hours is not None and len(hours_without(hours, lunch)) == 1:
        raise Wrong("the lunch break doesn't lie within `hours`", "write it as 12:30-13:00")
    return lunch


Address = Annotated[str, reads_with(_role_address)]
Key = Annotated[str, reads(short_name)]


class EmergencyFile(Lines):
    """Whom to reach when it can't wait, and who may be told."""

    name: Name
    phone: Phone | None = None
    email: Email | None = None
    tell: Annotated[Tell, one_of(Tell)] = "inside"

    @model_validator(mode="before")
    @classmethod
    def _reachable(cls, data: Any) -> Any:
        if isinstance(data, dict) and "phone" not in data and "email" not in data:
            raise Wrong("the emergency contact can't be reached", "add a phone or an email")
        return data


class HandoffFile(Lines):
    """When partners get the handoff."""

    attach: Annotated[Attach, one_of(Attach)] = "thread"


class AutoReplyFile(Lines):
    """When senders inside and outside get an answer by themselves."""

    inside: Annotated[Answer, one_of(Answer)] = "nobody"
    outside: Annotated[Answer, one_of(Answer)] = "nobody"


def _weekday(text: str) -> int:
    folded = text.casefold()
    for number, name in enumerate(WEEKDAYS):
        if folded in (name, name[:3]):
            return number
    hint = did_you_mean(text, WEEKDAYS) or "write a weekday, as in friday"
    raise Wrong(f"{shown(text)} is not a weekday", hint)


def _hour(text: str) -> Minute:
    found = time_of_day(text, "write it as 15:00")
    if found == 24 * 60:
        raise Wrong("24:00 is the end of a day", "write 00:00 and the day that begins")
    return found


class WeeklyFile(Lines):
    """Who gets the weekly mail about who is in, and when."""

    to: Annotated[tuple[Email, ...], BeforeValidator(listed), Field(min_length=1)]
    on: Annotated[int, reads(_weekday)] = 4
    at: Annotated[Minute, reads(_hour)] = 15 * 60
    picture: Annotated[Picture, one_of(Picture)] = "none"

    def facts(self) -> Weekly:
        """As the schedule has it; an address counts once."""
        return Weekly(tuple(dict.fromkeys(self.to)), self.on, self.at, self.picture == "month")


class CopyFile(Lines):
    """Whether the copies show the partners in Cc."""

    inside: Annotated[Visible, one_of(Visible)] = "cc"
    outside: Annotated[Visible, one_of(Visible)] = "hidden"


class RoleFile(Lines):
    """One role's file."""

    elsewhere: ClassVar[Mapping[str, tuple[str, str]]] = {
        name: ("a weekday belongs below `rota`", "put two spaces before it, as before the other days")
        for day in WEEKDAYS
        for name in (day, day[:3])
    }
    synonyms: ClassVar[Mapping[str, str]] = {
        **BOUNDS,
        **dict.fromkeys(("timezone", "tz", "zone"), "time_zone"),
        **dict.fromkeys(("people", "team", "members", "persons", "staff", "partner"), "partners"),
        **dict.fromkeys(("vacation", "vacations", "leave", "away", "absent", "time_off", "sick"), "absences"),
        **dict.fromkeys(("schedule", "roster", "week", "weeks", "days"), "rota"),
        **dict.fromkeys(("special", "specials", "single_days", "exceptions", "one-off_days"), "special_days"),
        **dict.fromkeys(("exchange", "exchanges", "trades", "trade"), "swaps"),
        **dict.fromkeys(("break", "lunch_break", "pause"), "lunch"),
        **dict.fromkeys(("address", "email", "mail"), "role"),
        **dict.fromkeys(("alias", "also", "other_addresses"), "aliases"),
        **dict.fromkeys(("title",), "name"),
        **dict.fromkeys(("working_hours", "office_hours", "business_hours", "times"), "hours"),
    }
    role: Address
    aliases: Annotated[tuple[Address, ...], BeforeValidator(listed)] = ()
    name: Name
    time_zone: Annotated[ZoneInfo, reads(time_zone)]
    partners: Annotated[dict[Key, PartnerFile], AfterValidator(_somebody)]
    since: Date | None = Field(None, alias="from")
    until: Annotated[Day | None, reads_with(last_day)] = None
    hours: Annotated[tuple[Minute, Minute], reads(time_range)] = (9 * 60, 17 * 60)
    lunch: Annotated[tuple[Minute, Minute] | None, reads_with(_lunch)] = None
    rota: RotaFile
    special_days: SpecialDays = Field(default_factory=dict)
    holidays: Holidays = None
    absences: tuple[AbsenceFile, ...] = ()
    swaps: tuple[SwapFile, ...] = ()
    emergency: EmergencyFile | None = None
    note: Annotated[Note, one_of(Note)] = "absence"
    handoff: Annotated[HandoffFile, one_word_for("attach")] = HandoffFile()
    auto_reply: Annotated[AutoReplyFile, one_word_for("inside", "outside")] = AutoReplyFile()
    copies: Annotated[CopyFile, one_word_for("inside", "outside")] = Field(CopyFile(), alias="copy")
    reply_to: Annotated[ReplyTo, one_of(ReplyTo)] = "sender-and-role"
    forwarding: Annotated[Forwarding, one_of(Forwarding, not_yet="munge")] = "auto"
    already_addressed: Annotated[AlreadyAddressed, one_of(AlreadyAddressed)] = "copy"
    weekly_mail: WeeklyFile | None = None

    def facts(self, key: str) -> Role:
        """The role under its short name."""
        contact = self.emergency
        partners = tuple(person.facts(short) for short, person in self.partners.items())
        zones = {person.key: person.time_zone for person in partners if person.time_zone}
        working = Working(hours_without(self.hours, self.lunch), zones)
        return Role(
            key=key,
            address=self.role,
            name=self.name,
            time_zone=self.time_zone,
            partners=partners,
            rota=rota_facts(self.rota, working),
            aliases=self.aliases,
            hours=self.hours,
            holidays=self.holidays.facts() if self.holidays else None,
            absences=tuple(absence.facts() for absence in self.absences),
            swaps=tuple(swap.facts() for swap in self.swaps),
            emergency=Emergency(contact.name, contact.phone, contact.email, contact.tell)
            if contact
            else None,
            note=self.note,
            handoff=self.handoff.attach,
            reply_inside=self.auto_reply.inside,
            reply_outside=self.auto_reply.outside,
            copy_inside=self.copies.inside,
            copy_outside=self.copies.outside,
            reply_to=self.reply_to,
            forwarding=self.forwarding,
            already_addressed=self.already_addressed,
            lunch=self.lunch,
            special_days=special_days(self.special_days, working),
            since=self.since,
            until=self.until,
            weekly=self.weekly_mail.facts() if self.weekly_mail else None,
        )
