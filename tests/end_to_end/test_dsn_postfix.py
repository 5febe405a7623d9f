"""DSN parameters (RFC 3461) with a real Postfix before and behind: what it is asked, and what its users hear."""

from __future__ import annotations

import email
import smtplib
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.support import postfix
from tests.support.parsed import parts_of
from tests.support.ports import free_port
from tests.support.relay import ROLE, relay, wait_until, write_configuration

pytestmark = pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT)

JANE = "jane@example.test"
PEOPLE = ("laurie", "elaine", "it", "jane", "role")


def settings(relay_port: int, elaine: str) -> dict[str, str]:
    """Everybody's mailbox; Elaine's mail goes to ``elaine``, and what is for gone.test can't be delivered."""
    boxes = " ".join(f"{name}@example.test={name}/" for name in PEOPLE)
    return {
        "transport_maps": f"inline:{{ {{{ROLE} = smtp:[127.0.0.1]:{relay_port}}} "
        "{gone.test = error:5.1.1 there is no such user here} }",
        "recipient_delimiter": "+",
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": f"inline:{{ {boxes} {ROLE}=role/ }}",
        "virtual_alias_maps": f"inline:{{ {{elaine@example.test = {elaine}}} }}",
    }


def parts(raw: bytes) -> tuple[EmailMessage, EmailMessage, EmailMessage]:
    """The groups of a report's delivery status, and what came back of the original."""
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    _, status, original = message.iter_parts()
    about, recipient = parts_of(status)
    assert isinstance(original, EmailMessage)
    return about, recipient, original


@pytest.mark.parametrize("works", [True, False], ids=["both arrive", "one comes back"])
def test_success_is_told_once_and_by_us(tmp_path: Path, works: bool) -> None:
    """One report that the mail was passed on, with the sender's own words; nothing of whose mailbox got what."""
    port = free_port()
    elaine = "elaine@example.test" if works else "elaine@gone.test"
    with postfix.Postfix(settings(port, elaine)) as server:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{server.port}")
        file = config / "mailrouter.yaml"
        file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        with relay(config) as running:
            with smtplib.SMTP("127.0.0.1", server.port, timeout=30) as client:
                client.ehlo()
                client.mail(JANE, ["ENVID=QQ+2B1", "RET=FULL"])
                assert (
                    client.rcpt(ROLE, ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;VP-HR@example.test"])[0] == 250
                )
                text = f"From: {JANE}\r\nTo: {ROLE}\r\nSubject: Budget\r\nMessage-ID: <1@example.test>\r\n\r\nHi\r\n"
                assert client.data(text.encode())[0] == 250
            wait_until(
                lambda: bool(server.mails("jane") and server.mails("laurie")), what="a report and a copy"
            )
            if works:
                wait_until(lambda: bool(server.mails("elaine")), what="the other copy")
            else:
                wait_until(lambda: bool(server.mails("it")), what="an alert about the bounce")
                wait_until(lambda: len(server.mails("laurie")) == 2, what="a notice about the bounce")
            log = running.log.read_text()
        (report,) = server.mails("jane")
        alerts, postfix_log = server.mails("it"), server.log.read_text()
    about, recipient, original = parts(report)
    assert about["Reporting-MTA"] == "dns; mx.example.test"
    assert about["Original-Envelope-Id"] == "QQ+1"
    assert recipient["Original-Recipient"] == "rfc822;VP-HR@example.test"
    assert recipient["Action"] == "expanded"
    assert original.get_content_type() == "text/rfc822-headers"
    assert not any(name in report.lower() for name in (b"laurie", b"elaine", b"gone.test"))
    # Postfix reports neither "relayed" to Jane, since we offer DSN, nor "delivered" to us, since we don't ask for it.
    assert "sender delivery status notification" not in postfix_log
    assert len(alerts) == (0 if works else 1)
    assert ("dsn=5.1.1: a bounce" in log) == (not works)
    if alerts:
        assert b"there is no such user here" in alerts[0].replace(b"=\n", b"")
