"""Writing fields and bodies."""

from __future__ import annotations

import quopri
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.message.head import Head
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.message.text.showing import visible
from mailrouter.message.text.words import strip_controls
from mailrouter.message.text.writing import (
    address_field,
    body_part,
    date_field,
    encode_words,
    field,
    filename_params,
    format_mailbox,
    message_id,
    quoted_printable,
    safe_subject,
)

TEXT = st.text(max_size=200)


def assert_one_field(raw: bytes) -> None:
    """``raw`` is one field: folded lines of at most 998 octets, no controls, ASCII."""
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    lines = raw[:-2].split(b"\r\n")
    assert all(line[:1] in b" \t" and line.strip() for line in lines[1:])
    assert all(len(line) <= 998 for line in lines)
    assert not [c for line in lines for c in line if c < 32 or c == 127]
    assert len(Head(raw).fields) == 1


@given(TEXT)
def test_no_control_gets_into_a_header(text: str) -> None:
    """Whatever the text, a written field is one field without control characters."""
    assert_one_field(field("Subject", text))


@given(TEXT)
def test_a_written_field_reads_as_it_was_meant(text: str) -> None:
    """Writing and reading gives the text back, without its controls."""
    assert Head(field("Subject", text)).text("subject") == strip_controls(text)


@given(st.text(alphabet="aé €😀=?_\r\n ", max_size=300))
def test_encoded_lines_keep_to_their_length(text: str) -> None:
    """Lines of encoded words have at most 76 octets, and every word can be decoded alone."""
    for line in field("Subject", text).split(b"\r\n"):
        if b"=?utf-8?" in line:
            assert len(line) <= 76
    for word in encode_words(text, force=True).split(b"\r\n "):
        assert "\ufffd" not in (Head(b"X: " + word).text("x") or "")


def test_plain_text_passes_plain() -> None:
    """ASCII is not encoded, only folded at its spaces."""
    assert encode_words("Budget 2026") == b"Budget 2026"
    assert encode_words(" ".join(["word"] * 40)).count(b"\r\n") == 2
    assert field("Subject", "=?utf-8?q?x?=").startswith(b"Subject: =?utf-8?b?PT91dGY")


@given(st.lists(st.builds(Mailbox, TEXT, TEXT | st.just("jane@example.test")), max_size=5))
def test_address_fields_are_safe(boxes: list[Mailbox]) -> None:
    """Any names and addresses give one field, or none where no address can be written."""
    raw = address_field("Cc", boxes)
    if raw:
        assert_one_field(raw)
    else:
        assert not any(box.address == "jane@example.test" for box in boxes)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_names_survive_an_address_field(names: list[str]) -> None:
    """Shown names come back as they were, white space made single."""
    boxes = [Mailbox(name, f"p{index}@example.test") for index, name in enumerate(names)]
    read = Head(address_field("To", boxes)).mailboxes("to")
    assert [box.address for box in read] == [box.address for box in boxes]
    assert [box.display for box in read] == [" ".join(strip_controls(name).split()) for name in names]


def test_mailboxes_are_written_as_people_know_them() -> None:
    """Names stand plain where they may, in quotes where they must, encoded where nothing else helps."""
    assert format_mailbox(Mailbox("Laurie Cremona", "l@example.test")) == b"Laurie Cremona <l@example.test>"
    assert format_mailbox(Mailbox("Cremona, L.", "l@example.test")) == b'"Cremona, L." <l@example.test>'
    assert format_mailbox(Mailbox("", "l@example.test")) == b"l@example.test"
    assert format_mailbox(Mailbox("", "l@bücher.test")) == b"l@xn--bcher-kva.test"
    for bad in ("no-at", "é@example.test", "a@b\r\nBcc: c@d", "a b@c", "@c", "a@", "a@b>c", "a@..é"):
        with pytest.raises(ValueError, match=r".+"):
            format_mailbox(Mailbox("x", bad))


@given(TEXT)
def test_bodies_come_back(text: str) -> None:
    """A body decodes to its text, in CRLF lines of at most 76 octets and ASCII only."""
    encoding, body = body_part(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    expected = lines if lines.endswith("\n") or not lines else lines + "\n"
    assert body.isascii()
    assert all(len(line) <= 76 for line in body.split(b"\r\n"))
    assert b"\r" not in body.replace(b"\r\n", b"")
    assert b"\n" not in body.replace(b"\r\n", b"")
    decoded = quopri.decodestring(body) if encoding == "quoted-printable" else body
    assert decoded.replace(b"\r\n", b"\n") == expected.encode("utf-8")


def test_short_ascii_stays_readable() -> None:
    """Plain English text is 7bit; a line that mailbox files would change is not."""
    assert body_part("Elaine is away.\n") == ("7bit", b"Elaine is away.\r\n")
    assert body_part("From here on")[0] == "quoted-printable"
    assert body_part("x" * 77)[0] == "quoted-printable"
    assert quoted_printable("From é" + "x" * 90).startswith(b"=46rom =C3=A9")
    assert all(len(line) <= 76 for line in quoted_printable("From " + "x" * 200).split(b"\r\n"))


@given(TEXT, TEXT)
def test_quoted_printable_texts_can_follow_each_other(one: str, two: str) -> None:
    """Two encoded texts together decode to both."""
    both = quopri.decodestring(quoted_printable(one) + quoted_printable(two))
    assert both == quopri.decodestring(quoted_printable(one)) + quopri.decodestring(quoted_printable(two))


@given(TEXT, st.integers(2, 250))
def test_subjects_are_one_short_line(text: str, limit: int) -> None:
    """A subject has at most the limit's characters and no controls."""
    subject = safe_subject(text, limit)
    assert len(subject) <= limit
    assert subject == strip_controls(subject)


@given(TEXT, TEXT)
def test_message_ids_are_well_formed(left: str, host: str) -> None:
    """Any parts give an id that can be read back."""
    made = message_id(left, host)
    assert Head(b"Message-ID: " + made.encode("ascii") + b"\r\n").message_id == made


def test_dates() -> None:
    """A date is written in English with its numeric zone; one without a zone is refused."""
    west = timezone(-timedelta(hours=7, minutes=30))
    assert date_field(datetime(2026, 12, 1, 8, 5, 9, tzinfo=west)) == "Tue, 01 Dec 2026 08:05:09 -0730"
    with pytest.raises(ValueError, match="time zone"):
        date_field(datetime(2026, 12, 1))


@given(st.text(max_size=120))
def test_file_names_come_back(name: str) -> None:
    """A file name is read as written, without controls and slashes, in lines that fit."""
    raw = b"Content-Disposition: attachment" + filename_params(name) + b"\r\n"
    assert_one_field(raw)
    assert all(len(line) <= 78 for line in raw.split(b"\r\n"))
    read = Head(raw).parameter("content-disposition", "filename")
    plain = " ".join(strip_controls(name).split()).replace("/", "-").replace("\\", "-") or "file"
    assert read in (plain, plain.replace('"', "'"))


def test_field_names_are_checked() -> None:
    """A name with a line end or a colon is a programming error."""
    for name in ("A\r\nB", "A:", "", "é"):
        with pytest.raises(ValueError, match="name of a header field"):
            field(name, "x")


@pytest.mark.parametrize(
    "mark", [*"\u00ad\u034f\u115f\u1160\u17b4\u180b\u200b\u202e\u2066\u2800\u3164\uffa0\U000e0041"]
)
def test_what_nobody_sees_is_not_shown(mark: str) -> None:
    """Marks that count as letters or signs, as well: a name of them alone would look like none."""
    assert strip_controls(f"Laurie{mark * 3} Cremona{mark}") == "Laurie Cremona"
    assert strip_controls(mark) == ""
    assert visible(f"a{mark * 3}b{mark}") == "a b"
