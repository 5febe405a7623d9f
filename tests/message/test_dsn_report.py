"""Our own reports to senders: right for programs, plain for people, and silent about the partners."""

from __future__ import annotations

import base64
import email
import email.policy
import quopri
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from flufl.bounce import all_failures
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.message.dsn.bounce import read_bounce
from mailrouter.message.dsn.compose import MAX_FULL, compose_dsn
from mailrouter.message.dsn.compose_text import advice, spoken
from mailrouter.message.dsn.undelivered import wants_dsn
from mailrouter.message.pieces import Slice
from tests.message.dsn_examples import DELAYED, ELAINE, LAURIE, NEWS, ORIGINAL, PRIVATE, report
from tests.message.real_mail import scan, to_crlf
from tests.support.examples import examples

GOLDEN = Path(__file__).parent / "dsn_golden"


def parsed(raw: bytes) -> EmailMessage:
    """The report as Python's email package reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def groups(raw: bytes) -> list[EmailMessage]:
    """The groups of the delivery status: the message's, then the recipient's."""
    _, status, _ = parsed(raw).iter_parts()
    assert status.get_content_type() == "message/delivery-status"
    found = status.get_payload()
    assert isinstance(found, list)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize(("name", "changes"), [("failed", {}), ("delayed", DELAYED)])
def test_reports_are_as_they_were_agreed(name: str, changes: dict[str, Any]) -> None:
    """Each report is the golden one, octet for octet; the seed makes ids and boundary."""
    assert report(**changes) == to_crlf((GOLDEN / f"{name}.eml").read_bytes())


def test_a_report_is_of_three_parts() -> None:
    """RFC 6522: a text for people, the delivery status, and the original's header without its body."""
    message = parsed(report())
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    text, status, original = message.iter_parts()
    assert not any(part.defects for part in (message, text, status, original))
    assert text.get_content_type() == "text/plain"
    assert original.get_content_type() == "text/rfc822-headers"
    assert b"The secret body" not in report()
    header = ORIGINAL[: ORIGINAL.index(b"\r\n\r\n") + 2]
    assert original.get_payload(decode=True) == header


def test_the_header_marks_it_as_an_answer_of_a_program() -> None:
    """RFC 3834: automatic, in the thread, from a person who is responsible, to the reverse-path alone."""
    message = parsed(report())
    assert message["To"].addresses[0].addr_spec == NEWS.reverse_path
    assert message["From"].addresses[0].addr_spec == "postmaster@mx.example.test"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == message["References"] == "<1@b.test>"
    assert message["Message-ID"].endswith("@mx.example.test>")
    assert message["Date"].datetime == NEWS.moment
    assert parsed(report(sender="it@example.test"))["From"].addresses[0].addr_spec == "it@example.test"


def test_the_status_names_the_role_and_gives_the_parameters_back() -> None:
    """RFC 3464 §2 and RFC 3461 §6.3: ENVID and ORCPT come back decoded; ours is the only host."""
    about, recipient = groups(report())
    assert about["Original-Envelope-Id"] == "QQ314159+1"
    assert about["Reporting-MTA"] == "dns; mx.example.test"
    assert recipient["Original-Recipient"] == "rfc822;VP-HR@example.test"
    assert recipient["Final-Recipient"] == "rfc822; vp-hr@example.test"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    assert recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1 ")
    assert "Remote-MTA" not in recipient


def test_a_delay_says_until_when() -> None:
    """A delay notice is one for programs, and tells people that there is nothing to do."""
    raw = report(**DELAYED)
    _, recipient = groups(raw)
    assert (recipient["Action"], recipient["Status"]) == ("delayed", "4.4.1")
    assert recipient["Will-Retry-Until"] == "Sun, 08 Mar 2026 09:00:00 +0000"
    text = next(parsed(raw).iter_parts()).get_content()
    assert "8 March 2026 at 10:00 (UTC+01:00)" in " ".join(text.split())
    assert "nothing that you need to do" in text


def test_an_independent_reader_finds_the_role() -> None:
    """flufl.bounce, by which mailing lists read bounces, tells our failures of the role from our delays."""
    role = frozenset({b"vp-hr@example.test"})
    assert all_failures(email.message_from_bytes(report(orcpt=None))) == (frozenset(), role)
    assert all_failures(email.message_from_bytes(report(orcpt=None, **DELAYED))) == (role, frozenset())


def test_our_own_reader_finds_the_role() -> None:
    """What we write we also read."""
    for changes, kind in (({}, "failed"), (DELAYED, "delayed")):
        raw = report(**changes)
        head, shape = scan(raw)
        bounce = read_bounce(head, shape, raw, "")
        assert bounce is not None
        assert bounce.kind == kind


@pytest.mark.parametrize("path", ["", "<>", " <> "])
def test_the_null_reverse_path_is_never_answered(path: str) -> None:
    """A report on a report would be the start of a loop (RFC 5321 §6.1)."""
    with pytest.raises(ValueError, match="never answered"):
        report(reverse_path=path)


@pytest.mark.parametrize("path", ["jane", "a b@c.test", "jane@b.test>\r\nBcc: x@y.test", "jö<rg@b.test"])
def test_what_is_no_address_is_not_answered(path: str) -> None:
    """Nothing can be put into the header by a reverse-path."""
    with pytest.raises(ValueError, match=r"address|answered"):
        report(reverse_path=path)


def test_an_international_sender_is_written_as_utf8() -> None:
    """RFC 6532: an address beyond ASCII stands in To as it is."""
    assert "To: jörg@b.test\r\n".encode() in report(reverse_path="jörg@b.test")


WIDE = ORIGINAL.replace(b"Jane Doe <jane@b.test>", "Jörg <jörg@b.test>".encode())


def global_groups(raw: bytes) -> list[EmailMessage]:
    """The two groups of a message/global-delivery-status, each as Python's email package reads a header."""
    _, status, _ = parsed(raw).iter_parts()
    assert status.get_content_type() == "message/global-delivery-status"
    assert status["Content-Transfer-Encoding"] == "8bit"
    data = raw[raw.index(b"message/global-delivery-status") :]
    first, second = data.partition(b"\r\n\r\n")[2].split(b"\r\n\r\n")[:2]
    return [parsed(group + b"\r\n\r\n") for group in (first, second)]


def test_an_international_sender_gets_the_international_form() -> None:
    """RFC 6533: global delivery status with addresses as they are, and the header as UTF-8, octet for octet."""
    raw = report(
        WIDE, reverse_path="jörg@b.test", role_address="büro@example.test", orcpt="utf-8;büro@example.test"
    )
    message = parsed(raw)
    assert (message.get_content_type(), message.get_param("report-type")) == (
        "multipart/report",
        "delivery-status",
    )
    assert message["Content-Transfer-Encoding"] == "8bit"
    about, recipient = global_groups(raw)
    assert about["Reporting-MTA"] == "dns; mx.example.test"
    assert "\r\nFinal-Recipient: utf-8; büro@example.test\r\n".encode() in raw
    assert "Original-Recipient: utf-8;büro@example.test\r\n".encode() in raw
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    *_, original = message.iter_parts()
    assert original.get_content_type() == "message/global-headers"
    assert WIDE[: WIDE.index(b"\r\n\r\n")] in raw
    assert b"The secret body" not in raw


def test_an_international_sender_gets_the_whole_mail_where_that_was_asked_for() -> None:
    """RET=FULL: message/global, even with a header beyond ASCII."""
    raw = report(WIDE, reverse_path="jörg@b.test", full=True)
    *_, original = parsed(raw).iter_parts()
    assert original.get_content_type() == "message/global"
    assert WIDE in raw


def test_a_header_that_is_no_utf8_falls_back_to_quoted_printable() -> None:
    """message/global-headers may hold UTF-8 alone."""
    latin = ORIGINAL.replace(b"Jane Doe", "Jörg".encode("latin-1"))
    *_, original = parsed(report(latin, reverse_path="jörg@b.test")).iter_parts()
    assert original.get_content_type() == "text/rfc822-headers"
    assert original.get_content_charset() == "unknown-8bit"


@pytest.mark.parametrize("coded", ["utf-8;büro@example.test", "utf-8;b\\x{FC}ro@example.test"])
def test_a_sender_in_ascii_gets_everything_in_ascii(coded: str) -> None:
    """Where SMTPUTF8 may be missing on the way: seven bits, and the letters escaped (RFC 6533 §3)."""
    raw = report(WIDE, orcpt=coded)
    assert raw.isascii()
    assert groups(raw)[1]["Original-Recipient"] == "utf-8;b\\x{FC}ro@example.test"


def test_an_international_role_is_named_in_seven_bits() -> None:
    """RFC 6533 §3: type utf-8, with the letters escaped."""
    raw = report(role_address="büro@example.test", orcpt=None)
    assert groups(raw)[1]["Final-Recipient"] == "utf-8; b\\x{FC}ro@example.test"
    assert parsed(raw).get_content_type() == "multipart/report"


@pytest.mark.parametrize("envid", ["a+0D+0AStatus:+202.0.0", "a b", "+E9", "a+0", "=", ""])
def test_an_envelope_id_cannot_write_fields(envid: str) -> None:
    """What decodes to a line end, or is no xtext, is left out."""
    raw = report(envid=envid)
    assert b"Original-Envelope-Id" not in raw
    assert len(groups(raw)) == 2


@pytest.mark.parametrize("orcpt", ["vp-hr@example.test", ";x", "rfc 822;x", "rfc822;a+0D+0Ab", "rfc822;a b"])
def test_a_broken_original_recipient_is_left_out(orcpt: str) -> None:
    """Only a type and xtext are given back."""
    assert "Original-Recipient" not in groups(report(orcpt=orcpt))[1]


def test_an_original_recipient_that_names_a_partner_is_left_out() -> None:
    """Then it was not the sender's word, but a forwarder's."""
    assert "Original-Recipient" not in groups(report(orcpt=f"rfc822;{LAURIE.replace('+', '+2B')}"))[1]


@pytest.mark.parametrize(
    ("status", "delayed", "written"),
    [
        ("5.7.1", False, "5.7.1"),
        ("4.4.7", False, "4.4.7"),
        ("2.0.0", False, "5.0.0"),
        ("", False, "5.0.0"),
        ("5.1.1\r\nX: y", False, "5.0.0"),
        ("4.2.2", True, "4.2.2"),
        ("5.2.2", True, "4.0.0"),
        ("", True, "4.0.0"),
    ],
)
def test_the_status_fits_what_happened(status: str, delayed: bool, written: str) -> None:
    """A failure is of class 5 or 4, a delay of class 4, whatever came."""
    assert groups(report(**{**(DELAYED if delayed else {}), "status": status}))[1]["Status"] == written


def test_the_original_comes_back_whole_where_that_was_asked_for() -> None:
    """RET=FULL gives message/rfc822 for a failure; for a delay, or a very large mail, the header alone."""
    *_, original = parsed(report(full=True)).iter_parts()
    assert original.get_content_type() == "message/rfc822"
    assert ORIGINAL in report(full=True)
    assert b"The secret body" not in report(full=True, **DELAYED)
    assert b"xxxx" not in report(ORIGINAL + b"xxxx\r\n" * (MAX_FULL // 6), full=True)


def test_an_eight_bit_original_makes_the_report_eight_bit() -> None:
    """RFC 2045 §6.4: a multipart is as wide as its widest part, and no wider."""
    raw = ORIGINAL.replace(b"secret", b"s\xc3\xa9cret")
    whole = parsed(report(raw, full=True))
    assert whole["Content-Transfer-Encoding"] == "8bit"
    assert list(whole.iter_parts())[2]["Content-Transfer-Encoding"] == "8bit"
    assert parsed(report(raw))["Content-Transfer-Encoding"] is None
    assert report(raw).isascii()


@pytest.mark.parametrize(
    "octets", ["Märchen ".encode(), "Märchen ".encode("latin-1")], ids=["utf-8", "latin-1"]
)
@pytest.mark.parametrize("full", [False, True])
def test_an_eight_bit_header_comes_back_octet_for_octet_in_ascii(octets: bytes, full: bool) -> None:
    """Quoted-printable (RFC 6522 §4) keeps every octet and needs no 8BITMIME, whatever the charset was."""
    long = b"X-Long: " + octets * 200 + b"=\r\n"
    raw = ORIGINAL.replace(b"MIME-Version", long + b"MIME-Version")
    written = report(raw, full=full)
    assert written.isascii()
    *_, original = parsed(written).iter_parts()
    assert original.get_content_type() == "text/rfc822-headers"
    assert original.get_payload(decode=True) == raw[: raw.index(b"\r\n\r\n") + 2]
    assert max(map(len, written.split(b"\r\n"))) <= 998


def test_the_original_is_a_range_and_no_copy() -> None:
    """A report stores a few hundred octets and points at the message for the rest."""
    head, shape = scan(ORIGINAL)
    assert Slice(0, 0, shape.header_end) in compose_dsn(NEWS, head, shape)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"\r\nbody", b"Subject: x", b"From x\r\nSubject: x\r\n\r\n"])
def test_any_original_can_be_reported_on(raw: bytes) -> None:
    """Without header, without body, without either."""
    kinds = [part.get_content_maintype() for part in parsed(report(raw)).iter_parts()]
    assert kinds == ["text", "message", "text"]


def test_two_reports_never_share_an_id() -> None:
    """The delay notice and the failure of one mail are two messages."""
    assert parsed(report())["Message-ID"] != parsed(report(**DELAYED))["Message-ID"]


@pytest.mark.parametrize(
    ("notify", "failed", "delayed"),
    [(None, True, True), ("", True, True), ("NEVER", False, False), ("SUCCESS", False, False),
     ("FAILURE", True, False), ("failure,Delay", True, True), ("DELAY", False, True)],
)  # fmt: skip
def test_notify_decides_who_hears(notify: str | None, failed: bool, delayed: bool) -> None:
    """RFC 3461 §4.1: NEVER is never, and only what was asked for is told."""
    assert (wants_dsn(notify, "failed"), wants_dsn(notify, "delayed")) == (failed, delayed)


def test_people_are_told_what_to_do() -> None:
    """The advice fits the status; there is always one."""
    assert "too large" in advice("5.3.4")
    assert "no room" in advice("4.2.2")
    assert "are told" in advice("5.1.1")
    assert "a little later" in advice("4.4.7")
    assert "in another way" in advice("5.0.0") != advice("5.7.1")


def test_a_moment_is_spoken_with_its_zone() -> None:
    """Whoever reads it elsewhere can tell the time; without a zone nobody could."""
    assert spoken(datetime(2026, 12, 31, 23, 5, tzinfo=UTC)) == "31 December 2026 at 23:05 (UTC)"
    with pytest.raises(ValueError, match="zone"):
        spoken(datetime(2026, 12, 31, 23, 5))


def verp(address: str) -> str:
    """As a sender's return path carries it."""
    return f"list+{address.replace('@', '=')}@list.test"


def rewritten(address: str) -> str:
    """As forwarders rewrite it (SRS)."""
    local, _, domain = address.partition("@")
    return f"SRS0=x=tt={domain}={local}@list.test"


SPELLINGS = st.sampled_from(
    [
        *(str, str.upper, str.title, verp, rewritten),
        lambda address: f"<{address}>",
        lambda address: f'"{address}"',
        lambda address: f"mailto:{address}",
        lambda address: f"ORCPT=rfc822;{address.replace('@', '+40')}",
        lambda address: address.replace("@", "%40"),
        lambda address: address.partition("@")[0],
        lambda address: f"host mx1.{address.partition('@')[2]}[198.51.100.3]",
        lambda address: f"https://help.{address.partition('@')[2]}/?u={address}",
    ]
)
SECRET = re.compile(rb"laurie|cremona|elaine|home\.test|em@|corp\.test", re.I)


@settings(max_examples=examples(150))
@given(
    st.lists(
        st.tuples(st.sampled_from([LAURIE, ELAINE, "Laurie Cremona", "Elaine"]), SPELLINGS)
        | st.text(max_size=20),
        max_size=8,
    ),
    st.sampled_from([" ", "", ": ", "\r\n550-", ", ", "é "]),
    st.booleans(),
)
def test_no_partner_is_named_in_any_encoding(words: list[Any], glue: str, delayed: bool) -> None:
    """However a remote server spells a partner's address, name or host, the report holds none of it."""
    said = glue.join(word if isinstance(word, str) else word[1](word[0]) for word in words)
    raw = report(**{**(DELAYED if delayed else {}), "diagnostic": "550 5.1.1 " + said})
    found = [raw, quopri.decodestring(raw), re.sub(rb"\r\n[ \t]+", b" ", raw)]
    for part in parsed(raw).walk():
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes):
            found.append(payload)
    for address in (LAURIE, ELAINE):
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + address.encode())[4 if shift else 0 : -4]
            assert coded not in raw
    typed = b"".join(word.encode("utf-8", "replace") for word in words if isinstance(word, str))
    if not SECRET.search(typed):
        for data in found:
            assert SECRET.search(data) is None, SECRET.search(data)


def test_the_private_words_are_no_part_of_what_is_printed() -> None:
    """A log line or a trace with the news in it tells nothing (``repr``)."""
    assert not any(secret in repr(NEWS) for secret in PRIVATE)
