"""When ``/readyz`` says no, with a clock of its own."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from mailrouter.clock import now_ms
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.moments import HOUR_MS
from mailrouter.smtp.handler import Traffic
from mailrouter.store.sqlite.queue_actions import steer
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.web import health
from mailrouter.web.health import STUCK, Readiness
from mailrouter.web.pages import Asked
from mailrouter.web.watched import Watched
from tests.support.messages import T0, put

HOUR = HOUR_MS


def unasked() -> Any:
    """The configuration, which health is not about."""
    raise AssertionError


async def test_delivery_that_stands_still_is_not_ready(tmp_path: Path) -> None:
    """What is due and waits for five minutes, with nothing delivered in them, is stuck; words say why and since when."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        dispatcher = Dispatcher(store)
        hop = SimpleNamespace(
            name="smtp://mail.test:25", trouble="Connection refused", advice="", refuses=False
        )
        watched = Watched(store, dispatcher, hop, Traffic(), (), unasked)  # type: ignore[arg-type]
        assert (await Readiness(watched)(Asked())).status == 200  # nothing is due
        await put(store)
        assert (await Readiness(watched, lambda: T0 + STUCK - 1)(Asked())).status == 200
        stuck = await Readiness(watched, lambda: T0 + HOUR)(Asked())
        assert stuck.status == 503
        assert b"smtp://mail.test:25" in stuck.body
        assert b"waits since 60 minutes: Connection refused" in stuck.body
        # A long queue that moves is none.
        dispatcher.delivered_at = T0 + HOUR - 1000
        assert (await Readiness(watched, lambda: T0 + HOUR)(Asked())).status == 200
    finally:
        store.close()


async def test_what_is_on_hold_does_not_stand_still(tmp_path: Path) -> None:
    """However old it is: somebody wants it so. It is counted apart."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        hop = SimpleNamespace(name="x", trouble="", advice="", refuses=False)
        watched = Watched(store, Dispatcher(store), hop, Traffic(), (), unasked)  # type: ignore[arg-type]
        ids = [delivery.id for delivery in await put(store)]
        assert (await Readiness(watched, lambda: T0 + HOUR)(Asked())).status == 503
        await store.run(lambda connection: steer(connection, "hold", ids, T0, "jim", {}))
        assert (await Readiness(watched, lambda: T0 + HOUR)(Asked())).status == 200
        standing = await store.reader.standing()
        assert (standing.queued, standing.held, standing.due) == (0, 2, None)
    finally:
        store.close()


async def test_asking_often_costs_no_writes(tmp_path: Path) -> None:
    """A hundred requests at once write one page."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        hop = SimpleNamespace(name="x", trouble="", advice="", refuses=False)
        watched = Watched(store, Dispatcher(store), hop, Traffic(), (), unasked)  # type: ignore[arg-type]
        ready = Readiness(watched, now_ms)
        before = sum(store.commits.counts)
        for _ in range(100):
            assert (await ready(Asked())).status == 200
        assert sum(store.commits.counts) == before + 1
        assert health.FRESH >= 1
    finally:
        store.close()


async def test_a_next_hop_that_refuses_us_is_told_at_once(tmp_path: Path) -> None:
    """It answers, and will not mend by itself: nobody waits five minutes to hear of it and of what to do."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        hop = SimpleNamespace(
            name="x", trouble="It refuses us: 530 5.7.0", advice="It demands a login.", refuses=True
        )
        watched = Watched(store, Dispatcher(store), hop, Traffic(), (), unasked)  # type: ignore[arg-type]
        answer = await Readiness(watched)(Asked())
        assert answer.status == 503
        assert b"530 5.7.0 It demands a login." in answer.body
    finally:
        store.close()
