"""How copies are made: wrapped, readdressed, untouched, or with a companion."""

from __future__ import annotations

import pytest

from mailrouter.message.pieces import length
from tests.routing.situations import (
    AWAY,
    HANDOFF,
    HANDOFF_TEXT,
    mail,
    octets,
    parsed,
    planned,
    role,
    second_role,
    situation,
    text_of,
)

SIGNED = (
    'Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=b',
    b"--b\r\n\r\nHello.\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n",
)
INVITATION = (
    "Content-Type: text/calendar; method=REQUEST",
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n",
)


def test_the_original_comes_first_then_the_note_then_the_handoff() -> None:
    """A part before an HTML body would make some clients show the body as a file."""
    raw = mail("MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8", body=b"<p>Hello</p>\r\n")
    found = planned(raw, situation(role(AWAY), handoff=HANDOFF))
    for copy in found.copies:
        original, note, handoff = parsed(copy.pieces, raw).iter_parts()
        assert original.get_content_type() == "text/html"
        assert original.get_payload() == "<p>Hello</p>\r\n"
        assert (note.get_content_disposition(), text_of(note)) == ("inline", copy.note)
        assert handoff.get_content_disposition() == "attachment"
        assert handoff.get_filename() == "Handoff vp-hr 2026-12-01.txt"
        assert text_of(handoff) == (
            "Handoff for VP Human Resources\nLaurie, Tuesday 1 December at 10:00 (2 days ago)\n\n"
            + HANDOFF_TEXT
        )
        assert copy.wrapped
        assert copy.companion is None


def test_marks_stand_first_and_tell_each_partner_apart() -> None:
    """Received, the loop mark, and what a partner's own mail rules can sort by."""
    raw = mail()
    found = planned(raw, situation(role(AWAY)))
    for copy in found.copies:
        message = parsed(copy.pieces, raw)
        assert message.keys()[:6] == [
            *("Received", "Mailrouter-Loop", "Mailrouter-Role"),
            *("Mailrouter-On-Duty", "Mailrouter-You", "X-Auto-Response-Suppress"),
        ]
        assert message["Mailrouter-On-Duty"] == "laurie"
        assert message["Mailrouter-You"] == ("on" if copy.recipient.startswith("laurie") else "off")
        assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"


def test_a_strangers_marks_do_not_steer_a_partners_rules() -> None:
    """Marks that came with the mail are left out of changed copies, but for loop marks of others."""
    raw = mail("Mailrouter-You: on", "Mailrouter-On-Duty: nobody", "Mailrouter-Loop: another")
    message = parsed(planned(raw, situation(role(AWAY))).copies[1].pieces, raw)
    assert message.get_all("Mailrouter-You") == ["off"]
    assert message.get_all("Mailrouter-On-Duty") == ["laurie"]
    assert message.get_all("Mailrouter-Loop") == ["mark-of-vp-hr", "another"]


RECEIPTS = (
    "Disposition-Notification-To: jane@outside.test",
    "Disposition-Notification-Options: signed-receipt-protocol=optional, pkcs7-signature",
    "Return-Receipt-To: jane@outside.test",
    "X-Confirm-Reading-To: jane@outside.test",
    "X-Chameleon-Return-To: jane@outside.test",
    "Generate-Delivery-Report: yes",
)


@pytest.mark.parametrize("asks", RECEIPTS)
def test_a_changed_copy_asks_for_no_receipt(asks: str) -> None:
    """A receipt would tell the sender a partner's own address; a copy that is untouched stays so."""
    raw = mail("From: jane@example.test", "To: vp-hr@example.test", asks)
    for away in (role(AWAY), role()):
        for copy in planned(raw, situation(away)).copies:
            changed = copy.wrapped or b"\r\nCc: " in octets(copy.pieces, raw)
            assert (asks.partition(":")[0].encode() in octets(copy.pieces, raw)) is not changed
    assert all(copy.wrapped for copy in planned(raw, situation(role(AWAY))).copies)
    quiet = mail("From: jane@outside.test", asks, "List-Id: <list.outside.test>")
    for copy in planned(quiet, situation(role(AWAY))).copies:
        assert asks.encode() in octets(copy.pieces, quiet)


def test_with_nothing_to_say_the_copy_is_the_original() -> None:
    """Only fields are prepended: a signature over the mail holds."""
    raw = mail("Mailrouter-You: on")
    of = role(copy_inside="hidden")
    for copy in planned(raw, situation(of)).copies:
        assert octets(copy.pieces, raw).endswith(raw)
        assert not copy.wrapped


@pytest.mark.parametrize(
    "quiet", ["List-Id: <x.example.test>", "Auto-Submitted: auto-generated", "Precedence: bulk"]
)
def test_quiet_mail_is_not_changed(quiet: str) -> None:
    """List mail and automatic mail carry no note, no handoff and no new Cc, and are not answered."""
    raw = mail(quiet)
    found = planned(raw, situation(role(AWAY, reply_inside="always"), handoff=HANDOFF))
    assert found.reply is None
    for copy in found.copies:
        assert octets(copy.pieces, raw).endswith(raw)
        assert (copy.note, copy.handoffs, copy.companion) == ("", (), None)


def test_an_invitation_is_not_changed_and_brings_no_companion() -> None:
    """Calendar mail is for calendars; both still get it."""
    field, body = INVITATION
    raw = mail(field, body=body)
    found = planned(raw, situation(role(AWAY), handoff=HANDOFF))
    assert [octets(copy.pieces, raw).endswith(raw) for copy in found.copies] == [True, True]
    assert [copy.companion for copy in found.copies] == [None, None]


def test_signed_mail_goes_untouched_with_a_companion() -> None:
    """The original as it came; beside it note and handoff, whose answers go to the handoff address."""
    field, body = SIGNED
    raw = mail(field, "References: <zero@example.test>", body=body)
    found = planned(raw, situation(role(AWAY), handoff=HANDOFF))
    for copy in found.copies:
        assert octets(copy.pieces, raw).endswith(raw)
        assert copy.companion is not None
        message = parsed(copy.companion)
        assert str(message["To"]).endswith(f"<{copy.recipient}>")
        assert message["From"] == message["Reply-To"] == "VP Human Resources <vp-hr+handoff@example.test>"
        assert message["Subject"] == "Note and handoff: The budget"
        assert message["In-Reply-To"] == "<one@example.test>"
        assert message["References"] == "<zero@example.test> <one@example.test>"
        assert message["Auto-Submitted"] == "auto-generated"
        note, handoff = message.iter_parts()
        said = text_of(note)
        assert said.startswith('This goes with the mail "The budget" to VP Human Resources, ')
        assert said.endswith("\n\n" + copy.note)
        assert handoff.get_content_disposition() == "attachment"
    assert found.shown == (("vp-hr", 7),)
    assert any("it is signed" in reason for reason in found.reasons)
    assert "nobody is added to Cc: it is signed, and a changed copy could look tampered with" in found.reasons


@pytest.mark.parametrize(
    ("setting", "email", "way"),
    [
        ("auto", "laurie@example.test", "wrapped"),
        ("auto", "laurie@gmail.test", "companion"),
        ("wrap", "laurie@gmail.test", "wrapped"),
        ("companion", "laurie@example.test", "companion"),
        ("untouched", "laurie@example.test", "untouched"),
    ],
)
def test_the_forwarding_setting_decides(setting: str, email: str, way: str) -> None:
    """``auto`` wraps wherever that does no damage; ``untouched`` never says a word."""
    of = role(AWAY, forwarding=setting)
    first, *others = of.partners
    of = role(AWAY, forwarding=setting, partners=(type(first)(first.key, first.name, email), *others))
    raw = mail()
    copy = planned(raw, situation(of, handoff=HANDOFF)).copies[0]
    assert (copy.wrapped, copy.companion is not None) == (way == "wrapped", way == "companion")
    assert octets(copy.pieces, raw).endswith(raw) == (way != "wrapped")
    assert bool(copy.note) == bool(copy.handoffs) == (way != "untouched")


@pytest.mark.parametrize("less", [0, 1])
def test_a_copy_that_would_be_too_large_goes_unwrapped(less: int) -> None:
    """What the next server refuses is no copy: the original goes alone, and the rest beside it."""
    raw = mail()
    whole = planned(raw, situation(role(AWAY), handoff=HANDOFF))
    limit = length(whole.copies[1].pieces) - less
    copy = planned(raw, situation(role(AWAY), handoff=HANDOFF, next_hop_size=limit)).copies[1]
    assert copy.wrapped == (not less)
    assert (copy.companion is not None) == bool(less)


def test_a_cc_that_would_be_too_large_is_left_out() -> None:
    """Nothing but the Cc was to be said: the copy goes as it came."""
    raw = mail()
    whole = length(planned(raw, situation(role())).copies[0].pieces)
    copy = planned(raw, situation(role(), next_hop_size=whole - 1)).copies[0]
    assert octets(copy.pieces, raw).endswith(raw)
    assert copy.companion is None


def test_one_role_untouched_and_the_other_not() -> None:
    """Where one role wants copies as they came, the other's note comes beside the copy."""
    raw = mail("To: vp-hr@example.test, office@example.test")
    of, other = role(AWAY, forwarding="untouched"), second_role(AWAY)
    for order in ((of, other), (other, of)):
        copy = planned(raw, *map(situation, order)).copies[0]
        assert octets(copy.pieces, raw).endswith(raw)
        assert copy.note.startswith("Office")
        assert copy.companion is not None


def test_eight_bit_stays_eight_bit() -> None:
    """An 8-bit body is wrapped as it is, and the outer part says so (RFC 2045 §6.4)."""
    body = "Grüße\r\n".encode()
    raw = mail("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", body=body)
    copy = octets(planned(raw, situation(role(AWAY))).copies[0].pieces, raw)
    assert body in copy
    assert copy.partition(b"\r\n\r\n")[0].count(b"Content-Transfer-Encoding: 8bit") == 1
