"""The automatic reply: when, to whom, how marked, and with which words."""

from __future__ import annotations

import re

import pytest

from mailrouter.routing.autoreply import memory_key
from mailrouter.routing.model import Answered, Plan, Verdicts
from tests.routing.situations import (
    AWAY,
    BOTH_AWAY,
    EMERGENCY,
    mail,
    octets,
    parsed,
    planned,
    role,
    second_role,
    situation,
)

OUTSIDE = "ann@outside.test"


def answered(
    text: str, setting: str, when: str = "2026-12-03 10:00", sender: str = "jane@example.test"
) -> Plan:
    """The plan for a mail from ``sender`` to a role that answers as ``setting`` says."""
    of = role(text, reply_inside=setting, reply_outside=setting, emergency=EMERGENCY)
    return planned(mail(f"From: <{sender}>"), situation(of, when, sender))


@pytest.mark.parametrize(
    ("setting", "text", "when", "there"),
    [
        ("never", BOTH_AWAY, "2026-12-03 10:00", False),
        ("nobody", BOTH_AWAY, "2026-12-03 10:00", True),
        ("nobody", AWAY, "2026-12-03 10:00", False),
        ("nobody", "", "2026-12-03 20:00", False),
        ("nobody", "", "2026-12-05 12:00", False),
        ("absence", BOTH_AWAY, "2026-12-03 10:00", True),
        ("absence", AWAY, "2026-12-03 10:00", True),
        ("absence", "", "2026-12-03 10:00", False),
        ("always", "", "2026-12-03 10:00", True),
        ("always", AWAY, "2026-12-03 10:00", True),
    ],
)
@pytest.mark.parametrize("sender", ["jane@example.test", OUTSIDE])
def test_the_setting_and_the_schedule_call_for_an_answer(
    setting: str, text: str, when: str, there: bool, sender: str
) -> None:
    """``nobody`` in a gap, ``absence`` also while one is away, ``always`` at any time."""
    found = answered(text, setting, when, sender)
    assert (found.reply is not None) == there
    assert there != any(reason.startswith("no automatic reply, because") for reason in found.reasons)
    assert there == any(reason.startswith("an automatic reply, because") for reason in found.reasons)


def test_the_reply_is_marked_so_that_no_program_answers_it() -> None:
    """All fields of RFC 3834 §3, to the reverse-path whatever Reply-To says, and a Message-ID of its own."""
    raw = mail("Reply-To: desk@example.test", "References: <zero@example.test>")
    facts = situation(role(BOTH_AWAY), sender="jane+tag@example.test")
    reply = planned(raw, facts).reply
    assert reply is not None
    assert reply.recipient == "jane+tag@example.test"
    message = parsed(reply.pieces)
    assert message["From"] == "VP Human Resources <vp-hr@example.test>"
    assert message["To"] == "jane+tag@example.test"
    assert message["Subject"] == reply.subject == "Auto: The budget"
    assert message["Date"] == "Thu, 03 Dec 2026 10:00:00 -0800"
    assert re.fullmatch(r"<[a-z2-7]{24}@mx\.example\.test>", message["Message-ID"])
    assert message["In-Reply-To"] == "<one@example.test>"
    assert message["References"] == "<zero@example.test> <one@example.test>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["X-Auto-Response-Suppress"] == "All"
    assert message["Precedence"] == "bulk"
    assert message["MIME-Version"] == "1.0"
    assert message.get_content_type() == "text/plain"
    assert octets(reply.pieces, b"").isascii()
    assert "Reply-To" not in message


def test_the_reply_quotes_nothing() -> None:
    """Neither the body nor a name of the original stands in it."""
    raw = mail("From: Secret Name <jane@example.test>", body=b"sesame\r\n")
    reply = planned(raw, situation(role(BOTH_AWAY))).reply
    assert reply is not None
    assert b"sesame" not in octets(reply.pieces, raw)
    assert b"Secret" not in octets(reply.pieces, raw)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Auto: Grüße"),
        ("Subject: a\r\n b", "Auto: a b"),
        ("Subject: =?utf-8?q?a=0D=0ABcc:_x?=", "Auto: a Bcc: x"),
        ("Subject: " + "x" * 900, "Auto: " + "x" * 193 + "…"),
        ("Subject:", "Auto: your mail"),
        ("Subject:  \t ", "Auto: your mail"),
    ],
)
def test_the_subject_is_one_short_line(subject: str, expected: str) -> None:
    """Decoded, without controls, at most 200 characters, encoded anew."""
    raw = mail("Subject:", subject)
    reply = planned(raw, situation(role(BOTH_AWAY))).reply
    assert reply is not None
    assert reply.subject == expected
    assert len(reply.subject) <= 200
    assert parsed(reply.pieces)["Subject"] == expected
    assert all(len(line) <= 78 for line in octets(reply.pieces, b"").split(b"\r\n"))


def test_of_a_long_thread_the_first_and_last_ids_are_kept() -> None:
    """At most twenty (RFC 5322 §3.6.4 sets no bound, mail programs do)."""
    ids = [f"<{number}@example.test>" for number in range(60)]
    reply = planned(mail("References: " + "\r\n ".join(ids)), situation(role(BOTH_AWAY))).reply
    assert reply is not None
    kept = str(parsed(reply.pieces)["References"]).split()
    assert kept == [ids[0], *ids[-18:], "<one@example.test>"]


SILENCE = [
    (["To: everybody@example.test"], {}, "the role stands in none of To"),
    ([], {"sender": ""}, "its return path is empty"),
    ([], {"sender": "not an address"}, "can't be read as an address"),
    ([], {"sender": "noreply@outside.test"}, "belongs to a program"),
    ([], {"sender": "jürgen@example.test"}, "letters that not every mail server takes"),
    ([], {"sender": "it@example.test"}, "one of our own addresses"),
    ([], {"sender": "vp-hr+b-abc@example.test"}, "one of our own addresses"),
    (["From: laurie@example.test"], {"sender": "x@outside.test"}, "one of our own addresses"),
    ([], {"sender": "elaine@example.test"}, "a partner wrote it"),
    (["List-Unsubscribe: <mailto:x@example.test>"], {}, "it came from a mailing list"),
    (["Auto-Submitted: auto-replied (vacation)"], {}, "it was sent by a program"),
    (["Precedence: junk"], {}, "it was sent by a program"),
    (["Feedback-ID: 1:x"], {}, "it was sent by a program"),
    (["X-Loop: x"], {}, "it was sent by a program"),
    (["X-Auto-Response-Suppress: DR, OOF"], {}, "asks for no automatic answers"),
    (["Content-Type: multipart/report; boundary=b"], {}, "it is a report"),
    (["Content-Type: text/calendar; method=REPLY"], {}, "it is a calendar's answer"),
    ([], {"verdicts": Verdicts(spam=True)}, "takes it for spam"),
    ([], {"verdicts": Verdicts(dmarc_fail=True)}, "to be forged (DMARC)"),
    ([], {"answered": Answered(already=True)}, "this sender was told already"),
    ([], {"answered": Answered(capped=True)}, "enough replies went out today"),
]


@pytest.mark.parametrize(("fields", "facts", "why"), SILENCE)
def test_what_keeps_us_silent(fields: list[str], facts: dict[str, object], why: str) -> None:
    """Each reason for silence holds by itself, and is told."""
    found = planned(mail(*fields), situation(role(BOTH_AWAY), **facts))  # type: ignore[arg-type]
    assert found.reply is None
    reasons = [reason for reason in found.reasons if reason.startswith("no automatic reply, because ")]
    assert any(why in reason for reason in reasons), reasons


def test_every_reason_for_silence_is_told_at_once() -> None:
    """Nobody has to try again to hear of the next one."""
    raw = mail("List-Id: <x.example.test>", "Precedence: bulk", "To: x@example.test")
    found = planned(
        raw, situation(role(BOTH_AWAY), sender="owner-x@lists.test", verdicts=Verdicts(spam=True))
    )
    assert sum(reason.startswith("no automatic reply") for reason in found.reasons) >= 5


@pytest.mark.parametrize(
    "to",
    [
        "VP-HR@Example.test",
        "hr-lead@example.test",
        "hr-lead+x@example.test",
        "a@b.test, <vp-hr+q@example.test>",
    ],
)
@pytest.mark.parametrize("field", ["To", "Cc", "Bcc", "Resent-To"])
def test_the_role_is_known_by_each_of_its_addresses(to: str, field: str) -> None:
    """Aliases and sub-addresses count, in every field that names recipients (RFC 5230 §4.5)."""
    of = role(BOTH_AWAY, aliases=("hr-lead@example.test",))
    assert planned(mail("To: x@example.test", f"{field}: {to}"), situation(of)).reply is not None


def keys(text: str, setting: str, *moments: str) -> list[str]:
    """The memory keys of answers at these moments."""
    replies = [answered(text, setting, when).reply for when in moments]
    return [reply.key for reply in replies if reply is not None]


def test_the_same_gap_has_the_same_key_and_another_gap_another() -> None:
    """Once a period of absence, not once a text: the key holds sender, role and the period's start."""
    gap = "away laurie 2026-12-01..2026-12-11; away elaine 2026-12-01..2026-12-11"
    again = "; away laurie 2026-12-21..2027-01-01; away elaine 2026-12-21..2027-01-01"
    first, same, other = keys(
        gap + again, "nobody", "2026-12-02 10:00", "2026-12-10 10:00", "2026-12-22 10:00"
    )
    assert first == same != other
    assert first == "vp-hr jane@example.test nobody 2026-12-01T01:00Z"
    of = role(gap)
    assert planned(mail(), situation(of, sender="JANE@Example.test")).reply.key == first  # type: ignore[union-attr]


def test_an_absence_and_always_have_periods_of_their_own() -> None:
    """While somebody is away the period is the absence; else there is one for all time."""
    away = keys(AWAY, "absence", "2026-12-02 10:00", "2026-12-16 10:00")
    assert len(set(away)) == 1
    always = keys(AWAY, "always", "2026-11-25 10:00", "2026-12-02 10:00", "2027-02-02 10:00")
    assert always[0] == always[2] != always[1] == away[0]


def test_the_period_stays_the_same_when_the_other_goes_away_too() -> None:
    """It began when the first of them left; who was told then is not told again."""
    text = "away elaine 2026-12-01..2027-01-01; away laurie 2026-12-02 cover pat"
    first, second = keys(text, "absence", "2026-12-01 10:00", "2026-12-02 10:00")
    assert first == second


def test_the_caps_are_a_domains_a_roles_and_all() -> None:
    """Counted a day (standards of the field: a loop ends by itself)."""
    reply = answered(BOTH_AWAY, "nobody").reply
    assert reply is not None
    assert reply.caps == (("domain example.test", 20), ("role vp-hr", 200), ("all", 1000))


def test_mail_to_several_roles_is_answered_once() -> None:
    """The first role that has something to say answers."""
    raw = mail("To: vp-hr@example.test, office@example.test")
    found = planned(raw, situation(role(BOTH_AWAY)), situation(second_role(BOTH_AWAY)))
    assert found.reply is not None
    assert found.reply.role == "vp-hr"
    assert "one automatic reply is enough for a mail to several roles" in found.reasons


def test_a_tag_of_the_day_makes_no_new_sender() -> None:
    """A server that tags its senders (BATV) writes another tag each day; its people are told once all the same."""
    keys = {memory_key(role(), path, "always") for path in ("jane@x.test", "prvs=1234abcdef=jane@x.test")}
    assert len(keys) == 1
