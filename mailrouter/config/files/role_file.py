"""A role's file: what the partners write, and the ``Role`` it gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from mailrouter.config import to_yaml
from mailrouter.config.files.absence_file import AbsenceFile, SwapFile
from mailrouter.config.files.fields import (
    Lines,
    Reading,
    about,
    listed,
    one_of,
    one_word_for,
    reads,
    reads_with,
)
from mailrouter.config.files.people_file import (
    BOUNDS,
    Date,
    Day,
    Holidays,
    Name,
    PartnerFile,
    last_day,
    short_name,
)
from mailrouter.config.files.role_parts import (
    Attach,
    AutoReplyFile,
    CopyFile,
    EmergencyFile,
    HandoffFile,
    Visible,
    WeeklyFile,
)
from mailrouter.config.files.rota_file import (
    WEEKDAYS,
    RotaFile,
    SpecialDays,
    Working,
    rota_facts,
    special_days,
)
from mailrouter.config.to_yaml import Written
from mailrouter.config.values import forms
from mailrouter.config.values.addresses import role_address
from mailrouter.config.values.errors import Wrong
from mailrouter.config.values.forms import some
from mailrouter.config.values.times import DAY, time_range
from mailrouter.config.values.zones import time_zone
from mailrouter.schedule.model import Answer, Emergency, Minute, Role, hours_without

Note = Literal["absence", "always", "never"]
ReplyTo = Literal["sender-and-role", "sender"]
Forwarding = Literal["auto", "wrap", "companion", "untouched"]
AlreadyAddressed = Literal["copy", "skip"]


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
    role: Annotated[
        Address,
        about(
            "The role's address, the one that colleagues write to.",
            "vp-hr@example.com",
            form=forms.ROLE_ADDRESS,
            written=lambda role: role.address,
        ),
    ]
    aliases: Annotated[
        tuple[Address, ...],
        BeforeValidator(listed),
        about(
            "Further addresses of the role.",
            ["hr-lead@example.com"],
            "hr-lead@example.com",
            form=some(forms.ROLE_ADDRESS),
            otherwise="none",
            written=lambda role: list(role.aliases),
        ),
    ] = ()
    name: Annotated[
        Name,
        about(
            "What people call the role; it stands in From, notes and replies.",
            "VP Human Resources",
            form=forms.TEXT,
        ),
    ]
    time_zone: Annotated[
        ZoneInfo,
        reads(time_zone),
        about(
            "The time zone of all times in this file: continent and city.",
            "America/Los_Angeles",
            "Europe/Berlin",
            "UTC",
            form=forms.TIME_ZONE,
            written=lambda role: role.time_zone.key,
        ),
    ]
    partners: Annotated[
        dict[Key, PartnerFile],
        AfterValidator(_somebody),
        about(
            "The people who share the role, each under a short name (one word) that the rest of the file "
            "uses. One partner (a vacancy), two, three: all work.",
            {"laurie": {"name": "Laurie Cremona", "email": "laurie@example.com", "phone": "+1 650 555 0101"}},
            {
                "laurie": {"name": "Laurie Cremona", "email": "laurie@example.com"},
                "elaine": {"name": "Elaine Miller", "email": "elaine@example.com", "until": "2026-06-30"},
                "dana": {
                    "name": "Dana Ortiz",
                    "email": "dana@example.com",
                    "from": "2026-07-01",
                    "follows": "elaine",
                },
            },
            written=to_yaml.partners,
        ),
    ]
    since: Annotated[
        Date | None,
        about(
            "The first day of the arrangement. Before it nobody has hours.",
            "2026-01-05",
            form=forms.DATE,
            otherwise="it has always been so",
            written=lambda role: role.since.isoformat() if role.since else None,
        ),
    ] = Field(None, alias="from")
    until: Annotated[
        Day | None,
        reads_with(last_day),
        about(
            "The last day of the arrangement. After it nobody has hours; the partners still get the mail.",
            "2026-12-31",
            form=forms.DATE,
            otherwise="it goes on",
            written=lambda role: role.until.isoformat() if role.until else None,
        ),
    ] = None
    hours: Annotated[
        tuple[Minute, Minute],
        reads(time_range),
        about(
            "The role's working hours: for whoever is named without hours, and for swaps.",
            "08:30-16:30",
            "22:00-06:00",
            form=forms.HOURS,
            default="09:00-17:00",
            written=lambda role: to_yaml.hours(*role.hours),
        ),
    ] = (9 * 60, 17 * 60)
    lunch: Annotated[
        tuple[Minute, Minute] | None,
        reads_with(_lunch),
        about(
            "The lunch break: no part of the role's working hours. Hours that stand beside a name are meant as "
            "they are.",
            "12:30-13:00",
            form=forms.HOURS,
            otherwise="none",
            written=to_yaml.lunch,
        ),
    ] = None
    rota: Annotated[
        RotaFile,
        about(
            "Who works on which weekday. Either one week, or several that take turns (`starting` and "
            "`weeks`).",
            {"monday": "laurie", "wednesday": ["laurie 09:00-13:00", "elaine 12:00-17:00"], "friday": "both"},
            {"starting": "2026-01-05", "weeks": [{"monday": "laurie"}, {"monday": "elaine"}]},
            written=to_yaml.rota,
        ),
    ]
    special_days: Annotated[
        SpecialDays,
        about(
            "Single days that are not as the rota says: a date, or `2026-12-24 until 2026-12-31`, and who works "
            "then, written as in the rota; `both` for everybody, `nobody` for a day on which the role is closed. "
            "Public holidays don't count on these days; swaps and absences do.",
            {"2026-12-03": "both", "2026-12-24 until 2026-12-31": "nobody"},
            {"2026-12-10": ["laurie 09:00-12:00", "elaine 12:00-17:00"]},
            otherwise="none",
            written=to_yaml.special_days,
        ),
    ] = Field(default_factory=dict)
    holidays: Annotated[
        Holidays,
        about(
            "Public holidays, on which nobody works; `none` where they are working days on purpose: `check` then says "
            "nothing of it.",
            {"country": "US", "subdivision": "CA"},
            "none",
            otherwise="none",
            written=lambda role: to_yaml.holidays(role.holidays),
        ),
    ] = None
    absences: Annotated[
        tuple[AbsenceFile, ...],
        about(
            "Who is away, from when until when, and who covers.",
            [{"partner": "elaine", "from": "2026-12-21", "until": "2027-01-01", "cover": "laurie"}],
            [
                {"partner": "laurie", "date": "2026-12-08", "hours": "13:00-15:00"},
                {"partner": "elaine", "every": "first friday"},
                {"partner": "elaine", "from": "2026-12-21", "until": "further notice"},
            ],
            otherwise="nobody is away",
            written=to_yaml.absences,
        ),
    ] = ()
    swaps: Annotated[
        tuple[SwapFile, ...],
        about(
            "Who works in place of everyone else on a day, and the day given back.",
            [{"date": "2026-12-03", "partner": "laurie", "for": "2026-12-08"}],
            [
                {
                    "date": "2026-12-03",
                    "partner": "laurie",
                    "hours": "13:00-17:00",
                    "for": "2026-12-08 09:00-13:00",
                }
            ],
            otherwise="none",
            written=lambda role: list(map(to_yaml.swap_written, role.swaps)),
        ),
    ] = ()
    emergency: Annotated[
        EmergencyFile | None,
        about(
            "Whom to reach when something can't wait. It needs a phone or an email.",
            {"name": "HR duty line", "phone": "+1 650 555 0100", "tell": "inside"},
            otherwise="nobody is named",
            written=lambda role: to_yaml.emergency(role.emergency),
        ),
    ] = None
    note: Annotated[
        Note,
        one_of(Note),
        about(
            "When the copies carry a note on who is in: when somebody is away (`absence`), `always` or "
            "`never`.",
            "always",
        ),
    ] = "absence"
    handoff: Annotated[
        HandoffFile,
        one_word_for("attach"),
        about(
            "When the copies carry the handoff; it goes to partners alone. A word may stand for the whole.",
            {"attach": "always"},
            "never",
            word=Attach,
            written=lambda role: {"attach": role.handoff},
        ),
    ] = HandoffFile()
    auto_reply: Annotated[
        AutoReplyFile,
        one_word_for("inside", "outside"),
        about(
            "When senders get an automatic reply: `never`; when nobody is in today and on the next working "
            "day (`nobody`); also when one partner is away (`absence`); also at a sender's first mail "
            "(`always`). One word stands for inside and outside.",
            {"inside": "absence", "outside": "nobody"},
            "never",
            word=Answer,
            written=lambda role: {"inside": role.reply_inside, "outside": role.reply_outside},
        ),
    ] = AutoReplyFile()
    copies: Annotated[
        CopyFile,
        one_word_for("inside", "outside"),
        about(
            "Whether both partners are to be seen in the Cc of the copies (`cc`) or not (`hidden`). One "
            "word stands for inside and outside.",
            {"inside": "cc", "outside": "hidden"},
            "hidden",
            word=Visible,
            written=lambda role: {"inside": role.copy_inside, "outside": role.copy_outside},
        ),
    ] = Field(CopyFile(), alias="copy")
    reply_to: Annotated[
        ReplyTo,
        one_of(ReplyTo),
        about(
            "Where a partner's answer to an annotated copy goes: to the sender and the role, so that the "
            "other partner has it too, or to the sender alone.",
            "sender",
        ),
    ] = "sender-and-role"
    forwarding: Annotated[
        Forwarding,
        one_of(Forwarding, not_yet="munge"),
        about(
            "How note and handoff travel: in the copy itself (`wrap`), in a mail of their own beside it "
            "(`companion`), not at all (`untouched`), or what is safe for each mailbox (`auto`): in the copy "
            "for a mailbox of `our_domains`, beside it for one outside, whose server may refuse a changed copy "
            "as forged (DKIM and DMARC).",
            "companion",
        ),
    ] = "auto"
    already_addressed: Annotated[
        AlreadyAddressed,
        one_of(AlreadyAddressed),
        about(
            "A partner who is in To or Cc of the mail already: gets the copy all the same (`copy`), or "
            "none (`skip`).",
            "skip",
        ),
    ] = "copy"
    weekly_mail: Annotated[
        WeeklyFile | None,
        about(
            "A mail once a week that tells colleagues who is in on the seven days to come: names and hours, "
            "no reasons.",
            {"to": ["sue@example.com"], "on": "friday", "at": "15:00"},
            otherwise="none is sent",
            written=lambda role: to_yaml.weekly(role.weekly),
        ),
    ] = None

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


def role_written(role: Role) -> dict[str, Written]:
    """Every key of a role's file, as a person would write it."""
    found: dict[str, Written] = {}
    for key, (_, told) in RoleFile.described().items():
        found[key] = told.written(role) if told and told.written else getattr(role, key)
    return found
