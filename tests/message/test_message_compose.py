"""Copies: untouched, readdressed, wrapped; and new messages."""

from __future__ import annotations

import email
from email.message import Message

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.compose import (
    STRAY_LINE,
    choose_boundary,
    fresh,
    handoff_part,
    note_part,
    readdressed,
    untouched,
    wrapped,
)
from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces, Slice, join, length, render
from mailrouter.message.text.writing import quoted_printable
from tests.message.real_mail import scan
from tests.support.parsed import parts_of

PREPEND = (
    b"Received: from x by y;\r\n\tTue, 03 Mar 2026 10:00:00 +0000\r\nMailrouter-Role: vp-hr@example.test\r\n"
)
RAW = (
    b"Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\r\n"
    b"From: Jane <jane@example.test>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Subject: caf\xc3\xa9\r\n"
    b"Content-Type:text/html;\r\n\tcharset=utf-8\r\n"
    b"Cc: old@example.test\r\n"
    b"Content-Transfer-Encoding: 8bit\r\n"
    b"\r\n"
    b"<p>caf\xc3\xa9</p>\r\n"
)
FRAGMENTS = (
    b"\r\n",
    b"Subject: x\r\n",
    b" folded\r\n",
    b"From a Tue\r\n",
    b"stray\r\n",
    b"Content-Type: text/plain\r\n",
    b"MIME-Version: 1.0\r\n",
    b"Cc: a@b\r\n",
    b"--b\r\n",
    b"text",
    b"\r",
    b"\n",
    b"\xff",
)
MESSAGES = st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(b"".join)


def wrap(raw: bytes, *parts: Pieces, replace: dict[str, bytes] | None = None) -> bytes:
    head, shape = scan(raw)
    pieces = wrapped(head, shape, prepend=PREPEND, replace=replace or {}, parts=parts, boundary="=_b")
    done = render(pieces, {0: raw, 1: b"stored\r\n"})
    assert len(done) == length(pieces)
    return done


def split_parts(copy: bytes) -> list[bytes]:
    body = copy.partition(b"\r\n\r\n")[2]
    assert body.endswith(b"\r\n--=_b--\r\n")
    return (b"\r\n" + body[: -len(b"\r\n--=_b--\r\n")]).split(b"\r\n--=_b\r\n")[1:]


def test_a_wrapped_copy_octet_by_octet() -> None:
    """In order: kept fields, replaced ones, the original under its Content lines, the note, the handoff."""
    copy = wrap(
        RAW,
        note_part("Elaine is away.\n"),
        handoff_part("Laurie, today\n", Slice(1, 0, 8), "handoff.txt"),
        replace={"cc": b"Cc: Laurie <l@example.test>\r\n"},
    )
    assert copy == (
        PREPEND + b"Received: from a by b; Mon, 2 Mar 2026 10:00:00 +0000\r\n"
        b"From: Jane <jane@example.test>\r\n"
        b"Subject: caf\xc3\xa9\r\n"
        b"Cc: Laurie <l@example.test>\r\n"
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed;\r\n boundary="=_b"\r\n'
        b"Content-Transfer-Encoding: 8bit\r\n"
        b"\r\n"
        b"--=_b\r\n"
        b"Content-Type:text/html;\r\n\tcharset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n"
        b"\r\n"
        b"<p>caf\xc3\xa9</p>\r\n"
        b"\r\n--=_b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"Content-Disposition: inline\r\n"
        b"\r\n"
        b"Elaine is away.\r\n"
        b"\r\n--=_b\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Description: Handoff\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n"
        b'Content-Disposition: attachment;\r\n filename="handoff.txt"\r\n'
        b"\r\n"
        b"Laurie, today\r\n"
        b"stored\r\n"
        b"\r\n--=_b--\r\n"
    )


@given(MESSAGES)
def test_the_original_body_stands_in_every_copy(raw: bytes) -> None:
    """Part 1 of a wrapped copy is the original body, octet for octet; the other copies keep it, too."""
    head, shape = scan(raw)
    body = raw[shape.body_start :]
    first = split_parts(wrap(raw, note_part("note")))[0]
    assert (b"\r\n" + first).partition(b"\r\n\r\n")[2] == body
    new = render(readdressed(head, shape, prepend=PREPEND, replace={"cc": b"Cc: x@y\r\n"}), {0: raw})
    assert new.partition(b"\r\n\r\n")[2] == body
    assert render(untouched(head, shape, PREPEND), {0: raw}).endswith(raw)


@given(MESSAGES)
def test_fields_put_before_are_read_as_they_were_written(raw: bytes) -> None:
    """Whatever the original begins with, it can't become part of our fields or cut them off."""
    head, shape = scan(raw)
    for pieces in (
        untouched(head, shape, PREPEND),
        readdressed(head, shape, prepend=PREPEND, replace={}),
        wrapped(head, shape, prepend=PREPEND, replace={}, parts=[], boundary="=_b"),
    ):
        copy = render(pieces, {0: raw})
        read = Head(copy)
        ours = [copy[field.start : field.end] for field in read.fields[:2]]
        assert b"".join(ours) == PREPEND
        # Only in the midst of an untouched header may a line still be no field.
        assert pieces == untouched(head, shape, PREPEND) or not read.has("")


@pytest.mark.parametrize(
    "line", [b"From a@b Tue Mar  3 10:00:00 2026\r\n", b" lost continuation\r\n", b"Hello Jane\r\n"]
)
def test_a_stray_first_line_becomes_a_field(line: bytes) -> None:
    """It stays as it was under a name of ours, so that every reader finds the fields on both sides of it."""
    raw = line + b"Subject: x\r\n\r\nbody\r\n"
    head, shape = scan(raw)
    copy = render(untouched(head, shape, PREPEND), {0: raw})
    assert copy == PREPEND + STRAY_LINE + raw
    assert email.message_from_bytes(copy)["Subject"] == "x"


def test_text_without_any_header_becomes_the_body() -> None:
    """Where there is no field at all, a blank line parts ours from the text."""
    raw = b"Hello Jane\r\nhow are you?\r\n"
    head, shape = scan(raw)
    assert render(untouched(head, shape, PREPEND), {0: raw}) == PREPEND + b"\r\n" + raw
    empty = b"\r\nonly a body\r\n"
    assert render(untouched(*scan(empty), PREPEND), {0: empty}) == PREPEND + empty


def test_readdressing_changes_only_the_named_fields() -> None:
    """All fields but the replaced stand as they were, and nothing is wrapped."""
    head, shape = scan(RAW)
    copy = render(
        readdressed(head, shape, prepend=PREPEND, replace={"cc": b"", "reply-to": b"Reply-To: a@b\r\n"}),
        {0: RAW},
    )
    assert copy == PREPEND + RAW.replace(b"Cc: old@example.test\r\n", b"").replace(
        b"8bit\r\n\r\n", b"8bit\r\nReply-To: a@b\r\n\r\n"
    )


def test_mail_without_mime_stays_plain_text_in_its_part() -> None:
    """A message without Content fields gives a part without a header, and nothing 8bit is claimed."""
    copy = wrap(b"Subject: x\r\n\r\nHi")
    assert split_parts(copy) == [b"\r\nHi"]
    assert b"Content-Transfer-Encoding" not in copy


def test_a_header_without_its_last_line_end_is_ended() -> None:
    """A message that is one unfinished field still gives whole fields."""
    raw = b"Subject: x"
    head, shape = scan(raw)
    assert wrap(raw).startswith(PREPEND + b"Subject: x\r\nMIME-Version: 1.0\r\n")
    assert render(readdressed(head, shape, prepend=b"", replace={}), {0: raw}) == b"Subject: x\r\n\r\n"


def test_copies_store_only_what_is_new() -> None:
    """Body and kept fields are ranges of the received message."""
    head, shape = scan(RAW)
    pieces = untouched(head, shape, PREPEND)
    assert pieces == (PREPEND, Slice(0, 0, len(RAW)))
    new = [
        p
        for p in wrapped(head, shape, prepend=b"", replace={}, parts=[], boundary="=_b")
        if isinstance(p, bytes)
    ]
    assert sum(map(len, new)) < 200


def test_new_messages() -> None:
    """One part is the message itself; several stand in a multipart that every reader takes apart."""
    note = note_part("Grüße\n")
    single = render(fresh(b"Subject: x\r\n", [note]), {})
    assert single.startswith(
        b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
    )
    assert email.message_from_bytes(single).get_payload(decode=True) == "Grüße\r\n".encode()
    handoff = handoff_part("Für Elaine\n", quoted_printable("left: nothing\n"), "Übergabe.txt")
    double: Message = email.message_from_bytes(
        render(fresh(b"Subject: x\r\n", [note, handoff], boundary="=_b"), {})
    )
    first, second = parts_of(double)
    assert first.get_payload(decode=True) == "Grüße\r\n".encode()
    assert second.get_payload(decode=True) == "Für Elaine\r\nleft: nothing\r\n".encode()
    assert second.get_filename() == "Übergabe.txt"
    assert second.get_content_disposition() == "attachment"
    report = render(
        fresh(b"", [note, note], boundary="=_b", multipart="report; report-type=delivery-status"), {}
    )
    assert email.message_from_bytes(report).get_content_type() == "multipart/report"
    with pytest.raises(ValueError, match="boundary"):
        fresh(b"", [note, note])


@given(st.binary(min_size=16, max_size=32), st.binary(min_size=16, max_size=32))
def test_boundaries_follow_their_seed(one: bytes, other: bytes) -> None:
    """The same seed gives the same boundary, another seed another one; it fits without quoting trouble."""
    assert choose_boundary(one) == choose_boundary(one)
    assert (choose_boundary(one) == choose_boundary(other)) == (one == other)
    assert len(choose_boundary(one)) <= 70
    (joined,) = join((choose_boundary(one).encode("ascii"),))
    assert isinstance(joined, bytes)
    assert joined.startswith(b"=_")
