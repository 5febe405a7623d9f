"""Partners outside whose servers rewrite the sender's address."""

from __future__ import annotations

import pytest

from mailrouter.routing.model import Verdicts
from mailrouter.routing.sender import sender_of
from tests.routing.situations import mail, planned, read, recipients, situation
from tests.routing.test_routing_forwarding import with_partner_outside

LAURIE = "laurie@mail.partner.test"
FROM = f"From: Laurie <{LAURIE}>"


@pytest.mark.parametrize(
    ("path", "written"),
    [
        (LAURIE, FROM),
        ("prvs=1234abcdef=laurie@mail.partner.test", FROM),
        ("prvs=1234abcdef=laurie+x@mail.partner.test", FROM),
        ("btv1==0a1==laurie@mail.partner.test", "From: somebody@x.test"),
        ("SRS0=HHH=TT=mail.partner.test=laurie@forwarder.test", FROM),
        ("SRS0=HHH=TT=mail.partner.test=laurie@example.test", FROM),
    ],
)
def test_her_own_mail_does_not_come_back_to_her(path: str, written: str) -> None:
    """By BATV as by the plain address; by SRS where From says the same."""
    raw = mail(written)
    assert recipients(planned(raw, situation(with_partner_outside(), sender=path))) == ["elaine"]


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("SRS0=HHH=TT=mail.partner.test=laurie@forwarder.test", "From: jane@x.test"),
        ("SRS0=HHH=TT=x.test=mallory@forwarder.test", FROM),
        ("prvs=1234abcdef=mallory@x.test", FROM),
        ("mallory@x.test", FROM),
    ],
)
def test_whoever_says_less_keeps_nobody_from_a_copy(path: str, written: str) -> None:
    """A From field alone, or a forwarder's address alone, is anybody's work."""
    raw = mail(written)
    assert recipients(planned(raw, situation(with_partner_outside(), sender=path))) == ["laurie", "elaine"]


def test_a_forged_address_counts_for_nothing() -> None:
    """Where our own mail server found it to be so."""
    head, _ = read(mail(FROM))
    facts = situation(
        with_partner_outside(), sender=f"prvs=1234abcdef={LAURIE}", verdicts=Verdicts(dmarc_fail=True)
    )
    assert sender_of(head, facts).partner is None
