"""What proves that a partner wrote a mail to the handoff address, and what only looks like it."""

from __future__ import annotations

import time

import pytest

from mailrouter.message.head import Head
from mailrouter.routing.partner.proof import Checks, named_author, unproven
from mailrouter.routing.verdict import dmarc_pass
from tests.routing.situations import mail, role
from tests.schedule.roles import LAURIE
from tests.support.pace import slowness

US = "mail.example.test"
PASS = f"Authentication-Results: {US}; dmarc=pass header.from=example.test"
FROM = "From: Laurie Cremona <laurie@example.test>"
TO = "To: vp-hr+handoff@example.test"
ID = "Message-ID: <1@example.test>"
OF = role(aliases=("hr-lead@example.test",))


def head_of(*fields: str) -> Head:
    """A header with these fields, on top of one another."""
    return Head(("\r\n".join(fields) + "\r\n").encode())


def why(*fields: str, authserv_id: str | None = US, trusted: bool = True) -> str:
    """Why Laurie is not proven; the mail has a Message-ID of its own."""
    return unproven(head_of(*fields, ID), OF, LAURIE, Checks(authserv_id, trusted))


@pytest.mark.parametrize(
    "fields",
    [
        (PASS, FROM, TO),
        (PASS, FROM, "To: x@y.test, HR <hr-lead+Handoff@Example.TEST>", "Cc: z@y.test"),
        (PASS, "From: laurie@example.test", TO),
        (PASS, 'From: "Cremona, Laurie" <LAURIE@example.test>', TO),
        (f"Authentication-Results: {US}; spf=fail; dkim=pass; dmarc=pass (p=reject)", FROM, TO),
        ("Authentication-Results: other.test; dmarc=fail", PASS, FROM, TO),
    ],
)
def test_a_pass_by_our_own_server_proves_the_partner(fields: tuple[str, ...]) -> None:
    """With the handoff address in To, under any of the role's names."""
    assert named_author(head_of(*fields), OF) is not None
    assert why(*fields) == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((FROM, TO), "does not say dmarc=pass"),
        ((PASS.replace("pass", "fail"), FROM, TO), "does not say"),
        ((PASS.replace(US, "other.test"), FROM, TO), "does not say"),
        # What stands below was written by whoever sent the mail.
        ((f"Authentication-Results: {US}; dkim=pass", PASS, FROM, TO), "does not say"),
        ((f"Authentication-Results: {US}; dmarc=none", PASS, FROM, TO), "does not say"),
        ((PASS + "; dmarc=fail", FROM, TO), "does not say"),
        ((f'Authentication-Results: {US}; spf=fail smtp.mailfrom="a(@b', PASS, FROM, TO), "does not say"),
        ((PASS.replace("example.test h", "x h").replace("=example", "=evil"), FROM, TO), "does not say"),
        ((f'Authentication-Results: {US}; spf=pass reason="; dmarc=pass"', FROM, TO), "does not say"),
        ((f"Authentication-Results: {US} (; dmarc=pass)", FROM, TO), "does not say"),
        ((PASS, "From: laurie@example.test, <x", TO), "more than one way"),
        ((PASS, "From: (a (b) laurie@example.test", TO), "more than one way|no author"),
        # Whoever looks for the last @ checks the other domain.
        ((PASS, "From: laurie@example.test;@evil.test", TO), "more than one way|no author"),
        ((PASS, "From: <laurie@example.test(@evil.test)>", TO), "more than one way|no author"),
        # A signed mail of Laurie's to somebody else, sent on to the role by that somebody.
        ((PASS, FROM, "To: jane@outside.test"), "does not stand in To"),
        ((PASS, FROM, "To: vp-hr@example.test"), "does not stand in To"),
        ((PASS, FROM, "To: office+handoff@example.test"), "does not stand in To"),
        ((PASS, FROM, "To: jane@outside.test", "Cc: vp-hr+handoff@example.test"), "does not stand in To"),
        # A signature covers the lowest field of a name; whoever sends it on can put one more above.
        ((PASS, TO, FROM, "To: jane@outside.test"), "more than one To"),
        ((PASS, "Message-ID: <2@evil.test>", FROM, TO), "more than one Message-ID"),
        (
            (PASS, "Content-Type: text/html", FROM, TO, "Content-Type: text/plain"),
            "more than one Content-Type",
        ),
        ((PASS, "DKIM-Signature: v=1; a=rsa-sha256; l=120; d=example.test", FROM, TO), "only a part"),
    ],
)
def test_whatever_else_proves_nothing(fields: tuple[str, ...], reason: str) -> None:
    """Other servers' words, words below, words in quotes, ambiguous senders, and mail sent on."""
    if named_author(head_of(*fields), OF) is None:
        assert "no author" in reason
    else:
        assert any(part in why(*fields) for part in reason.split("|"))


def test_a_field_counts_only_from_our_own_servers_and_where_one_is_named() -> None:
    """Whoever connects directly could write it."""
    assert "trusted_networks" in why(PASS, FROM, TO, trusted=False)
    assert "authserv_id" in why(PASS, FROM, TO, authserv_id=None)


@pytest.mark.parametrize(
    "fields",
    [
        ("From: jane@example.test",),
        ("From: Laurie <jane@example.test>",),
        ("From: laurie@example.test <jane@outside.test>",),
        ("From: laurie@example.test, elaine@example.test",),
        ("From: laurie@example.test", "From: jane@outside.test"),
        ("From: laurie+private@example.test",),
        ("From: laurie@example.test.evil.test",),
        ("Sender: laurie@example.test",),
        ("From: group: laurie@example.test, jane@x.test;",),
        (),
    ],
)
def test_a_partner_is_named_by_one_registered_address_alone(fields: tuple[str, ...]) -> None:
    """Not by a shown name, one of several, a sub-address, or another field."""
    assert named_author(head_of(*fields), OF) is None


def test_dmarc_is_asked_of_the_partners_domain() -> None:
    """Where the server says which domain it looked at, it has to be that one."""
    assert dmarc_pass(head_of(PASS), US, "EXAMPLE.test")
    assert not dmarc_pass(head_of(PASS), US, "other.test")
    assert dmarc_pass(head_of(f"Authentication-Results: {US.upper()} 1; DMARC = Pass"), US, "any.test")
    assert not dmarc_pass(Head(mail()), US, "example.test")


def test_without_a_message_id_nothing_is_proven() -> None:
    """The same mail could be sent again and again."""
    assert "no Message-ID" in unproven(head_of(PASS, FROM, TO), OF, LAURIE, Checks(US, True))


def test_a_long_from_field_takes_no_time() -> None:
    """Anybody of our own domain could write it."""
    fields = (PASS, "From:" + " " * 60_000 + "laurie@example.test x", TO)
    begun = time.process_time()
    assert "more than one way" in why(*fields)
    assert time.process_time() - begun < 2 * slowness()


ALL = "from:to:subject:date:message-id"


def signed(names: str, domain: str = "example.test", more: str = "") -> str:
    """A signature of this domain over these fields."""
    return f"DKIM-Signature: v=1; a=rsa-sha256; d={domain}; s=x; h={names};{more} bh=x; b=y"


@pytest.mark.parametrize(
    "fields",
    [
        (signed(ALL),),
        (signed(ALL.upper()), signed("Date:From:Cc:To:Subject:Message-ID:Content-Type")),
        (signed(ALL), signed("from:date", "mailer.outside.org")),
        (signed(ALL, "news.example.test"),),
    ],
)
def test_a_signature_that_covers_enough_proves_as_before(fields: tuple[str, ...]) -> None:
    """And what a mailing service signs beside it is not looked at."""
    assert why(PASS, *fields, FROM, TO) == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ((signed("from:subject:date"),), "does not cover to, message-id"),
        ((signed("from:subject:date:to"),), "does not cover message-id"),
        ((signed("from:message-id:date:to"),), "does not cover subject"),
        ((signed("from", "news.example.test"),), "does not cover"),
        # A better one beside it does not help: nobody says which of them passed.
        ((signed(ALL), signed("from:subject:date")), "does not cover"),
        ((signed("from:subject:date"), signed(ALL)), "does not cover"),
        ((signed(ALL, more=" l=10;"),), "only a part"),
        ((signed(ALL, more=" d=evil.test;"),), "can't be read"),
        ((signed(ALL, more=" h=from;"),), "can't be read"),
        ((signed(ALL).replace("DKIM-Signature", "DKIM-Signature "),), "can't be read"),
        ((signed("\u0430"),), "can't be read"),
        ((signed(ALL),) * 30, "too many"),
    ],
)
def test_a_signature_that_leaves_something_out_proves_nothing(fields: tuple[str, ...], reason: str) -> None:
    """Whoever has the mail could address it anew, and send it once more."""
    assert reason in why(PASS, *fields, FROM, TO)


@pytest.mark.parametrize(
    ("spf", "proven"),
    [
        ("spf=pass smtp.mailfrom=laurie@example.test", True),
        ("spf=pass smtp.mailfrom=example.test", True),
        ("spf=fail smtp.mailfrom=laurie@example.test", False),
        ("spf=pass smtp.mailfrom=a@evil.test", False),
        ("spf=pass smtp.helo=example.test", False),
        ("spf=pass", False),
        ("spf=pass smtp.mailfrom=laurie@example.test smtp.mailfrom=a@evil.test", False),
        ("spf=pass smtp.mailfrom=laurie@example.test; spf=fail smtp.mailfrom=laurie@example.test", False),
        ("spf=pass smtp.mailfrom=SRS0=a=b=evil.test=c@example.test", False),
    ],
)
def test_where_the_hop_itself_passed_a_signature_may_leave_something_out(spf: str, proven: bool) -> None:
    """An old mail that is sent on comes from another server."""
    fields = (f"{PASS}; {spf}", signed("from:subject:date"), FROM, TO)
    assert (why(*fields) == "") is proven
