"""What outcomes bring about: worked out after they are recorded, and neither lost by a fault nor by an end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mailrouter.clock import now_ms
from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.telling import Follow
from mailrouter.errors import StoreError
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Consequence, Delivery, Kind, Outcome
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import SMALL, put, until

NO = Reply(550, "5.1.1 no", stage="rcpt")


def telling(kind: Kind = "alert", seen: list[int] | None = None) -> Follow:
    """Tells by a delivery of this kind."""

    async def follow(delivery: Delivery, outcome: Outcome) -> Outcome:
        if seen is not None:
            seen.append(delivery.id)
        made = replace(delivery, kind=kind, recipient="it@x.test", state="queued", next_at=now_ms() + 10**6)
        return outcome._replace(consequences=(Consequence(made),))

    return follow


async def broken(delivery: Delivery, outcome: Outcome) -> Outcome:
    """A fault of ours."""
    raise ValueError("a mail that can't be read")


def kinds(store: SqliteStore) -> list[tuple[str, str]]:
    """Kind and state of all deliveries."""
    return store.reader.rows("SELECT kind, state FROM delivery ORDER BY id")


def owed(store: SqliteStore) -> int:
    """How many tellings are owed."""
    return int(store.reader.rows("SELECT count(*) FROM owed")[0][0])


class Still:
    """A transport that takes nothing."""

    name, trouble, advice, troubled_at = "nowhere", "", "", 0

    def wake(self) -> None:
        """Nothing to be done."""

    def paused(self) -> bool:
        """Never."""
        return False

    async def close(self, grace: float) -> None:
        """Nothing is under way."""


async def started(path: Path, *follow: Follow | None) -> tuple[SqliteStore, Dispatcher]:
    """A store and the loop over it, as after a start."""
    store = SqliteStore.open(path)
    dispatcher = Dispatcher(store, follow[0], again=0.02, retry=Retry(), plainly=(*follow, None)[1])
    dispatcher.start(Still())
    return store, dispatcher


async def killed(store: SqliteStore, dispatcher: Dispatcher) -> None:
    """An end without a word: nothing more is done, and the store is let go of."""
    assert dispatcher._telling is not None
    for task in (dispatcher._pump, dispatcher._telling._work, dispatcher._telling._resumed):
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
    store.close()


async def test_an_outcome_is_recorded_before_anything_is_made_of_it(tmp_path: Path) -> None:
    """The delivery has failed in the store when the first word about that is worked out, once."""
    states: list[str] = []
    store = SqliteStore.open(tmp_path / "m.db")

    async def follow(delivery: Delivery, outcome: Outcome) -> Outcome:
        states.append(delivery.state)
        return await telling()(delivery, outcome)

    dispatcher = Dispatcher(store, follow)
    dispatcher.start(Still())
    (copy, _) = await put(store, SMALL, at=now_ms())
    dispatcher.settle(copy, NO)
    await until(lambda: ("alert", "queued") in kinds(store))
    assert states == ["failed"]
    assert owed(store) == 0
    await dispatcher.close(1)
    store.close()


async def test_a_delivery_at_the_first_attempt_writes_nothing_more(tmp_path: Path) -> None:
    """Nothing is owed of it."""
    store, dispatcher = await started(tmp_path / "m.db", telling())
    (copy, _) = await put(store, SMALL, at=now_ms())
    written: list[object] = []
    submit = store._writer.submit

    def noted(request: Any) -> asyncio.Future[Any]:
        written.append(request)
        return submit(request)

    store._writer.submit = noted  # type: ignore[method-assign]
    dispatcher.settle(copy, Reply(250, "2.0.0 ok"))
    await until(lambda: ("copy", "delivered") in kinds(store))
    await asyncio.sleep(0.05)
    assert len([one for one in written if type(one).__name__ == "_Settle"]) == 1
    assert owed(store) == 0
    await dispatcher.close(1)
    store.close()


async def test_a_fault_in_telling_costs_neither_the_outcome_nor_the_telling(tmp_path: Path) -> None:
    """The operator hears of it in another way."""
    store, dispatcher = await started(tmp_path / "m.db", broken, telling("alert"))
    (copy, _) = await put(store, SMALL, at=now_ms())
    dispatcher.settle(copy, NO)
    await until(lambda: ("alert", "queued") in kinds(store))
    assert ("copy", "failed") in kinds(store)
    assert owed(store) == 0
    await dispatcher.close(1)
    store.close()


@pytest.mark.parametrize("state", ["failed", "queued"])
async def test_an_end_between_outcome_and_telling_loses_neither(tmp_path: Path, state: str) -> None:
    """The next start tells it; the one after that has nothing left to tell."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    (copy, _) = await put(store, SMALL, at=now_ms())
    await store.settle([Outcome(copy.id, state, "450 no", 1, now_ms() + 10**6, tell=True)])  # type: ignore[arg-type]
    store.close()
    for _ in range(2):
        store, dispatcher = await started(path, telling())
        await until(lambda: owed(store) == 0)  # noqa: B023
        assert [kind for kind, _ in kinds(store)].count("alert") == 1
        await dispatcher.close(1)
        store.close()


async def test_a_telling_that_ends_the_process_twice_is_told_plainly(tmp_path: Path) -> None:
    """And the one that waits behind it is told as ever."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    poison, other = await put(store, SMALL, at=now_ms())
    for at, copy in enumerate((poison, other)):
        await store.settle([Outcome(copy.id, "failed", "550 no", at, tell=True)])
    store.close()

    class Ended(BaseException):
        """The process is gone."""

    async def ends(delivery: Delivery, outcome: Outcome) -> Outcome:
        if delivery.id == poison.id:
            raise Ended
        return await telling("report")(delivery, outcome)

    store, dispatcher = await started(path, ends, telling("alert"))
    assert dispatcher._telling is not None
    assert dispatcher._telling._resumed is not None
    await asyncio.wait([dispatcher._telling._resumed])
    with pytest.raises(Ended):
        dispatcher._telling._resumed.result()
    await killed(store, dispatcher)
    store, dispatcher = await started(path, ends, telling("alert"))
    await until(lambda: owed(store) == 0)
    assert [kind for kind, _ in kinds(store)] == ["copy", "copy", "alert", "report"]
    await dispatcher.close(1)
    store.close()


async def test_a_stop_in_order_is_no_try(tmp_path: Path) -> None:
    """A telling that a start had begun, and that a stop came before, is told in the usual way."""
    path = tmp_path / "m.db"
    store = SqliteStore.open(path)
    (copy, _) = await put(store, SMALL, at=now_ms())
    await store.settle([Outcome(copy.id, "failed", "550 no", 1, tell=True)])
    store.close()
    store, dispatcher = await started(path, telling("report"), telling("alert"))
    paying = asyncio.Event()

    async def never(outcomes: list[Outcome]) -> None:
        paying.set()
        await asyncio.sleep(60)

    store.pay = never  # type: ignore[assignment,method-assign]
    await paying.wait()
    assert store.reader.rows("SELECT tries FROM owed") == [(1,)]
    await dispatcher.close(1)
    assert store.reader.rows("SELECT tries FROM owed") == [(0,)]
    store.close()


async def test_what_somebody_retried_meanwhile_is_told_no_more(tmp_path: Path) -> None:
    """It has not failed any longer."""
    store = SqliteStore.open(tmp_path / "m.db")
    (copy, _) = await put(store, SMALL, at=now_ms())
    failed = Outcome(copy.id, "failed", "550 no", 1, tell=True)
    await store.settle([failed])
    await store.run(lambda c: c.execute("UPDATE delivery SET state = 'queued' WHERE id = ?", (copy.id,)))
    assert await store.pay([await telling()(copy, failed)]) == []
    assert owed(store) == 0
    store.close()


async def test_a_store_that_can_not_write_is_asked_again(tmp_path: Path) -> None:
    """What follows stays owed until it is written."""
    store, dispatcher = await started(tmp_path / "m.db", telling())
    (copy, _) = await put(store, SMALL, at=now_ms())
    tried: list[int] = []
    pay: Callable[[list[Outcome]], object] = store.pay

    async def full(outcomes: list[Outcome]) -> object:
        tried.append(1)
        if len(tried) < 3:
            raise StoreError("No room is left.")
        return await pay(outcomes)  # type: ignore[misc]

    store.pay = full  # type: ignore[assignment,method-assign]
    dispatcher.settle(copy, NO)
    await until(lambda: ("alert", "queued") in kinds(store))
    assert len(tried) == 3
    await dispatcher.close(1)
    store.close()
