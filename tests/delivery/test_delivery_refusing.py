"""A next hop that answers, and puts off every mail: it costs a probe like one that is dead. One mailbox does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.delivery.hop_health import ENOUGH, PuttingOff, of_server
from mailrouter.delivery.smtp import Pool
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery, Outcome
from tests.support.messages import until
from tests.support.misbehaving import Script, misbehaving
from tests.support.outgoing import outbound

RARE = Pool(most=1, idle=0.2, patience=0.02, full=0.1, pauses=(0.05, 60.0))
PAUSES = Pool(idle=0.2, patience=0.02, crowd=2, full=0.1, pauses=(0.05,))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Warnings about next hops are expected here."""
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.delivery"):
        yield


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("mail", "451 4.3.0 try again later"),
        ("mail", "450 busy"),
        ("rcpt", "452 4.3.1 no room"),
        ("rcpt", "452 no room"),
        ("data", "451 4.3.2 not now"),
        ("dot", "451 4.3.0 queue file write error"),
    ],
)
async def test_a_server_that_puts_off_every_mail_costs_one_probe_not_one_a_message(
    tmp_path: Path, state: str, words: str
) -> None:
    """After a few different messages nothing more is sent but a probe; time passes, and no tries are spent. An
    answer to MAIL says nothing of a mailbox."""
    async with (
        misbehaving(Script({state: words})) as server,
        outbound(tmp_path / "m.db", server.port, pool=RARE) as out,
    ):
        heard: list[bool] = []

        def watch(delivery: Delivery, result: Outcome, reply: Reply) -> bool:
            heard.append(reply.own)
            return False

        out.dispatcher._watch = watch
        for n in range(40):
            await out.accept(recipients=(f"r{n}@x.test",))
        await until(lambda: out.transport.paused() and out.transport._failures == 2)
        await until(lambda: sum(attempts for _, _, attempts in out.attempts()) >= ENOUGH + 1)
        # With the end of one message the next one's commands are on their way; and a probe asks about two recipients
        # where the answer speaks of one.
        assert sum(attempts for _, _, attempts in out.attempts()) <= ENOUGH + 5
        # The server's words may quote what it saw before; what its codes mean is said in ours.
        assert out.transport.trouble.startswith(
            f"It puts off every mail: {Reply(int(words[:3]), words[4:]).codes} ("
        )
        assert words[-8:] not in out.transport.trouble
        assert all(own is (state in ("mail", "data")) for own in heard)
        assert server.most_open == 1


async def test_it_is_back_at_full_speed_at_the_first_acceptance(tmp_path: Path) -> None:
    """Everything goes at once then, what was put off included, over many connections, and nothing twice."""
    well = False
    script = Script({"mail": lambda line: None if well else "451 4.3.0 try again later"})
    async with (
        misbehaving(script) as server,
        outbound(tmp_path / "m.db", server.port, pool=PAUSES) as out,
    ):
        for n in range(60):
            await out.accept(recipients=(f"r{n}@x.test",))
        await until(lambda: out.transport._failures >= 3)
        well = True
        await out.settled("delivered", 60)
        assert out.transport.trouble == ""
        assert not out.transport.paused()
        assert sorted(to for one in server.received for to in one.recipients) == sorted(
            f"r{n}@x.test" for n in range(60)
        )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("rcpt", "450 4.2.0 greylisted"),
        ("rcpt", "452 4.2.2 over quota"),
        ("rcpt", "451 greylisted"),
        ("rcpt", "452 no room"),
        ("dot", "452 4.2.2 over quota"),
    ],
)
async def test_one_mailbox_pauses_nobody(tmp_path: Path, state: str, words: str) -> None:
    """Twenty mails for one recipient are put off each, one after the other, and the others' are on their way."""
    script = Script({state: lambda line: words if "full@" in line else None})
    async with (
        misbehaving(script) as server,
        outbound(tmp_path / "m.db", server.port, pool=RARE) as out,
    ):
        for _ in range(20):
            await out.accept(recipients=("full@x.test",))
        await until(lambda: [attempts for _, _, attempts in out.attempts()] == [1] * 20)
        assert out.transport.trouble == ""
        await out.accept(recipients=("well@x.test",))
        await out.settled("delivered", 1)


async def test_greylisting_of_everybody_pauses_nobody(tmp_path: Path) -> None:
    """Each mail must have been tried once before the server's time for it begins."""
    async with (
        misbehaving(Script({"rcpt": "451 4.7.1 greylisted"})) as server,
        outbound(tmp_path / "m.db", server.port, pool=RARE) as out,
    ):
        for n in range(20):
            await out.accept(recipients=(f"r{n}@x.test",))
        await until(lambda: [attempts for _, _, attempts in out.attempts()] == [1] * 20)
        assert out.transport.trouble == ""


@pytest.mark.parametrize(
    ("stage", "code", "text", "server"),
    [
        ("mail", 451, "4.3.0 later", True),
        ("mail", 450, "4.7.1 later", True),
        ("mail", 550, "5.7.1 no", False),
        ("rcpt", 452, "4.3.1 no room", True),
        ("rcpt", 451, "4.4.3 no name server", True),
        ("rcpt", 450, "4.2.0 greylisted", False),
        ("rcpt", 451, "greylisted", False),
        ("rcpt", 452, "over quota", True),
        ("dot", 451, "4.7.1 looks like spam", False),
        ("dot", 452, "4.3.1 no room", True),
        ("mail", 421, "4.3.2 closing", False),
        ("", 451, "4.3.0 could not be read", False),
    ],
)
def test_what_a_reply_speaks_of(stage: str, code: int, text: str, server: bool) -> None:
    """At MAIL of the server; later by the second number of its status (RFC 3463 §3)."""
    assert of_server(stage, Reply(code, text)) is server


@given(
    st.lists(
        st.tuples(st.sampled_from(["mail", "rcpt"]), st.integers(0, 2), st.sampled_from([250, 550, 450, 452]))
    )
)
def test_never_without_several_messages_and_never_for_one_mailbox_alone(
    heard: list[tuple[str, int, int]],
) -> None:
    """It is the server's trouble only after so many different messages, with nothing taken or refused since."""
    found = PuttingOff()
    since: list[tuple[str, int, int]] = []
    for stage, message, code in heard:
        told = found.heard(message, "one@x.test", stage, Reply(code, "words"))
        since = [] if code in (250, 550) else [*since, (stage, message, code)]
        if told:
            assert len({m for s, m, c in since if of_server(s, Reply(c, "words"))}) >= ENOUGH
            assert any(s == "mail" for s, _, _ in since)
