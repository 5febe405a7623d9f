"""The keys of a role's file that have lines of their own: whom to reach, handoff, replies, copies, the weekly mail."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from mailrouter.config.files.fields import Lines, about, listed, one_of, reads
from mailrouter.config.files.people_file import Email, Name, Phone
from mailrouter.config.files.rota_file import WEEKDAYS
from mailrouter.config.values import forms
from mailrouter.config.values.errors import Wrong, did_you_mean, shown
from mailrouter.config.values.forms import Schema, some
from mailrouter.config.values.times import time_of_day
from mailrouter.schedule.model import Answer, Minute, Weekly

Attach = Literal["thread", "always", "new", "never"]
Visible = Literal["cc", "hidden"]
Picture = Literal["none", "month"]
Tell = Literal["inside", "everyone", "nobody"]


class EmergencyFile(Lines):
    """The contact when something can't wait, and who may be told."""

    demands: ClassVar[Schema] = {"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}
    name: Annotated[Name, about("Who or what it is.", "HR duty line", form=forms.TEXT)]
    phone: Annotated[
        Phone | None, about("The telephone number.", "+1 650 555 0100", form=forms.PHONE, otherwise="none")
    ] = None
    email: Annotated[
        Email | None, about("The mail address.", "duty@example.com", form=forms.EMAIL, otherwise="none")
    ] = None
    tell: Annotated[
        Tell,
        one_of(Tell),
        about("Who is told of it: senders inside, everyone, or nobody but the partners.", "everyone"),
    ] = "inside"

    @model_validator(mode="before")
    @classmethod
    def _reachable(cls, data: Any) -> Any:
        if isinstance(data, dict) and "phone" not in data and "email" not in data:
            raise Wrong("the emergency contact can't be reached", "add a phone or an email")
        return data


class HandoffFile(Lines):
    """The occasions on which partners get the handoff."""

    attach: Annotated[
        Attach,
        one_of(Attach),
        about(
            "When a copy carries the newest handoff: with the first mail of a conversation and again when "
            "the handoff has changed (`thread`), with every mail (`always`), only with a mail that begins "
            "a conversation (`new`), or `never`.",
            "always",
        ),
    ] = "thread"


class AutoReplyFile(Lines):
    """The occasions of automatic replies to senders inside and outside."""

    inside: Annotated[Answer, one_of(Answer), about("For senders of `our_domains`.", "absence")] = "nobody"
    outside: Annotated[Answer, one_of(Answer), about("For all other senders.", "never")] = "nobody"


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
    """The weekly mail about who is in: its recipients and its time."""

    to: Annotated[
        tuple[Email, ...],
        BeforeValidator(listed),
        Field(min_length=1),
        about("Who gets it: addresses.", ["sue@example.com", "team@example.com"], form=some(forms.EMAIL)),
    ]
    on: Annotated[
        int, reads(_weekday), about("The weekday.", "friday", "mon", form=forms.WEEKDAY, default="friday")
    ] = 4
    at: Annotated[
        Minute,
        reads(_hour),
        about("The hour, in the role's time zone.", "15:00", form=forms.TIME, default="15:00"),
    ] = 15 * 60
    picture: Annotated[
        Picture,
        one_of(Picture),
        about(
            "`month` attaches a picture (SVG) of the month that the week begins in. Some mail servers turn such "
            "attachments away, so it is left out unless you ask for it.",
            "month",
        ),
    ] = "none"

    def facts(self) -> Weekly:
        """As the schedule has it; an address counts once."""
        return Weekly(tuple(dict.fromkeys(self.to)), self.on, self.at, self.picture == "month")


class CopyFile(Lines):
    """Whether the copies show the partners in Cc."""

    inside: Annotated[Visible, one_of(Visible), about("For mail from senders of `our_domains`.", "cc")] = "cc"
    outside: Annotated[Visible, one_of(Visible), about("For mail from all other senders.", "hidden")] = (
        "hidden"
    )
