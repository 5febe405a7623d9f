"""A role's file: what the partners write, and the ``Role`` it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from mailrouter.config.addresses import role_address
from mailrouter.config.fields import Lines, Reading, listed, one_of, one_word_for, reads, reads_with
from mailrouter.config.people_file import (
    AbsenceFile,
    Email,
    HolidaysFile,
    Name,
    PersonFile,
    Phone,
    SwapFile,
    short_name,
)
from mailrouter.config.rota_file import WEEKDAYS, RotaFile, rota_facts
from mailrouter.config.times import time_of_day, time_range
from mailrouter.config.wrong import Wrong, did_you_mean, shown
from mailrouter.schedule.model import Answer, Emergency, Minute, Role, Weekly

Note = Literal["absence", "always", "never"]
Attach = Literal["thread", "always", "new", "never"]
Visible = Literal["cc", "hidden"]
ReplyTo = Literal["sender-and-role", "sender"]
Forwarding = Literal["auto", "wrap", "companion", "munge", "untouched"]
AlreadyAddressed = Literal["copy", "skip"]
Tell = Literal["inside", "everyone", "nobody"]


def time_zone(text: str) -> ZoneInfo:
    """A zone of the tz database by its place. Raises Wrong.

    ``EST`` and its like are refused although the database has them: they are zones without daylight saving
    time, which is never what is meant.
    """
    if "/" in text or text == "UTC":
        try:
            return ZoneInfo(text)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # OSError: the name of a folder, or one too long for a file
    zones = sorted(available_timezones())
    typed = text.strip().replace(" ", "_").casefold()
    meant = next(
        (zone for zone in zones if typed in (zone.casefold(), zone.rpartition("/")[2].casefold())), ""
    )
    places = [zone for zone in zones if "/" in zone and not zone.startswith("Etc/")]
    hint = f"did you mean `{meant}`?" if "/" in meant else did_you_mean(text, places)
    what = f"{shown(text)} is not a time zone here"
    raise Wrong(what, hint or "write a place, as in America/Los_Angeles or Europe/Berlin")


def _role_address(text: str, info: ValidationInfo[Reading]) -> str:
    return role_address(text, info.context.dotless)


def _somebody(partners: dict[str, PersonFile]) -> dict[str, PersonFile]:
    if not partners:
        raise Wrong("a role needs a partner at least", "write laurie: {name: …, email: …} below")
    return partners


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

    def facts(self) -> Weekly:
        """As the schedule has it; an address counts once."""
        return Weekly(tuple(dict.fromkeys(self.to)), self.on, self.at)


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
    role: Address
    aliases: Annotated[tuple[Address, ...], BeforeValidator(listed)] = ()
    name: Name
    time_zone: Annotated[ZoneInfo, reads(time_zone)]
    partners: Annotated[dict[Key, PersonFile], AfterValidator(_somebody)]
    hours: Annotated[tuple[Minute, Minute], reads(time_range)] = (9 * 60, 17 * 60)
    rota: RotaFile
    holidays: HolidaysFile | None = None
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
        return Role(
            key=key,
            address=self.role,
            name=self.name,
            time_zone=self.time_zone,
            partners=tuple(person.facts(short) for short, person in self.partners.items()),
            rota=rota_facts(self.rota, self.hours),
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
            weekly=self.weekly_mail.facts() if self.weekly_mail else None,
        )
