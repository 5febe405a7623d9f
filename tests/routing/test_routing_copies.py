"""Who gets a copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailrouter.routing.model import Verdicts
from tests.routing.situations import (
    AWAY,
    HANDOFF,
    STAND_IN,
    copy_for,
    mail,
    octets,
    parsed,
    planned,
    recipients,
    role,
    second_role,
    situation,
)
from tests.schedule.roles import ELAINE, LAURIE, PAT


@pytest.mark.parametrize(
    ("people", "who"),
    [
        ("partners laurie", ["laurie"]),
        ("", ["laurie", "elaine"]),
        ("partners laurie elaine carmen", ["laurie", "elaine", "carmen"]),
    ],
)
def test_every_partner_gets_a_copy_on_duty_or_not(people: str, who: list[str]) -> None:
    """One, two or three partners: all get it."""
    of = role("rota mon laurie" + (f"; {people}" if people else ""))
    assert recipients(planned(mail(), situation(of))) == who


def test_a_partners_mail_goes_to_the_other_alone_and_untouched() -> None:
    """Own mail carries no note, no handoff, no Cc and no changed field, and nobody is answered."""
    of = role(AWAY, reply_inside="always", note="always")
    raw = mail("From: Elaine Miller <elaine@example.test>")
    found = planned(raw, situation(of, sender="elaine@example.test", handoff=HANDOFF))
    assert recipients(found) == ["laurie"]
    assert found.reply is None
    assert found.copies[0].companion is None
    assert octets(found.copies[0].pieces, raw).endswith(raw)


def test_the_only_partners_own_mail_comes_back() -> None:
    """A mail to the role is never nowhere."""
    found = planned(mail(), situation(role("partners laurie; rota mon laurie"), sender="laurie@example.test"))
    assert recipients(found) == ["laurie"]
    assert any("comes back" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("sender", "author", "own"),
    [
        ("laurie@example.test", "jane@example.test", True),
        ("LAURIE@Example.TEST", "laurie@example.test", True),
        ("laurie+lists@example.test", "laurie@example.test", True),
        ("assistant@example.test", "laurie@example.test", True),
        ("stranger@outside.test", "laurie@example.test", False),
        ("", "laurie@example.test", False),
        ("jane@example.test", "jane@example.test", False),
    ],
)
def test_a_from_field_alone_keeps_nobody_from_a_copy(sender: str, author: str, own: bool) -> None:
    """A partner is known by the reverse-path; by From only where the reverse-path is of our domains."""
    found = planned(mail(f"From: <{author}>"), situation(role(), sender=sender))
    assert recipients(found) == (["elaine"] if own else ["laurie", "elaine"])


def test_a_forged_partner_keeps_nobody_from_a_copy() -> None:
    """What our own mail server found forged counts as anybody's; it is not answered either."""
    of = role(reply_inside="always")
    facts = situation(of, sender="laurie@example.test", verdicts=Verdicts(dmarc_fail=True))
    found = planned(mail("From: laurie@example.test"), facts)
    assert recipients(found) == ["laurie", "elaine"]
    assert found.reply is None


def test_a_stand_in_gets_a_copy_without_the_handoff() -> None:
    """Who covers gets the mail and the note; the handoff is for partners."""
    raw = mail()
    found = planned(raw, situation(role(STAND_IN), handoff=HANDOFF))
    assert recipients(found) == ["laurie", "elaine", "pat"]
    pat = copy_for(found, "pat")
    assert (pat.handoffs, bool(pat.note)) == ((), True)
    assert len(list(parsed(pat.pieces, raw).iter_parts())) == 2
    assert len(list(parsed(copy_for(found, "laurie").pieces, raw).iter_parts())) == 3
    assert any(reason.startswith("Pat stands in and gets a copy") for reason in found.reasons)


@pytest.mark.parametrize("when", ["2026-11-30 10:00", "2027-01-04 10:00"])
def test_a_stand_in_gets_nothing_outside_the_time_covered(when: str) -> None:
    """Before and after, mail is none of theirs."""
    assert recipients(planned(mail(), situation(role(STAND_IN), when))) == ["laurie", "elaine"]


def test_reports_are_not_for_stand_ins() -> None:
    """A bounce may hold the very copy, handoff and all."""
    bounce = mail(
        "From: MAILER-DAEMON@example.test", "Content-Type: multipart/report; boundary=b", body=b"--b--\r\n"
    )
    for raw, sender in ((bounce, "jane@example.test"), (mail(), "")):
        assert recipients(planned(raw, situation(role(STAND_IN), sender=sender))) == ["laurie", "elaine"]


def test_a_stand_in_who_writes_gets_no_copy_of_it() -> None:
    """Their own mail is for the partners."""
    found = planned(mail("From: pat@example.test"), situation(role(STAND_IN), sender="pat@example.test"))
    assert recipients(found) == ["laurie", "elaine"]


@pytest.mark.parametrize(
    ("setting", "cc", "who"),
    [
        ("copy", "laurie@example.test", ["laurie", "elaine"]),
        ("skip", "Laurie <LAURIE@example.test>", ["elaine"]),
        ("skip", "jane@example.test", ["laurie", "elaine"]),
        ("skip", "laurie@example.test, elaine@example.test", ["laurie", "elaine"]),
    ],
)
def test_a_partner_already_addressed(setting: str, cc: str, who: list[str]) -> None:
    """They get ours as well, or with skip not; but never nobody does."""
    found = planned(mail(f"Cc: {cc}"), situation(role(already_addressed=setting)))
    assert recipients(found) == who
    if setting == "copy":
        assert "Laurie stands in To or Cc as well and may get it twice" in found.reasons


def test_one_copy_a_mailbox_names_both_roles() -> None:
    """Mail to two roles of the same partners is one copy each, with both notes' words and both marks."""
    raw = mail("To: vp-hr@example.test, office@example.test")
    of = role(AWAY)
    other = second_role("away elaine 2026-12-02..2026-12-04")
    found = planned(raw, situation(of), situation(other))
    assert recipients(found) == ["laurie", "elaine"]
    copy = found.copies[0]
    assert copy.roles == ("vp-hr", "office")
    message = parsed(copy.pieces, raw)
    assert message["Mailrouter-Role"] == "vp-hr@example.test, office@example.test"
    assert message.get_all("Mailrouter-Loop") == ["mark-of-vp-hr", "mark-of-office"]
    assert copy.note.startswith("VP Human Resources, Thursday 3 December\n")
    assert "\n\nOffice, Thursday 3 December\n" in copy.note
    assert "\n\n\n" not in copy.note
    assert all(reason.startswith(("vp-hr: ", "office: ")) for reason in found.reasons)


def test_a_stand_in_of_one_role_and_partner_of_the_other_gets_one_handoff() -> None:
    """Pat stands in for VP HR and shares the office: the office's handoff is Pat's, the other is not."""
    of, other = role(STAND_IN), second_role(partners=(LAURIE, ELAINE, PAT))
    later = replace(HANDOFF, version=8)
    facts = [situation(of, handoff=HANDOFF), situation(other, handoff=later)]
    raw = mail("To: vp-hr@example.test, office@example.test")
    for order in (facts, facts[::-1]):
        pat = copy_for(planned(raw, *order), "pat")
        assert (pat.handoffs, pat.handoff_roles) == ((8,), ("office",))
        assert set(pat.roles) == {"vp-hr", "office"}


def test_copies_leave_under_the_roles_address_and_null_stays_null() -> None:
    """A bounce comes back to the role, and a report stays without a way back."""
    for sender, path in (("jane@example.test", "vp-hr@example.test"), ("", "")):
        found = planned(mail(), situation(role(), sender=sender))
        assert {copy.reverse_path for copy in found.copies} == {path}
