"""Addresses that look like a partner's: in other letters, other fields, other forms."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailrouter.message.head import Head
from mailrouter.routing.partner.proof import Checks, named_author, unproven
from tests.routing.situations import role
from tests.schedule.roles import ELAINE, LAURIE

US = "mail.example.test"
MIKE = replace(LAURIE, key="mike", email="mike@kontor.test", name="Mike")
OF = role(partners=(MIKE, ELAINE))
AR = f"Authentication-Results: {US}; dmarc=pass header.from=kontor.test"
REST = "To: vp-hr+handoff@example.test\r\nMessage-ID: <1@kontor.test>\r\n"


def proven(*fields: str) -> bool:
    """Whether Mike is the author, and proven."""
    head = Head(("\r\n".join((AR, *fields)) + "\r\n" + REST).encode())
    author = named_author(head, OF)
    return author == MIKE and unproven(head, OF, MIKE, Checks(US, True)) == ""


@pytest.mark.parametrize(
    "written",
    [
        "mike@kontor.test",
        "MIKE@Kontor.TEST",
        "Mike <mike@kontor.test>",
        "=?utf-8?q?Mike_=28HR=29?= <mike@kontor.test>",
        '"mike@kontor.test" <mike@kontor.test>',
    ],
)
def test_the_registered_address_is_the_partner(written: str) -> None:
    """In any case, and under any shown name."""
    assert proven(f"From: {written}")


@pytest.mark.parametrize(
    "written",
    [
        # Letters that look alike, or become another in lower case.
        "m\u0456ke@kontor.test",
        "mi\u212ae@kontor.test",
        "mike@\u212aontor.test",
        "mike@k\u043entor.test",
        "mike@xn--kntor-jye.test",
        "mike@kontor.test\u200b",
        "m\u00adike@kontor.test",
        "\uff4dike@kontor.test",
        "mike@kontor\u3002test",
        "mike@kontor.test.",
        "mike@kontor.test.evil.test",
        "mike@sub.kontor.test",
        "mike+x@kontor.test",
        "mi.ke@kontor.test",
        # Other forms.
        "=?utf-8?q?mike=40kontor=2Etest?=",
        "=?utf-8?q?mike=40kontor=2Etest?= <eve@evil.test>",
        "=?utf-8?q?mike?=@kontor.test",
        "<=?utf-8?q?mike=40kontor=2Etest?=>",
        "mike@=?utf-8?q?kontor=2Etest?=",
        '"mike@kontor.test" <eve@evil.test>',
        '"mike@kontor.test"@evil.test',
        '"mike"@kontor.test',
        '"mi\\ke"@kontor.test',
        "eve@evil.test (mike@kontor.test)",
        "mike@kontor.test (eve@evil.test)",
        "(a) mike@kontor.test",
        "mike(a)@kontor.test",
        "mike @ kontor.test",
        "mike@kontor.test, eve@evil.test",
        "eve@evil.test, mike@kontor.test",
        "mike@kontor.test; eve@evil.test",
        "mike@kontor.test, mike@kontor.test",
        "mike@kontor.test eve@evil.test",
        "Partners: mike@kontor.test;",
        "Partners: mike@kontor.test, eve@evil.test;",
        "undisclosed-recipients:;",
        "<@evil.test:mike@kontor.test>",
        "<mike@kontor.test>@evil.test",
        "<mike@kontor.test> <eve@evil.test>",
        "<<mike@kontor.test>>",
        "<mike@kontor.test",
        "mike@[kontor.test]",
        "mike%kontor.test@evil.test",
        "mike@kontor.test\x00",
        "mike@kontor.test\x0b<eve@evil.test>",
        "",
    ],
)
def test_nothing_that_only_looks_like_it_is(written: str) -> None:
    """To a person, or to a reader of another kind."""
    assert not proven(f"From: {written}")


@pytest.mark.parametrize(
    "fields",
    [
        ("From: mike@kontor.test", "From: eve@evil.test"),
        ("From: eve@evil.test", "From: mike@kontor.test"),
        ("From : mike@kontor.test", "From: mike@kontor.test"),
        ("From: eve@evil.test", "Sender: mike@kontor.test"),
        ("From: eve@evil.test", "Reply-To: mike@kontor.test"),
        ("From: eve@evil.test", "Resent-From: mike@kontor.test"),
        ("From: eve@evil.test", "X-Original-From: mike@kontor.test"),
        ("From: mike@kontor.test", "Sender: a@evil.test", "Sender: b@evil.test"),
        ("From: mike@kontor.test", "Reply-To: a@evil.test", "Reply-To: b@evil.test"),
        ("Sender: mike@kontor.test",),
        ("Resent-From: mike@kontor.test",),
    ],
)
def test_only_one_from_field_names_the_author(fields: tuple[str, ...]) -> None:
    """Whatever else stands beside it."""
    assert not proven(*fields)


def test_the_role_has_to_stand_in_to_and_not_in_what_a_resender_adds() -> None:
    """Resent-To is written by whoever sends a mail on (RFC 5322 §3.6.6)."""
    head = Head(
        f"{AR}\r\nResent-To: vp-hr+handoff@example.test\r\nFrom: mike@kontor.test\r\nTo: eve@evil.test\r\n"
        "Message-ID: <1@kontor.test>\r\n".encode()
    )
    assert "does not stand in To" in unproven(head, OF, MIKE, Checks(US, True))
