"""Reading a message block by block."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Limits, Shape
from tests.message.real_mail import scan

MULTIPART = (
    b"Subject: two parts\r\n"
    b'Content-Type: multipart/mixed; boundary="outer"\r\n'
    b"\r\n"
    b"preamble\r\n"
    b"--outer\r\n"
    b"Content-Type: text/plain\r\n"
    b"\r\n"
    b"-- \r\nJane\r\n"
    b"--outer\r\n"
    b"Content-Type: message/rfc822\r\n"
    b"\r\n"
    b"Subject: inside\r\n"
    b"Content-Type: multipart/alternative;\r\n boundary=inner\r\n"
    b"\r\n"
    b"--inner\r\n"
    b"\r\n"
    b"plain\r\n"
    b"--inner\r\n"
    b"Content-Type: text/calendar; method=reply\r\n"
    b"\r\n"
    b"BEGIN:VCALENDAR\r\n"
    b"--inner--\r\n"
    b"--outer--\r\n"
)

# Line ends, delimiters and headers in any order: more telling than random octets.
FRAGMENTS = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"\r",
            b"\n",
            b"\0",
            b"--a",
            b"--a--",
            b"--b",
            b"--",
            b"a",
            b" ",
            b"Content-Type: multipart/mixed; boundary=a\r\n",
            b"Content-Type: multipart/mixed;\r\n boundary=b\r\n",
            b"Content-Type: message/rfc822\r\n",
            b"Content-Type: text/calendar; method=REPLY\r\n",
            b"Subject: x\r\n",
            b"\xff",
            b"x" * 500,
        ]
    ),
    max_size=60,
).map(b"".join)
SMALL = Limits(header_bytes=300, fields=5, depth=3, parts=4, part_header_bytes=120, dashed_lines=5)


def shape_of(raw: bytes, sizes: list[int] | None = None, limits: Limits | None = None) -> tuple[Shape, bytes]:
    scanner = Scanner(limits)
    at = 0
    for size in sizes or []:
        scanner.feed(raw[at : at + size])
        at += size
    scanner.feed(raw[at:])
    return scanner.finish(), scanner.head.raw


@given(FRAGMENTS, st.lists(st.integers(1, 90), max_size=40))
def test_the_answer_does_not_depend_on_where_blocks_are_cut(raw: bytes, sizes: list[int]) -> None:
    """Shape and header are the same for one block and for any others."""
    assert shape_of(raw, sizes) == shape_of(raw)
    assert shape_of(raw, sizes, SMALL) == shape_of(raw, None, SMALL)


def test_a_real_structure_is_the_same_octet_by_octet() -> None:
    """A nested message fed one octet at a time is understood as in one block."""
    assert shape_of(MULTIPART, [1] * len(MULTIPART)) == shape_of(MULTIPART)


@given(FRAGMENTS)
def test_bare_line_ends_are_counted_exactly(raw: bytes) -> None:
    """Bare CR and LF are those left when all CRLF are taken away."""
    shape, _ = shape_of(raw)
    rest = raw.replace(b"\r\n", b"")
    assert (shape.bare_cr, shape.bare_lf, shape.nul) == (
        rest.count(b"\r"),
        rest.count(b"\n"),
        raw.count(b"\0"),
    )
    assert shape.size == len(raw)


@given(FRAGMENTS)
def test_offsets_part_header_and_body(raw: bytes) -> None:
    """The header ends where the first blank line begins, and the body begins after it."""
    shape, head = shape_of(raw)
    assert head == raw[: shape.header_end]
    blank = 0 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n") + 2
    if blank >= 2 or raw.startswith(b"\r\n"):
        assert (shape.header_end, shape.body_start) == (blank, blank + 2)
        assert shape.eight_bit == (not raw[shape.body_start :].isascii())
    else:
        assert shape.header_end == shape.body_start == shape.size


def test_parts_inside_attached_messages_are_seen() -> None:
    """Types, parts and depth count what stands inside an attached message, too."""
    shape, _ = shape_of(MULTIPART)
    assert shape.content_types == {
        "multipart/mixed",
        "text/plain",
        "message/rfc822",
        "multipart/alternative",
        "text/calendar",
    }
    assert (shape.parts, shape.depth, shape.malformed) == (6, 3, None)
    # What somebody attaches as a message is no invitation to the role.
    assert (shape.calendar, shape.calendar_method) == (False, None)


@pytest.mark.parametrize(
    ("header", "body", "why"),
    [
        (b"Content-Type: multipart/mixed\r\n", b"", "names no boundary"),
        (b"Content-Type: multipart/mixed; boundary=a\r\n", b"text\r\n", "never appears"),
        (b"Content-Type: multipart\r\n", b"", "can't be read"),
        (b"Content-Type: text/plain\r\nContent-Type: text/html\r\n", b"", "more than one Content-Type"),
        (b"A: b\r\nno field here\r\nC: d\r\n", b"", "no header field"),
        (
            b"Content-Type: multipart/mixed; boundary=a\r\n",
            b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\n--a--\r\n",
            "one boundary at two levels",
        ),
    ],
)
def test_structures_that_readers_may_take_apart_differently(header: bytes, body: bytes, why: str) -> None:
    """What can't be relied on is named malformed, with the reason."""
    malformed = scan(header + b"\r\n" + body)[1].malformed
    assert malformed is not None
    assert why in malformed


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\ntext\r\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\ntext",
        b"From jane@example.test Tue Mar  3 10:00:00 2026\r\nSubject: x\r\n\r\nbody\r\n",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a--\r\n",
        b"\r\nno header at all\r\n",
        b"",
    ],
)
def test_common_flaws_are_no_reason_for_distrust(raw: bytes) -> None:
    """A missing closing delimiter, an mbox line at the top, an empty part: all readers agree on these."""
    assert scan(raw)[1].malformed is None


@pytest.mark.parametrize(
    ("header", "flag"),
    [
        (b"Content-Type: application/ms-tnef\r\n", "tnef"),
        (b"Content-Disposition: attachment; filename=WinMail.dat\r\n", "tnef"),
        (b"Content-Type: multipart/signed; boundary=a\r\n", "signed"),
        (b"Content-Type: application/x-pkcs7-mime\r\n", "encrypted"),
        (b"Content-Type: multipart/encrypted; boundary=a\r\n", "encrypted"),
        (b"Content-Type: message/delivery-status\r\n", "report"),
        (b"Content-Type: application/ics; method=REQUEST\r\n", "calendar"),
    ],
)
def test_kinds_that_matter_are_flagged(header: bytes, flag: str) -> None:
    """Each kind that must not be wrapped is seen, at the top and as a part."""
    assert getattr(scan(header + b"\r\n")[1], flag)
    inside = b"Content-Type: multipart/mixed; boundary=zz\r\n\r\n--zz\r\n" + header + b"\r\n\r\n--zz--\r\n"
    assert getattr(scan(inside)[1], flag)


def test_limits_are_flags_and_not_crashes() -> None:
    """Too large a header, too many fields, too deep and too many parts are told, and reading goes on."""
    assert scan(b"A: " + b"x" * 300_000 + b"\r\n\r\nbody\r\n")[1].header_too_large
    assert scan(b"A: b\r\n" * 1_001 + b"\r\n")[1].too_many_fields
    assert not scan(b"A: b\r\n" * 1_000 + b"\r\n")[1].too_many_fields
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(60)
    )
    assert scan(deep)[1].too_deep
    assert scan(deep)[1].depth == 50
    many = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 1_500
    assert scan(many)[1].too_many_parts


def test_a_large_message_needs_no_memory_of_its_size() -> None:
    """24 MB pass in blocks without more than a few blocks being kept."""
    head = (
        b"Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\nContent-Type: application/x-y\r\n\r\n"
    )
    block = (b"QUJD" * 19 + b"\r\n") * 840
    tracemalloc.start()
    try:
        scanner = Scanner()
        scanner.feed(head)
        for _ in range(384):
            scanner.feed(block)
        shape = scanner.finish()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert shape.size == len(head) + 384 * len(block)
    assert shape.parts == 2
    assert peak < 6 * len(block)
