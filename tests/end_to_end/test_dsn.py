"""What a sender asks of reports (RFC 3461), through a real relay: obeyed by us, and never passed on."""

from __future__ import annotations

import email
import smtplib
from email import policy
from email.message import EmailMessage
from pathlib import Path

from flufl.bounce import all_failures

from mailrouter.store.ids import NO_MESSAGE, message_id_of
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.turns import drive
from tests.support.misbehaving import HANG, Script, standing
from tests.support.parsed import parts_of
from tests.support.relay import PARTNERS, ROLE, relay, wait_until, write_configuration
from tests.support.sending import queue_id
from tests.support.sink import Sink

JANE, WIDE = "jane@outside.test", "jörg@outside.test"
QUICK = """\
timeouts: {connect: 2 s, reply: 0.8 s, data_end: 4 s}
retry: {first: 0.1 s, most: 0.2 s, delay_notice: 0.1 s}
"""


def written(sender: str, extra: str = "") -> bytes:
    """A mail by this sender."""
    text = f"From: {sender}\r\nTo: {ROLE}\r\nSubject: Budget\r\nMessage-ID: <1@outside.test>\r\n{extra}\r\nHi\r\n"
    return text.encode()


def send(port: int, sender: str, mail: list[str], rcpt: list[str]) -> str:
    """Send it with these parameters; gives its queue id."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        assert "dsn" in client.esmtp_features
        if not sender.isascii():
            client.command_encoding = "utf-8"
            mail = [*mail, "SMTPUTF8", "BODY=8BITMIME"]
        assert client.mail(sender, mail)[0] == 250
        assert client.rcpt(ROLE, rcpt)[0] == 250
        code, text = client.data(written(sender))
    assert code == 250
    return queue_id(text.decode())


def test_nothing_of_the_senders_wishes_is_passed_on(tmp_path: Path) -> None:
    """The copies leave with words of ours: headers only, our ENVID, the partner as ORCPT, no report of success."""
    with standing(Script(offer=("DSN", "PIPELINING"))) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", "auto_reply: always\n")
        with relay(config) as running:
            name = send(
                running.port,
                JANE,
                ["ENVID=QQ+2B1", "RET=FULL"],
                ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;vp+2Bhr@example.test"],
            )
            wait_until(lambda: len(hop.server.received) == 4, what="copies, a report, a reply")
        lines = [line for connection in hop.server.commands for line in connection]
    for partner in PARTNERS:
        assert f"RCPT TO:<{partner}> NOTIFY=FAILURE,DELAY ORCPT=rfc822;{partner}" in lines
    assert sum(line.endswith(f" RET=HDRS ENVID={name}") for line in lines) == 2
    assert lines.count(f"RCPT TO:<{JANE}> NOTIFY=NEVER") == 2
    assert not any("SUCCESS" in line or "QQ" in line or "FULL" in line for line in lines)


def test_an_international_sender_gets_an_international_report(tmp_path: Path) -> None:
    """To jörg@ over SMTPUTF8, as RFC 6533 has it; the server behind us refuses it without that word."""
    with Sink(refuse=dict.fromkeys(PARTNERS, "550 5.1.1 no such user")) as sink:
        with relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")) as running:
            send(running.port, WIDE, ["ENVID=QQ+2B1"], ["ORCPT=utf-8;büro@example.test"])
            wait_until(lambda: any(to == WIDE for _, to, _ in sink.taken), what="a report")
        raw = next(content for _, to, content in sink.taken if to == WIDE)
    report = email.message_from_bytes(raw, policy=policy.SMTPUTF8)
    assert isinstance(report, EmailMessage)
    assert f"\r\nTo: {WIDE}\r\n".encode() in raw
    kinds = [part.get_content_type() for part in report.iter_parts()]
    assert kinds == ["text/plain", "message/global-delivery-status", "message/global-headers"]
    assert b"Original-Recipient: utf-8;b\xc3\xbcro@example.test" in raw
    assert b"Original-Envelope-Id: QQ+1" in raw
    assert not any(name.encode() in raw for name in (*PARTNERS, "Laurie", "Elaine"))


def test_a_notice_of_delay_never_comes_after_the_mail(tmp_path: Path) -> None:
    """It waits behind the same dead server as the mail; when that is back, the mail goes and the notice does not."""
    with standing(Script({"mail": HANG})) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            send(running.port, JANE, [], ["NOTIFY=DELAY"])
            store = StoreReader(tmp_path / "var" / "mailrouter.db")

            def kinds() -> list[tuple[str, str]]:
                entries = drive(store.history(NO_MESSAGE, 10))
                return sorted((d.kind, d.state) for entry in entries for d in entry.deliveries)

            wait_until(lambda: ("delay", "queued") in kinds(), what="a notice")
            hop.behave()
            wait_until(lambda: not drive(store.waiting()), what="an empty queue")
            store.close()
        assert sorted(one.recipients[0] for one in hop.server.received) == sorted(PARTNERS)


def test_a_delay_is_told_once_while_partners_refuse(tmp_path: Path) -> None:
    """Where the server is well and puts both partners off, the sender hears once, and as asked."""
    off = Script({"rcpt": lambda line: "450 4.2.1 later" if "example.test" in line else None})
    with standing(off) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        with relay(config) as running:
            send(running.port, JANE, [], ["NOTIFY=NEVER"])
            send(running.port, JANE, ["ENVID=told"], ["NOTIFY=DELAY"])
            wait_until(lambda: hop.server.met["rcpt"] >= 16, what="some tries")
            hop.behave()
            wait_until(lambda: len(hop.server.received) >= 5, what="copies")
        told = [one.content for one in hop.server.received if JANE in one.recipients]
    assert len(told) == 1
    assert b"Action: delayed" in told[0]
    assert b"Original-Envelope-Id: told" in told[0]
    assert b"Will-Retry-Until: " in told[0]


def test_mail_whose_time_is_over_while_the_server_is_down(tmp_path: Path) -> None:
    """It fails though nothing could be tried; the sender, IT and nobody else hear of it when the server is back."""
    short = "retry: {first: 0.1 s, most: 0.2 s, delay_notice: never, give_up: 4 s}\n"
    with standing() as hop:
        hop.go_down()
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=short)
        with relay(config) as running:
            name = send(running.port, JANE, ["ENVID=QQ+2B1"], ["NOTIFY=FAILURE"])
            store = StoreReader(tmp_path / "var" / "mailrouter.db")

            def states() -> set[str]:
                entry = drive(store.entry(message_id_of(name)))
                return {d.state for d in entry.deliveries if d.kind == "copy"} if entry else set()

            wait_until(lambda: states() == {"failed"}, what="the end of trying")
            hop.come_up()
            wait_until(lambda: any(JANE in one.recipients for one in hop.server.received), what="a report")
            store.close()
        reports = [one.content for one in hop.server.received if JANE in one.recipients]
    (raw,) = reports
    report = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(report, EmailMessage)
    assert all_failures(report) == (frozenset(), frozenset((ROLE.encode(),)))
    about, recipient = parts_of(list(report.iter_parts())[1])
    assert about["Original-Envelope-Id"] == "QQ+1"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "4.4.7")
    assert not any(name.encode() in raw for name in (*PARTNERS, "Laurie", "Elaine"))
