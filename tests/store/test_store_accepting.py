"""What every store promises: all or nothing, in hand once, swept in steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS
from mailrouter.store.ids import DeliveryId, MessageId, chunk_of, message_id_of, queue_id
from mailrouter.store.model import CHUNK_SIZE, Acceptance, Outcome, ReplyMemory
from mailrouter.store.protocols import Store
from mailrouter.store.sqlite.pruning import SWEEP_CHUNKS
from tests.support.homes import Home
from tests.support.messages import PARTNERS, SMALL, T0, deliveries_of, filled, message_of, put

DAY = DAY_MS
SMALL_BODY = 18
"""Octets of the header of what ``message_of`` describes."""


def count(home: Home, store: Store, table: str, where: str = "1 = 1") -> int:
    """Rows of a table."""
    return int(home.rows(store, f"SELECT count(*) FROM {table} WHERE {where}")[0][0])


def octets(home: Home, store: Store) -> int:
    """Stored octets of messages."""
    return int(home.rows(store, "SELECT coalesce(sum(length(data)), 0) FROM chunk")[0][0])


async def read(store: Store, message: MessageId, start: int, end: int) -> bytes:
    """A stored range."""
    return b"".join([block async for block in store.read(message, start, end)])


async def test_accepted_mail_is_there_after_a_restart(home: Home, tmp_path: Path) -> None:
    """Message, deliveries and content come back from a store that was closed, and are due."""
    store = home.open(tmp_path / "m.db")
    queued = await put(store)
    assert [delivery.content for delivery in queued] == [SMALL, SMALL]
    store.close()
    store = home.open(tmp_path / "m.db")
    try:
        found = await store.claim(10, T0)
        assert [(d.recipient, d.attempts, d.state) for d in found] == [(p, 0, "queued") for p in PARTNERS]
        assert await read(store, found[0].message, 0, len(SMALL)) == SMALL
        entry = await store.reader.entry(found[0].message)
        assert entry is not None
        assert entry.message == message_of(found[0].message, len(SMALL))
    finally:
        store.close()


async def test_neighbours_survive_a_bad_request(home: Home, store: Store) -> None:
    """In one group, the acceptances with an id that is taken fail alone and whole; the others are there."""
    spools = [await filled(store, SMALL) for _ in range(6)]
    requests = []
    for number, spool in enumerate(spools):
        message = message_of(spool.id, len(SMALL))
        deliveries = deliveries_of(spool.id, len(SMALL))
        if number == 2:
            message = message._replace(id=spools[1].id)  # the message is there already
        if number == 4:
            deliveries = [deliveries[0], deliveries[0]]  # one delivery twice
        requests.append(
            store.accept(spool, Acceptance(message, SMALL, deliveries, shown=((f"c{number}", 1),)))
        )
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [isinstance(result, StoreError) for result in results] == [False, False, True, False, True, False]
    assert count(home, store, "message") == 4
    assert count(home, store, "delivery") == 8
    assert count(home, store, "chunk") == 4
    assert await store.shown(["c2", "c4"]) == 0
    assert await store.shown(["c5"]) == 1
    assert len(await store.claim(100, T0)) == 0, "what was accepted is in hand, what failed is nowhere"


async def test_in_nobodys_hands_twice(store: Store) -> None:
    """What was accepted or claimed is not claimed again until it was released, or settled and due."""
    queued = await put(store)
    assert await store.claim(10, T0) == []
    store.release(queued[:1])
    claimed = await store.claim(10, T0)
    assert [d.id for d in claimed] == [queued[0].id]
    assert await store.claim(10, T0) == []
    await store.settle([Outcome(queued[0].id, "queued", "451 later", T0, T0 + 1000)])
    assert await store.claim(10, T0 + 999) == []
    again = await store.claim(10, T0 + 1000)
    assert [(d.id, d.attempts, d.last_reply) for d in again] == [(queued[0].id, 1, "451 later")]


async def test_a_claim_between_commit_and_echo_finds_nothing(store: Store) -> None:
    """However claims and acceptances interleave, no delivery is handed out twice."""
    accepting = [asyncio.create_task(put(store)) for _ in range(50)]
    handed: list[int] = []
    while not all(task.done() for task in accepting):
        handed += [d.id for d in await store.claim(100, T0)]
        await asyncio.sleep(0)
    assert handed == []
    assert len({d.id for task in accepting for d in task.result()}) == 100


async def test_an_abandoned_acceptance_is_delivered_all_the_same(store: Store) -> None:
    """If nobody waits for the commit any more, the deliveries are due for everyone."""
    task = asyncio.create_task(put(store))
    await asyncio.sleep(0)  # now it waits for its commit
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.answers()
    assert len(await store.claim(10, T0)) == 2


async def test_claims_come_oldest_first_and_no_more_than_asked(store: Store) -> None:
    """Due order, with a bound that deliveries in hand do not use up."""
    for n in range(5):
        store.release(await put(store, at=T0 + 10 - n))
    first = await store.claim(4, T0 + 100)
    second = await store.claim(4, T0 + 100)
    assert [d.next_at - T0 for d in (*first, *second)] == [6, 6, 7, 7, 8, 8, 9, 9]
    assert await store.next_due() == T0 + 10


async def test_next_due_leaves_out_what_is_in_hand(store: Store) -> None:
    """The next moment is that of a delivery somebody may claim."""
    assert await store.next_due() is None
    queued = await put(store)
    assert await store.next_due() is None
    store.release(queued[1:])
    assert await store.next_due() == T0


async def test_the_content_goes_with_the_last_delivery(home: Home, store: Store) -> None:
    """Content stays while a delivery is open or has failed; when all have ended, the header alone is left."""
    a, b = await put(store)
    await store.settle([Outcome(a.id, "delivered", "250 ok", T0)])
    assert octets(home, store) == len(SMALL)
    await store.settle([Outcome(b.id, "failed", "550 no", T0)])
    assert octets(home, store) == len(SMALL)
    await store.settle([Outcome(b.id, "withdrawn", "dropped", T0)])
    assert octets(home, store) == SMALL_BODY
    assert count(home, store, "message") == 1


async def test_what_is_settled_twice_counts_once(home: Home, store: Store) -> None:
    """A repeat of an outcome does not take the content from a delivery that is still open."""
    a, b = await put(store)
    done = Outcome(a.id, "delivered", "250 ok", T0)
    await asyncio.gather(store.settle([done]), store.settle([done]), store.settle([done]))
    await store.settle([done])
    assert count(home, store, "chunk") == 1
    assert count(home, store, "delivery", "state = 'queued'") == 1
    await store.settle([Outcome(b.id, "delivered", "250 ok", T0)])
    assert octets(home, store) == SMALL_BODY


async def test_a_message_for_nobody_keeps_no_content(home: Home, store: Store) -> None:
    """Where nothing is to be delivered, the row stays for people and the content goes."""
    assert await put(store, recipients=()) == []
    assert await put(store, bytes(CHUNK_SIZE + 1), recipients=()) == []
    assert await store.sweep()
    assert not await store.sweep()
    assert (count(home, store, "message"), count(home, store, "chunk"), count(home, store, "receiving")) == (
        2,
        0,
        0,
    )


@pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE, 3 * CHUNK_SIZE + 5])
async def test_content_of_any_size_comes_back(home: Home, store: Store, size: int) -> None:
    """Up to a chunk stays in memory until the commit; more is stored while it arrives; both read the same."""
    content = bytes(n * 7 % 251 for n in range(size))
    spool = await filled(store, content, 100_000)
    assert count(home, store, "receiving") == (size > CHUNK_SIZE)
    whole = await spool.finish()
    assert whole == (content if size <= CHUNK_SIZE else None)
    deliveries = deliveries_of(spool.id, size)
    queued = await store.accept(spool, Acceptance(message_of(spool.id, size), whole, deliveries))
    assert count(home, store, "receiving") == 0
    assert await read(store, spool.id, 0, size) == content
    for start, end in ((1, size), (CHUNK_SIZE - 1, CHUNK_SIZE + 1), (size // 2, size // 2), (0, 10)):
        assert await read(store, spool.id, start, min(end, size)) == content[start : min(end, size)]
    await store.settle([Outcome(d.id, "delivered", "250", T0) for d in queued])
    while await store.sweep():
        pass
    assert (await read(store, spool.id, 0, SMALL_BODY) if size else b"") == content[:SMALL_BODY]
    assert octets(home, store) == min(size, SMALL_BODY)


async def test_mail_from_nobody_leaves_nothing(home: Home, store: Store) -> None:
    """Behind <> there is nobody to send a report to, so its header is not kept."""
    spool = await filled(store, SMALL)
    message = message_of(spool.id, len(SMALL))._replace(reverse_path="")
    content = await spool.finish()
    queued = await store.accept(spool, Acceptance(message, content, deliveries_of(spool.id, len(SMALL))))
    await store.settle([Outcome(d.id, "delivered", "250", T0) for d in queued])
    assert count(home, store, "chunk") == 0


async def test_large_content_goes_in_steps(home: Home, store: Store) -> None:
    """A discarded message is deleted some chunks at a time, and remembered until the last is gone."""
    spool = await filled(store, bytes(CHUNK_SIZE * 2 * SWEEP_CHUNKS), CHUNK_SIZE)
    await spool.discard()
    left = []
    more = True
    while more:
        more = await store.sweep()
        left.append(count(home, store, "chunk"))
    assert left[:2] == [SWEEP_CHUNKS, 0]
    assert (count(home, store, "sweep"), count(home, store, "receiving")) == (0, 0)


async def test_discarding_what_was_accepted_changes_nothing(store: Store) -> None:
    """A discard that comes after the commit leaves a published message alone."""
    spool = await filled(store, bytes(CHUNK_SIZE * 2))
    assert await spool.finish() is None
    message = message_of(spool.id, CHUNK_SIZE * 2)
    await store.accept(spool, Acceptance(message, None, deliveries_of(spool.id, CHUNK_SIZE * 2)))
    await spool.discard()
    await spool.discard()
    while await store.sweep():
        pass
    assert await read(store, spool.id, 0, CHUNK_SIZE * 2) == bytes(CHUNK_SIZE * 2)


async def test_ids_only_grow_even_over_what_is_being_swept(home: Home, tmp_path: Path) -> None:
    """After a restart no new message gets the id of one whose chunks are still to be deleted."""
    path = tmp_path / "m.db"
    store = home.open(path)
    future = store.spool().id + 10**9
    await home.run_ahead(store, MessageId(future - 1))
    spool = await filled(store, bytes(CHUNK_SIZE * 2))
    assert spool.id == future
    store.close()
    store = home.open(path)
    try:
        assert count(home, store, "receiving") == 0
        assert count(home, store, "sweep") == 1, "what nobody was answered for is not kept"
        assert store.spool().id == future + 1
        while await store.sweep():
            pass
        assert count(home, store, "chunk") == 0
    finally:
        store.close()


def memory(key: str, at: int, caps: tuple[tuple[str, int], ...] = (), again_days: int = 7) -> ReplyMemory:
    """A reply at ``at``, again after a week."""
    return ReplyMemory(key, at, at - again_days * DAY, str(at // DAY), caps)


async def answered(store: Store, remembered: ReplyMemory) -> bool:
    """Whether the reply was queued with its message."""
    spool = await filled(store, SMALL)
    copy, reply = deliveries_of(spool.id, len(SMALL))
    reply = replace(reply, kind="reply")
    queued = await store.accept(
        spool, Acceptance(message_of(spool.id, len(SMALL)), SMALL, [copy], reply, remembered)
    )
    assert [d.kind for d in queued][:1] == ["copy"]
    return len(queued) == 2


async def test_one_reply_a_key_and_period(store: Store) -> None:
    """The same key is answered once, again after its period, and others are not touched."""
    assert await answered(store, memory("k", T0))
    assert not await answered(store, memory("k", T0 + DAY))
    assert await answered(store, memory("other", T0))
    assert not await answered(store, memory("k", T0 + 7 * DAY - 1))
    assert await answered(store, memory("k", T0 + 7 * DAY))
    assert await store.reader.answered_at("k") == T0 + 7 * DAY
    assert await store.reader.answered_at("never") is None


async def test_many_at_once_are_answered_once(store: Store) -> None:
    """Of messages that arrive together, in one group or in several, one is answered."""
    results = await asyncio.gather(*(answered(store, memory("k", T0)) for _ in range(20)))
    assert sum(results) == 1


async def test_caps_hold_a_day(store: Store) -> None:
    """No more replies a day than the smallest cap; a refused one uses up neither key nor caps."""
    caps = (("domain:x", 2), ("all", 10))
    assert [await answered(store, memory(f"k{n}", T0, caps)) for n in range(4)] == [True, True, False, False]
    assert await store.reader.answered_at("k3") is None
    day = str(T0 // DAY)
    assert (await store.reader.replies(day, "domain:x"), await store.reader.replies(day, "all")) == (2, 2)
    assert not await answered(store, memory("k0", T0, caps)), "a key that was answered counts in no cap"
    assert await store.reader.replies(day, "all") == 2
    assert await answered(store, memory("k3", T0 + DAY, caps))


async def test_the_memory_falls_with_its_message(home: Home, store: Store) -> None:
    """When the message can't be stored, the sender was not answered either."""
    spool = await filled(store, SMALL)
    message = message_of(spool.id, len(SMALL))._replace(id="not a number")  # type: ignore[arg-type]
    copy, reply = deliveries_of(spool.id, len(SMALL))
    acceptance = Acceptance(
        message, None, [copy], reply, memory("k", T0, (("all", 5),)), (("conversation", 3),)
    )
    with pytest.raises(StoreError):
        await store.accept(spool, acceptance)
    assert await store.reader.answered_at("k") is None
    assert await store.reader.replies(str(T0 // DAY), "all") == 0
    assert await store.shown(["conversation"]) == 0
    assert count(home, store, "delivery") == 0


async def test_handoffs_and_what_conversations_have_seen(store: Store) -> None:
    """Versions grow over all roles, the newest of a role is found, and conversations remember the newest
    shown."""
    versions = [await store.add_handoff(role, "laurie", T0, "text", b"body") for role in ("hr", "it", "hr")]
    assert versions == sorted(set(versions))
    newest = await store.reader.handoff("hr")
    assert newest is not None
    assert newest.version == versions[2]
    assert [handoff.version for handoff in await store.reader.handoffs("hr", 5)] == [versions[2], versions[0]]
    assert await store.reader.handoff("nobody") is None
    assert await store.reader.handoff_body(versions[1]) == b"body"
    await put(store, shown=[("c1", versions[0]), ("c2", versions[2])])
    assert await store.shown(["c1", "c2", "c3"]) == versions[2]
    assert await store.shown([]) == 0


async def test_what_was_shown_is_kept_over_a_restart(home: Home, tmp_path: Path) -> None:
    """It gathers in memory, and is in the table at the latest when the store closes."""
    path = tmp_path / "s.db"
    first = home.open(path)
    await put(first, shown=[("c1", 3)])
    assert (await first.shown(["c1"]), await first.reader.shown(["c1"])) == (3, 0)
    first.close()
    second = home.open(path)
    assert (await second.shown(["c1", "c2"]), await second.reader.shown(["c1"])) == (3, 3)
    await put(second, shown=[("c1", 4)])
    assert await second.shown(["c1"]) == 4
    second.close()


async def test_a_delivery_is_replaced_in_one_step(home: Home, store: Store) -> None:
    """The old one is withdrawn, the new ones are due, and the content stays for them."""
    a, b = await put(store)
    await store.settle([Outcome(b.id, "delivered", "250", T0)])
    new = replace(a, id=DeliveryId(a.id + 5), recipient="new@example.test")
    await store.replace_delivery(a, [new], T0)
    assert [d.recipient for d in await store.claim(10, T0)] == ["new@example.test"]
    assert count(home, store, "chunk", f"id = {chunk_of(a.message, 0)}") == 1
    entry = await store.reader.entry(a.message)
    assert entry is not None
    assert [d.state for d in entry.deliveries] == ["withdrawn", "delivered", "queued"]


async def test_a_closed_store_says_so(home: Home, tmp_path: Path) -> None:
    """What is asked after the end gets an answer instead of waiting for ever."""
    store = home.open(tmp_path / "m.db")
    spool = await filled(store, bytes(CHUNK_SIZE * 2))
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await put(store)
    await spool.discard()


def test_queue_ids_are_read_back() -> None:
    """A queue id is short text that gives its number back, in either case; other text is refused."""
    for number in (1, 31, 212_345_678_901):
        assert message_id_of(f" {queue_id(MessageId(number)).upper()} ") == number
    with pytest.raises(ValueError, match="substring not found"):
        message_id_of("aeiou")
