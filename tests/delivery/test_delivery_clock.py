"""The clock is set while mail waits: nothing fails early, nothing lies longer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.clock_steps import DOWN, LEAST, UNSURE, ClockSteps, stopped_for
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.moments import DAY_MS, HOUR_MS
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery, Outcome, ReplyMemory
from mailrouter.store.sqlite.reply_limits import remember_reply
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import put, until

HOUR, DAY = HOUR_MS, DAY_MS
T0 = 1_900_000_000_000
WEEK, YEAR = 7 * DAY, 365 * DAY


class Clocks:
    """A wall clock that can be set, and one that can't."""

    def __init__(self) -> None:
        self.wall, self.steady = T0, 1000.0

    def pass_(self, milliseconds: int) -> None:
        """Time goes by."""
        self.wall += milliseconds
        self.steady += milliseconds / 1000


class Refuses:
    """A next hop that puts everything off."""

    name, trouble, advice, refuses, troubled_at = "x", "", "", False, 0

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher
        self.tried: list[Delivery] = []

    def wake(self) -> None:
        """Try all."""
        while (delivery := self.dispatcher.take()) is not None:
            self.tried.append(delivery)
            self.dispatcher.settle(delivery, Reply(451, "4.2.0 later"))

    def paused(self) -> bool:
        """Never."""
        return False

    async def close(self, grace: float) -> None:
        """Nothing."""


@pytest.mark.parametrize("step", [DAY, -DAY, YEAR, -YEAR])
def test_a_step_is_seen_once(step: int) -> None:
    """Against the steady clock, whatever time went by; and for a while nothing is sure."""
    steps = ClockSteps(T0, 0.0)
    assert steps.look(T0 + 5000, 5.0) == 0
    assert steps.sure(5.0)
    assert steps.look(T0 + 10_000 + step, 10.0) == step
    assert steps.look(T0 + 15_000 + step, 15.0) == 0
    assert not steps.sure(15.0)
    assert steps.sure(10.0 + UNSURE)


def test_small_differences_are_no_step() -> None:
    """A clock that is corrected, or a machine that was busy."""
    assert ClockSteps(T0, 0.0).look(T0 + LEAST - 1, 0.0) == 0


def test_a_long_stop_is_no_time_of_trying() -> None:
    """A short one is; a clock behind the last run was set back."""
    assert stopped_for(T0, T0 + DOWN) == 0
    assert stopped_for(T0, T0 + DOWN + 1) == DOWN + 1
    assert stopped_for(T0, T0 - YEAR) == -YEAR


@pytest.mark.parametrize("step", [WEEK, YEAR, -DAY, -YEAR])
async def test_a_step_fails_nothing_and_leaves_nothing_lying(tmp_path: Path, step: int) -> None:
    """Mail that waits when the clock is set is tried within the longest pause, and has the age that it had."""
    store, clocks = SqliteStore.open(tmp_path / "m.db"), Clocks()
    dispatcher = Dispatcher(store, clock=lambda: clocks.wall, steady=lambda: clocks.steady)
    hop = Refuses(dispatcher)
    try:
        queued = await put(store, at=T0 - HOUR)
        store.release(queued)
        await store.settle([Outcome(d.id, "queued", "451 4.2.0", T0, T0 + 10 * 60_000) for d in queued])
        dispatcher._transport = hop
        await dispatcher._round()
        clocks.wall += step
        await dispatcher._round()
        clocks.pass_(int(1000 * Retry().most))
        await dispatcher._round()
        assert len(hop.tried) == 2
        await until(lambda: not dispatcher.unrecorded)
        for delivery in queued:
            found = await store.reader.delivery(delivery.id)
            assert found is not None
            assert found.state == "queued"
            assert abs(clocks.wall - found.created_at - HOUR - int(1000 * Retry().most)) < 60_000
    finally:
        await dispatcher.close(0)
        store.close()


@pytest.mark.parametrize("step", [WEEK, -DAY])
async def test_a_step_over_a_restart_fails_nothing_and_leaves_nothing_lying(
    tmp_path: Path, step: int
) -> None:
    """The service sees at its start that its clock is another than when it ran last."""
    store, clocks = SqliteStore.open(tmp_path / "m.db"), Clocks()
    clock: Callable[[], int] = lambda: clocks.wall  # noqa: E731
    first = Dispatcher(store, clock=clock, steady=lambda: clocks.steady)
    try:
        queued = await put(store, at=T0 - HOUR)
        store.release(queued)
        await store.settle([Outcome(d.id, "queued", "451 4.2.0", T0, T0 + 10 * 60_000) for d in queued])
        await first._round()
        await first.close(0)
        clocks.wall += step
        second = Dispatcher(store, clock=clock, steady=lambda: clocks.steady)
        second._transport = hop = Refuses(second)
        await second._round()
        clocks.pass_(int(1000 * Retry().most))
        await second._round()
        assert len(hop.tried) == 2
        await until(lambda: not second.unrecorded)
        assert {(await store.reader.delivery(d.id)).state for d in queued} == {"queued"}  # type: ignore[union-attr]
        await second.close(0)
    finally:
        store.close()


async def test_what_is_due_later_than_any_retry_is_due_now(tmp_path: Path) -> None:
    """However it came to be so."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        queued = await put(store, at=T0 + DAY)
        store.release(queued)
        assert await store.claim(10, T0) == []
        assert len(await store.claim(10, T0, T0 + HOUR)) == 2
    finally:
        store.close()


async def test_a_memory_of_a_future_that_was_taken_back_silences_nobody(tmp_path: Path) -> None:
    """What may be told again is told; what is told once is told once all the same."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:

        async def told(key: str, at: int, again_after: int) -> bool:
            memory = ReplyMemory(key, at, again_after, "day", ())
            return bool(await store.run(lambda connection: remember_reply(connection, memory)))

        assert await told("weekly", T0 + YEAR, T0 + YEAR - WEEK)
        assert await told("weekly", T0, T0 - WEEK)
        assert not await told("weekly", T0 + HOUR, T0 + HOUR - WEEK)
        assert await told("once", T0 + YEAR, 0)
        assert not await told("once", T0, 0)
    finally:
        store.close()
