"""Whose word on DMARC counts: the forms of real servers, and a few hundred forgeries."""

from __future__ import annotations

import time
from functools import partial
from ipaddress import ip_network

import pytest

from mailrouter.message.head import Head
from mailrouter.message.provenance.auth_results import MAX_FIELD, read_results
from mailrouter.message.provenance.hops import provenance
from mailrouter.routing.findings import findings
from mailrouter.routing.partner.proof import Checks, named_author, unproven
from mailrouter.routing.verdict import dmarc_pass
from mailrouter.runtime.origin import trusts
from tests.routing.situations import role
from tests.routing.verdict_forms import FOREIGN, GENUINE, ID, forged
from tests.schedule.roles import LAURIE
from tests.support.pace import slowness

OURS = partial(trusts, [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/8")])
REST = (
    "From: Laurie <laurie@example.test>\r\nTo: vp-hr+handoff@example.test\r\nSubject: x\r\n"
    "Message-ID: <1@example.test>\r\n"
)
FORGED = list(forged())


def head_of(form: str) -> Head:
    """A mail with these fields above the author's."""
    return Head(f"{form}\r\n{REST}".encode())


def why(form: str) -> str:
    """Why it is not proven that Laurie wrote it, handed in by a server of ours; ``""``: it is."""
    head = head_of(form)
    found = findings(head, ID, provenance(head, "127.0.0.1", OURS))
    assert named_author(head, role()) is not None
    return unproven(head, role(), LAURIE, Checks(ID, True, found))


@pytest.mark.parametrize("server", GENUINE)
def test_what_real_servers_write_is_believed(server: str) -> None:
    """In their own words, with their own comments, order and folds."""
    assert why(GENUINE[server]) == ""


def test_there_are_enough_forgeries_and_servers_to_mean_something() -> None:
    """All of them different."""
    assert len({form for _, form in FORGED}) >= 250
    assert len({kind for kind, _ in FORGED}) >= 15
    assert len(GENUINE) >= 30


@pytest.mark.parametrize(("kind", "form"), FORGED)
def test_no_forgery_is_believed(kind: str, form: str) -> None:
    """Neither by the rule for a whole mail nor, where no hop matters, by the header alone."""
    assert f"{ID} does not say dmarc=pass" in why(form), kind
    if "Received:" not in form:
        assert not dmarc_pass(head_of(form), ID, "example.test")


def test_whatever_stands_in_an_older_part_of_the_header_holds_up_nobody() -> None:
    """A forgery below a foreign hop takes nothing from our server's word above it."""
    assert [kind for kind, form in FORGED if why(f"{GENUINE['Exim']}\r\n{FOREIGN}\r\n{form}")] == []


@pytest.mark.parametrize(
    "value",
    [
        b"a" * 60_000,
        b"(" * 60_000,
        b"(a)" * 5_000,
        b'"\\' * 8_000,
        b"a;" * 8_000,
        b"a; b=c" + b" d.e=f" * 2_600,
        b"a; b=" + b"\r\n c" * 4_000,
        b"a; " + b"(\\" * 8_000,
        b"a" + b"\r\n\t" * 5_000,
        b'a; b=c d="' + b"\\x" * 8_000,
    ],
)
def test_a_hostile_field_is_read_in_linear_time(value: bytes) -> None:
    """Each character once, and no more than the bound."""
    begun = time.thread_time()
    read_results(value)
    read_results(value[: MAX_FIELD // 2])
    assert time.thread_time() - begun < 0.05 * slowness()


@pytest.mark.parametrize(
    "value",
    [
        '"x"; ' + "; ".join("a=b" + " c.d=e" * 49 for _ in range(25)),
        "(a)" * 2_500 + " x; a=b",
        "(" * 4_000 + ")" * 4_000 + " x; a=b",
        f"{ID}; " + "; ".join("a=b" + " c . d=e" * 49 for _ in range(18)),
        "x.test; a=b",
        "x.test" * 1_000,
    ],
)
def test_many_hostile_fields_are_read_within_one_bound(value: str) -> None:
    """However many of them stand above our server's."""
    head = head_of("\r\n".join([f"Authentication-Results: {value}"] * 30))
    begun = time.thread_time()
    findings(head, ID)
    assert time.thread_time() - begun < 0.05 * slowness()


def test_a_comment_may_stand_in_a_comment_with_quoted_parentheses() -> None:
    """As RFC 5322 §3.2.2 has it."""
    found = read_results(b" (a (b\\) (c)) d) x.test (e(f)g) ; dmarc=pass (h (i) j) header.from=y.test (k)")
    assert found is not None
    assert found.server == "x.test"
    assert found.of("dmarc")[0].properties == (("header.from", "y.test"),)
