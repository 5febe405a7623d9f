"""Mail to the schedule address, read from when it was written; and a Subject that may be somebody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mailrouter.message.scanner import Scanner
from mailrouter.routing.partner.contents import contents_of
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.readings import understood
from mailrouter.routing.partner.schedule_mail import Asked
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Off, Request
from mailrouter.schedule.model import Role
from tests.schedule.roles import LAURIE, role_of

LOS_ANGELES = timezone(timedelta(hours=-8))
DAY = role_of()
NIGHTS = "hours 22:00-06:00; rota mon laurie 22:00-06:00, tue laurie 22:00-06:00, wed laurie 22:00-06:00"
NIGHT = role_of(NIGHTS)


def at(wall: str, offset: timezone = LOS_ANGELES) -> datetime:
    return datetime.fromisoformat(f"2026-{wall}").replace(tzinfo=offset)


def read(text: str, sent: datetime | None, came: datetime, role: Role = DAY) -> tuple[Request, ...]:
    asked = Asked("words", text, sent=sent.isoformat() if sent else "")
    return understood(asked, role, LAURIE, came)


def days(found: tuple[Request, ...]) -> list[str]:
    return [f"{s.start:%m-%d}..{s.last_day:%m-%d}" for r in found if isinstance(r, Off) for s in r.spans]


def test_today_counts_from_the_date_of_the_mail() -> None:
    """On the day on which it comes in, whatever offset tells the same day; a zero offset tells no zone."""
    assert days(read("off today", at("12-01 08:00"), at("12-01 17:00"))) == ["12-01..12-01"]
    assert days(read("off tomorrow", at("12-02 01:00", UTC), at("12-01 17:30"))) == ["12-02..12-02"]
    assert days(read("off until 11:30", at("12-01 10:00"), at("12-01 10:05"))) == ["12-01..12-01"]


DELAYED = {
    "over midnight": ("off tomorrow", at("12-01 23:55"), at("12-02 02:00")),
    "by a day": ("off today", at("12-01 08:00"), at("12-02 08:00")),
    "a weekday that has come": ("off Wednesday", at("12-01 08:00"), at("12-02 08:00")),
    "from another zone's day": (
        "off tomorrow",
        at("12-02 05:30", timezone(timedelta(hours=1))),
        at("12-01 20:31"),
    ),
    "in the future": ("off today", at("12-03 08:00"), at("12-01 08:10")),
    "no date": ("off tomorrow", None, at("12-01 08:10")),
    "old": ("off 21 Dec", at("11-20 08:00"), at("12-01 08:10")),
    "next week, delayed over Sunday": ("off next week", at("12-06 08:00"), at("12-07 08:00")),
    "back": ("back tomorrow", at("12-01 23:55"), at("12-02 02:00")),
    "the rest of a day": ("off the rest of the day", at("12-01 15:00"), at("12-02 08:00")),
}


@pytest.mark.parametrize(("text", "sent", "came"), DELAYED.values(), ids=DELAYED)
def test_a_mail_of_another_day_is_asked_back(text: str, sent: datetime | None, came: datetime) -> None:
    """Where its words depend on the day."""
    with pytest.raises(Unclear):
        read(text, sent, came)


def test_the_question_has_the_dates() -> None:
    """Of both readings, and when it was written."""
    with pytest.raises(Unclear) as asked:
        read("off tomorrow", at("12-01 20:00"), at("12-02 02:00"))
    for words in (
        "Tuesday 1 December at 20:00",
        "Laurie is away on Wednesday 2 December",
        "on Thursday 3 December",
    ):
        assert words in asked.value.why


def test_dates_that_stand_there_need_no_day_to_count_from() -> None:
    """Delayed, or without a Date."""
    assert days(read("off 21 Dec to 1 Jan", at("11-30 08:00"), at("12-02 08:00"))) == ["12-21..01-01"]
    assert days(read("off 21 Dec", None, at("12-02 08:00"))) == ["12-21..12-21"]
    assert days(read("off Friday", at("12-01 08:00"), at("12-02 08:00"))) == ["12-04..12-04"]


def test_in_the_small_hours_tomorrow_is_asked_back_and_today_is_not() -> None:
    """Who lies awake at two calls the day that has begun either."""
    assert days(read("off today", at("12-02 02:00"), at("12-02 02:00"))) == ["12-02..12-02"]
    with pytest.raises(Unclear, match=r"Thursday 3 December\. Or: .*Wednesday 2 December"):
        read("off tomorrow", at("12-02 02:00"), at("12-02 02:00"))


@pytest.mark.parametrize("text", ["off today", "off tomorrow", "back today"])
def test_within_a_night_the_day_is_asked_back(text: str) -> None:
    """The night that is running began yesterday."""
    role = NIGHT if text != "back today" else role_of(f"{NIGHTS}; away laurie 2026-12-06..2026-12-20")
    with pytest.raises(Unclear):
        read(text, at("12-08 02:00"), at("12-08 02:00"), role)
    assert days(read("off Thursday", at("12-08 02:00"), at("12-08 02:00"), NIGHT)) == ["12-10..12-10"]


def asked_in(subject: str, text: str, *fields: str) -> Asked | Written:
    lines = [f"From: {LAURIE.email}", f"Subject: {subject}", *fields, "", text.replace("\n", "\r\n"), ""]
    raw = "\r\n".join(lines).encode()
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    return contents_of(scanner.head, shape, raw).asked


OTHERS = [
    "Re: off",
    "RE: FW: off",
    "AW: off",
    "SV: off",
    "VS: off",
    "Antw: off",
    "Odp: off",
    "TR : off",
    "WG: off",
]
OTHERS += [
    "FWD: off",
    "VL: off",
    "R: off",
    "RES: off",
    "ENC: off",
    "YNT: off",
    "Re[2]: off",
    "RE (3): off",
    "Rif: off",
]
OTHERS += [
    "=?utf-8?b?5Zue5aSN77yab2Zm?=",
    "=?utf-8?b?xLBMVDogb2Zm?=",
    "[EXTERNAL] Re: off",
    "Automatic reply: off",
]


@pytest.mark.parametrize("subject", OTHERS)
def test_a_subject_with_a_prefix_is_no_request(subject: str) -> None:
    """Whatever language put it there."""
    found = asked_in(f"{subject} tomorrow", "")
    assert isinstance(found, Asked)
    assert found.subject == "" or found.subject.startswith("Automatic reply"), "which is not understood"


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("👍", ()),
        ("...", ()),
        ("", ("In-Reply-To: <1@example.test>",)),
        ("", ("References: <1@example.test>",)),
        ("> off tomorrow", ()),
        (
            "Sent from my iPhone\n\nOn 1 Dec 2026, at 08:00, Elaine <e@example.test> wrote:\n> off tomorrow",
            (),
        ),
        ("\n----- Original Message -----\nI am off tomorrow", ()),
    ],
)
def test_a_subject_beside_a_sign_a_quote_or_in_a_thread_is_no_request(
    text: str, fields: tuple[str, ...]
) -> None:
    """Somebody else may have written it."""
    found = asked_in("off tomorrow", text, *fields)
    assert isinstance(found, Asked)
    assert found.subject == ""


@pytest.mark.parametrize("text", ["", "Sent from my iPhone", "-- \nLaurie Cremona\nVP Human Resources"])
def test_a_subject_of_ones_own_counts_where_nothing_else_is_written(text: str) -> None:
    """A phone's footer and a signature are nothing."""
    found = asked_in("off tomorrow", text)
    assert isinstance(found, Asked)
    assert found.subject == "off tomorrow"


def test_a_forwarded_text_is_not_the_forwarders() -> None:
    """Where nothing tells it from a text of their own; above a forwarded mail it is."""
    assert isinstance(asked_in("Fwd: off Thursday", "I'm off on Thursday, flu."), Written)
    text = (
        "off Thursday\n\n________________\nFrom: Elaine\nSent: Tuesday\nTo: Laurie\nSubject: x\n\nI am ill."
    )
    found = asked_in("FW: x", text)
    assert isinstance(found, Asked)
    assert found.text.strip() == "off Thursday"
