"""What is put on hold, dropped or released while the delivery loop is at work on it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Literal

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.dispatch import MOST_READY, Dispatcher
from mailrouter.intake.release.queue_actions import Done, Order, steer
from mailrouter.smtp.client import Reply
from mailrouter.store.selection import STEP, Action, Selection
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.turns import drive
from tests.support.messages import PARTNERS, SMALL, put, until
from tests.support.misbehaving import CLOSE, Misbehaving, Script, misbehaving
from tests.support.misbehaving import Action as Reaction
from tests.support.outgoing import outbound

EVERYTHING = Selection()


def order(action: Action) -> Order:
    """Done to everything in the queue."""
    return Order(action, EVERYTHING, "jim")


async def test_what_waits_in_memory_is_recalled(tmp_path: Path) -> None:
    """Deliveries that lie ready for the transport are put on hold like those in the store, and taken by nobody."""
    store = SqliteStore.open(tmp_path / "m.db")
    dispatcher = Dispatcher(store)
    try:
        dispatcher.offer(await put(store))
        stored = await put(store)
        store.release(stored)
        done = await steer(store, order("hold"), None, dispatcher)
        assert (done.deliveries, done.messages, done.busy) == (4, 2, 0)
        assert dispatcher.take() is None
        assert dispatcher._bytes == 0
        assert await store.claim(10, 1 << 60) == []
        assert (await steer(store, order("release"), None, dispatcher)).deliveries == 4
        assert len(await store.claim(10, 1 << 60)) == 4, "nothing of them is in anybody's hands any more"
    finally:
        store.close()


async def test_what_is_being_sent_is_not_dropped_and_not_taken_again(tmp_path: Path) -> None:
    """Taken by the transport: a drop leaves it alone and says so; on hold, it is not taken once more if it comes back."""
    store = SqliteStore.open(tmp_path / "m.db")
    dispatcher = Dispatcher(store)
    try:
        dispatcher.offer(await put(store))
        taken = dispatcher.take()
        assert taken is not None
        done = await steer(store, order("hold"), None, dispatcher)
        assert (done.deliveries, done.busy) == (2, 1)
        dispatcher.untake(taken)  # it was not begun
        assert dispatcher.take() is None
        assert (await steer(store, order("release"), None, dispatcher)).deliveries == 2
        (again, other) = await store.claim(10, 1 << 60)
        dispatcher.offer([again, other])
        assert dispatcher.take() == again
        done = await steer(store, order("drop"), None, dispatcher)
        assert (done.deliveries, done.busy) == (1, 1)
        dispatcher.settle(again, Reply(250, "2.0.0 ok"))
        await until(lambda: drive(store.reader.waiting()) == 0)
        entry = await store.reader.entry(again.message)
        assert entry is not None
        assert [d.state for d in entry.deliveries] == ["delivered", "withdrawn"]
    finally:
        store.close()


@pytest.mark.parametrize("ends", ["451 4.2.0 later", "250 2.0.0 ok"])
async def test_put_on_hold_in_the_middle_of_a_transaction(tmp_path: Path, ends: str) -> None:
    """The peer's answer comes after the hold: a success stands, and what would be tried again is not."""
    gate = asyncio.Event()

    async def slowly(_: str) -> str:
        await gate.wait()
        return ends

    async with misbehaving(Script({"dot": slowly})) as peer, outbound(tmp_path / "m.db", peer.port) as out:
        await out.accept(recipients=PARTNERS[:1])
        await until(lambda: bool(begun(peer)))
        done = await steer(out.store, order("hold"), None, out.dispatcher)
        assert (done.deliveries, done.busy) == (1, 1)
        gate.set()
        await until(lambda: out.attempts()[0][2] == 1)
        assert out.attempts() == [(PARTNERS[0], "held" if ends[0] == "4" else "delivered", 1)]


def begun(peer: Misbehaving) -> list[str]:
    """The DATA commands so far."""
    return [line for commands in peer.commands for line in commands if line.upper().startswith("DATA")]


@pytest.mark.parametrize("action", ["hold", "drop"])
async def test_a_long_queue_is_changed_in_steps(tmp_path: Path, action: Literal["hold", "drop"]) -> None:
    """More than a step, more than memory holds: all of it is changed, while mail is taken between the steps."""
    store = SqliteStore.open(tmp_path / "m.db")
    dispatcher = Dispatcher(store)
    number = MOST_READY // 2 + STEP
    try:
        for _ in range(number // 100):
            for queued in await asyncio.gather(*(put(store, SMALL) for _ in range(100))):
                dispatcher.offer(queued)
        changing: asyncio.Task[Done] = asyncio.get_running_loop().create_task(
            steer(store, order(action), None, dispatcher)
        )
        await put(store)
        done = await changing
        assert done.deliveries in (2 * number, 2 * number + 2)
        assert done.busy in (0, 2)
        assert len(done.named) == 100
    finally:
        store.close()


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_is_slept_through_whatever_happens(tmp_path: Path, seed: int) -> None:
    """Mail put off, broken off, put on hold, released and claimed from the store in random order: all of it arrives
    long before the loop would look by itself."""
    chance = random.Random(seed)
    moods: list[Reaction | None] = [
        "450 4.2.0 later",
        "451 4.7.1 later",
        "421 4.3.2 closing",
        CLOSE,
        *[None] * 12,
    ]
    well = False

    def mood(line: str) -> Reaction | None:
        return None if well else chance.choice(moods)

    script = Script({"connect": mood, "mail": mood, "rcpt": mood, "dot": mood}, max_messages=7)
    # Tries of one message are rare enough that the loop, which looks as often, does not hide what is slept through.
    retry = Retry(first=0.02, most=120)
    async with (
        misbehaving(script) as server,
        outbound(tmp_path / "m.db", server.port, retry=retry) as out,
    ):
        for n in range(80):
            await out.accept(recipients=(f"a{n}@x.test", f"b{n}@x.test"), offer=chance.random() < 0.8)
            if chance.random() < 0.5:
                out.dispatcher.offer([])
            if chance.random() < 0.15:
                await steer(
                    out.store, order(chance.choice(["hold", "release", "retry"])), None, out.dispatcher
                )
            await asyncio.sleep(chance.choice([0, 0, 0.01, 0.05]))
        well = True
        out.dispatcher.offer([])
        await steer(out.store, order("release"), None, out.dispatcher)
        await steer(out.store, order("retry"), None, out.dispatcher)
        await out.settled("delivered", 160, 12)
        assert out.dispatcher.waiting == 0
