"""What is read out of reports: the verdict, whom it is about, and why; nothing can break the reader."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.message.dsn.bounce import MAX_READ, Bounce, read_bounce
from tests.message.real_mail import scan, to_crlf
from tests.support.examples import examples
from tests.support.pace import slowness

TOKEN = "To: vp-hr+b-aaaa@example.test\n"


def read(mail: str, reverse_path: str | None = "") -> Bounce | None:
    """The verdict on a mail written with LF line ends."""
    raw = to_crlf(mail.encode("utf-8"))
    head, shape = scan(raw)
    return read_bounce(head, shape, raw[:MAX_READ], reverse_path)


def verdict(mail: str, reverse_path: str | None = "") -> Bounce:
    """The verdict, which is there."""
    found = read(mail, reverse_path)
    assert found is not None
    return found


def dsn(*recipients: str, kind: str = "message/delivery-status", encoding: str = "7bit") -> str:
    """A report in RFC 3464 form with these groups of fields."""
    return (
        f"From: MAILER-DAEMON@remote.test\n{TOKEN}Subject: Report\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\n\nSomething happened.\n"
        f"--b\nContent-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n"
        + "\n\n".join(("Reporting-MTA: dns; remote.test", *recipients))
        + "\n\n--b\nContent-Type: message/rfc822\n\nSubject: The original\n\nIt failed.\n--b--\n"
    )


FAILED = (
    "Final-Recipient: rfc822; <laurie@home.test>\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550"
)
DELAYED = "Final-Recipient: rfc822; e@home.test\nAction: delayed\nStatus: 4.4.1"
DELIVERED = "Final-Recipient: rfc822; e@home.test\nAction: delivered (to mailbox)\nStatus: 2.0.0"


def test_a_delivery_status_is_read_field_by_field() -> None:
    """Verdict, status and the server's words come from RFC 3464's fields."""
    assert verdict(dsn(FAILED)) == Bounce("failed", "5.1.1", "550", in_field=True)
    assert verdict(dsn(DELAYED)).kind == "delayed"
    assert verdict(dsn(DELIVERED)) == Bounce("delivered", "2.0.0", "Something happened.")


def test_the_worst_of_several_recipients_counts() -> None:
    """Of a report on three recipients the failed one is told."""
    assert verdict(dsn(DELIVERED, DELAYED, FAILED)).kind == "failed"
    assert verdict(dsn(DELIVERED, DELAYED)).kind == "delayed"


@pytest.mark.parametrize(
    ("status", "kind"), [("5.7.1", "failed"), ("4.2.2", "delayed"), ("2.1.5", "delivered")]
)
def test_without_an_action_the_status_decides(status: str, kind: str) -> None:
    """The class of the status says what happened (RFC 3463 §3.1)."""
    assert verdict(dsn(f"Final-Recipient: rfc822; a@b.test\nStatus: {status}")).kind == kind


def test_international_reports_are_read() -> None:
    """RFC 6533: another media type, and an address escaped into ASCII."""
    group = "Final-Recipient: utf-8; j\\x{F6}rg@home.test\nAction: failed\nStatus: 5.1.1"
    found = verdict(dsn(group, kind="message/global-delivery-status"))
    assert (found.kind, found.status) == ("failed", "5.1.1")


def test_an_encoded_delivery_status_is_decoded() -> None:
    """Gateways encode the status part although RFC 3464 §2.1 says 7bit."""
    group = "Final-Recipient: rfc822; a=40b.test\nAction: f=61iled\nStatus: 5.1.1"
    found = verdict(dsn(group, encoding="quoted-printable"))
    assert (found.kind, found.status) == ("failed", "5.1.1")


def test_a_delivery_status_outside_a_report_counts() -> None:
    """What is left of a report in a multipart/mixed is still one."""
    mail = dsn(FAILED).replace("multipart/report; report-type=delivery-status;", "multipart/mixed;")
    assert verdict(mail, "a@b.test").kind == "failed"


@pytest.mark.parametrize(
    ("subject", "text", "kind", "status"),
    [
        (
            "failure notice",
            "This is the qmail-send program.\n<a@b.test>:\n550 no such user",
            "failed",
            "5.1.1",
        ),
        ("Returned mail: User unknown", "550 <a@b.test>... User unknown", "failed", "5.1.1"),
        ("Undeliverable Mail", "mailbox is full: a@b.test", "failed", "5.2.2"),
        (
            "Warning: message x delayed 24 hours",
            "No action is required on your part.\na@b.test",
            "delayed",
            "",
        ),
        ("Delivery Status (Delay)", "THIS IS A WARNING MESSAGE ONLY.\na@b.test 451 wait", "delayed", "4.0.0"),
        ("メッセージ", "メールを配信できませんでした。 a@b.test", "failed", ""),
    ],
)
def test_bounces_in_words_are_understood(subject: str, text: str, kind: str, status: str) -> None:
    """Servers that write for people only are read as people would."""
    found = verdict(f"From: MAILER-DAEMON@remote.test\n{TOKEN}Subject: {subject}\n\n{text}\n")
    assert (found.kind, found.status) == (kind, status)


def test_failed_recipients_in_the_header_tell_a_bounce() -> None:
    """X-Failed-Recipients stands in no other mail, whatever the text says."""
    mail = f"X-Failed-Recipients: a@b.test,\n c@d.test\n{TOKEN}Subject: About x\n\nSee below.\n"
    assert verdict(mail).kind == "failed"


def test_the_words_of_the_returned_message_do_not_count() -> None:
    """A returned mail that speaks of failures and delays does not change the verdict."""
    mail = (
        f"From: postmaster@remote.test\n{TOKEN}Subject: Mail failure\n\na@b.test was rejected\n\n"
        "----- Original message -----\n\nThis is a warning message only. c@d.test\n"
    )
    assert verdict(mail) == Bounce("failed", "", "a@b.test was rejected")


@pytest.mark.parametrize(
    "fields",
    [
        "Subject: Hello\nAuto-Submitted: auto-replied",
        "Subject: Hello\nAuto-Submitted: AUTO-REPLIED (vacation); owner-email=x",
        "Subject: Hello\nX-Autoreply: yes",
        "Subject: Automatic reply: Budget",
        "Subject: Abwesenheitsnotiz: Budget",
        "Subject: Hello\nPrecedence: auto_reply",
    ],
)
def test_an_out_of_office_is_an_answer(fields: str) -> None:
    """A person's program answers: by its fields or its subject, from a person's address or the null path."""
    mail = f"From: Laurie <laurie@home.test>\n{TOKEN}{fields}\n\nThat address is unknown here, I am away.\n"
    assert verdict(mail).kind == "auto-reply"
    assert verdict(mail, "laurie@home.test").kind == "auto-reply"


def test_a_bounce_that_says_auto_replied_is_a_bounce() -> None:
    """Servers mark their reports as automatic, too (RFC 3834 §5)."""
    mail = f"From: MAILER-DAEMON@r.test\nAuto-Submitted: auto-replied\n{TOKEN}Subject: failure\n\n550 no\n"
    assert verdict(mail).kind == "failed"


def test_complaints_and_receipts_are_told_apart() -> None:
    """RFC 5965 and RFC 8098 reports are neither bounces nor answers."""
    for kind, fields, wanted, why in (
        ("feedback-report", "Feedback-Type: abuse\nOriginal-Rcpt-To: <a@b.test>", "feedback", "abuse"),
        (
            "disposition-notification",
            "Final-Recipient: rfc822;a@b.test\nDisposition: x; read",
            "receipt",
            "read",
        ),
    ):
        mail = dsn(FAILED).replace("message/delivery-status", f"message/{kind}")
        found = verdict(mail.replace("Reporting-MTA: dns; remote.test\n\n" + FAILED, fields))
        assert found.kind == wanted
        assert why in found.diagnostic


def test_anything_automatic_is_at_least_a_report() -> None:
    """Null path, automatic field, list or daemon: it is absorbed, whatever it says."""
    plain = f"From: a@b.test\n{TOKEN}Subject: Hello\n\nNice weather.\n"
    assert verdict(plain).kind == "other-report"
    assert verdict(plain, "<>").kind == "other-report"
    for field in ("Auto-Submitted: auto-generated", "List-Id: <x.y>", "Precedence: bulk"):
        assert verdict(f"{field}\n{plain}", "a@b.test").kind == "other-report"
    assert verdict(plain.replace("a@b", "mailer-daemon@b"), "a@b.test").kind == "other-report"


def test_a_persons_mail_is_no_report() -> None:
    """Somebody who writes by hand to a return path, even about mail that failed, is no program."""
    mail = f"From: Jane <jane@b.test>\n{TOKEN}Subject: Your mail\n\nMy mailbox was full, it was refused.\n"
    assert read(mail, "jane@b.test") is None


PIECES = [
    b"From: MAILER-DAEMON@x.test\r\n",
    b"Subject: failure notice\r\n",
    b'Content-Type: multipart/report; boundary="b"\r\n',
    b"Content-Type: message/delivery-status\r\n",
    b"Content-Type: text/html; charset=utf-7\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Final-Recipient: rfc822;",
    b"Action: failed\r\n",
    b"Status: 5.",
    *(
        b"\r\n",
        b"--b\r\n",
        b"--b--",
        b"\x00\xff",
        b"<style>",
        b"a@b.test ",
        b"=?utf-8?b?",
        b"550 ",
        b"=3D=\r\n",
    ),
]


@settings(max_examples=examples(300))
@given(
    st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=40),
    st.sampled_from(["", "a@b.test", None]),
)
def test_nothing_breaks_the_reader(pieces: list[bytes], path: str | None) -> None:
    """Any octets give a verdict or none, on one line, and a whole message or its beginning do as well."""
    raw = b"".join(pieces)
    head, shape = scan(raw)
    found = read_bounce(head, shape, raw, path)
    read_bounce(head, shape, raw[: len(raw) // 2], path)
    if path == "":
        assert found is not None
    if found is not None:
        assert len(found.diagnostic) <= 200
        assert found.diagnostic.isprintable()


FILLERS = [
    "<style>",
    " ",
    "\n",
    "\n ",
    "-",
    "=",
    "a@",
    "a.",
    "a@a.",
    "[",
    "550 ",
    "\n--b",
    "user ",
    "mailbox quota ",
    "<a ",
    "<br",
    "&#",
    "\nreceived",
    "\n--",
]


@pytest.mark.parametrize("filler", FILLERS)
def test_hostile_reports_are_read_in_good_time(filler: str) -> None:
    """No filling of 256 KB, in any of the places that are read, takes more than two seconds of CPU."""
    flood = filler * (MAX_READ // len(filler))
    for lead in ("Subject: Mail failure\n\n", "Content-Type: text/html\nSubject: Mail failure\n\n"):
        began = time.process_time()
        read(f"From: MAILER-DAEMON@x.test\n{lead}{flood}")
        read(dsn(f"Final-Recipient: rfc822; {flood[:100_000]}"))
        assert time.process_time() - began < 2 * slowness()


def test_a_long_subject_takes_no_time() -> None:
    """Whoever knows a return path may write one."""
    begun = time.process_time()
    assert verdict("From: joe@x.test\nSubject: a" + " " * 60_000 + "b\n\nhello\n").kind == "other-report"
    assert time.process_time() - begun < 2 * slowness()
