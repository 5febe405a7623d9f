"""What the automatic reply says, word for word, and whom it tells what."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.routing.situations import AWAY, BOTH_AWAY, EMERGENCY, mail, octets, planned, role, situation

OUTSIDE = "ann@outside.test"

HEAD = "Hello,\n\nthank you for your mail to VP Human Resources. It has arrived.\n\n"
TAIL = "\nThis answer was sent automatically, once; there is no need to reply to it.\n\nVP Human Resources\n"
URGENT = "\nIf it can't wait: HR duty line, +1 650 555 0100.\n"
ELAINE = "Elaine is away until Friday 1 January and is back on Wednesday 6 January.\n"
TEXTS = [
    ("nobody", BOTH_AWAY, "2026-12-03 10:00",
     "Nobody is in at the moment. Your mail will be read on Monday 4 January.\n\n"
     "Laurie is away until Sunday 3 January and is back on Monday 4 January.\n" + ELAINE + URGENT,
     "Nobody is in at the moment. Your mail will be read on Monday 4 January.\n"),
    ("absence", AWAY, "2026-12-03 10:00",
     ELAINE + "Laurie covers.\nLaurie is in now and has your mail.\n" + URGENT,
     "One of us is away until Friday 1 January, so an answer may take a little\nlonger.\n"
     "Your mail will be read today.\n"),
    ("absence", AWAY, "2026-12-03 20:00", ELAINE + "Laurie covers.\n"
     "Laurie is in next, on Friday 4 December at 09:00.\n" + URGENT,
     "One of us is away until Friday 1 January, so an answer may take a little\nlonger.\n"
     "Your mail will be read on Friday 4 December.\n"),
    ("absence", "away laurie 2026-12-03; away elaine 2026-12-03 cover pat", "2026-12-03 10:00",
     "Laurie is away today and is back on Monday 7 December.\n"
     "Elaine is away today and is back on Friday 4 December. Pat covers.\n"
     "Pat is in now and has your mail.\n" + URGENT,
     "Some of us are away today, so an answer may take a little longer.\nYour mail will be read today.\n"),
    ("always", "", "2026-12-02 12:30", "Laurie and Elaine are in now and have your mail.\n\n"
     "Laurie is usually in on Monday, Tuesday and Wednesday.\n"
     "Elaine is usually in on Wednesday, Thursday and Friday.\n" + URGENT, "Your mail will be read today.\n"),
    ("always", "weeks 2026-11-30 mon laurie, tue elaine / mon elaine", "2026-11-30 20:30",
     "Elaine is in next, on Tuesday 1 December at 09:00.\n\nLaurie is in on Monday this week.\n"
     "Elaine is in on Tuesday this week.\n" + URGENT, "Your mail will be read on Tuesday 1 December.\n"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "text", "when", "inside", "outside"), TEXTS)
def test_the_words_of_the_answer(setting: str, text: str, when: str, inside: str, outside: str) -> None:
    """Inside: who is in, who is back when, who covers, and whom to reach; outside dates and no more."""
    for sender, expected in (("jane@example.test", inside), (OUTSIDE, outside)):
        of = role(text, reply_inside=setting, reply_outside=setting, emergency=EMERGENCY)
        reply = planned(mail(f"From: <{sender}>"), situation(of, when, sender)).reply
        assert reply is not None
        assert reply.text == HEAD + expected + TAIL


@pytest.mark.parametrize(
    ("tell", "inside", "outside"),
    [("inside", True, False), ("everyone", True, True), ("nobody", False, False)],
)
def test_who_hears_of_the_emergency_contact(tell: str, inside: bool, outside: bool) -> None:
    """As the role's ``tell`` says."""
    of = role(BOTH_AWAY, emergency=replace(EMERGENCY, tell=tell))  # type: ignore[arg-type]
    for sender, there in (("jane@example.test", inside), (OUTSIDE, outside)):
        reply = planned(mail(f"From: {sender}"), situation(of, sender=sender)).reply
        assert reply is not None
        assert ("+1 650 555 0100" in reply.text) == there


@pytest.mark.parametrize("setting", ["nobody", "absence", "always"])
@pytest.mark.parametrize("text", [AWAY, BOTH_AWAY, "", "away elaine 2026-12-01..2027-01-01 cover pat"])
def test_an_outsider_hears_no_name(setting: str, text: str) -> None:
    """No partner's or stand-in's name or address, whatever the occasion, nor by a return path like ours."""
    for sender in (OUTSIDE, "srs0=a=b=outside.test=ann@example.test"):
        of = role(text, reply_inside=setting, reply_outside=setting)
        reply = planned(mail(f"From: Ann <{OUTSIDE}>"), situation(of, sender=sender)).reply
        if reply is not None:
            said = octets(reply.pieces, b"")
            assert not re.search(rb"(?i)laurie|elaine|pat\b|cremona|miller|quinn", said)
