"""The query plan of each statement on the hot path: one scan of a whole table would show only under load."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mailrouter.moments import DAY_MS
from mailrouter.store.ids import MessageId
from mailrouter.store.model import Acceptance, HandoffChange, NewHandoff, Outcome, ReplyMemory, WaitingHandoff
from mailrouter.store.selection import ACTIONS, Selection
from mailrouter.store.sqlite import hot_path, queue, queue_actions
from mailrouter.store.sqlite import pruning as tidying
from mailrouter.store.sqlite.pruning import Pruning
from mailrouter.store.sqlite.reader import NEXT_DUE, OF_MESSAGE, QUEUED_AFTER
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.store.sqlite.writer import connect
from tests.support.messages import SMALL, T0, deliveries_of, message_of, put


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A store with a few rows."""
    opened = SqliteStore.open(tmp_path / "m.db")
    await put(opened)
    yield opened
    opened.close()


def plan(store: SqliteStore, statement: str) -> list[str]:
    """The steps that SQLite takes; whether an index covers all that is asked differs by its version."""
    rows = store.reader._rows("EXPLAIN QUERY PLAN " + statement, [1] * statement.count("?"))
    return [row[3].replace("COVERING ", "") for row in rows]


SINGLE = [
    (hot_path.DUE, ["SEARCH delivery USING INDEX delivery_due (next_at<?)"]),
    (NEXT_DUE, ["SCAN delivery USING INDEX delivery_due"]),
    (QUEUED_AFTER, ["SEARCH delivery USING INDEX delivery_due (next_at>?)"]),
    (hot_path.FORWARD, ["SEARCH delivery USING INDEX delivery_due (next_at>?)"]),
    (OF_MESSAGE, ["SEARCH delivery USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]),
    ("SELECT data FROM chunk WHERE id = ?", ["SEARCH chunk USING INTEGER PRIMARY KEY (rowid=?)"]),
]


@pytest.mark.parametrize(("statement", "steps"), SINGLE)
async def test_reads_go_by_an_index(store: SqliteStore, statement: str, steps: list[str]) -> None:
    """Claims and reads of content touch what they ask for, and sort nothing."""
    assert plan(store, statement) == steps


LISTINGS = [
    queue.open_ids(Selection())[0],
    queue.open_ids(Selection(due_before=1, until=MessageId(1)))[0],
    queue.among(Selection(messages=(MessageId(1),)), "delivery.id BETWEEN 1 AND 2", "delivery.id")[0],
    queue.among(Selection(role="r", sender="s", received_after=1), "delivery.id IN (1, 2)", "delivery.id")[0],
    queue.among(Selection(recipient="a"), "delivery.id BETWEEN 1 AND 2", "state, count(*)")[0],
    queue.EVENTS,
]


@pytest.mark.parametrize("statement", LISTINGS)
async def test_the_listing_for_people_reads_open_deliveries_only(store: SqliteStore, statement: str) -> None:
    """Delivered mail, however much, is not read to show the queue, nor is another message's history."""
    steps = plan(store, statement)
    assert [step for step in steps if step.startswith(("SCAN", "SEARCH"))]
    tables = [step for step in steps if step.startswith("SCAN") and "json_each" not in step]
    assert not [step for step in tables if "USING INDEX delivery_" not in step]


@pytest.fixture
def traced(tmp_path: Path) -> Iterator[list[str]]:
    """Every statement that an acceptance, its reply, a settling, the steering of the queue, pruning and a sweep run, as
    they are sent to SQLite."""
    connection = connect(tmp_path / "traced.db")
    seen: list[str] = []
    connection.set_trace_callback(seen.append)
    for number, content in ((1, SMALL), (2, None)):
        copies = deliveries_of(number, len(SMALL))
        reply = deliveries_of(number, 5, ["a", "b", "c"])[2]
        memory = ReplyMemory(f"key{number}", T0, T0 - 1, "day", (("all", 5),))
        message = message_of(number, len(SMALL) if content else 1 << 20)
        aside = WaitingHandoff(message.id, "vp-hr", "handoff", "a@x.test", T0, "text")
        new = NewHandoff("vp-hr", "Laurie", T0, "text", b"text")
        changes = (HandoffChange(waiting=aside), HandoffChange(new, confirms=aside, once=f"key{number}"))
        hot_path.accept_group(
            connection, [Acceptance(message, content, copies, reply, memory, (("conversation", 1),), changes)]
        )
        ids = [delivery.id for delivery in (*copies, reply)]
        for action in ACTIONS[:3]:
            queue_actions.steer(connection, action, ids[:1], T0, "jim", {})
        hot_path.settle_group(connection, [[Outcome(ids[0], "queued", "451", T0, T0)]])
        hot_path.settle_group(connection, [[Outcome(id_, "delivered", "250", T0) for id_ in ids]])
        queue_actions.steer(connection, "drop", ids, T0, "jim", {})
    pruning = Pruning()
    while pruning.step(connection, T0 + 400 * DAY_MS, DAY_MS):
        pass
    tidying.sweep_step(connection)
    connection.set_trace_callback(None)
    yield seen
    connection.close()


async def test_writes_go_by_their_keys(store: SqliteStore, traced: list[str]) -> None:
    """No statement of accepting, settling, steering and pruning scans a table of messages, deliveries, chunks or
    memories."""
    kinds = {statement.split()[0] for statement in traced}
    assert {"INSERT", "UPDATE", "DELETE", "SELECT"} <= kinds
    for statement in traced:
        rows = [row[3] for row in store.reader._rows("EXPLAIN QUERY PLAN " + statement)]
        scans = [row for row in rows if re.match(r"SCAN (?!v\b|sweep\b|(\d+ )?CONSTANT|\d+-ROW)", row)]
        assert not scans, (statement, rows)
