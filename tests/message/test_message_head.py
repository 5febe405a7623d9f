"""Reading a header section."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message import bounds
from mailrouter.message.classify import classify
from mailrouter.message.head import Field, Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.text.mailboxes import Mailbox, read_mailboxes
from mailrouter.message.text.words import decode_words

HEADERS = st.lists(
    st.sampled_from(
        [
            b"\r\n",
            b"\r",
            b"\n",
            b" ",
            b"\t",
            b"Subject: x",
            b"To: a@b,",
            b"<",
            b'"',
            b"(",
            b"=?utf-8?b?w7w=?=",
            b":",
            b"\xe9",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(HEADERS | st.binary(max_size=300))
def test_nothing_of_a_header_is_lost(raw: bytes) -> None:
    """The fields' ranges follow each other and are the whole section."""
    head = Head(raw)
    section = b"" if raw.startswith(b"\r\n") else raw.partition(b"\r\n\r\n")[0]
    joined = b"".join(raw[field.start : field.end] for field in head.fields)
    assert joined in (section, section + b"\r\n")


@given(HEADERS | st.binary(max_size=300))
def test_reading_never_raises_and_never_shows_controls(raw: bytes) -> None:
    """Whatever stands there, each reader gives an answer without control characters."""
    head = Head(raw + b"\r\n" + b"Subject: " + raw + b"\r\nTo: " + raw + b"\r\nContent-Type: " + raw)
    shown = [head.text("subject") or "", *head.all_text("to"), head.parameter("content-type", "name") or ""]
    for display, address in head.mailboxes("to", "subject"):
        shown += [display, address]
        assert "@" in address
    shown += [head.message_id or "", *head.references, head.content_type]
    assert not [text for text in shown if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text)]


@pytest.mark.parametrize(
    "line",
    [
        b"From jane@example.test Tue Mar  3 10:00:00 2026\r\n",
        b" continued\r\n",
        b"no colon\r\n",
        b"two words: x\r\n",
    ],
)
def test_lines_that_are_no_field_are_kept_without_a_name(line: bytes) -> None:
    """They stay in the list under the empty name, and the fields after them are read."""
    head = Head(line + b"Subject: x\r\n")
    assert head.fields == (Field("", 0, len(line)), Field("subject", len(line), len(line) + 12))
    assert head.text("subject") == "x"


def test_only_crlf_ends_a_line() -> None:
    """A bare CR, a bare LF or a form feed can't bring a new field in."""
    head = Head(b"Subject: a\rBcc: x@y\nCc: z@y\x0cTo: q\r\nFrom: j@k\r\n")
    assert head.names == ("from", "subject")
    assert head.mailboxes("from") == (Mailbox("", "j@k"),)


def test_a_folded_encoded_subject_is_read_in_one_line() -> None:
    """Folds go, neighbouring encoded words join, even where they cut a character in two."""
    head = Head(b"Subject: =?utf-8?Q?Urlaub_f=C3?=\r\n =?utf-8?Q?=BCr?=\r\n\tLaurie\x07\r\n")
    assert head.text("SUBJECT") == "Urlaub für\tLaurie".replace("\t", " ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=?iso-8859-1?q?caf=E9?= x", "café x"),
        ("=?utf-8?b?w7w?=", "ü"),
        ("=?x-nonsense?q?a=C3=BC?=", "aü"),
        ("=?hex?q?61?=", "61"),
        ("=?idna?q?xn--a?=", "xn--a"),
        ("=?utf-8?b?%%%?= x", " x"),
        ("=?utf-8?x?abc?=", "=?utf-8?x?abc?="),
        ("=?utf-8*de?q?a?= =?utf-8?q?b?= c", "ab c"),
        ("=?unicode-1-1-utf-7?q?+AOk-?=", "é"),
    ],
)
def test_encoded_words(text: str, shown: str) -> None:
    """Words are decoded by their charset; unknown and unfit charsets fall back instead of failing."""
    assert decode_words(text) == shown


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("jane@x.test", [("", "jane@x.test")]),
        ("Jane Doe <jane@x.test>", [("Jane Doe", "jane@x.test")]),
        (
            '"Doe, Jane" <j@x>, Bob (the (real) Bob) <b@y>, c@d (Cee)',
            [("Doe, Jane", "j@x"), ("Bob", "b@y"), ("Cee", "c@d")],
        ),
        ("Team: a@b, C <c@d>;, e@f; g@h", [("", "a@b"), ("C", "c@d"), ("", "e@f"), ("", "g@h")]),
        ("<@a,@b:c@d>", [("", "c@d")]),
        ("undisclosed-recipients:;", []),
        ("=?utf-8?Q?J=C3=B6rg=2C_X?= <j@x>", [("Jörg, X", "j@x")]),
        ('"a b"@x.test', [("", '"a b"@x.test')]),
        ('"a\\"b" <j@x>', [('a"b', "j@x")]),
        ("Jane jane@x.test", [("", "jane@x.test")]),
        ("jane@x.test <jane@x.test>", [("jane@x.test", "jane@x.test")]),
        ("a@[192.0.2.1], <b@c", [("", "a@[192.0.2.1]"), ("", "b@c")]),
        ("<>", []),
        ("MAILER-DAEMON", []),
        ("a @ b", [("", "a@b")]),
        (",,;", []),
    ],
)
def test_address_lists(text: str, boxes: list[tuple[str, str]]) -> None:
    """Comments, quotes, groups, routes and the ways people write lists are understood."""
    assert list(read_mailboxes(text)) == [Mailbox(*box) for box in boxes]


@given(st.text(alphabet='<>@,;:()"\\ ab.\r\n[]=?', max_size=80))
def test_address_lists_never_raise(text: str) -> None:
    """Any text gives mailboxes with a local part and a domain, or none."""
    for box in read_mailboxes(text):
        local, _, domain = box.address.rpartition("@")
        assert local
        assert domain


def test_ids_of_a_thread() -> None:
    """Message-ID, In-Reply-To and References give ids with their angle brackets."""
    head = Head(
        b"Message-ID: <a@b> (x)\r\nIn-Reply-To: Your mail of <c@d>\r\nReferences: <a@b>\r\n <c@d><e@f>\r\n"
    )
    assert head.message_id == "<a@b>"
    assert head.in_reply_to == "<c@d>"
    assert head.references == ("<a@b>", "<c@d>", "<e@f>")
    assert Head(b"Message-ID: none\r\n").message_id is None


def test_parameters() -> None:
    """Parameters are read with quotes, comments, continuations and charsets."""
    head = Head(
        b'Content-Type: (c) Multipart/Mixed; x=1; Boundary="a \\"b"; charset = utf-8\r\n'
        b"Content-Disposition: attachment;\r\n filename*0*=utf-8''caf%C3%A9; filename*1=.txt\r\n"
    )
    assert head.content_type == "multipart/mixed"
    assert head.parameter("Content-Type", "BOUNDARY") == 'a "b'
    assert head.parameter("content-type", "charset") == "utf-8"
    assert head.parameter("content-disposition", "filename") == "café.txt"
    assert head.parameter("content-disposition", "size") is None
    assert Head(b"").content_type == "text/plain"


def test_values_as_they_were() -> None:
    """Raw values keep their folds and every octet; text gives the first of several fields."""
    head = Head(b"X: one\r\n two\r\nY : 8\xe9\r\nX:three")
    assert head.raw_values("x") == (b" one\r\n two", b"three")
    assert head.raw_value("y") == b" 8\xe9"
    assert head.text("y") == "8é"
    assert head.all_text("x") == ("one two", "three")
    assert head.raw_value("z") is None
    assert head.text("z") is None
    assert head.has("X")
    assert not head.has("z")


@pytest.mark.parametrize(
    "value",
    [
        b" =?utf-8?q?mail.example.test=3B_dmarc=3Dpass?=",
        b" mail.example.test\x0b; dmarc=pass",
        b" mail.example.test\x00; dmarc=pass ",
        b" mail.example.test; d\rmarc=pass\n",
        b" (a) mail.example.test ; dmarc=pass\t",
    ],
)
def test_a_structured_field_is_read_as_it_was_written(value: bytes) -> None:
    """No encoded word is decoded, no control is taken out, no white space cut off: each is still to be seen."""
    head = Head(b"Authentication-Results:" + value + b"\r\nSubject: x\r\n")
    assert head.structured("authentication-results") == value.decode("ascii")


def test_a_structured_field_shows_octets_that_are_not_ascii() -> None:
    """They may be UTF-8, or of another charset: neither passes for ASCII."""
    head = Head(
        "Auto-Submitted: nö\r\n".encode() + b"Auto-Submitted: n\xf3\r\nAuto-Submitted: no\r\n\t(x)\r\n"
    )
    assert head.all_structured("auto-submitted") == (" nö", " n\u00f3", " no\t(x)")


def test_a_structured_field_that_was_cut_can_be_told_by_its_length() -> None:
    """One character more than the bound says so; a value of the bound's length is whole."""
    most = bounds.STRUCTURED
    head = Head(b"Precedence:" + b"a" * most + b"\r\nPrecedence:" + b"a" * 50_000 + b"\r\n")
    assert [len(value) for value in head.all_structured("precedence")] == [most, most + 1]


def test_a_field_that_programs_read_says_nothing_in_encoded_words() -> None:
    """``no`` in an encoded word is no ``no``: the mail counts as a program's (RFC 2047 §5)."""
    raw = b"From: j@k.test\r\nAuto-Submitted: =?utf-8?q?no?=\r\n\r\nhello\r\n"
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    assert classify(scanner.head, shape).automatic


def test_a_list_of_addresses_that_is_too_long_is_cut_between_two() -> None:
    """Half an address may be somebody else's, so none is read."""
    filler = b"a@b.test," * (bounds.ADDRESSES // 9)
    head = Head(b"To:" + filler + b"jane@example.test.elsewhere.test\r\n")
    assert {box.address for box in head.mailboxes("to")} == {"a@b.test"}
    # A thousand are the most: with longer ones, the octets end it, here after jane@example.test.
    filler = (b"a" * 90 + b"@b.test,") * (bounds.ADDRESSES // 98)
    filler += b"c" * (bounds.ADDRESSES - len(filler) - len("@b.test,jane@example.test")) + b"@b.test,"
    boxes = Head(b"To:" + filler + b"jane@example.test.elsewhere.test\r\n").mailboxes("to")
    assert len(boxes) < bounds.MAILBOXES
    assert {box.address[0] for box in boxes} == {"a", "c"}


def test_a_header_larger_than_its_bound_is_kept_whole_and_read_in_part() -> None:
    """The fields' ranges are the whole section, the last one without a name."""
    raw = b"Subject: x\r\n" * 30_000
    head = Head(raw)
    assert head.fields[-1].end == len(raw)
    assert head.fields[-1].name == ""
    assert len(head.all_text("subject")) == bounds.FIELDS_OF_A_NAME
    assert len(head.raw_values("subject")) == bounds.FIELDS


@pytest.mark.parametrize(
    "mark", ["\u200b", "\u200f", "\u061c", "\ufeff", "\u2060", "\u2064", "\u00ad", "\u202e"]
)
def test_marks_that_nobody_sees_are_taken_out(mark: str) -> None:
    """They have no width, or turn the direction of what follows; no space comes in their place."""
    head = Head(f"Subject: pay{mark}roll\x07 x\r\nFrom: Ja{mark}ne <j@k.test>\r\n".encode())
    assert head.text("subject") == "payroll  x"
    assert head.mailboxes("from") == (Mailbox("Jane", "j@k.test"),)
