"""History is forgotten after its time, in small steps, and nothing that may still be needed with it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.clock import now_ms
from mailrouter.moments import DAY_MS
from mailrouter.store.ids import DELIVERY_BITS, EPOCH, MessageId, delivery_of
from mailrouter.store.model import CHUNK_SIZE, Acceptance, Outcome, ReplyMemory, State
from mailrouter.store.sqlite import pruning as tidying
from mailrouter.store.sqlite import queue_actions
from mailrouter.store.sqlite.pruning import HANDOFF_MAIL_MS, PRUNE_MEMORIES, PRUNE_MESSAGES, SHORTEST, Pruning
from mailrouter.store.sqlite.reply_limits import remember_reply
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.store.sqlite.writer import connect
from mailrouter.trust.tokens import VALID_DAYS
from tests.support.examples import examples
from tests.support.messages import SMALL, deliveries_of, message_of

KEEP = 30 * DAY_MS
NOW = 1_790_000_000_000
"""In September 2026."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty store."""
    opened = SqliteStore.open(tmp_path / "m.db")
    yield opened
    opened.close()


async def add(
    store: SqliteStore, at: int, content: bytes = SMALL, memory: ReplyMemory | None = None
) -> MessageId:
    """A message that came in at this time, with two copies; gives its number."""
    number = MessageId(at - EPOCH)
    spool = store.spool()
    spool.id = number
    if spool.hold(content):
        await spool.flush()
    message = message_of(number, len(content))._replace(received_at=at)
    copies = deliveries_of(number, len(content), at=at)
    whole = await spool.finish()
    await store.accept(
        spool, Acceptance(message, whole, copies, None, memory, [(f"conversation {number}", 1)])
    )
    store.release(copies)
    return number


async def end(store: SqliteStore, message: MessageId, state: State, at: int) -> None:
    """Both copies end like this."""
    await store.settle([Outcome(delivery_of(message, k), state, "words", at) for k in (0, 1)])


async def walk(store: SqliteStore, now: int = NOW, keep: int = KEEP) -> int:
    """A whole walk through the history; gives the number of its steps."""
    pruning, steps = Pruning(), 0
    while await store.run(lambda connection: pruning.step(connection, now, keep)):
        steps += 1
    return steps


def known(store: SqliteStore) -> set[int]:
    """The messages that are known."""
    return {id_ for (id_,) in store.reader.rows("SELECT id FROM message")}


def left(store: SqliteStore, message: MessageId) -> int:
    """Rows of a message, in all tables."""
    first = delivery_of(message, 0)
    (found,) = store.reader.rows(
        "SELECT (SELECT count(*) FROM message WHERE id = ?1) + (SELECT count(*) FROM delivery WHERE id >> 10 = ?1)"
        " + (SELECT count(*) FROM event WHERE delivery >> 10 = ?1) + (SELECT count(*) FROM chunk WHERE id >> 20 = ?1)",
        (message,),
    )
    assert first
    return int(found[0])


async def test_what_ended_long_ago_is_forgotten_whole(store: SqliteStore) -> None:
    """Message, deliveries, attempts and the header that was kept go; a younger one stays whole."""
    old = await add(store, NOW - KEEP - DAY_MS)
    young = await add(store, NOW - KEEP + DAY_MS)
    for message in (old, young):
        first = delivery_of(message, 0)
        await store.settle([Outcome(first, "queued", "451 later", NOW - KEEP - DAY_MS, NOW)])
        await end(store, message, "delivered", message + EPOCH + 5)
    await walk(store)
    assert left(store, old) == 0
    assert left(store, young) == 5


@pytest.mark.parametrize("state", ["queued", "held"])
async def test_what_is_open_is_never_forgotten(store: SqliteStore, state: str) -> None:
    """However old: one copy that waits or is on hold keeps the message with all that belongs to it."""
    message = await add(store, NOW - 400 * DAY_MS)
    first = delivery_of(message, 0)
    await store.settle([Outcome(first, "delivered", "250", NOW - 400 * DAY_MS)])
    if state == "held":
        await store.run(
            lambda c: queue_actions.steer(c, "hold", [delivery_of(message, 1)], NOW - 399 * DAY_MS, "jim", {})
        )
    await walk(store)
    assert known(store) == {message}
    assert await store.reader.chunk(message, 0) == SMALL


async def test_what_happened_lately_is_kept(store: SqliteStore) -> None:
    """The time counts from what happened last: a copy that failed or came back yesterday can be looked up."""
    message = await add(store, NOW - 60 * DAY_MS)
    await end(store, message, "failed", NOW - DAY_MS)
    await walk(store)
    assert known(store) == {message}
    await walk(store, NOW + KEEP)
    assert known(store) == set()


async def test_a_return_path_that_is_good_keeps_its_message(store: SqliteStore) -> None:
    """However short a time is asked for, a report finds what it is about while its token is taken."""
    day = NOW // DAY_MS * DAY_MS
    kept = await add(store, day - VALID_DAYS * DAY_MS)
    gone = await add(store, day - SHORTEST - 1)
    for message in (kept, gone):
        await end(store, message, "delivered", message + EPOCH)
    await walk(store, day, keep=0)
    assert known(store) == {kept}


async def test_a_large_message_that_failed_goes_in_steps(store: SqliteStore) -> None:
    """Its content is swept afterwards, chunk by chunk, and no new message gets its number meanwhile."""
    message = await add(store, NOW - 60 * DAY_MS, bytes(CHUNK_SIZE * 2 * tidying.SWEEP_CHUNKS))
    await end(store, message, "failed", NOW - 60 * DAY_MS)
    await walk(store)
    assert known(store) == set()
    assert store.reader.rows("SELECT id FROM sweep") == [(message,)]
    while await store.sweep(shrink=False):
        pass
    assert store.reader.rows("SELECT count(*) FROM chunk") == [(0,)]


async def test_memories_go_with_the_history(store: SqliteStore) -> None:
    """Answers, conversations and counts are forgotten after the same time; mails that handed over, after a year."""
    for age in (KEEP + DAY_MS, KEEP - DAY_MS):
        at = NOW - age
        memory = ReplyMemory(
            f"key {age}", at, 0, f"{time.strftime('%Y-%m-%d', time.gmtime(at / 1000))}", (("all", 9),)
        )
        await store.run(partial(remember_reply, memory=memory))
    await store.run(
        lambda c: c.executemany(
            "INSERT INTO shown VALUES (?, 1, ?)",
            [(f"{n:05}", NOW - (KEEP + DAY_MS if n % 2 else DAY_MS)) for n in range(3 * PRUNE_MEMORIES)],
        )
    )
    await store.run(
        lambda c: c.executemany(
            "INSERT INTO handoff_mail VALUES (?, ?)",
            [("old", NOW - HANDOFF_MAIL_MS - 1), ("young", NOW - HANDOFF_MAIL_MS + DAY_MS)],
        )
    )
    await walk(store)
    assert store.reader.rows("SELECT key FROM reply_memory") == [(f"key {KEEP - DAY_MS}",)]
    assert store.reader.rows("SELECT count(*) FROM reply_count") == [(1,)]
    assert store.reader.rows("SELECT count(*), max(at) FROM shown") == [(1.5 * PRUNE_MEMORIES, NOW - DAY_MS)]
    assert store.reader.rows("SELECT key FROM handoff_mail") == [("young",)]


@settings(max_examples=examples(25))
@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.sampled_from(["queued", "held", "delivered", "failed"])),
        max_size=120,
    )
)
def test_whatever_the_history_only_the_old_and_ended_goes(mails: list[tuple[int, str]]) -> None:
    """Of any mixture, what is left is just what is younger than its time or still open."""
    connection = connect(Path(":memory:"))
    wanted = set()
    for number, (days, state) in enumerate(mails):
        at = NOW - days * DAY_MS - number
        connection.execute(
            "INSERT INTO message (id, received_at, reverse_path, recipients, size, body_start, client, helo, message_id,"
            " eight_bit, smtputf8, reasons, open) VALUES (?, ?, '', '', 1, 1, '', '', '', 0, 0, '[]', 1)",
            (at - EPOCH, at),
        )
        connection.execute(
            "INSERT INTO delivery (id, kind, roles, recipient, reverse_path, pieces, size, handoff, eight_bit, smtputf8,"
            " attempts, next_at, created_at, state, last_reply)"
            " VALUES (?, 'copy', '["
            r"]', 'a@b', '', x'', 1, 0, 0, 0, 0, ?, ?, ?, '')",
            ((at - EPOCH) << DELIVERY_BITS, at, at, state),
        )
        if state in ("queued", "held") or at >= NOW - KEEP:
            wanted.add(at - EPOCH)
    pruning, steps = Pruning(), 0
    while pruning.step(connection, NOW, KEEP):
        steps += 1
    assert {id_ for (id_,) in connection.execute("SELECT id FROM message")} == wanted
    assert {id_ >> DELIVERY_BITS for (id_,) in connection.execute("SELECT id FROM delivery")} == wanted
    assert steps <= len(mails) // PRUNE_MESSAGES + 6
    assert not pruning.step(connection, NOW + tidying.AGAIN_MS - 1, KEEP)
    assert pruning.step(connection, NOW + tidying.AGAIN_MS, KEEP)
    connection.close()


async def test_the_service_prunes_beside_its_mail(tmp_path: Path) -> None:
    """The sweep that the delivery loop calls does it, as soon as it is told how long to keep."""
    store = SqliteStore.open(tmp_path / "m.db")
    message = await add(store, now_ms() - 60 * DAY_MS)
    await end(store, message, "delivered", message + EPOCH)
    while await store.sweep(shrink=False):
        pass
    assert known(store) == {message}, "without a time it keeps everything"
    store.keep_history = KEEP
    while await store.sweep(shrink=False):
        pass
    assert known(store) == set()
    store.close()
