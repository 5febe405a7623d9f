"""What kind of mail it is, and whether a program may answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.classify import Nature, autoreply_refusals, classify
from tests.message.human_mail import HUMAN
from tests.message.real_mail import scan

JANE = "jane@example.test"
FROM_JANE = b"From: Jane <jane@example.test>\r\n"


def judge(raw: bytes, path: str = JANE) -> tuple[Nature, tuple[str, ...]]:
    head, shape = scan(raw)
    nature = classify(head, shape)
    return nature, autoreply_refusals(head, shape, nature, path)


@pytest.mark.parametrize("what", HUMAN)
def test_people_are_answered(what: str) -> None:
    """Nothing in a person's ordinary mail is a reason for silence."""
    path, raw = HUMAN[what]
    nature, refusals = judge(raw, path)
    assert refusals == ()
    assert (nature.list, nature.automatic, nature.report) == (False, False, False)
    assert nature.quiet == nature.calendar


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: AUTO-GENERATED (rejected) ; x=y",
        "Auto-Submitted:",
        "List-Id: <x.example.test>",
        "List-Unsubscribe: <mailto:x@y>",
        "Precedence: bulk",
        "Precedence: List",
        "precedence: junk (really)",
        "Feedback-ID: 1:2:3",
        "X-Loop: x",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "X-Auto-Response-Suppress: DR, oof",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: DR\r\nX-Auto-Response-Suppress: AutoReply",
        "X-Failed-Recipients: a@b",
        "Content-Type: multipart/report; boundary=x",
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=x",
        "Content-Type: message/feedback-report",
        "Content-Type: text/calendar; method=REPLY",
        "Content-Type: text/calendar; method=counter",
        "Subject: Automatic reply: Budget",
        "Subject: Out of Office AutoReply: Budget",
        "Subject: =?utf-8?q?R=C3=A9ponse_automatique_:_Budget?=",
        "Sender: owner-staff@example.test",
        "Return-Path: <>",
    ],
)
def test_signs_of_a_program_mean_silence(field: str) -> None:
    """Each sign that RFC 3834, RFC 5230 or long use knows is a reason, and without it there is none."""
    raw = FROM_JANE + field.encode() + b"\r\n\r\nbody\r\n"
    refusals = judge(raw)[1]
    assert len(refusals) >= 1
    assert all(" " in reason for reason in refusals)
    assert judge(FROM_JANE + b"\r\nbody\r\n")[1] == ()


@pytest.mark.parametrize(
    "local",
    [
        "MAILER-DAEMON",
        "mailerdaemon",
        "listserv",
        "Majordomo",
        "owner-staff",
        "staff-owner",
        "staff-request",
        "staff-bounce",
        "staff-bounces",
        "staff-bounces+jane=example.test",
        "bounce",
        "bounce-123",
        "bounces+x",
        "no-reply",
        "NoReply",
        "no_reply",
        "noreply.hr",
        "donotreply",
        "do-not-reply",
        "do.not.reply",
        "jira-no-reply",
        "noreply+1",
        "prvs=12345abcde=noreply",
        "postmaster",
        "dev-return-12-jane=example.test",
    ],
)
def test_robots_are_known_by_their_address(local: str) -> None:
    """The return path and the From of a robot each mean silence."""
    assert judge(FROM_JANE + b"\r\n", f"{local}@example.net")[1]
    assert judge(f"From: x <{local}@example.net>\r\n\r\n".encode())[1]


@pytest.mark.parametrize("path", ["", "<>", " <> "])
@given(raw=st.sampled_from([raw for _, raw in HUMAN.values()]))
def test_the_null_return_path_is_never_answered(path: str, raw: bytes) -> None:
    """Mail from <> is met with silence, whatever it says."""
    assert "its return path is empty" in judge(raw, path)[1]


@pytest.mark.parametrize("path", ["jane", "@example.test", "jane@", "a b@c", "a@b\r\nc", "a,b@c"])
def test_a_return_path_that_is_no_address_is_not_answered(path: str) -> None:
    """What can't be read as an address gets no answer."""
    assert any("can't be read" in reason for reason in judge(FROM_JANE + b"\r\n", path)[1])


@pytest.mark.parametrize(
    ("sender", "subject", "kind"),
    [
        ("MAILER-DAEMON@example.net (Mail Delivery System)", "x", "text/plain"),
        ("Mail Delivery Subsystem <MAILER-DAEMON>", "x", "text/plain"),
        ("Postmaster <postmaster@example.net>", "Undeliverable: Budget", "text/plain"),
        ("System Administrator <admin@example.net>", "Undeliverable: Budget", "text/plain"),
        ("Mail <mail@example.net>", "failure notice", "message/rfc822"),
    ],
)
def test_old_bounces_are_reports(sender: str, subject: str, kind: str) -> None:
    """A bounce from before RFC 3464 is known by sender and subject together."""
    nature, refusals = judge(
        f"From: {sender}\r\nSubject: {subject}\r\nContent-Type: {kind}\r\n\r\nx\r\n".encode()
    )
    assert nature.report
    assert nature.quiet
    assert refusals


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("multipart/report; boundary=x", "report"),
        ("message/rfc822", "message/rfc822"),
        ("multipart/encrypted; boundary=x", "encrypted"),
        ("application/pkcs7-mime", "encrypted"),
        ("text/calendar", "invitation"),
        ("application/ms-tnef", "TNEF"),
        ("multipart/signed; boundary=x", "signed"),
        ("multipart/mixed", "boundary"),
        ("multipart/mixed; boundary=x", "never appears"),
    ],
)
def test_what_must_not_be_wrapped(kind: str, words: str) -> None:
    """Each kind that wrapping would damage is refused, in words that name it."""
    refusal = judge(FROM_JANE + f"Content-Type: {kind}\r\n\r\nbody\r\n".encode())[0].wrap_refusal
    assert refusal is not None
    assert words in refusal


def test_ordinary_mail_may_be_wrapped() -> None:
    """Text, HTML and mail with attachments are wrapped."""
    for name in (
        "a plain question",
        "no subject",
        "forwards a bounce as an attachment",
        "an mbox line on top",
    ):
        assert judge(HUMAN[name][1])[0].wrap_refusal is None


def test_a_weak_sign_keeps_no_note_from_a_partner() -> None:
    """A Feedback-ID, which some providers put on all mail, forbids an answer but is not quiet mail."""
    nature, refusals = judge(FROM_JANE + b"Feedback-ID: i1:Provider\r\n\r\nHi\r\n")
    assert nature.automatic
    assert not nature.quiet
    assert refusals == ("it was sent by a program (Feedback-Id)",)
