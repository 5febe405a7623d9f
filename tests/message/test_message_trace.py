"""Trace fields and loop marks."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.head import Head
from mailrouter.message.provenance.received import (
    LOOP_FIELD,
    has_loop_mark,
    loop_mark,
    received_count,
    received_field,
)

WHEN = datetime(2026, 3, 3, 10, 0, 0, tzinfo=UTC)


def test_a_received_field_says_who_gave_the_mail() -> None:
    """Client, our name, protocol, id and date stand there as RFC 5321 writes them."""
    raw = received_field(
        helo="mx.example.net",
        peer="2001:db8::1",
        by="mail.example.test",
        protocol="ESMTPS",
        queue_id="abc1",
        when=WHEN,
    )
    assert raw == (
        b"Received: from mx.example.net ([IPv6:2001:db8::1])\r\n"
        b"\tby mail.example.test with ESMTPS id abc1;\r\n"
        b"\tTue, 03 Mar 2026 10:00:00 +0000\r\n"
    )


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_a_client_can_write_nothing_into_the_trace(helo: str, peer: str, other: str) -> None:
    """Whatever the client calls itself, the field stays one field without controls."""
    raw = received_field(
        helo=helo,
        peer=peer,
        by="a.test",
        protocol=other,
        queue_id=other,
        when=WHEN,
    )
    head = Head(raw)
    assert [field.name for field in head.fields] == ["received"]
    assert not [c for c in raw.replace(b"\r\n\t", b"")[:-2] if c < 32 or c > 126]


def test_hops_are_counted() -> None:
    """Each Received field is one hop."""
    assert received_count(Head(b"Received: a\r\nX: y\r\nreceived: b\r\n")) == 2
    assert received_count(Head(b"")) == 0


def test_a_loop_mark_is_known_again() -> None:
    """The mark of a role is found, whatever the address's case, among others."""
    mark = loop_mark(b"key", "VP-HR@example.test")
    head = Head(f"{LOOP_FIELD}: other\r\n{LOOP_FIELD}: {mark.upper()}\r\n".encode())
    assert has_loop_mark(head, b"key", "vp-hr@example.test")
    assert not has_loop_mark(head, b"key", "cfo@example.test")
    assert not has_loop_mark(head, b"another key", "vp-hr@example.test")
    assert not has_loop_mark(Head(f"{LOOP_FIELD}: \xe9\r\n".encode("latin-1")), b"key", "vp-hr@example.test")
    assert mark.isalnum()
    assert len(mark) <= 32
