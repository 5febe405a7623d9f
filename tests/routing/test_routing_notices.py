"""Our messages about handoffs, as partners and their mail programs read them."""

from __future__ import annotations

import base64
import re
from dataclasses import replace

import pytest

from mailrouter.routing.partner import handoff_notices
from mailrouter.routing.partner.handoff_notices import Notice, Question, read_facts
from mailrouter.routing.partner.handoff_text import Written
from mailrouter.routing.partner.sections import MAX_TEXT
from tests.routing.situations import (
    HANDOFF,
    HANDOFF_TEXT,
    mail,
    octets,
    parsed,
    read,
    role,
    situation,
    text_of,
)
from tests.schedule.roles import ELAINE, LAURIE

HEAD, _ = read(mail("Message-ID: <a@example.test>"))
FACTS = situation(role(), "2026-12-10 10:00", handoff=HANDOFF)


def taken(text: str, facts: object = FACTS) -> Notice:
    """What Elaine is told of a new version by Laurie."""
    written = Written(text, "the text of the mail")
    return handoff_notices.taken(facts, HEAD, ELAINE, LAURIE, written, FACTS.duty.moment)  # type: ignore[arg-type]


def test_what_was_understood_and_what_was_before() -> None:
    """Sections with their lines, author and moment, the version before with its age, and how to correct it."""
    message = parsed(taken(HANDOFF_TEXT).pieces)
    text = text_of(message)
    assert "by Laurie, Thursday 10 December at 10:00" in " ".join(text.split())
    assert "Done\n- the budget (canary-7f3a)\n\nLeft\n- call Jürgen\n" in text
    assert "The one before was Laurie's, Tuesday 1 December (9 days ago)." in " ".join(text.split())
    assert "write to vp-hr+handoff@example.test again" in " ".join(text.split())
    assert message["subject"] == "Handoff for VP Human Resources by Laurie, Thursday 10 December"


def test_nothing_answers_a_notice_and_it_can_not_go_round() -> None:
    """Marked as automatic, with the role's loop mark, from the handoff address, in the thread of the mail."""
    for notice in (taken("Left: x"), handoff_notices.unusable(FACTS, HEAD, ELAINE, ELAINE, "No text.")):
        message = parsed(notice.pieces)
        assert notice.recipient == message["to"].addresses[0].addr_spec == ELAINE.email
        assert message["auto-submitted"] == "auto-generated"
        assert message["x-auto-response-suppress"] == "All"
        assert message["mailrouter-loop"] == "mark-of-vp-hr"
        assert message["in-reply-to"] == "<a@example.test>"
        for name in ("from", "reply-to"):
            assert message[name].addresses[0].addr_spec == "vp-hr+handoff@example.test"


def test_a_question_says_what_an_answer_means() -> None:
    """To whom, until when, and that doing nothing is safe; the answer goes where its token is."""
    written = Written("Left: x\n", "the attached file plan.md")
    message = parsed(
        handoff_notices.confirm(
            FACTS, HEAD, LAURIE, written, Question("vp-hr+handoff-abc@example.test", "192.0.2.1")
        ).pieces
    )
    text = " ".join(text_of(message).split())
    assert message["reply-to"].addresses[0].addr_spec == "vp-hr+handoff-abc@example.test"
    assert "answer this message with one word: yes." in text
    assert "If it is not yours, do nothing. Without a yes" in text
    assert "thrown away on Thursday 17 December" in text
    assert "(the attached file plan.md)" in text
    assert 'Came from: 192.0.2.1 Subject: "The budget" If it is yours' in text


def test_a_question_shows_a_subject_and_a_server_that_can_not_lie_about_more() -> None:
    """Line breaks and controls in them make no lines of ours; what is too long is cut."""
    subject = "=?utf-8?q?hi=0A=0AIf_it_is_not_yours=2C_answer=1B=5B2J?= " + "x" * 300
    head, _ = read(mail(f"Subject: {subject}"))
    written = Written("Left: x\n", "the text of the mail")
    asked = handoff_notices.confirm(
        FACTS, head, LAURIE, written, Question("vp-hr+handoff-abc@example.test", "h\r\nFrom: x")
    )
    lines = text_of(parsed(asked.pieces))
    assert "\x1b" not in lines
    assert not [
        line for line in lines.splitlines() if line.startswith(("From:", "If it is not yours, answer"))
    ]
    assert handoff_notices.told_apart(head, "h\r\nFrom: x")["origin"] == "h From: x"
    assert len(str(handoff_notices.told_apart(head, "")["subject"])) == 62
    bare = read(mail().replace(b"Subject:", b"X-Subject:"))[0]
    assert handoff_notices.told_apart(bare, "")["subject"] == "(none)"


@pytest.mark.parametrize(
    "subject",
    [
        "x" + " " * 200 + "Came from: mail.example.test",
        "x" * 50 + " Came from: mail.example.test",
        "x" * 28 + " Came from: mail.example.test",
        'x" Came from: mail.example.test',
        "x\\" + '"' * 70 + "\\",
        "=?utf-8?b?" + base64.b64encode("x\u2028\u200b\u00a0\u202eCame from: y".encode()).decode() + "?=",
        "\u3000" * 40 + "Came from: mail.example.test",
        "x" + "\u0301" * 300,
    ],
)
def test_a_subject_can_not_look_like_the_line_that_says_where_it_came_from(subject: str) -> None:
    """It stands after that line, on one of its own, between quotation marks."""
    head, _ = read(mail(f"Subject: {subject}"))
    written = Written("Left: x\n", "the text of the mail")
    asked = handoff_notices.confirm(
        FACTS, head, LAURIE, written, Question("vp-hr+handoff-abc@example.test", "192.0.2.1")
    )
    lines = text_of(parsed(asked.pieces)).splitlines()
    assert [line for line in lines if line.lower().lstrip().startswith("came from")] == [
        "Came from: 192.0.2.1"
    ]
    shown = lines[lines.index("Came from: 192.0.2.1") + 1]
    assert re.fullmatch(r'Subject: "(?:[^"\\]|\\.){1,60}"', shown)
    assert lines[lines.index(shown) + 1] == ""


def test_a_long_line_of_a_handoff_can_not_look_like_one_of_ours() -> None:
    """What is folded of it stands below it."""
    written = Written(
        "x" * 60 + " Came from: mail.example.test " + "y" * 50 + " If it is yours\n", "the text of the mail"
    )
    asked = handoff_notices.confirm(
        FACTS, HEAD, LAURIE, written, Question("vp-hr+handoff-abc@example.test", "192.0.2.1")
    )
    lines = text_of(parsed(asked.pieces)).splitlines()
    assert sum(line.startswith("Came from:") for line in lines) == 1
    assert sum(line.startswith("If it is yours") for line in lines) == 1


def test_a_text_without_headings_is_shown_as_it_is() -> None:
    """And the partners learn that none was found."""
    text = text_of(parsed(taken("Jim will call.\nSo will Ann.").pieces))
    assert "No heading such as Done, Left or Watch was found" in text
    assert "- Jim will call.\n- So will Ann.\n" in text
    first = FACTS._replace(handoff=None)
    assert "It is the first one." in text_of(parsed(taken("x", first).pieces))


def test_of_a_long_handoff_the_beginning_is_shown() -> None:
    """All of it is kept; the message stays one that people read, and says how much is left out."""
    handoff = "Done:\n" + "- a line\n" * 500 + "Left:\n- " + "x" * MAX_TEXT
    facts = read_facts(handoff)
    assert facts["more"] == 301
    octet_count = len(octets(taken(handoff).pieces, b""))
    assert octet_count < 20_000
    assert "(301 more lines are kept and not shown here.)" in text_of(parsed(taken(handoff).pieces))


def test_no_line_of_a_handoff_ends_a_header() -> None:
    """Names and lines with line ends of any kind stay where they belong."""
    author = replace(LAURIE, name="Laurie\r\nBcc: x@outside.test")
    facts = FACTS._replace(role=replace(FACTS.role, partners=(author, ELAINE)))
    notice = handoff_notices.taken(
        facts, HEAD, author, author, Written("Left:\r- a\u2028Bcc: y@outside.test", "x"), FACTS.duty.moment
    )
    message = parsed(notice.pieces)
    assert message["bcc"] is None
    assert octets(notice.pieces, b"").isascii()
