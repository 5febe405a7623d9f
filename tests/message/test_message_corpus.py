"""Real mail from many programs, read and copied. Line ends are made CRLF first (``real_mail.to_crlf``)."""

from __future__ import annotations

import email
from email.message import Message

import pytest

from mailrouter.message.classify import autoreply_refusals, classify
from mailrouter.message.compose import note_part, untouched, wrapped
from mailrouter.message.head import Head
from mailrouter.message.pieces import decode, encode, render
from tests.message.real_mail import CORPUS, WHY_SKIPPED, RealMail, real_mails, scan
from tests.support.parsed import parts_of

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED)]

PREPEND = b"Received: from x by y; Tue, 03 Mar 2026 10:00:00 +0000\r\nMailrouter-Role: vp-hr@example.test\r\n"
NULL = "<>"


@pytest.fixture(scope="module")
def corpus() -> list[RealMail]:
    """All messages of the corpus."""
    return list(real_mails())


def test_every_message_is_read(corpus: list[RealMail]) -> None:
    """Each reader gives an answer for each message, however broken, and blocks make no difference."""
    for mail in corpus:
        head, shape = scan(mail.raw)
        assert scan(mail.raw, 61)[1] == shape, mail.file
        assert shape.bare_cr == shape.bare_lf == 0
        for name in head.names:
            assert len(head.all_text(name)) == len(head.raw_values(name))
        head.mailboxes("from", "sender", "reply-to", "to", "cc")
        assert head.content_type
        head.parameter("content-type", "boundary")
        assert b"".join(mail.raw[f.start : f.end] for f in head.fields) == mail.raw[: shape.header_end], (
            mail.file
        )
        classify(head, shape)


def test_no_labelled_program_is_answered(corpus: list[RealMail]) -> None:
    """Bounces, reports, complaints and auto-replies each give a reason for silence."""
    answered = []
    labelled = [mail for mail in corpus if mail.gate == "yes" and mail.expected == "no-reply"]
    for mail in labelled:
        head, shape = scan(mail.raw)
        if not autoreply_refusals(head, shape, classify(head, shape), mail.mail_from or "jane@example.test"):
            answered.append(mail.file)
    assert len(labelled) > 600
    assert answered == []


def test_programs_are_known_without_the_envelope(corpus: list[RealMail]) -> None:
    """Were every return path a person's, header and structure alone would leave less than 1 % answered."""
    labelled = [mail for mail in corpus if mail.gate == "yes" and mail.expected == "no-reply"]
    answered = 0
    for mail in labelled:
        head, shape = scan(mail.raw)
        answered += not autoreply_refusals(head, shape, classify(head, shape), "jane@example.test")
    assert answered < len(labelled) / 100


def test_most_other_mail_may_be_answered(corpus: list[RealMail]) -> None:
    """Of mail without any label more than four in five are answered."""
    refused = 0
    others = [mail for mail in corpus if not mail.gate]
    for mail in others:
        head, shape = scan(mail.raw)
        nature = classify(head, shape)
        reasons = autoreply_refusals(head, shape, nature, mail.mail_from or "jane@example.test")
        refused += bool(reasons)
    assert refused < len(others) / 5


def test_mail_that_is_no_bounce_is_no_report(corpus: list[RealMail]) -> None:
    """Human mail that a bounce parser's authors keep as counter-examples is no report."""
    for mail in corpus:
        if mail.kind == "not-bounce" and mail.mail_from != NULL and "bounce" not in mail.mail_from:
            head, shape = scan(mail.raw)
            nature = classify(head, shape)
            assert not nature.report, mail.file
            assert autoreply_refusals(head, shape, nature, mail.mail_from) == (), mail.file


def test_untouched_copies_end_with_the_original(corpus: list[RealMail]) -> None:
    """Our fields come first and are read as ours; all of the original follows."""
    for mail in corpus:
        head, shape = scan(mail.raw)
        pieces = untouched(head, shape, PREPEND)
        copy = render(decode(encode(pieces)), {0: mail.raw})
        assert copy.endswith(mail.raw)
        assert copy.startswith(PREPEND)
        assert Head(copy).fields[2:3] == () or copy[Head(copy).fields[2].start - 2 :][:2] == b"\r\n", (
            mail.file
        )


def test_signed_fields_and_bodies_stay_identical(corpus: list[RealMail]) -> None:
    """In untouched copies every DKIM-signed field, counted from below, and the body are the same."""
    seen = 0
    for mail in corpus:
        if "dkim" not in mail.tags:
            continue
        head, shape = scan(mail.raw)
        copy = render(untouched(head, shape, PREPEND), {0: mail.raw})
        new, new_shape = scan(copy)
        assert copy[new_shape.body_start :] == mail.raw[shape.body_start :], mail.file
        for signature in range(len(head.raw_values("dkim-signature"))):
            value = head.raw_values("dkim-signature")[signature].replace(b"\r\n", b"")
            signed = [tag.partition(b"=")[2] for tag in value.split(b";") if tag.strip().startswith(b"h=")]
            for name in (signed[0] if signed else b"").decode("latin-1").split(":"):
                old = _fields(head, mail.raw, name.strip().lower())
                assert _fields(new, copy, name.strip().lower())[-len(old) or 99 :] == old, mail.file
                seen += 1
    assert seen > 500


def _fields(head: Head, raw: bytes, name: str) -> list[bytes]:
    return [raw[field.start : field.end] for field in head.fields if field.name == name]


def test_wrapped_copies_are_taken_apart_by_another_reader(corpus: list[RealMail]) -> None:
    """Python's email parser finds the original's parts unchanged in part 1, then the note."""
    compared = 0
    for mail in corpus:
        head, shape = scan(mail.raw)
        if classify(head, shape).wrap_refusal:
            continue
        pieces = wrapped(
            head, shape, prepend=PREPEND, replace={}, parts=[note_part("a note\n")], boundary="=_b"
        )
        copy = render(pieces, {0: mail.raw})
        body = mail.raw[shape.body_start :]
        new_shape = scan(copy)[1]
        assert copy[new_shape.body_start :].endswith(b"\r\n\r\na note\r\n\r\n--=_b--\r\n")
        assert b"\r\n\r\n" + body + b"\r\n--=_b\r\n" in b"\r\n" + copy[new_shape.body_start :], mail.file
        parsed, original = email.message_from_bytes(copy), email.message_from_bytes(mail.raw)
        assert parsed.get_content_type() == "multipart/mixed", mail.file
        if original.get_content_maintype() == "multipart" and not original.is_multipart():
            continue  # a boundary folded in two, which this parser can't read in the original either
        first, note = parts_of(parsed)
        assert note.get_payload() == "a note\r\n"
        encoding = first.get("content-transfer-encoding", "7bit").lower()
        if not first.is_multipart() and encoding in ("7bit", "8bit"):
            assert first.get_payload(decode=True) == body, mail.file
        assert _leaves(first) == _leaves(original), mail.file
        compared += 1
    assert compared > 900


def _leaves(message: Message) -> list[tuple[str, str]]:
    # A multipart that is never closed ends at our delimiter; this parser then counts the delimiter's CRLF in.
    leaves = [part for part in message.walk() if not part.is_multipart()]
    return [(part.get_content_type(), str(part.get_payload()).rstrip("\r\n")) for part in leaves]
