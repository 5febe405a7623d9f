"""Protected mail and calendars, by all the signs that real programs give."""

from __future__ import annotations

import base64

import pytest

from mailrouter.message.classify import Nature, autoreply_refusals, classify
from tests.message.real_mail import scan
from tests.support.pace import slowness

FROM_JANE = "From: Jane <jane@example.test>\r\nMIME-Version: 1.0\r\n"
CALENDAR = "BEGIN:VCALENDAR\r\nPRODID:x\r\nVERSION:2.0\r\nMETHOD:{}\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
PGP = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n"
PGP_IN_BASE64 = base64.b64encode(PGP.encode()).decode()


def multipart(kind: str, *parts: str) -> str:
    """A whole multipart with these parts (each header and body), after a header of Jane's."""
    inside = "".join(f"--b\r\n{part}\r\n" for part in parts)
    return f"{FROM_JANE}Content-Type: multipart/{kind}; boundary=b\r\n\r\n{inside}--b--\r\n"


def judged(raw: str) -> tuple[Nature, tuple[str, ...]]:
    """The nature of the mail, the same in blocks of any size, and the reasons not to answer it."""
    head, shape = scan(raw.encode())
    for step in (1, 7, 64):
        assert scan(raw.encode(), step)[1] == shape
    nature = classify(head, shape)
    return nature, autoreply_refusals(head, shape, nature, "jane@example.test")


TEXT = "Content-Type: text/plain\r\n\r\nHello.\r\n"
OCTETS = "Content-Type: application/octet-stream"


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg\r\n\r\nx\r\n",
        f"{OCTETS}\r\nContent-Disposition: attachment; filename=message_v4.rpmsg\r\n\r\nx\r\n",
        f"{OCTETS}; name=smime.p7m\r\n\r\nx\r\n",
        f'{OCTETS}; name="SMIME.P7M"\r\n\r\nx\r\n',
        f"{OCTETS}\r\nContent-Disposition: attachment;\r\n filename=smime.p7m\r\n\r\nx\r\n",
        f"{OCTETS}\r\nContent-Disposition: attachment; filename*0=smi; filename*1=me.p7m\r\n\r\nx\r\n",
        f"{OCTETS}; name*=utf-8''smime%2Ep7m\r\n\r\nx\r\n",
        f'{OCTETS}; name="=?utf-8?B?c21pbWUucDdt?="\r\n\r\nx\r\n',
        f"{OCTETS}; name=smime.p7c\r\n\r\nx\r\n",
        f"{OCTETS}; name=smime.p7z\r\n\r\nx\r\n",
        "Content-Type: application/binary; name=smime.p7m\r\n\r\nx\r\n",
        "Content-Type: application/x-pkcs7-mime; smime-type=enveloped-data\r\n\r\nx\r\n",
        "Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\nx\r\n",
        "Content-Type: application/cms\r\n\r\nx\r\n",
        "Content-Type: application/pgp; x-action=encrypt\r\n\r\nx\r\n",
        f"Content-Type: text/plain\r\n\r\n{PGP}",
        f"Content-Type: text/plain\r\n\r\n\r\n \r\n{PGP}",
        f"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n{PGP_IN_BASE64}\r\n",
        f"Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{PGP}",
    ],
)
def test_protected_mail_goes_untouched_with_a_companion(part: str) -> None:
    """As the whole message, or as one part of it: it is not wrapped, and it is a person's mail all the same."""
    for raw in (FROM_JANE + part, multipart("mixed", TEXT, part)):
        nature, refusals = judged(raw)
        assert nature.wrap_refusal == "it is encrypted or otherwise protected"
        assert not nature.quiet
        assert refusals == ()


def test_pgp_mime_that_exchange_took_apart_is_known() -> None:
    """A multipart/mixed of an empty text, the version and the rest, by types or by the name alone."""
    version = "Content-Type: application/pgp-encrypted; name=ATT00001\r\n\r\nVersion: 1\r\n"
    rest = f"{OCTETS}; name=encrypted.asc\r\n\r\n{PGP}"
    for parts in ((TEXT, version, rest), (version, rest), (TEXT, rest)):
        assert scan(multipart("mixed", *parts).encode())[1].encrypted


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx\r\n",
        "Content-Type: application/x-pkcs7-signature\r\n\r\nx\r\n",
        f"{OCTETS}; name=smime.p7s\r\n\r\nx\r\n",
        "Content-Type: application/pgp-signature\r\n\r\nx\r\n",
    ],
)
def test_a_signature_beside_the_text_is_one(part: str) -> None:
    """Also where a server made a multipart/mixed of what was multipart/signed."""
    assert "it is signed" in (judged(multipart("mixed", TEXT, part))[0].wrap_refusal or "")


@pytest.mark.parametrize(
    "part",
    [
        f"{OCTETS}; name=budget.xlsx\r\n\r\nx\r\n",
        f"{OCTETS}; name=smime.p7m.txt\r\n\r\nx\r\n",
        f"{OCTETS}; name=key.asc\r\n\r\nx\r\n",
        "Content-Type: application/pgp-keys; name=key.asc\r\n\r\nx\r\n",
        f"Content-Type: text/plain\r\n\r\nI got this:\r\n{PGP}",
        "Content-Type: text/plain\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nYes.\r\n",
        f"Content-Type: message/rfc822\r\n\r\nContent-Type: text/plain\r\n\r\n{PGP}",
        "Content-Type: text/html; name=securedoc.html\r\n\r\n<p>Open to read</p>\r\n",
    ],
)
def test_ordinary_attachments_are_wrapped(part: str) -> None:
    """Files with other names, keys, quoted or signed texts, attached messages, and envelopes that are web pages."""
    assert judged(multipart("mixed", TEXT, part))[0].wrap_refusal is None


@pytest.mark.parametrize(
    ("value", "wrapped"),
    [
        ("urn:content-classes:message", True),
        (" URN:Content-Classes:Message (plain)", True),
        ("", True),
        ("rpmsg.message", False),
        ("urn:content-classes:calendarmessage", False),
        ("Voice-CA", False),
        ("fax", False),
    ],
)
def test_what_has_a_class_of_its_own_is_not_wrapped(value: str, wrapped: bool) -> None:
    """Exchange goes by Content-Class, which would stand inside the wrapped copy."""
    nature = judged(f"{FROM_JANE}Content-Class: {value}\r\nContent-Type: text/plain\r\n\r\nHi\r\n")[0]
    assert (nature.wrap_refusal is None) == wrapped


def calendar(method: str, fields: str = "text/calendar; charset=utf-8") -> str:
    """A part with a calendar; ``fields`` are its Content-Type and what follows."""
    return f"Content-Type: {fields}\r\n\r\n{CALENDAR.format(method)}"


@pytest.mark.parametrize("fields", ["text/calendar", "text/calendar; name=flight.ics", "application/ics"])
@pytest.mark.parametrize("method", ["PUBLISH", "REQUEST"])
def test_an_attached_calendar_without_a_method_in_its_type_is_a_file(method: str, fields: str) -> None:
    """A person's question with a flight attached gets note, handoff and answer (RFC 6047 §2.4)."""
    nature, refusals = judged(multipart("mixed", TEXT, calendar(method, fields)))
    assert (nature.calendar, nature.quiet, refusals) == (False, False, ())
    # Exchange may make an entry of a mail with text/calendar; of application/ics it doesn't.
    assert (nature.wrap_refusal is None) == (fields == "application/ics")


@pytest.mark.parametrize(
    "raw",
    [
        multipart("alternative", TEXT, calendar("REQUEST", "text/calendar; method=request")),
        multipart("alternative", TEXT, calendar("REQUEST")),
        multipart("mixed", TEXT, calendar("REQUEST", "text/calendar; method=REQUEST")),
        FROM_JANE + calendar("REQUEST"),
        FROM_JANE + calendar("PUBLISH", "text/calendar; method=PUBLISH"),
    ],
)
def test_an_invitation_is_for_calendars_and_may_be_answered(raw: str) -> None:
    """It stands in the text's place, or its type names the method; a person waits for an answer."""
    nature, refusals = judged(raw)
    assert (nature.calendar, nature.quiet, refusals) == (True, True, ())


@pytest.mark.parametrize("method", ["REPLY", "Counter", "DECLINECOUNTER", "REFRESH", "CANCEL"])
@pytest.mark.parametrize("encoding", ["7bit", "base64", "quoted-printable"])
@pytest.mark.parametrize("kind", ["mixed", "alternative"])
def test_a_calendars_answer_is_known_by_its_content(method: str, encoding: str, kind: str) -> None:
    """The type may not name the method; nobody waits for an answer to an answer (RFC 5546 §1.4)."""
    text = CALENDAR.format(method)
    if encoding == "base64":
        text = base64.encodebytes(text.encode()).decode().replace("\n", "\r\n")
    part = f"Content-Type: text/calendar\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{text}"
    nature, refusals = judged(multipart(kind, TEXT, part))
    assert nature.quiet
    assert refusals == (f"it is a calendar's answer ({method.upper()})",)


def test_a_method_is_read_above_the_first_entry_alone() -> None:
    """A description may have a line that looks like one, and another part may follow."""
    text = (
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDESCRIPTION:a\r\nMETHOD:REPLY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    part = f"Content-Type: text/calendar\r\n\r\n{text}"
    other = "Content-Type: text/plain\r\n\r\nMETHOD:REPLY\r\n"
    short = "Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR\r\n"
    for raw in (multipart("mixed", TEXT, part), multipart("mixed", TEXT, short, other)):
        assert judged(raw)[1] == ()


@pytest.mark.parametrize("kind", ["mixed", "digest"])
def test_a_forwarded_invitation_is_no_invitation(kind: str) -> None:
    """Somebody asks about a message that is attached: they get note, handoff and answer."""
    inner = f"From: bob@x.test\r\n{calendar('REQUEST', 'text/calendar; method=REQUEST')}"
    part = f"Content-Type: message/rfc822\r\n\r\n{inner}"
    nature, refusals = judged(
        multipart(kind, TEXT, part) if kind == "mixed" else multipart(kind, f"\r\n{inner}")
    )
    assert (nature.calendar, nature.quiet, nature.wrap_refusal, refusals) == (False, False, None, ())


def test_the_look_into_parts_costs_little() -> None:
    """A thousand texts that begin like nothing: the work stays that of reading the parts."""
    import time

    raw = multipart("mixed", *[f"Content-Type: text/calendar\r\n\r\n{'A' * 5000}\r\n"] * 900).encode()
    began = time.process_time()
    scan(raw)
    assert time.process_time() - began < 1 * slowness()
