"""Who counts as one of our own people: what the mail says of its sender, and what our mail server says to that."""

from __future__ import annotations

import pytest

from mailrouter.message.head import Head
from mailrouter.routing.model import Situation
from mailrouter.routing.sender import sender_of
from mailrouter.runtime.context import Arrival, Desk
from tests.intake.services import desk
from tests.routing.situations import mail, role, situation
from tests.schedule.roles import at

COLLEAGUE = "sue@example.test"
FROM = f"From: Sue <{COLLEAGUE}>"
US = "mail.example.test"
AR = f"Authentication-Results: {US}; "


def checked(
    *fields: str, path: str = COLLEAGUE, client: str = "127.0.0.1", of: Desk | None = None
) -> tuple[Head, Situation]:
    """A colleague's mail with these fields, and the facts, where our mail server's checks are believed."""
    made = of or desk(role(), authserv_id=US)
    head = Head("\r\n".join((*fields, FROM, "To: vp-hr@example.test", "")).encode())
    moment = at(role(), "2026-12-03 10:00")
    return head, made.situation(role(), head, Arrival(path, moment, b"", b"s" * 32, client))


def inside(*fields: str, path: str = COLLEAGUE, client: str = "127.0.0.1", of: Desk | None = None) -> bool:
    """Whether the sender is one of ours."""
    return sender_of(*checked(*fields, path=path, client=client, of=of)).inside


REWRITTEN = [
    "SRS0=HHH=TT=evil.test=joe@example.test",
    "srs1=HHH=relay.test==HHH=TT=evil.test=joe@example.test",
    "SRS0+HHH=TT=evil.test=joe@example.test",
    "SRS0-HHH=TT=evil.test=joe@example.test",
    "sue+SRS=abc=DE=evil.test=joe@example.test",
    "prvs=1234abcdef=joe@example.test",
    "btv1==123==joe@example.test",
    "sue+caf_=joe=evil.test@example.test",
    "bounces-joe=evil.test@example.test",
    "joe%evil.test@example.test",
    "evil.test!joe@example.test",
    '"SRS0=HHH=TT=evil.test=joe"@example.test',
]


@pytest.mark.parametrize("path", REWRITTEN)
def test_a_rewritten_return_path_is_nobody_of_ours(path: str) -> None:
    """With a forged From of ours, an answer to it would go to the stranger it is made of."""
    head = Head(mail(FROM))
    assert not sender_of(head, situation(role(), sender=path)).inside
    assert sender_of(head, situation(role(), sender=COLLEAGUE)).inside
    # A partner in From, who would otherwise be kept from a copy.
    assert sender_of(Head(mail("From: laurie@example.test")), situation(role(), sender=path)).partner is None


@pytest.mark.parametrize("path", REWRITTEN)
def test_where_our_server_vouches_for_the_author_the_path_may_be_rewritten(path: str) -> None:
    """The author is known then; without its word nobody is."""
    assert inside(f"{AR}dmarc=pass header.from=example.test", path=path)
    assert not inside(path=path)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (f"{AR}dmarc=pass header.from=example.test", True),
        (f"{AR}auth=pass (plain) smtp.auth=sue@example.test smtp.mailfrom=sue@example.test", True),
        (f"{AR}auth=pass (PLAIN) smtp.auth=sue", True),
        (f"{AR}auth=pass", True),
        (f"{AR}auth=pass smtp.auth=joe@customer.test", False),
        (f"{AR}auth=pass smtp.mailfrom=joe@customer.test", False),
        (f"{AR}auth=fail smtp.auth=sue", False),
        (f"{AR}auth=pass; auth=fail", False),
        (f"{AR}auth/2=pass", False),
        (f"{AR}spf=pass reason=auth=pass", False),
        (f"{AR}dmarc=none", False),
        (f"{AR}dmarc=fail", False),
        (f"{AR}dmarc=pass header.from=evil.test", False),
        ("Authentication-Results: other.test; auth=pass", False),
        (f"{AR}spf=pass\r\n{AR}auth=pass", False),
        ("X-None: 1", False),
    ],
)
def test_where_a_server_is_named_it_has_to_vouch_for_the_author(said: str, expected: bool) -> None:
    """By DMARC, or by a login at that very server."""
    assert inside(said) is expected
    assert not inside(said, client="203.0.113.9"), "whoever connects directly could write it"


def test_where_none_is_named_the_mail_is_taken_by_its_word() -> None:
    """As far as it is a plain address of ours."""
    assert inside(of=desk(role()))
    assert not inside(path="joe@evil.test", of=desk(role()))


def test_the_word_below_a_foreign_hop_vouches_for_nobody() -> None:
    """It came with the mail."""
    border = "Received: from x (x.test [203.0.113.5]) by mail.example.test (Postfix); date"
    word = f"{AR}dmarc=pass header.from=example.test"
    assert inside(word, border)
    assert inside(border, word)
    assert not inside(border, "Received: from a (b [127.0.0.1]) by x.test; date", word)


@pytest.mark.parametrize(
    ("flag", "spam"),
    [
        ("X-Spam-Flag: YES", True),
        ("X-Spam-Status: Yes, score=7.1", True),
        ("X-Spam-Flag: =?utf-8?q?YES?=", False),
        ("X-Spam-Flag: \x0bYES", False),
        ("X-Spam-Flag: NO", False),
    ],
)
def test_a_spam_flag_is_read_as_it_stands(flag: str, spam: bool) -> None:
    """Nothing in it is decoded."""
    assert checked(flag)[1].verdicts.spam is spam
