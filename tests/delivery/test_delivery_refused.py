"""A next server that refuses us: mail waits, one probe, and no verdict on a mail is lost by that."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from tests.support.messages import queue_of, until
from tests.support.misbehaving import Script, misbehaving
from tests.support.outgoing import outbound

QUICK = Retry(first=0.2, most=0.3)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Errors about next hops are expected here."""
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.delivery"):
        yield


OF_US = [
    ("mail", "530 5.7.0 Must issue a STARTTLS command first"),
    ("mail", "530 5.7.1 Authentication required"),
    ("mail", "550 5.7.1 no"),
    ("mail", "554 go away"),
    ("rcpt", "554 5.7.1 Relay access denied"),
    ("rcpt", "550 5.7.1 no"),
    ("rcpt", "535 5.7.8 no"),
    ("data", "554 no"),
    ("dot", "530 5.7.57 Client not authenticated"),
    ("ehlo", "550 5.7.1 no"),
    ("connect", "554 5.7.1 no"),
]


@pytest.mark.parametrize(("state", "reply"), OF_US)
@pytest.mark.parametrize("recipients", [("a@x.test",), ("a@x.test", "b@x.test")], ids=["one", "two"])
async def test_no_mail_is_lost_by_a_server_that_refuses_us(
    tmp_path: Path, state: str, reply: str, recipients: tuple[str, ...]
) -> None:
    """Not the first, not a single one, not those after it; and all arrive once it is well."""
    script = Script({state: reply, "helo": reply} if state == "ehlo" else {state: reply})
    async with misbehaving(script) as server, outbound(tmp_path / "m.db", server.port, retry=QUICK) as out:
        await out.accept(recipients=recipients)
        await until(lambda: server.met[state] >= 1 and bool(out.transport.trouble))
        assert reply[:3] in out.transport.trouble
        assert reply not in out.transport.trouble, "the codes alone"
        assert out.transport.refuses
        for n in range(3):
            await out.accept(recipients=(f"later{n}@x.test",))
        await until(lambda: server.met[state] >= 3)
        assert out.count("failed") == 0
        await server.behave(Script())
        await out.settled("delivered", len(recipients) + 3)
        assert out.transport.trouble == out.transport.advice == ""
        assert not out.transport.refuses


async def test_a_refused_mailbox_fails_at_once_beside_one_that_takes_mail(tmp_path: Path) -> None:
    """One question about the other recipient tells; nothing is put off, and the server is not in trouble."""

    def answer(line: str) -> str | None:
        return "550 5.7.1 not for you" if "<a@" in line else None

    async with (
        misbehaving(Script({"rcpt": answer})) as server,
        outbound(tmp_path / "m.db", server.port, retry=QUICK) as out,
    ):
        await out.accept(recipients=("a@x.test", "b@x.test"))
        await out.settled("delivered", 1)
        await out.settled("failed", 1)
        assert out.attempts() == [("a@x.test", "failed", 1), ("b@x.test", "delivered", 1)]
        assert out.transport.trouble == ""


async def test_a_refused_return_path_fails_at_once_where_another_is_taken(tmp_path: Path) -> None:
    """MAIL with ``<>`` is asked about, and taken: so it is this sender's domain."""

    def answer(line: str) -> str | None:
        return None if "<>" in line else "550 5.1.8 Sender address rejected: Domain not found"

    async with (
        misbehaving(Script({"mail": answer})) as server,
        outbound(tmp_path / "m.db", server.port) as out,
    ):
        await out.accept(recipients=("a@x.test",))
        await out.settled("failed", 1)
        assert out.transport.trouble == ""
        assert "MAIL FROM:<>" in server.commands[0]


async def test_a_mail_refused_alone_is_a_verdict_once_others_were_taken(tmp_path: Path) -> None:
    """With nobody to be asked about it waits; refused again after another's mail was taken, it fails."""

    def answer(line: str) -> str | None:
        return "550 5.7.1 not for you" if "<a@" in line else None

    async with (
        misbehaving(Script({"rcpt": answer})) as server,
        outbound(tmp_path / "m.db", server.port, retry=QUICK) as out,
    ):
        await out.accept(recipients=("a@x.test",))
        await until(lambda: bool(out.transport.trouble))
        assert out.count("failed") == 0
        await out.accept(recipients=("b@x.test",))
        await out.settled("delivered", 1)
        await out.settled("failed", 1)
        await until(lambda: out.transport.trouble == "")


async def test_one_recipient_that_needs_a_login_waits_and_holds_up_nobody(tmp_path: Path) -> None:
    """A demand is never a verdict on a mail; but where another is taken, the server is well."""

    def answer(line: str) -> str | None:
        return "530 5.7.1 Authentication required" if "<a@" in line else None

    async with (
        misbehaving(Script({"rcpt": answer})) as server,
        outbound(tmp_path / "m.db", server.port, retry=QUICK) as out,
    ):
        await out.accept(recipients=("a@x.test", "b@x.test"))
        await out.settled("delivered", 1)
        await until(lambda: out.attempts()[0][2] >= 3)
        assert out.attempts()[0][1] == "queued"
        assert out.transport.trouble == ""


async def test_five_days_are_the_last_resort(tmp_path: Path) -> None:
    """What the server demands stands with the time that is over."""
    short = Retry(first=0.1, most=0.2, give_up=1.0)
    async with (
        misbehaving(Script({"mail": "530 5.7.0 Authentication required"})) as server,
        outbound(tmp_path / "m.db", server.port, retry=short) as out,
    ):
        await out.accept(recipients=("a@x.test",))
        await out.settled("failed", 1)
        reply = queue_of(out.store.reader, 1)[0].deliveries[0].last_reply
        assert reply.startswith("451 4.4.7 Not delivered within")
        assert "530 5.7.0" in reply
