"""The schema of ``roles/NAME.yaml``, the partners' file."""

from __future__ import annotations

from mailrouter.config.defaults import ROLE as OTHERWISE
from mailrouter.config.schema import forms
from mailrouter.config.schema.forms import Schema, either, key, lines, ref, some, words
from mailrouter.config.schema.schedule_keys import (
    ABSENCE,
    CALENDAR,
    HOLIDAYS,
    PARTNER,
    PERSON,
    SPECIAL_DAYS,
    SWAP,
    WEEK,
    WEEKS,
    day,
)

_ANSWER = words("never", "nobody", "absence", "always")
_VISIBLE = words("cc", "hidden")
_ATTACH = words("thread", "always", "new", "never")

_EMERGENCY = lines(
    {
        "name": key("Who or what it is.", forms.TEXT, "HR duty line"),
        "phone": key("The telephone number.", forms.PHONE, "+1 650 555 0100", otherwise=OTHERWISE["phone"]),
        "email": key("The mail address.", forms.EMAIL, "duty@example.com", otherwise="none"),
        "tell": key(
            "Who is told of it: senders inside, everyone, or nobody but the partners.",
            words("inside", "everyone", "nobody"),
            "everyone",
            default="inside",
        ),
    },
    ("name",),
    anyOf=[{"required": ["phone"]}, {"required": ["email"]}],
)
_HANDOFF = lines(
    {
        "attach": key(
            "When a copy carries the newest handoff: with the first mail of a conversation and again when "
            "the handoff has changed (`thread`), with every mail (`always`), only with a mail that begins "
            "a conversation (`new`), or `never`.",
            _ATTACH,
            "always",
            default="thread",
        )
    }
)
_AUTO_REPLY = lines(
    {
        "inside": key("For senders of `our_domains`.", _ANSWER, "absence", default="nobody"),
        "outside": key("For all other senders.", _ANSWER, "never", default="nobody"),
    }
)
_COPY = lines(
    {
        "inside": key("For mail from senders of `our_domains`.", _VISIBLE, "cc", default="cc"),
        "outside": key("For mail from all other senders.", _VISIBLE, "hidden", default="hidden"),
    }
)


_WEEKLY = lines(
    {
        "to": key("Who gets it: addresses.", some(forms.EMAIL), ["sue@example.com", "team@example.com"]),
        "on": key("The weekday.", forms.WEEKDAY, "friday", "mon", default="friday"),
        "at": key("The hour, in the role's time zone.", forms.TIME, "15:00", default="15:00"),
        "picture": key(
            "`month` attaches a picture (SVG) of the month that the week begins in. Some mail servers turn such "
            "attachments away, so it is left out unless you ask for it.",
            words("none", "month"),
            "month",
            default="none",
        ),
    },
    ("to",),
)


def role() -> Schema:
    """The schema, made anew at each call."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "roles/NAME.yaml",
        **lines(
            _keys(),
            ("role", "name", "time_zone", "partners", "rota"),
            description="One role: its addresses, its partners, who works when, and how mail to it is "
            "treated. The file's name is the role's short name.",
        ),
        "$defs": {
            "day": day(),
            "week": WEEK,
            "person": PERSON,
            "partner": PARTNER,
            "calendar": CALENDAR,
            "holidays": HOLIDAYS,
        },
    }


def _keys() -> dict[str, Schema]:
    return {**_who(), **_when(), **_how()}


def _who() -> dict[str, Schema]:
    return {
        "role": key(
            "The role's address, the one that colleagues write to.", forms.ROLE_ADDRESS, "vp-hr@example.com"
        ),
        "aliases": key(
            "Further addresses of the role.",
            some(forms.ROLE_ADDRESS),
            ["hr-lead@example.com"],
            "hr-lead@example.com",
            otherwise=OTHERWISE["aliases"],
        ),
        "name": key(
            "What people call the role; it stands in From, notes and replies.",
            forms.TEXT,
            "VP Human Resources",
        ),
        "time_zone": key(
            "The time zone of all times in this file: continent and city.",
            forms.TIME_ZONE,
            "America/Los_Angeles",
            "Europe/Berlin",
            "UTC",
        ),
        "partners": key(
            "The people who share the role, each under a short name (one word) that the rest of the file "
            "uses. One partner (a vacancy), two, three: all work.",
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": forms.SHORT_NAME,
                "additionalProperties": ref("partner"),
            },
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
        ),
    }


def _when() -> dict[str, Schema]:
    return {
        "from": key(
            "The first day of the arrangement. Before it nobody has hours.",
            forms.DATE,
            "2026-01-05",
            otherwise=OTHERWISE["from"],
        ),
        "until": key(
            "The last day of the arrangement. After it nobody has hours; the partners still get the mail.",
            forms.DATE,
            "2026-12-31",
            otherwise=OTHERWISE["until"],
        ),
        "hours": key(
            "The role's working hours: for whoever is named without hours, and for swaps.",
            forms.HOURS,
            "08:30-16:30",
            "22:00-06:00",
            default="09:00-17:00",
        ),
        "lunch": key(
            "The lunch break: no part of the role's working hours. Hours that stand beside a name are meant as "
            "they are.",
            forms.HOURS,
            "12:30-13:00",
            otherwise=OTHERWISE["lunch"],
        ),
        "rota": key(
            "Who works on which weekday. Either one week, or several that take turns (`starting` and "
            "`weeks`).",
            either(ref("week"), WEEKS),
            {"monday": "laurie", "wednesday": ["laurie 09:00-13:00", "elaine 12:00-17:00"], "friday": "both"},
            {"starting": "2026-01-05", "weeks": [{"monday": "laurie"}, {"monday": "elaine"}]},
        ),
        "special_days": key(
            "Single days that are not as the rota says: a date, or `2026-12-24 until 2026-12-31`, and who works "
            "then, written as in the rota; `both` for everybody, `nobody` for a day on which the role is closed. "
            "Public holidays don't count on these days; swaps and absences do.",
            SPECIAL_DAYS,
            {"2026-12-03": "both", "2026-12-24 until 2026-12-31": "nobody"},
            {"2026-12-10": ["laurie 09:00-12:00", "elaine 12:00-17:00"]},
            otherwise=OTHERWISE["special_days"],
        ),
        "holidays": key(
            "Public holidays, on which nobody works; `none` where they are working days on purpose: `check` then says "
            "nothing of it.",
            either(ref("holidays"), words("none")),
            {"country": "US", "subdivision": "CA"},
            "none",
            otherwise=OTHERWISE["holidays"],
        ),
        "absences": key(
            "Who is away, from when until when, and who covers.",
            {"type": "array", "items": ABSENCE},
            [{"partner": "elaine", "from": "2026-12-21", "until": "2027-01-01", "cover": "laurie"}],
            [
                {"partner": "laurie", "date": "2026-12-08", "hours": "13:00-15:00"},
                {"partner": "elaine", "every": "first friday"},
                {"partner": "elaine", "from": "2026-12-21", "until": "further notice"},
            ],
            otherwise=OTHERWISE["absences"],
        ),
        "swaps": key(
            "Who works in place of everyone else on a day, and the day given back.",
            {"type": "array", "items": SWAP},
            [{"date": "2026-12-03", "partner": "laurie", "for": "2026-12-08"}],
            [
                {
                    "date": "2026-12-03",
                    "partner": "laurie",
                    "hours": "13:00-17:00",
                    "for": "2026-12-08 09:00-13:00",
                }
            ],
            otherwise=OTHERWISE["swaps"],
        ),
        "emergency": key(
            "Whom to reach when something can't wait. It needs a phone or an email.",
            _EMERGENCY,
            {"name": "HR duty line", "phone": "+1 650 555 0100", "tell": "inside"},
            otherwise=OTHERWISE["emergency"],
        ),
    }


def _how() -> dict[str, Schema]:
    return {
        "note": key(
            "When the copies carry a note on who is in: when somebody is away (`absence`), `always` or "
            "`never`.",
            words("absence", "always", "never"),
            "always",
            default="absence",
        ),
        "handoff": key(
            "When the copies carry the handoff; it goes to partners alone. A word may stand for the whole.",
            either(_ATTACH, _HANDOFF),
            {"attach": "always"},
            "never",
            default={"attach": "thread"},
        ),
        "auto_reply": key(
            "When senders get an automatic reply: `never`; when nobody is in today and on the next working "
            "day (`nobody`); also when one partner is away (`absence`); also at a sender's first mail "
            "(`always`). One word stands for inside and outside.",
            either(_ANSWER, _AUTO_REPLY),
            {"inside": "absence", "outside": "nobody"},
            "never",
            default={"inside": "nobody", "outside": "nobody"},
        ),
        "copy": key(
            "Whether both partners are to be seen in the Cc of the copies (`cc`) or not (`hidden`). One "
            "word stands for inside and outside.",
            either(_VISIBLE, _COPY),
            {"inside": "cc", "outside": "hidden"},
            "hidden",
            default={"inside": "cc", "outside": "hidden"},
        ),
        "reply_to": key(
            "Where a partner's answer to an annotated copy goes: to the sender and the role, so that the "
            "other partner has it too, or to the sender alone.",
            words("sender-and-role", "sender"),
            "sender",
            default="sender-and-role",
        ),
        "forwarding": key(
            "How note and handoff travel: in the copy itself (`wrap`), in a mail of their own beside it "
            "(`companion`), not at all (`untouched`), or what is safe for each mailbox (`auto`): in the copy "
            "for a mailbox of `our_domains`, beside it for one outside, whose server may refuse a changed copy "
            "as forged (DKIM and DMARC).",
            words("auto", "wrap", "companion", "untouched"),
            "companion",
            default="auto",
        ),
        "already_addressed": key(
            "A partner who is in To or Cc of the mail already: gets the copy all the same (`copy`), or "
            "none (`skip`).",
            words("copy", "skip"),
            "skip",
            default="copy",
        ),
        "weekly_mail": key(
            "A mail once a week that tells colleagues who is in on the seven days to come: names and hours, "
            "no reasons.",
            _WEEKLY,
            {"to": ["sue@example.com"], "on": "friday", "at": "15:00"},
            otherwise=OTHERWISE["weekly_mail"],
        ),
    }
