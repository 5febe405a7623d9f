"""Where a mail came from, by the Received fields that our own servers wrote."""

from __future__ import annotations

import time

import pytest

from mailrouter.message.head import Head
from mailrouter.message.provenance.hops import MAX_HOPS, client_of, provenance
from tests.support.pace import slowness

OUTSIDE = "203.0.113.5"


def ours(address: str) -> bool:
    """Loopback and one network."""
    return address.startswith(("127.", "10.", "fd00:"))


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("from mx.evil.test (mx.evil.test [203.0.113.5]) by us (Postfix) with ESMTP id 1", OUTSIDE),
        ("from [127.0.0.1] (unknown [203.0.113.5]) by us (Postfix)", OUTSIDE),
        (
            "from x (x.test [203.0.113.5])\r\n\t(using TLSv1.3 with cipher X (256/256 bits))\r\n\tby us",
            OUTSIDE,
        ),
        ("from x (x.test [203.0.113.5] (may be forged)) by us (8.14.4/8.14.4)", OUTSIDE),
        ("from laptop (laurie@x.test [203.0.113.5]) (authenticated bits=0) by us", OUTSIDE),
        ("from x.test ([203.0.113.5]:2222 helo=[127.0.0.1]) by us with esmtp (Exim 4.96)", OUTSIDE),
        ("from [203.0.113.5] (helo=localhost) by us with esmtp (Exim 4.96)", OUTSIDE),
        ("from [203.0.113.5] (port=25 helo=[127.0.0.1]) by us with esmtp (Exim 4.96)", OUTSIDE),
        ("from unknown (HELO [127.0.0.1]) (203.0.113.5) by us with SMTP", OUTSIDE),
        ("from 127.0.0.1 (EHLO x.test) (203.0.113.5) by us with SMTPS", OUTSIDE),
        ("from A.OUTLOOK.COM (2603:1096:100:19::13) by B.OUTLOOK.COM with HTTPS", "2603:1096:100:19::13"),
        ("from x (x [IPv6:2001:DB8::1]) by us", "2001:db8::1"),
        ("from x (x [::ffff:203.0.113.5]) by us", OUTSIDE),
        ("from mx.test ([203.0.113.5]) by us with Microsoft SMTPSVC(6.0)", OUTSIDE),
        ("from r1.test ([203.0.113.5] verified) by us (CommuniGate)", OUTSIDE),
        # The client's own word alone, two addresses, or none.
        ("from [203.0.113.5] by us with NNFMP", None),
        ("from 203.0.113.5 by us", None),
        ("from x (HELO 203.0.113.5) by us", None),
        ("from x (HELO a [203.0.113.5]) by us", None),
        ("from x (a [203.0.113.5]) (b [127.0.0.1]) by us", None),
        ("from x (a [203.0.113.5] by us", None),
        ("from x (localhost) by us ([203.0.113.5])", None),
        ("from x (x [999.0.113.5]) by us", None),
        ("by us with SMTP id 1", None),
        ("(qmail 1 invoked by uid 7)", None),
        ("", None),
    ],
)
def test_the_client_is_the_address_that_the_server_saw(said: str, address: str | None) -> None:
    """In the forms of real servers, whatever the client called itself."""
    assert client_of(f" {said}; Thu, 3 Dec 2026 10:00:00 -0800".encode()) == address


def head_of(*received: str) -> Head:
    """A mail with these Received fields, and one field of the sender's."""
    return Head("".join(f"Received: {said}; date\r\n" for said in (*received,)).encode() + b"Subject: x\r\n")


INNER = "from localhost (localhost [127.0.0.1]) by us (Postfix)"
MIDDLE = "from mx (mx.lan [10.0.0.2]) by us"
BORDER = f"from x (x.test [{OUTSIDE}]) by mx.lan"
THEIRS = "from a (a.test [198.51.100.7]) by x.test"


@pytest.mark.parametrize(
    ("fields", "origin", "above", "below"),
    [
        ((BORDER, THEIRS), OUTSIDE, 0, 1),
        ((INNER, MIDDLE, BORDER, THEIRS, INNER), OUTSIDE, 2, 3),
        ((INNER, BORDER), OUTSIDE, 1, 3),
        (("by 10.1.1.1 with SMTP id x", BORDER, THEIRS), OUTSIDE, 1, 2),
        (("(qmail 7 invoked from network)", BORDER, THEIRS), OUTSIDE, 1, 2),
        # Nobody can tell what a local program was given.
        (("(qmail 7 invoked by uid 1)", BORDER), "", 0, 1),
        (("by us (Postfix, from userid 1000) id 1", BORDER), "", 0, 1),
        ((INNER, "from x by us with local (Exim)", BORDER), "", 1, 2),
        ((INNER, INNER), "", 0, 3),
        ((), "", 0, 1),
    ],
)
def test_the_first_client_outside_is_where_it_came_from(
    fields: tuple[str, ...], origin: str, above: int, below: int
) -> None:
    """And the places in the header say what our own servers wrote."""
    found = provenance(head_of(*fields), "127.0.0.1", ours)
    assert (found.origin, found.above, found.below) == (origin, above, below)


def test_a_client_that_is_none_of_ours_is_where_it_came_from() -> None:
    """Its fields may say what they like."""
    assert provenance(head_of(INNER, BORDER), "198.51.100.9", ours).origin == "198.51.100.9"


@pytest.mark.parametrize("text", ["(", ")", "(a)", "helo=", "[1.2.3.4]", "\\", " by", "(HELO ", "with SMTP "])
def test_hostile_fields_are_read_in_linear_time(text: str) -> None:
    """Only the beginning of each is read, and of twenty-five of them."""
    head = Head((f"Received: from x {text * 9_000}\r\nReceived: by x {text * 9_000}\r\n" * 40).encode())
    begun = time.thread_time()
    provenance(head, "127.0.0.1", lambda _: True)
    for raw in head.raw_values("received")[:MAX_HOPS]:
        client_of(raw)
    assert time.thread_time() - begun < 0.5 * slowness()
