"""What follows from an outcome is queued with it: once, and only where it still holds."""

from __future__ import annotations

import secrets
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.message import pieces
from mailrouter.moments import HOUR_MS
from mailrouter.store.ids import NO_DELIVERY, REPLY_NUMBER, DeliveryId, MessageId
from mailrouter.store.model import Acceptance, Consequence, Delivery, Outcome, ReplyMemory
from mailrouter.store.protocols import Store
from tests.support.examples import examples
from tests.support.homes import Home
from tests.support.messages import SMALL, T0, filled, message_of, put


def told(to: str = "it@example.test") -> Delivery:
    """A message of ours, without a number yet."""
    words = (b"Subject: news\r\n\r\nnews\r\n",)
    return Delivery(
        NO_DELIVERY,
        "alert",
        ("vp-hr",),
        to,
        "",
        pieces.encode(words),
        pieces.length(words),
        next_at=T0,
        created_at=T0,
    )


def failed(delivery: Delivery, *consequences: Consequence) -> Outcome:
    """An attempt that failed for good."""
    return Outcome(delivery.id, "failed", "550 5.1.1 no", T0, consequences=consequences)


async def due(store: Store) -> list[tuple[str, str]]:
    """What may be claimed: kind and recipient."""
    return sorted((d.kind, d.recipient) for d in await store.claim(10, T0))


async def accept_bounce(store: Store, *outcomes: Outcome) -> None:
    """A message that reports ``outcomes``, and nothing else."""
    spool = await filled(store, SMALL)
    content = await spool.finish()
    await store.accept(spool, Acceptance(message_of(spool.id, len(SMALL)), content, [], reported=outcomes))


async def test_a_consequence_is_queued_with_its_outcome(store: Store) -> None:
    """A failure's alert is due as soon as the failure is recorded, under a number of its own."""
    a, b = await put(store)
    await store.settle([failed(a, Consequence(told()), Consequence(told("b@example.test")))])
    assert await due(store) == [("alert", "b@example.test"), ("alert", "it@example.test")]
    entry = await store.reader.entry(a.message)
    assert entry is not None
    assert [d.id - a.id for d in entry.deliveries] == [0, 1, 2, 3]
    assert b.id == a.id + 1


async def test_the_content_waits_for_its_consequences(store: Store) -> None:
    """A report of ours counts as an open delivery, so that what it quotes is there when it leaves."""
    a, b = await put(store)
    await store.settle([Outcome(b.id, "delivered", "250", T0)])
    await store.settle([failed(a, Consequence(told()))])
    await store.settle([Outcome(a.id, "withdrawn", "dropped", T0)])
    assert await store.reader.chunk(a.message, 0) == SMALL
    (alert,) = await store.claim(10, T0)
    await store.settle([Outcome(alert.id, "delivered", "250", T0)])
    assert await store.reader.chunk(a.message, 0) == SMALL[:18]


async def test_only_the_last_failure_has_the_report(store: Store) -> None:
    """A consequence that depends on the others waits until none of them is queued or delivered."""
    a, b = await put(store)
    await store.settle([failed(a, Consequence(told(), unless=(b.id,)))])
    assert await due(store) == []
    await store.settle([failed(b, Consequence(told(), unless=(a.id,)))])
    assert await due(store) == [("alert", "it@example.test")]


async def test_two_that_fail_together_have_one_report(store: Store) -> None:
    """Where both fail in one transaction, the report's memory lets only one pass."""
    a, b = await put(store)
    once = ReplyMemory("report", T0, 0, "2026-12-03", ())
    await store.settle(
        [
            failed(a, Consequence(told(), unless=(b.id,), memory=once)),
            failed(b, Consequence(told(), unless=(a.id,), memory=once)),
        ]
    )
    assert await due(store) == [("alert", "it@example.test")]


async def test_what_can_not_be_written_holds_up_no_other_outcome(store: Store) -> None:
    """A message of ours that the store does not take costs itself alone: attempts are recorded, and told."""
    a, b = await put(store)
    (c, *_) = await put(store)
    bad = told()
    bad.recipient = None  # type: ignore[assignment]
    await store.settle(
        [failed(a, Consequence(bad)), failed(b, Consequence(told())), Outcome(c.id, "delivered", "250", T0)]
    )
    found = [await store.reader.delivery(delivery.id) for delivery in (a, b, c)]
    assert [one.state for one in found if one] == ["failed", "failed", "delivered"]
    assert await due(store) == [("alert", "it@example.test")]


async def test_a_memory_keeps_it_from_coming_again(store: Store) -> None:
    """The same news within its time is recorded and not told."""
    a, b = await put(store)

    def hourly(at: int) -> ReplyMemory:
        return ReplyMemory("failure vp-hr", at, at - HOUR_MS, "2026-12-03", ())

    await store.settle([failed(a, Consequence(told(), memory=hourly(T0)))])
    await store.settle([failed(b, Consequence(told(), memory=hourly(T0 + 60_000)))])
    assert await due(store) == [("alert", "it@example.test")]


async def test_a_bounce_is_recorded_once(store: Store) -> None:
    """What was delivered and came back is bounced; a second report of it changes and queues nothing."""
    a, b = await put(store)
    await store.settle([Outcome(d.id, "delivered", "250", T0) for d in (a, b)])
    came_back = Outcome(a.id, "bounced", "5.1.1 no such user", T0 + 5, consequences=(Consequence(told()),))
    await accept_bounce(store, came_back)
    await accept_bounce(store, came_back)
    assert await due(store) == [("alert", "it@example.test")]
    entry = await store.reader.entry(a.message)
    assert entry is not None
    assert [(d.state, d.last_reply) for d in entry.deliveries[:2]] == [
        ("bounced", "5.1.1 no such user"),
        ("delivered", "250"),
    ]


async def test_a_bounce_may_be_faster_than_our_own_mark(store: Store) -> None:
    """A report that comes before the delivery is settled counts, and the late mark neither undoes nor repeats it."""
    a, b = await put(store)
    await store.settle([Outcome(b.id, "delivered", "250", T0)])
    await accept_bounce(store, Outcome(a.id, "bounced", "5.1.1 no such user", T0))
    assert await store.reader.chunk(a.message, 0) == SMALL[:18]
    await store.settle([Outcome(a.id, "delivered", "250", T0)])
    entry = await store.reader.entry(a.message)
    assert entry is not None
    assert [d.state for d in entry.deliveries] == ["bounced", "delivered"]


async def test_a_bounce_of_nothing_is_taken(store: Store) -> None:
    """A report about a delivery that is no more, or was withdrawn, brings nothing about."""
    a, _ = await put(store)
    await store.settle([Outcome(a.id, "withdrawn", "", T0)])
    for number in (a.id, DeliveryId(4711)):
        await accept_bounce(
            store, Outcome(number, "bounced", "5.1.1", T0, consequences=(Consequence(told()),))
        )
    assert await due(store) == []


async def test_numbers_never_run_into_the_next_message(store: Store) -> None:
    """The last number is the reply's, and behind it another message begins: what finds no number is not sent."""
    (a, *_) = await put(store, recipients=[f"p{n}@example.test" for n in range(REPLY_NUMBER - 2)])
    several = [Consequence(told(f"it{n}@example.test")) for n in range(5)]
    await store.settle([failed(a, *several)])
    entry = await store.reader.entry(a.message)
    assert entry is not None
    assert [d.id - a.id for d in entry.deliveries[-2:]] == [REPLY_NUMBER - 2, REPLY_NUMBER - 1]
    assert await store.reader.entry(MessageId(a.message + 1)) is None
    assert (await put(store))[0].id > a.id + REPLY_NUMBER


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["delivered", "failed", "queued", "withdrawn", "bounced", "away"]),
        st.integers(0, 5),
        st.integers(0, 2),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, large=st.booleans())
async def test_a_message_keeps_its_content_as_long_as_something_needs_it(
    home: Home, tmp_path: Path, steps: list[tuple[str, int, int, bool]], large: bool
) -> None:
    """Attempts, bounces and drops in any order, each perhaps twice, alone or together: what is open is counted right,
    and the content goes with the last of it, but for the header."""
    store = home.open(tmp_path / f"{secrets.token_hex(8)}.db")
    content = SMALL + (b"x" * 70 + b"\r\n") * 8000 if large else SMALL
    try:
        first, whole = (await put(store, content))[0], True
        for what, which, news, twice in steps:
            entry = await store.reader.entry(first.message)
            assert entry is not None
            one = entry.deliveries[which % len(entry.deliveries)]
            brought = tuple(Consequence(told(f"{n}@example.test")) for n in range(news))
            state = one.state if what == "away" else what
            result = Outcome(one.id, state, "550", T0, T0 + 1 if what == "queued" else 0, brought)  # type: ignore[arg-type]
            for _ in range(1 + twice):
                if what in ("bounced", "away"):
                    await accept_bounce(store, result)
                else:
                    await store.settle([result] * (1 + twice))
            while await store.sweep(shrink=False):
                pass
            entry = await store.reader.entry(first.message)
            assert entry is not None
            needed = sum(d.state in ("queued", "failed") for d in entry.deliveries)
            rows = home.rows(store, "SELECT open FROM message WHERE id = ?", (first.message,))
            assert rows == [(needed,)]
            whole = whole and bool(needed)  # what was given up does not come back
            if whole:
                assert b"".join([b async for b in store.read(first.message, 0, len(content))]) == content
            else:
                assert await store.reader.chunk(first.message, 0) == SMALL[:18]
    finally:
        store.close()
