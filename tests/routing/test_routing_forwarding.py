"""Copies for mailboxes outside: untouched, with a companion, so that no signature breaks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailrouter.routing.forwarding import wrapped_outside
from mailrouter.schedule.model import Person, Role
from tests.routing.situations import (
    AWAY,
    CANARY,
    HANDOFF,
    copy_for,
    mail,
    octets,
    parsed,
    planned,
    role,
    situation,
    text_of,
)

OURS = frozenset({"example.test"})
SIGNED = mail(
    "DKIM-Signature: v=1; a=rsa-sha256; d=example.test; s=s; h=from:to:cc:reply-to:subject; bh=x; b=y",
    "Cc: sue@example.test",
)


def with_partner_outside(text: str = AWAY, **changes: object) -> Role:
    """The role whose Laurie reads her mail at another provider."""
    of = role(text, **changes)
    partners = tuple(
        replace(p, email="laurie@mail.partner.test") if p.key == "laurie" else p for p in of.partners
    )
    return replace(of, partners=partners)


def test_a_mailbox_outside_gets_the_mail_untouched_and_the_rest_beside_it() -> None:
    """Not one octet after our fields differs; note and handoff are in the companion. Inside, it is wrapped as ever."""
    plan = planned(SIGNED, situation(with_partner_outside(), handoff=HANDOFF))
    laurie, elaine = copy_for(plan, "laurie"), copy_for(plan, "elaine")
    assert octets(laurie.pieces, SIGNED).endswith(SIGNED)
    assert not laurie.wrapped
    assert laurie.companion is not None
    assert laurie.handoffs == (7,)
    beside = parsed(laurie.companion)
    assert CANARY in "".join(text_of(part) for part in beside.walk() if not part.is_multipart())
    assert elaine.wrapped
    assert elaine.companion is None
    assert any("the mailbox is outside" in why for why in plan.reasons)


def test_neither_cc_nor_reply_to_changes_on_a_copy_for_outside() -> None:
    """Half of all signatures name these fields, so even a copy without a note stays as it came."""
    plan = planned(SIGNED, situation(with_partner_outside("")))
    laurie, elaine = copy_for(plan, "laurie"), copy_for(plan, "elaine")
    assert octets(laurie.pieces, SIGNED).endswith(SIGNED)
    assert laurie.companion is None
    assert "laurie@mail.partner.test" in str(parsed(elaine.pieces, SIGNED)["Cc"])


def test_a_stand_in_outside_gets_the_mail_untouched_too() -> None:
    """The note follows in a companion, and never the handoff."""
    of = role("away elaine 2026-12-01..2027-01-01 cover pat")
    absences = tuple(
        replace(a, cover=Person("pat@agency.test", "Pat Quinn", "pat@agency.test")) for a in of.absences
    )
    plan = planned(SIGNED, situation(replace(of, absences=absences), handoff=HANDOFF))
    pat = copy_for(plan, "pat")
    assert octets(pat.pieces, SIGNED).endswith(SIGNED)
    assert pat.companion is not None
    assert pat.handoffs == ()


def test_whoever_asks_for_wrapped_copies_gets_them_outside_as_well() -> None:
    """`forwarding: wrap` is the partners' own wish; check warns of it."""
    plan = planned(SIGNED, situation(with_partner_outside(forwarding="wrap"), handoff=HANDOFF))
    assert copy_for(plan, "laurie").wrapped


@pytest.mark.parametrize(("forwarding", "warned"), [("wrap", 1), ("auto", 0), ("companion", 0)])
def test_wrapping_for_a_partner_outside_is_warned_of(forwarding: str, warned: int) -> None:
    """Once for each such partner, with the remedy; never for one inside."""
    found = list(wrapped_outside(with_partner_outside(forwarding=forwarding), OURS))
    assert len(found) == warned
    assert all("laurie@mail.partner.test" in text and "`forwarding: auto`" in text for text in found)
    assert list(wrapped_outside(role(forwarding=forwarding), OURS)) == []


def test_a_mailbox_of_two_roles_is_outside_for_both() -> None:
    """One copy, untouched, and one companion with what both say."""
    first = with_partner_outside()
    other = replace(first, key="office", address="office@example.test", name="Office")
    plan = planned(SIGNED, situation(first, handoff=HANDOFF), situation(other))
    laurie = copy_for(plan, "laurie")
    assert octets(laurie.pieces, SIGNED).endswith(SIGNED)
    assert laurie.companion is not None
