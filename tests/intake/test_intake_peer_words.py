"""What another server said, as it may stand in the log: never what the mail says."""

from __future__ import annotations

import base64
import quopri
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.intake.peer_words import for_log
from mailrouter.store.model import Outcome
from tests.intake.services import desk, service
from tests.routing.situations import mail, role

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
TEXT = "Good morning,\nplease cut Müller's salary by half, and tell nobody about it.\n"


def encoded(how: str) -> bytes:
    """The mail with its text in this encoding."""
    text = TEXT.encode()
    body = {"8bit": text, "base64": base64.encodebytes(text), "quoted-printable": quopri.encodestring(text)}[
        how
    ]
    fields = (
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        f"Content-Transfer-Encoding: {how}",
    )
    return mail("Subject: =?utf-8?q?J=C3=BCrgen=27s_dismissal?=", *fields, body=body.replace(b"\n", b"\r\n"))


@pytest.mark.parametrize("how", ["8bit", "base64", "quoted-printable"])
@pytest.mark.parametrize(
    ("words", "logged"),
    [
        ("550 5.7.1 Rejected: J\u00fcrgen's dismissal", "550 5.7.1"),
        ("550 5.7.1 DISMISSAL is a bad word", "550 5.7.1"),
        ("451 4.7.1 found: tell nobody about it", "451 4.7.1"),
        ("451 4.7.1 found 'salary' in it", "451 4.7.1"),
        ("554 rule 12 \u201cM\u00fcller\u201d", "554"),
        ("550 5.1.1 <laurie@example.test>: Recipient address rejected: no such user here", None),
        ("451 4.7.1 Greylisted, please come again in the morning", None),
        ("452 4.2.2 The mailbox is full", None),
        ("421", None),
    ],
)
async def test_the_log_has_no_word_of_the_mail(
    tmp_path: Path, how: str, words: str, logged: str | None
) -> None:
    """Subject and text in whatever encoding: codes alone where they are quoted, else all that was said."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        assert (await running.send(encoded(how))).startswith("250")
        copy = running.offered[0]
        assert for_log(running.store.reader, copy, words) == (words if logged is None else logged)


async def test_what_can_not_be_compared_is_told_by_its_codes(tmp_path: Path) -> None:
    """The text may be gone."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        assert (await running.send(mail())).startswith("250")
        copy = running.offered[0]
        await running.store.run(lambda connection: connection.execute("DELETE FROM chunk"))
        assert for_log(running.store.reader, copy, "550 5.7.1 The budget") == "550 5.7.1"
        await running.store.settle([Outcome(copy.id, "failed", "550 5.7.1 The budget", 1)])
        found = running.store.reader.delivery(copy.id)
        assert found is not None
        assert found.last_reply == "550 5.7.1 The budget", "the queue has it as it was said"
