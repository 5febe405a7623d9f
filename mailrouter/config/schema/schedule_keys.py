"""The parts of a role's schema that say who works when: people, weekdays, holidays, absences, swaps."""

from __future__ import annotations

from mailrouter.config.values import forms
from mailrouter.config.values.forms import Schema, either, key, lines, ref, some, words

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_DAY_EXAMPLES = (
    "laurie",
    "laurie 09:00-13:00",
    "both",
    ["laurie 09:00-13:00", "elaine 12:00-17:00"],
    "nobody",
)


def day() -> Schema:
    """A weekday's value, in all its forms."""
    return key(
        "Who works: a partner's short name, with hours or without; `both` for all partners; several in "
        "brackets; `nobody`, or no line at all, for a day off.",
        either(forms.SHIFT, {"type": "array", "items": forms.SHIFT}, {"type": "null"}),
        *_DAY_EXAMPLES,
    )


def _short_or_capital(weekday: str) -> str:
    """A pattern for ``Mon`` and ``MONDAY`` as well as ``monday``."""
    letters = [f"[{letter.upper()}{letter}]" for letter in weekday]
    return f"^{''.join(letters[:3])}({''.join(letters[3:])})?$"


WEEK: Schema = {
    "type": "object",
    "description": "A week; a day that isn't here is nobody's. Days may be short: `mon`.",
    "properties": {
        name: key(f"Who works on {name.capitalize()}.", ref("day"), *_DAY_EXAMPLES[:3], otherwise="nobody")
        for name in _WEEKDAYS
    },
    "patternProperties": {_short_or_capital(name): ref("day") for name in _WEEKDAYS},
    "additionalProperties": False,
}

WEEKS: Schema = lines(
    {
        "starting": key(
            "A day of the first week; the weeks take turns from there.", forms.DATE, "2026-01-05"
        ),
        "weeks": key(
            "The weeks, each a `- ` entry.",
            {"type": "array", "minItems": 1, "items": ref("week")},
            [{"monday": "laurie"}, {"monday": "elaine"}],
        ),
    },
    ("starting", "weeks"),
    description="Weeks that take turns.",
)

HOLIDAYS: Schema = lines(
    {
        "country": key("The country's code (ISO 3166).", forms.COUNTRY, "US", "DE", "GB"),
        "subdivision": key(
            "The state or region, where it has holidays of its own.",
            {"type": "string"},
            "CA",
            "BY",
            otherwise="none",
        ),
        "also": key(
            "Days more, with their names or without.",
            either(
                {
                    "type": "object",
                    "propertyNames": forms.DATE,
                    "additionalProperties": either(forms.TEXT, {"type": "null"}),
                },
                {"type": "array", "items": forms.DATE},
            ),
            {"2026-12-24": "Christmas Eve"},
            ["2026-12-24"],
            otherwise="none",
        ),
        "never": key("Days that are no holidays here.", some(forms.DATE), ["2026-10-12"], otherwise="none"),
    },
    ("country",),
    description="Public holidays: whose, and which days more or fewer.",
)

SPECIAL_DAYS: Schema = {
    "type": "object",
    "propertyNames": forms.DAYS,
    "additionalProperties": either(forms.SHIFT, {"type": "array", "items": forms.SHIFT}),
}

_MAILBOX = {
    "name": key("First name and family name; notes use the first name.", forms.TEXT, "Laurie Cremona"),
    "email": key("The person's own mailbox; copies go there.", forms.EMAIL, "laurie@example.com"),
    "phone": key("A telephone number.", forms.PHONE, "+1 650 555 0101", otherwise="none"),
    "time_zone": key(
        "The time zone in which this person's own hours in the rota, absences and holidays are written, where "
        "they live elsewhere.",
        forms.TIME_ZONE,
        "Europe/Berlin",
        otherwise="the role's",
    ),
    "holidays": key(
        "Public holidays of this person's own, in place of the role's; or `none`.",
        either(ref("holidays"), words("none")),
        {"country": "DE", "subdivision": "BY"},
        "none",
        otherwise="the role's",
    ),
}
PERSON: Schema = lines(_MAILBOX, ("name", "email"), description="Somebody with a mailbox.")

CALENDAR: Schema = lines(
    {
        "file": key(
            "The calendar as an iCalendar file; a path counts from the folder above the configuration.",
            forms.PATH,
            "calendars/elaine.ics",
            otherwise="none",
        ),
        "url": key(
            "The secret address that the calendar program gives for it; https, or webcal, which means the "
            "same. Whoever knows it reads the calendar, so keep this file to yourselves.",
            forms.CALENDAR_URL,
            "https://calendar.example.com/private/0b5e/basic.ics",
            otherwise="none",
        ),
        "absent_when": key(
            "Which events are absences: `out-of-office`, as Outlook has it; `busy`, every event that is not "
            "free or tentative; `all-day`, those of them that take whole days; `category NAME`; `title TEXT`, "
            "where the title begins so. One of several is enough.",
            some(forms.ABSENT_WHEN),
            ["out-of-office"],
            ["out-of-office", "all-day", "category Vacation"],
            "title Out of office",
            default="out-of-office",
        ),
        "cover": key(
            "The partner who works meanwhile: the short name.", forms.PARTNER, "laurie", otherwise="nobody"
        ),
    },
    description="A partner's own calendar: a file or a url.",
    oneOf=[{"required": ["file"]}, {"required": ["url"]}],
)
_TERM = {
    "from": key(
        "The first day as a partner. Until then they get no mail of the role and no handoff.",
        forms.DATE,
        "2026-07-01",
        otherwise="from the start",
    ),
    "until": key(
        "The last day as a partner. After it they get nothing of the role any more.",
        forms.DATE,
        "2026-06-30",
        otherwise="no end",
    ),
    "follows": key(
        "The former partner whose hours in the rota are this partner's from then on.",
        forms.PARTNER,
        "elaine",
        otherwise="nobody",
    ),
}
PARTNER: Schema = lines(
    {
        **_MAILBOX,
        **_TERM,
        "calendar": key(
            "The partner's own calendar, whose absences count beside those in this file.",
            ref("calendar"),
            {"url": "https://calendar.example.com/private/0b5e/basic.ics", "absent_when": "out-of-office"},
            otherwise="none",
        ),
    },
    ("name", "email"),
    description="A partner: somebody with a mailbox.",
)

ABSENCE: Schema = lines(
    {
        "partner": key("Who is away: the short name.", forms.PARTNER, "elaine"),
        "date": key("The one day.", forms.DATE, "2026-12-03", otherwise="see from, until and every"),
        "from": key(
            "The first day away, or the moment.",
            forms.MOMENT,
            "2026-12-21",
            "2026-12-21 13:00",
            otherwise="see date and every",
        ),
        "until": key(
            "The last day away, or the moment of being back; `further notice` where nobody knows yet.",
            forms.LAST_MOMENT,
            "2027-01-01",
            "2026-12-22 09:00",
            "further notice",
            otherwise="see date and every",
        ),
        "every": key(
            "Days that come round: a weekday or several, each week, the first or last (or `second … of the "
            "month`) of a month, or every other week counted from `from`.",
            forms.EVERY,
            "friday",
            "first friday",
            "other friday",
            "monday and thursday",
            "second friday of the month",
            otherwise="once",
        ),
        "hours": key("The part of each day.", forms.HOURS, "13:00-17:00", otherwise="whole days"),
        "note": key(
            "Why, for the partners alone; it never goes into mail.", forms.TEXT, "skiing", otherwise="none"
        ),
        "cover": key(
            "Who works instead: a partner's short name, or somebody else with name and email.",
            either(forms.PARTNER, ref("person")),
            "laurie",
            {"name": "Jo Doe", "email": "jo@example.com"},
            otherwise="nobody",
        ),
    },
    ("partner",),
    anyOf=[{"required": ["date"]}, {"required": ["from", "until"]}, {"required": ["every"]}],
)

SWAP: Schema = lines(
    {
        "date": key("The day.", forms.DATE, "2026-12-03"),
        "partner": key(
            "Who works on it, instead of everyone there: the short name.", forms.PARTNER, "laurie"
        ),
        "for": key(
            "The day given back, on which the others work; with hours, that part of it.",
            forms.DAY_AND_HOURS,
            "2026-12-08",
            "2026-12-08 09:00-13:00",
            otherwise="none",
        ),
        "hours": key("A part of the day.", forms.HOURS, "12:00-17:00", otherwise="the role's hours"),
    },
    ("date", "partner"),
)
