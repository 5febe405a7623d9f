"""What people do to deliveries, and that every place which looks at states knows of those on hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mailrouter.message import pieces
from mailrouter.moments import DAY_MS, HOUR_MS
from mailrouter.store.ids import NO_DELIVERY, DeliveryId, MessageId, number_of
from mailrouter.store.model import Acceptance, Consequence, Delivery, Outcome
from mailrouter.store.protocols import Store
from mailrouter.store.selection import Action
from mailrouter.turns import drive
from tests.support.homes import Home
from tests.support.messages import SMALL, T0, filled, message_of, put

LATER = T0 + HOUR_MS


async def steer(
    store: Store,
    action: Action,
    deliveries: Sequence[Delivery],
    at: int = LATER,
    reports: dict[DeliveryId, Sequence[Consequence]] | None = None,
) -> list[int]:
    """Do it; which of these deliveries it was done to, by their number in the message."""
    ids = [delivery.id for delivery in deliveries]
    store.release(deliveries)
    done = await store.steering.change(action, ids, at, "jim", reports or {})
    return [number_of(id_) for id_ in done]


def states(store: Store, message: MessageId) -> list[str]:
    """The states of a message's deliveries."""
    entry = drive(store.reader.entry(message))
    assert entry is not None
    return [delivery.state for delivery in entry.deliveries]


def still_open(home: Home, store: Store, message: int) -> int:
    """How many deliveries the message counts as open."""
    return int(home.rows(store, "SELECT open FROM message WHERE id = ?", (message,))[0][0])


async def test_what_is_on_hold_is_not_claimed_until_it_is_released(store: Store) -> None:
    """Held, it is never due; released, it is due at once, with the time it had left when it was put on hold."""
    a, b = await put(store)
    store.release([b])
    assert await steer(store, "hold", [a]) == [0]
    far = LATER + 30 * DAY_MS
    claimed = await store.claim(10, far)
    assert [d.id for d in claimed] == [b.id]
    store.release(claimed)
    assert await store.next_due() == T0
    assert await steer(store, "release", [a, b], far) == [0]
    found = await store.reader.delivery(a.id)
    assert found is not None
    assert (found.state, found.next_at) == ("queued", far)
    assert found.created_at == T0 + (far - LATER), "time on hold is no time of trying"


async def test_a_restart_keeps_what_is_on_hold(home: Home, tmp_path: Path) -> None:
    """The state is the store's, not the process's."""
    store = home.open(tmp_path / "m.db")
    a, b = await put(store)
    store.release([b])
    await steer(store, "hold", [a])
    store.close()
    store = home.open(tmp_path / "m.db")
    try:
        assert [d.id - a.id for d in await store.claim(10, LATER)] == [1]
        assert states(store, a.message) == ["held", "queued"]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("outcome", "state"), [("queued", "held"), ("delivered", "delivered"), ("failed", "failed")]
)
async def test_an_attempt_under_way_while_it_is_put_on_hold(store: Store, outcome: str, state: str) -> None:
    """It ends as it ends; only what would be tried again stays on hold, since when it was put there."""
    a, _ = await put(store)
    await steer(store, "hold", [a])
    await store.settle([Outcome(a.id, outcome, "451 later", LATER + 5, LATER + 9)])  # type: ignore[arg-type]
    found = await store.reader.delivery(a.id)
    assert found is not None
    assert (found.state, found.attempts) == (state, 1)
    if state == "held":
        assert (found.next_at, found.last_reply) == (LATER, "451 later")


async def test_content_stays_while_something_is_on_hold(home: Home, store: Store) -> None:
    """A delivery on hold is open: the content is there for it, and goes with it."""
    a, b = await put(store)
    await steer(store, "hold", [a])
    await store.settle([Outcome(b.id, "delivered", "250", T0)])
    assert await store.reader.chunk(a.message, 0) == SMALL
    assert still_open(home, store, a.message) == 1
    await steer(store, "release", [a])
    await store.settle([Outcome(a.id, "delivered", "250", T0)])
    assert still_open(home, store, a.message) == 0
    assert await store.reader.chunk(a.message, 0) == SMALL[:18]


async def test_dropping_ends_whatever_is_open(home: Home, store: Store) -> None:
    """Queued, held and failed go, their content with the last of them; what was delivered stays delivered."""
    a, b, c, d = await put(store, recipients=["a@x.test", "b@x.test", "c@x.test", "d@x.test"])
    await store.settle([Outcome(a.id, "failed", "550", T0), Outcome(b.id, "delivered", "250", T0)])
    await steer(store, "hold", [c])
    assert still_open(home, store, a.message) == 3
    assert await steer(store, "drop", [a, b, c]) == [0, 2]
    assert still_open(home, store, a.message) == 1
    assert await store.reader.chunk(a.message, 0) == SMALL
    assert await steer(store, "drop", [a, d]) == [3]
    assert states(store, a.message) == ["withdrawn", "delivered", "withdrawn", "withdrawn"]
    assert still_open(home, store, a.message) == 0
    assert await store.reader.chunk(a.message, 0) == SMALL[:18]
    assert (await store.reader.delivery(a.id)).pieces == b""  # type: ignore[union-attr]
    # What was being sent in that moment, whatever came of it, does not bring it back.
    await store.settle([Outcome(d.id, "queued", "451", T0, T0)])
    assert states(store, a.message)[3] == "withdrawn"
    assert still_open(home, store, a.message) == 0


async def test_a_report_of_what_is_dropped_is_queued_with_it(home: Home, store: Store) -> None:
    """The report quotes the content, so that stays until the report has gone; none where somebody has the mail."""
    a, b = await put(store)
    words = (b"Subject: news\r\n\r\nnews\r\n",)

    def told(unless: DeliveryId) -> tuple[Consequence, ...]:
        report = Delivery(
            NO_DELIVERY,
            "report",
            ("vp-hr",),
            "s@x.test",
            "",
            pieces.encode(words),
            22,
            next_at=T0,
            created_at=T0,
        )
        return (Consequence(report, (unless,)),)

    await steer(store, "drop", [a], reports={a.id: told(b.id)})
    assert states(store, a.message) == ["withdrawn", "queued"], "the other partner may still get it"
    await steer(store, "hold", [b])
    await steer(store, "drop", [b], reports={b.id: told(a.id)})
    assert states(store, a.message) == ["withdrawn", "withdrawn", "queued"]
    assert await store.reader.chunk(a.message, 0) == SMALL
    (report,) = await store.claim(10, LATER)
    await store.settle([Outcome(report.id, "delivered", "250", T0)])
    assert still_open(home, store, a.message) == 0


async def test_what_waits_on_hold_may_still_arrive(store: Store) -> None:
    """A failure of one copy is no reason for a report while the other is on hold."""
    a, b = await put(store)
    await steer(store, "hold", [b])
    told = Consequence(Delivery(NO_DELIVERY, "report", ("vp-hr",), "s@x.test", "", b"", 0), unless=(b.id,))
    await store.settle([Outcome(a.id, "failed", "550", T0, consequences=(told,))])
    assert states(store, a.message) == ["failed", "held"]


async def test_what_has_failed_can_be_tried_again(home: Home, store: Store) -> None:
    """It is due at once and has its whole time again; what is on hold is not touched by it."""
    a, b = await put(store)
    await store.settle([Outcome(a.id, "failed", "550", T0)])
    await steer(store, "hold", [b])
    assert await steer(store, "retry", [a, b]) == [0]
    (again,) = await store.claim(10, LATER)
    assert (again.id, again.created_at) == (a.id, LATER)
    await store.settle([Outcome(a.id, "delivered", "250", LATER)])
    assert still_open(home, store, a.message) == 1


async def test_a_copy_planned_anew_stays_on_hold(store: Store) -> None:
    """Whoever put the old copy on hold meant its successors too."""
    a, _ = await put(store)
    await steer(store, "hold", [a])
    new = Delivery(
        DeliveryId(a.id + 5), "copy", ("vp-hr",), "pat@x.test", "", b"", 0, next_at=T0, created_at=T0
    )
    await store.replace_delivery(a, [new], LATER)
    assert states(store, a.message) == ["withdrawn", "queued", "held"]


async def test_who_did_what_is_kept_in_order(store: Store) -> None:
    """Attempts, what people did, and how it ended, each with its time, its words and its doer."""
    a, b = await put(store)
    await store.settle([Outcome(a.id, "queued", "451 4.2.0 later", T0 + 1, T0 + 2)])
    await steer(store, "hold", [a], T0 + 3)
    await steer(store, "release", [a], T0 + 4)
    await steer(store, "retry", [a], T0 + 5)
    await store.settle([Outcome(a.id, "delivered", "250 2.0.0 ok", T0 + 6)])
    await steer(store, "drop", [b], T0 + 7)
    told = await store.reader.life(a.message)
    assert told is not None
    assert [(e.delivery - a.id, e.at - T0, e.what, e.who, e.words) for e in told.events] == [
        (0, 1, "tried", "", "451 4.2.0 later"),
        (0, 3, "held", "jim", ""),
        (0, 4, "released", "jim", ""),
        (0, 5, "retried", "jim", ""),
        (0, 6, "delivered", "", "250 2.0.0 ok"),
        (1, 7, "dropped", "jim", ""),
    ]


async def test_a_first_success_costs_no_row(home: Home, store: Store) -> None:
    """What is delivered at once leaves nothing but its own row, from which its life is told."""
    a, b = await put(store)
    await store.settle([Outcome(d.id, "delivered", "250 2.0.0 ok", T0 + 6) for d in (a, b)])
    assert home.rows(store, "SELECT count(*) FROM event") == [(0,)]
    told = await store.reader.life(a.message)
    assert told is not None
    assert [(e.what, e.at) for e in told.events] == [("delivered", T0 + 6)] * 2


async def test_what_came_back_was_delivered_before(store: Store) -> None:
    """The attempt that had succeeded stays in the story, with its time and words; so does who reported the return."""
    a, _ = await put(store)
    await store.settle([Outcome(a.id, "delivered", "250 2.0.0 ok", T0 + 6)])
    spool = await filled(store, SMALL)
    reported = Outcome(a.id, "bounced", "550 5.1.1 no", T0 + 9)
    answered = Outcome(a.id, "delivered", "a subject, perhaps", T0 + 8)
    content = await spool.finish()
    report = Acceptance(message_of(spool.id, len(SMALL)), content, [], reported=[answered, reported])
    await store.accept(spool, report)
    told = await store.reader.life(a.message)
    assert told is not None
    assert [(e.at - T0, e.what, e.words) for e in told.events] == [
        (6, "delivered", "250 2.0.0 ok"),
        (8, "answered", ""),
        (9, "bounced", "550 5.1.1 no"),
    ]
    assert {e.who for e in told.events if e.what != "delivered"} != {""}


@pytest.mark.parametrize("held_first", [True, False])
async def test_a_hold_that_meets_the_end_of_trying_stands(store: Store, held_first: bool) -> None:
    """Put on hold while its last attempt was under way, it did not fail, and nobody is told; refused for good, it did."""
    a, b = await put(store)
    told = Consequence(Delivery(NO_DELIVERY, "report", ("vp-hr",), "s@x.test", "", b"", 0))
    over = Outcome(a.id, "failed", "451 4.4.7 not delivered", T0, consequences=(told,), expired=True)
    refused = Outcome(b.id, "failed", "550 5.1.1 no", T0)
    if held_first:
        await steer(store, "hold", [a, b])
    await store.settle([over, refused])
    assert states(store, a.message) == (["held", "failed"] if held_first else ["failed", "failed", "queued"])
    if held_first:
        assert await steer(store, "release", [a], LATER + 1) == [0]
        assert [d.id for d in await store.claim(10, LATER + 1)] == [a.id]
