"""Behind a real Postfix: whose word counts, and where a mail came from, by the fields that it writes."""

from __future__ import annotations

import email
import email.policy
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import postfix
from tests.support.ports import free_port
from tests.support.relay import PARTNERS, maildir, relay, wait_until, write_configuration

pytestmark = pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT)

LAURIE, ELAINE = PARTNERS
HANDOFF = "vp-hr+handoff@example.test"
OUTSIDE = "127.0.0.2"
"""A client's address that is none of ``trusted_networks`` here."""
SETTINGS = "authserv_id: postfix.example.test\ntrusted_networks: [127.0.0.1/32]\n"
WORD = "Authentication-Results: postfix.example.test; dmarc={} header.from=example.test"
FORGED = (
    WORD.format("pass"),
    "Received: from localhost (localhost [127.0.0.1]) by postfix.example.test; date",
    WORD.format("pass"),
)


@contextmanager
def behind(folder: Path, **settings: str) -> Iterator[postfix.Postfix]:
    """A Postfix that hands the role's mail to a relay, which delivers into Maildirs."""
    port = free_port()
    config = write_configuration(folder, settings=SETTINGS)
    file = config / "mailrouter.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    table = {
        "relay_domains": "example.test",
        "relay_transport": f"smtp:[127.0.0.1]:{port}",
        "recipient_delimiter": "+",
        **settings,
    }
    with relay(config), postfix.Postfix(table) as server:
        yield server


def send(server: postfix.Postfix, number: int, *fields: str) -> None:
    """A handoff in Laurie's name from outside, with these fields first."""
    lines = (
        *fields,
        f"From: {LAURIE}",
        f"To: {HANDOFF}",
        "Subject: Over",
        f"Message-ID: <{number}@example.test>",
    )
    with smtplib.SMTP("127.0.0.1", server.port, "mail.example.test", source_address=(OUTSIDE, 0)) as client:
        client.sendmail(LAURIE, [HANDOFF], "\r\n".join((*lines, "", "Left:", "- all of it", "")).encode())


def told(folder: Path, person: str) -> list[str]:
    """The texts of what a partner has got, with their subjects."""
    found = [email.message_from_bytes(raw, policy=email.policy.default) for raw in maildir(folder, person)]
    return [f"{message['subject']}\n{message.get_content()}" for message in found]


def test_what_the_sender_wrote_is_not_believed_and_the_question_says_who_it_was(tmp_path: Path) -> None:
    """Below Postfix's own Received field, and below a forged one."""
    with behind(tmp_path) as server:
        send(server, 1, *FORGED[1:])
        wait_until(lambda: len(told(tmp_path, LAURIE)) == 1, what="the question")
    (question,) = told(tmp_path, LAURIE)
    assert question.startswith("Please confirm")
    assert f"Came from: {OUTSIDE} (handed on by our own server 127.0.0.1)" in question
    assert told(tmp_path, ELAINE) == []


@pytest.mark.parametrize(("word", "subject"), [("pass", "Handoff for"), ("fail", "Please confirm")])
def test_what_postfix_itself_puts_on_top_is_believed(tmp_path: Path, word: str, subject: str) -> None:
    """Whatever the sender says of it below."""
    said = f"static:{{PREPEND {WORD.format(word)}}}"
    with behind(tmp_path, smtpd_sender_restrictions=f"check_sender_access {said}") as server:
        send(server, 1, *(FORGED[1:] if word == "pass" else FORGED))
        wait_until(lambda: len(told(tmp_path, LAURIE)) == 1, what="the message about it")
    (message,) = told(tmp_path, LAURIE)
    assert message.startswith(subject)
