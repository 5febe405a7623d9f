"""The whole way out: store, dispatcher and SMTP transport against servers that misbehave."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.dispatch import MOST_READY
from mailrouter.delivery.smtp import Pool
from mailrouter.smtp.client import Timeouts
from mailrouter.store.model import CHUNK_SIZE
from tests.support.messages import HEAD, SMALL, put, queue_of, until
from tests.support.misbehaving import (
    CLOSE,
    ENDLESS,
    GIBBERISH,
    HANG,
    Action,
    Misbehaving,
    Script,
    misbehaving,
)
from tests.support.outgoing import POOL, outbound
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Warnings about next hops are expected here."""
    with caplog.at_level(logging.CRITICAL, logger="mailrouter.delivery"):
        yield


def doubles(server: Misbehaving) -> list[str]:
    """Recipients that got more than one message."""
    seen = Counter(recipient for one in server.received for recipient in one.recipients)
    return [recipient for recipient, times in seen.items() if times > 1]


async def test_both_copies_arrive(tmp_path: Path) -> None:
    """Each partner gets the copy, over one connection, and the store knows."""
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        await out.accept()
        await out.settled("delivered", 2)
        assert [one.content for one in server.received] == [HEAD + SMALL] * 2
        assert server.connections == 1
        assert out.transport.max_size == 100_000_000


async def test_what_lies_in_the_store_is_delivered_after_a_start(tmp_path: Path) -> None:
    """Small and large mail that an earlier process left is claimed and sent."""
    large = b"x" * 78 + b"\r\n"
    large = large * (CHUNK_SIZE // 40)
    async with outbound(tmp_path / "m.db", free_port()) as out:
        await out.dispatcher.close(0)
        await out.accept(offer=False)
        await out.accept(large, ("big@x.test",), offer=False)
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        await out.settled("delivered", 3)
        assert server.contents("big@x.test") == [HEAD + large]


@pytest.mark.parametrize("state", ["connect", "ehlo", "mail", "rcpt", "data", "dot"])
@pytest.mark.parametrize("action", [CLOSE, HANG, GIBBERISH, ENDLESS, "421 4.3.2 closing"])
async def test_whatever_the_first_connection_does_the_rest_arrives_once(
    tmp_path: Path, state: str, action: Action
) -> None:
    """Nothing is lost or doubled, and the message it broke on goes as soon as the server behaves.

    One that hangs beside a connection that serves waits for its own next try.
    """
    async with (
        misbehaving(Script({state: action}), Script()) as server,
        outbound(tmp_path / "m.db", server.port) as out,
    ):
        for n in range(5):
            await out.accept(recipients=(f"r{n}@x.test",))
        greeting = state in ("connect", "ehlo")
        held = action is HANG and not greeting
        await out.settled("delivered", 4 if held else 5)
        state_then = ("queued", 1) if held else ("delivered", 1 if greeting else 2)
        await until(lambda: out.attempts()[0][1:] == state_then)
        assert not held or out.transport.trouble == ""
        assert doubles(server) == []


async def test_one_message_that_breaks_connections_holds_up_no_other(tmp_path: Path) -> None:
    """A recipient at which the server always hangs up is tried later, once more when the others have arrived."""

    drop = Script({"rcpt": lambda line: CLOSE if "<poison@" in line else None})
    async with misbehaving(drop) as server, outbound(tmp_path / "m.db", server.port) as out:
        for name in ("a", "poison", "b", "c"):
            await out.accept(recipients=(f"{name}@x.test",))
        await out.settled("delivered", 3)
        await until(lambda: ("poison@x.test", "queued", 2) in out.attempts())
        for name in ("d", "e"):
            await out.accept(recipients=(f"{name}@x.test",))
        await out.settled("delivered", 5)
        assert ("poison@x.test", "queued", 2) in out.attempts()
        assert doubles(server) == []


async def test_each_recipients_result_is_its_own(tmp_path: Path) -> None:
    """Delivered, failed and deferred side by side, by what was said to each."""
    answers = {"no": "550 5.1.1 no", "later": "450 4.2.0 later", "full": "552 5.2.2 full"}

    def answer(line: str) -> str | None:
        return answers.get(line.partition("<")[2].partition("@")[0])

    recipients = ("yes@x.test", "no@x.test", "later@x.test", "full@x.test", "yes2@x.test")
    async with (
        misbehaving(Script({"rcpt": answer})) as server,
        outbound(tmp_path / "m.db", server.port) as out,
    ):
        await out.accept(recipients=recipients)
        await out.settled("delivered", 2)
        await until(lambda: all(attempts for _, _, attempts in out.attempts()))
        states = [state for _, state, _ in out.attempts()]
        assert states == ["delivered", "failed", "queued", "queued", "delivered"]
        entry = queue_of(out.store.reader, 10)[0]
        assert {d.recipient: d.last_reply for d in entry.deliveries}["no@x.test"] == "550 5.1.1 no"


async def test_a_dead_next_hop_costs_one_probe_at_a_time(tmp_path: Path) -> None:
    """While it is down there is one connection per pause however much waits, no attempt counts, and then all
    goes."""
    port = free_port()
    async with outbound(tmp_path / "m.db", port) as out:
        for n in range(60):
            await out.accept(recipients=(f"r{n}@x.test",))
        began, before = time.monotonic(), out.transport._failures
        await until(lambda: out.transport._failures >= before + 3)
        # Ten connections at a time, or one for each that waits, would be far beyond one in each pause.
        assert out.transport._failures - before <= 2 + (time.monotonic() - began) / (0.8 * POOL.pauses[0])
        assert "refused" in out.transport.trouble
        assert {attempts for _, _, attempts in out.attempts()} == {0}
        server = Misbehaving(Script())
        await server.start(port)
        try:
            await out.settled("delivered", 60)
            assert out.transport.trouble == ""
            assert doubles(server) == []
            assert server.connections <= POOL.most
        finally:
            await server.close()


async def test_a_server_that_greets_and_then_fails_is_probed_slowly(tmp_path: Path) -> None:
    """Each probe costs one message one attempt, not all of them."""
    pool = Pool(idle=0.2, patience=0.02, pauses=(0.05, 30.0))
    async with (
        misbehaving(Script({"mail": "421 4.7.0 overloaded"})) as server,
        outbound(tmp_path / "m.db", server.port, pool=pool) as out,
    ):
        for n in range(20):
            await out.accept(recipients=(f"r{n}@x.test",))
        await until(lambda: server.connections == 2 and out.transport.paused())
        await until(lambda: sum(attempts for _, _, attempts in out.attempts()) == 2)
        assert server.most_open == 1


async def test_a_retry_is_not_slept_through(tmp_path: Path) -> None:
    """The loop sleeps half a minute where nothing is due; a delivery put off meanwhile for less wakes it."""
    turns = iter(["450 4.2.0 later"])
    script = Script({"rcpt": lambda line: next(turns, None)})
    retry = Retry(first=0.1, most=0.2)
    async with misbehaving(script) as server, outbound(tmp_path / "m.db", server.port, retry=retry) as out:
        await until(lambda: out.dispatcher._asleep_until > 0)
        await out.accept(recipients=("a@x.test",))
        await out.settled("delivered", 1)
        assert out.attempts() == [("a@x.test", "delivered", 2)]


async def test_a_crowd_opens_more_connections_up_to_the_limit(tmp_path: Path) -> None:
    """Many waiting deliveries are sent over several connections, none of them twice."""
    pool = Pool(most=3, crowd=2, idle=0.2)
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port, pool=pool) as out:
        queued = [d for n in range(100) for d in await put(out.store, recipients=(f"r{n}@x.test",))]
        out.dispatcher.offer(queued)
        await out.settled("delivered", 100)
        assert 1 < server.most_open <= 3
        assert doubles(server) == []


async def test_a_server_that_takes_few_connections_is_used_with_those(tmp_path: Path) -> None:
    """A second connection that is refused does not stop the first, and is not asked for again at once."""
    pool = Pool(most=5, crowd=1, idle=0.2, full=60)
    async with (
        misbehaving(Script(), Script({"connect": "421 4.7.0 too many connections"})) as server,
        outbound(tmp_path / "m.db", server.port, pool=pool) as out,
    ):
        queued = [d for n in range(50) for d in await put(out.store, recipients=(f"r{n}@x.test",))]
        out.dispatcher.offer(queued)
        await out.settled("delivered", 50)
        assert server.connections == 2
        assert out.transport.trouble == ""


async def test_a_slow_transaction_does_not_hold_up_the_others(tmp_path: Path) -> None:
    """While one connection hangs, what waits behind it goes over a second one."""
    under_way = asyncio.Event()

    def hang(recipient: str) -> Action | None:
        if recipient != "slow@x.test":
            return None
        under_way.set()
        return HANG

    async with (
        misbehaving(Script({"dot": hang})) as server,
        outbound(tmp_path / "m.db", server.port, Timeouts(2, 5, 5)) as out,
    ):
        await out.accept(recipients=("slow@x.test",))
        await under_way.wait()
        await out.accept(recipients=("quick@x.test",))
        await out.settled("delivered", 1, seconds=3)
        assert server.connections == 2
        await server.close()


async def test_a_server_that_closes_after_each_message_loses_none(tmp_path: Path) -> None:
    """Each message after the first meets a closed connection, goes back untried, and arrives over a new
    one."""
    async with (
        misbehaving(Script(max_messages=1)) as server,
        outbound(tmp_path / "m.db", server.port) as out,
    ):
        for n in range(6):
            await out.accept(recipients=(f"r{n}@x.test",))
        await out.settled("delivered", 6)
        assert {attempts for _, _, attempts in out.attempts()} == {1}
        assert doubles(server) == []


@pytest.mark.parametrize("state", ["connect", "ehlo", "mail", "rcpt", "data"])
async def test_a_connection_that_gets_no_answer_holds_up_one_mail_at_most(tmp_path: Path, state: str) -> None:
    """A server may take a connection and forget it, with minutes left to answer: all other mail goes by another."""
    patience = Timeouts(connect=2, reply=30, data_end=30)
    async with (
        misbehaving(Script({state: HANG}), Script()) as server,
        outbound(tmp_path / "m.db", server.port, patience, Pool(pauses=(0.05,))) as out,
    ):
        out.transport._failures = 1  # one connection alone is to show that the server is well
        for n in range(5):
            await out.accept(recipients=(f"r{n}@x.test",))
        await out.settled("delivered", 5 if state in ("connect", "ehlo") else 4, seconds=12)
        assert out.transport.trouble == ""
        assert server.connections == 2
        assert doubles(server) == []


async def test_a_word_of_the_operators_probes_beside_a_connection_that_gets_no_answer(tmp_path: Path) -> None:
    """With ``queue retry`` nobody waits for what a server has forgotten."""
    patience = Timeouts(connect=2, reply=6000, data_end=6000)
    async with (
        misbehaving(Script({"connect": HANG}), Script()) as server,
        outbound(tmp_path / "m.db", server.port, patience) as out,
    ):
        await out.accept()
        await until(lambda: server.connections == 1)
        out.transport.probe()
        await out.settled("delivered", 2, seconds=5)


async def test_a_server_that_answers_nobody_is_a_trouble_that_is_probed(tmp_path: Path) -> None:
    """It is said, long before the time for an answer is over, and the number of connections is bounded."""
    patience = Timeouts(connect=2, reply=30, data_end=30)
    pool = Pool(most=3, pauses=(0.05,))
    async with (
        misbehaving(Script({"connect": HANG})) as server,
        outbound(tmp_path / "m.db", server.port, patience, pool) as out,
    ):
        await out.accept()
        await until(lambda: out.transport.trouble == "It does not answer")
        await until(lambda: server.connections == 3)
        await server.behave(Script())
        await out.settled("delivered", 2, seconds=60)
        assert out.transport.trouble == ""


async def test_an_idle_connection_that_the_peer_closed_defers_nothing(tmp_path: Path) -> None:
    """A message that comes when the open connection has gone stale is sent at once over a new one."""
    pool = Pool(idle=5, patience=0.02)
    for actions in ({}, {"mail": CLOSE}):
        usual = Script(max_messages=1) if not actions else Script({"mail": _second(CLOSE)})
        async with (
            misbehaving(usual, Script()) as server,
            outbound(tmp_path / f"{len(actions)}.db", server.port, pool=pool) as out,
        ):
            await out.accept(recipients=("first@x.test",))
            await out.settled("delivered", 1)
            await until(lambda: out.transport._idle == 1)
            if not actions:
                await until(lambda: server.open == 0)
            await out.accept(recipients=("second@x.test",))
            await out.settled("delivered", 2, seconds=2)
            assert out.attempts() == [("first@x.test", "delivered", 1), ("second@x.test", "delivered", 1)]
            assert not out.transport.paused()


def _second(action: Action) -> Action:
    """Does nothing special the first time, then ``action``."""
    turns = iter([None])
    return lambda line: next(turns, action)


async def test_an_idle_connection_says_goodbye(tmp_path: Path) -> None:
    """After its idle time an unused connection is closed with QUIT."""
    pool = Pool(idle=0.03)
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port, pool=pool) as out:
        await out.accept()
        await out.settled("delivered", 2)
        await until(lambda: server.open == 0)
        assert server.commands[0][-1] == "QUIT"


async def test_a_message_the_store_can_not_read_is_deferred_alone(tmp_path: Path) -> None:
    """Whether its part is missing before or while it is sent, the others go on and the server gets nothing
    half."""
    large = b"y" * 78 + b"\r\n"
    large = large * (CHUNK_SIZE // 80 * 3)
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        await out.dispatcher.close(0)
        small_broken = await out.accept(recipients=("small@x.test",), offer=False)
        large_broken = await out.accept(large, recipients=("large@x.test",), offer=False)
        await out.accept(recipients=("fine@x.test",), offer=False)
        ids = (small_broken[0].message << 20, (large_broken[0].message << 20) + 2)
        await out.store.run(lambda c: c.execute("DELETE FROM chunk WHERE id IN (?, ?)", ids))
        assert out.count("queued") == 3
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        await out.settled("delivered", 1)
        await until(
            lambda: (
                sorted(out.attempts())[1:] == [("large@x.test", "queued", 1), ("small@x.test", "queued", 1)]
            )
        )
        assert [one.recipients for one in server.received] == [["fine@x.test"]]
        assert not out.transport.paused()


async def test_outcomes_wait_for_a_store_that_fails(tmp_path: Path) -> None:
    """What was delivered while the store could not note it is noted later, and not sent again."""
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        queued = await put(out.store)
        await out.store.run(
            lambda c: c.execute(
                "CREATE TRIGGER stop BEFORE UPDATE ON delivery BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
        )
        out.dispatcher.offer(queued)
        await until(lambda: len(server.received) == 2)
        await until(lambda: len(out.dispatcher._outcomes) == 2)
        assert out.count("queued") == 2
        await out.store.run(lambda c: c.execute("DROP TRIGGER stop"))
        await out.settled("delivered", 2)
        assert len(server.received) == 2


async def test_what_finds_no_room_in_memory_goes_by_the_store(tmp_path: Path) -> None:
    """More than is held in memory at once is released to the store, claimed later, and sent once."""
    number = MOST_READY + 100
    recipients = tuple(f"r{n}@x.test" for n in range(number // 4))
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        queued = [d for _ in range(4) for d in await put(out.store, recipients=recipients)]
        assert len(queued) == number
        out.dispatcher.offer(queued)
        assert out.dispatcher.waiting == 0
        await out.settled("delivered", number)
        assert len(server.received) == number


async def test_stopping_lets_a_transaction_end(tmp_path: Path) -> None:
    """close() waits for the message under way and notes it; what waits behind it stays in the store,
    untried."""
    under_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(recipient: str) -> None:
        under_way.set()
        await go_on.wait()

    async with (
        misbehaving(Script({"dot": slowly})) as server,
        outbound(tmp_path / "m.db", server.port, Timeouts(2, 5, 5), Pool(patience=60)) as out,
    ):
        await out.accept(recipients=("a@x.test",))
        await under_way.wait()
        await out.accept(recipients=("b@x.test",))
        closing = asyncio.create_task(out.dispatcher.close(5))
        await asyncio.sleep(0)
        go_on.set()
        await closing
        assert out.attempts() == [("a@x.test", "delivered", 1), ("b@x.test", "queued", 0)]
        assert server.commands[0][-1] == "QUIT"


async def test_stopping_does_not_wait_for_ever(tmp_path: Path) -> None:
    """A server that hangs gets its grace and no more; the message is tried again after the next start."""
    async with (
        misbehaving(Script({"dot": HANG}), Script()) as server,
        outbound(tmp_path / "m.db", server.port, Timeouts(2, 60, 60)) as out,
    ):
        await out.accept(recipients=("a@x.test",))
        await until(lambda: len(server.commands) == 1 and "DATA" in server.commands[0])
        await out.dispatcher.close(0.02)
        assert out.attempts() == [("a@x.test", "queued", 0)]
    async with misbehaving() as server, outbound(tmp_path / "m.db", server.port) as out:
        await out.settled("delivered", 1)
