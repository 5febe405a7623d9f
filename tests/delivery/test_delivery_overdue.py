"""Time runs while the next hop can't be used: notices after four hours, the end after five days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.delivery.retry import outcome
from mailrouter.moments import HOUR_MS
from mailrouter.smtp.replies import PeerError, Reply
from mailrouter.store.ids import EPOCH, DeliveryId, MessageId
from mailrouter.store.model import Acceptance, Consequence, Delivery, Outcome, ReplyMemory
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import SMALL, deliveries_of, message_of, until

HOUR = HOUR_MS
DAY = 24 * HOUR
START = EPOCH + 2000 * DAY


class Dead:
    """A transport to a next hop that can't be reached: it takes nothing."""

    name, advice, troubled_at = "smtp://dead.test:25", "", 0

    def __init__(self) -> None:
        self.trouble = "dead.test:25 can't be reached: Connection refused"

    def wake(self) -> None:
        """Nothing to be done."""

    def paused(self) -> bool:
        """While there is trouble."""
        return bool(self.trouble)

    async def close(self, grace: float) -> None:
        """Nothing is under way."""


@dataclass
class Outage:
    """A store whose next hop is dead, and a clock that stands where the test puts it."""

    store: SqliteStore
    dispatcher: Dispatcher
    transport: Dead
    now: int = START
    followed: list[tuple[str, str, str]] = field(default_factory=list)

    async def accept(self, age: int = 0, number: int = 1, offer: bool = False) -> list[Delivery]:
        """``number`` messages to two partners, that came ``age`` ago."""
        found: list[Delivery] = []
        for n in range(number):
            at = self.now - age
            spool = self.store.spool()
            spool.id = MessageId(at - EPOCH + n)
            message = message_of(spool.id, len(SMALL), at)
            copies = deliveries_of(spool.id, len(SMALL), at=at)
            found += await self.store.accept(spool, Acceptance(message, SMALL, copies))
        self.dispatcher.offer(found) if offer else self.store.release(found)
        return found

    async def follow(self, delivery: Delivery, outcome: Outcome) -> Outcome:
        """What the service does about it: a report, once a message."""
        self.followed.append((delivery.recipient, outcome.state, outcome.reply))
        report = replace(delivery, kind="report", recipient="sender@other.test", reverse_path="", handoff=0)
        report = replace(report, created_at=self.now, next_at=self.now, state="queued")
        once = ReplyMemory(f"{outcome.state} {delivery.message}", self.now, 0, "day", ())
        return outcome._replace(consequences=(Consequence(report, memory=once),))

    def states(self) -> list[tuple[str, str, str]]:
        """Kind, recipient and state of all deliveries."""
        return self.store.reader._rows("SELECT kind, recipient, state FROM delivery ORDER BY id")

    def count(self, kind: str, state: str) -> int:
        """How many deliveries of this kind are in this state."""
        return sum(row[0] == kind and row[2] == state for row in self.states())

    async def look(self, later: int = 0) -> None:
        """Let time pass, and look."""
        self.now += later
        await self.dispatcher.look_for_overdue()
        if self.dispatcher._settling is not None:
            await self.dispatcher._settling
        assert self.dispatcher._telling is not None
        if self.dispatcher._telling._work is not None:
            await self.dispatcher._telling._work


@asynccontextmanager
async def outage(folder: Path, retry: Retry | None = None) -> AsyncIterator[Outage]:
    """Closed at the end."""
    store = SqliteStore.open(folder / "m.db")
    found: list[Outage] = []
    dispatcher = Dispatcher(
        store,
        lambda delivery, outcome: found[0].follow(delivery, outcome),
        retry=retry,
        clock=lambda: found[0].now,
    )
    dispatcher._overdue._rest = 0.0
    dispatcher._transport = transport = Dead()
    found.append(Outage(store, dispatcher, transport))
    try:
        yield found[0]
    finally:
        await dispatcher.close(0)
        store.close()


async def test_the_sender_hears_once_after_four_hours(tmp_path: Path) -> None:
    """Not a moment before, one notice a message, and none again; the deliveries stay as they were."""
    async with outage(tmp_path) as out:
        await out.accept(number=3)
        await out.look(4 * HOUR - 10)
        assert out.followed == []
        await out.look(20)
        assert out.count("report", "queued") == 3
        assert {said[1] for said in out.followed} == {"queued"}
        assert all("451 4.4.1 dead.test:25 can't be reached" in said[2] for said in out.followed)
        before = len(out.followed)
        for _ in range(3):
            await out.look(HOUR)
        assert len(out.followed) == before
        assert out.count("copy", "queued") == 6
        rows = out.store.reader._rows(
            "SELECT DISTINCT attempts, last_reply FROM delivery WHERE kind = 'copy'"
        )
        assert rows == [(0, "")]


async def test_mail_ends_after_five_days(tmp_path: Path) -> None:
    """What lies in the store and what is ready in memory both fail, and leave no content behind."""
    async with outage(tmp_path, Retry(delay_notice=None)) as out:
        await out.accept(number=2)
        await out.accept(age=-5, number=2, offer=True)
        assert out.dispatcher.waiting == 4
        await out.look(5 * DAY)
        assert out.followed == []
        await out.look(10)
        assert out.count("copy", "failed") == 8
        assert out.dispatcher.waiting == 0
        assert out.dispatcher._bytes == 0
        assert {said[2].split(":")[0] for said in out.followed} == {"451 4.4.7 Not delivered within 5 days"}
        assert out.count("report", "queued") == 4
        await out.look(DAY)
        assert out.count("copy", "failed") == 8


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize(("age", "begins"), [(5 * HOUR, "451 4.4.1"), (6 * DAY, "451 4.4.7 Not delivered")])
async def test_of_what_the_server_said_the_codes_are_told(
    tmp_path: Path, inside: bool, age: int, begins: str
) -> None:
    """Whether or not a mail stays inside: a greeting may quote another mail than the one that is told of."""
    async with outage(tmp_path) as out:
        await out.accept(age=age)
        if inside:
            await out.store.run(lambda connection: connection.execute("UPDATE delivery SET inside = 1"))
        refusal = Reply(554, "5.7.1 found zebraquartz")
        out.transport.trouble = str(PeerError("The server does not take mail now", refusal))
        await out.look()
        told = [words for _, _, words in out.followed]
        kept = [
            row[0] for row in out.store.reader._rows("SELECT last_reply FROM delivery WHERE kind = 'copy'")
        ]
        assert len(told) == 2
        assert all(words.startswith(begins) and "now: 554 5.7.1 (" in words for words in told)
        assert "zebraquartz" not in " ".join(told + kept)


async def test_what_is_under_way_is_left_to_its_end(tmp_path: Path) -> None:
    """A delivery in a connection's hands is not ended beside it."""
    async with outage(tmp_path, Retry(delay_notice=None)) as out:
        first, second = await out.accept(offer=True)
        assert out.dispatcher.take() == first
        await out.look(6 * DAY)
        states = {row[1]: row[2] for row in out.states() if row[0] == "copy"}
        assert states == {first.recipient: "queued", second.recipient: "failed"}


async def test_a_next_hop_that_is_well_is_left_to_its_attempts(tmp_path: Path) -> None:
    """After a long stop of the service mail is tried once more, whatever its age."""
    async with outage(tmp_path) as out:
        await out.accept(age=9 * DAY)
        out.transport.trouble = ""
        assert not out.dispatcher._overdue.due(out.now)
        out.transport.trouble = "down"
        assert out.dispatcher._overdue.due(out.now)
        await out.look()
        assert out.count("copy", "failed") == 2
        assert not out.dispatcher._overdue.due(out.now + 59_999)
        assert out.dispatcher._overdue.due(out.now + 60_000)


async def test_it_ends_when_the_next_hop_is_back(tmp_path: Path) -> None:
    """In the middle of a look: what is left is delivered, not failed."""
    async with outage(tmp_path, Retry(delay_notice=None)) as out:
        await out.accept(age=6 * DAY, number=30)
        out.dispatcher._overdue._rest = 0.5
        looking = asyncio.create_task(out.dispatcher.look_for_overdue())
        await until(lambda: len(out.followed) >= 20)
        out.transport.trouble = ""
        await looking
        assert len(out.followed) == 20


async def test_a_look_at_many_goes_in_small_steps(tmp_path: Path) -> None:
    """Twenty thousand young deliveries and ten old ones: only the old ones are read, page by page."""
    async with outage(tmp_path) as out:
        old = await out.accept(age=5 * HOUR, number=5)

        def fill(connection) -> None:  # type: ignore[no-untyped-def]
            connection.execute(
                """WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
                INSERT INTO delivery SELECT ((? + i) << 10), 'copy', '["r"]', 'x@x.test', '', x'00', 1, 0, 0, 0, 0,
                ? + i, ? + i, 'queued', '', 0, 0, '', '', 0 FROM n""",
                (out.now - EPOCH, out.now, out.now),
            )

        await out.store.run(fill)
        read: list[int] = []
        whole = out.store.reader.deliveries

        async def noted(wanted: Sequence[DeliveryId]) -> list[Delivery]:
            read.extend(wanted)
            return await whole(wanted)

        out.store.reader.deliveries = noted  # type: ignore[method-assign]
        await out.look()
        assert sorted(read) == [delivery.id for delivery in old]
        assert len(out.followed) == 10


async def test_what_waits_is_brought_forward_when_the_next_hop_is_back(tmp_path: Path) -> None:
    """Only what a connection broke on, and only what was tried no more often than there were failures."""
    async with outage(tmp_path) as out:
        a, b = await out.accept()
        c, d = await out.accept(age=5)
        for delivery, attempts, reply in (
            (a, 1, Reply(451, "4.4.2 The server closed the connection", own=True)),
            (b, 1, Reply(450, "4.2.0 greylisted")),
            (c, 2, Reply(451, "4.4.2 The server closed the connection", own=True)),
            (d, 1, Reply(421, "4.3.2 closing")),
        ):
            for _ in range(attempts):
                tried = outcome(delivery, reply, out.now, 0.5, Retry(first=HOUR / 1000))
                await out.store.settle([tried])

        def due() -> set[int]:
            return set(out.store.reader.due(out.now, 10))

        assert due() == set()
        assert await out.store.bring_forward(out.now, 1) == 2
        assert due() == {a.id, d.id}
        assert await out.store.bring_forward(out.now, 2) == 1
        assert due() == {a.id, c.id, d.id}


async def test_a_store_that_fails_stops_nothing(tmp_path: Path) -> None:
    """A look that fails is logged, and the next one goes on."""
    async with outage(tmp_path) as out:
        await out.accept(age=6 * DAY)
        await out.store.run(lambda connection: connection.execute("ALTER TABLE delivery RENAME TO away"))
        await out.look()
        assert out.followed == []
        await out.store.run(lambda connection: connection.execute("ALTER TABLE away RENAME TO delivery"))
        await out.look(60_000)
        assert out.count("copy", "failed") == 2
