"""From each format that there ever was, with mail in it, to today's: nothing is lost, and it is delivered."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from mailrouter.errors import StoreError
from mailrouter.moments import HOUR_MS
from mailrouter.store.ids import DELIVERY_BITS, MessageId
from mailrouter.store.model import Outcome
from mailrouter.store.selection import Selection
from mailrouter.store.sqlite.backup import check_store
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.schema import MIGRATIONS, migrate
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import SMALL, T0, queue_of

OPEN, DONE, FAILED, WORDS, TRIAL = (MessageId(number) for number in range(1001, 1006))
"""Messages: one that waits, one that was delivered, one of which a copy failed, one whose deliveries are told apart by
what stands in words, and one that a trial would have refused."""
TEXT = "Done:\n- the budget\n"
FORMATS = Path(__file__).parent / "formats"
"""A store of each format as text (``.dump``): mail, handoffs and memories as the program of that time left them."""
HOUR = HOUR_MS


def store_of_format(path: Path, number: int) -> None:
    """A store as the program of that time would have left it."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA page_size = 8192")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript((FORMATS / f"{number:02}.sql").read_text())
    connection.execute(f"PRAGMA user_version = {number}")
    connection.close()


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
def test_the_steps_up_to_a_format_stay_what_they_were(tmp_path: Path, number: int) -> None:
    """Tables and indices that they make are those of the stores that are out there."""
    old, made = tmp_path / "old.db", tmp_path / "made.db"
    store_of_format(old, number)
    connection = sqlite3.connect(made, isolation_level=None)
    for script in MIGRATIONS[:number]:
        connection.executescript(script)
    connection.close()
    assert shape_of(made) == shape_of(old)


def shape_of(path: Path) -> dict[str, list[str]]:
    """The columns of each table, and the words of each index."""
    connection = sqlite3.connect(path)
    found = {
        name: [" ".join(map(str, row)) for row in connection.execute(f"PRAGMA table_xinfo({name})")]
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    }
    for name, words in connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'"):
        found[name] = [" ".join((words or "").replace('"', "").split())]
    connection.close()
    return found


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
async def test_what_stood_in_words_stands_in_columns(tmp_path: Path, number: int) -> None:
    """Roles, why a copy waits, who was dropped, what waits for a yes, refusals of a trial, and what caps kept back."""
    path = tmp_path / "m.db"
    store_of_format(path, number)
    store = SqliteStore.open(path)
    reader = store.reader
    try:
        entry = await reader.entry(MessageId(WORDS))
        assert entry is not None
        both, second, third, dropped, anew = entry.deliveries
        assert [d.roles for d in entry.deliveries[:3]] == [("vp-hr", "office"), ("office",), ("vp-hr",)]
        assert both.role == "vp-hr,office"
        assert (dropped.dropped, anew.dropped) == (True, False)
        assert await reader.selected(Selection(role="office")) == [both.id, second.id]
        assert third.id in await reader.selected(Selection(role="vp-hr"))
        assert await store.bring_forward(T0 + 1, 1) == 2
        assert {d.id for d in await store.claim(10, T0 + 1)} >= {both.id, second.id}
        assert await store.next_due() == T0 + HOUR, "the third was put off by its mailbox"
        trial = await reader.message(MessageId(TRIAL))
        assert trial is not None
        assert trial.refusal == "552 5.3.4 It is too large"
        assert trial.reasons == ("would be refused: 552 5.3.4 It is too large",)
        found = await reader.waiting_handoff("vp-hr", "schedule", MessageId(DONE), 0)
        assert (found is not None) == (number >= 2)
        assert await reader.waiting_handoff("vp-hr", "handoff", MessageId(DONE), 0) is None
        assert await reader.capped("2023-11-14") == {"report": 3}
        assert await reader.replies("2023-11-14", "a@x.test") == 2
        assert await reader.replies("2023-11-14", "capped report") == 0
        assert await reader.ran_at() == (T0 if number >= 6 else None)
    finally:
        store.close()


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS) + 1))
async def test_a_store_of_each_earlier_format_is_taken_up(tmp_path: Path, number: int) -> None:
    """What waited is claimed, read and settled; handoffs, memories and what was told of old mail are all there."""
    path = tmp_path / "m.db"
    store_of_format(path, number)
    store = SqliteStore.open(path)
    try:
        assert store.reader.rows("PRAGMA user_version") == [(len(MIGRATIONS),)]
        assert store.reader.rows("PRAGMA integrity_check") == [("ok",)]
        claimed = await store.claim(10, T0)
        assert [d.id for d in claimed] == [(OPEN << DELIVERY_BITS) + k for k in (0, 1)]
        assert [await anext(store.read(d.message, 0, len(SMALL))) for d in claimed] == [SMALL, SMALL]
        await store.settle([Outcome(claimed[0].id, "queued", "451 later", T0 + 1, T0 + 2)])
        await store.settle([Outcome(d.id, "delivered", "250 ok", T0 + 3) for d in claimed])
        told = await store.reader.life(OPEN)
        assert told is not None
        assert [(e.what, e.at - T0) for e in told.events] == [
            ("tried", 1),
            ("delivered", 3),
            ("delivered", 3),
        ]
        assert told.entry.message.dsn.envid == ("QQ" if number >= 3 else "")
        assert await store.reader.chunk(OPEN, 0) == SMALL[:18]
        failed = await store.reader.life(FAILED)
        assert failed is not None
        assert [(e.what, e.words) for e in failed.events] == [
            ("failed", "words of failed"),
            ("delivered", "words of delivered"),
        ]
        assert failed.entry.message.reasons == ("because",)
        assert [found.message.id for found in queue_of(store.reader, 10)] == [FAILED, WORDS]
        handoff = await store.reader.handoff("vp-hr")
        assert handoff is not None
        assert (handoff.version, handoff.text) == (7, TEXT)
        assert await store.shown(["conversation"]) == 7
        assert await store.reader.answered_at("key") == T0
        assert await store.reader.handoff_mail("once") == (number >= 2)
        assert (await store.reader.waiting_handoff("vp-hr", "handoff", OPEN, 0) is not None) == (number >= 2)
        while await store.sweep(shrink=False):
            pass
        assert store.reader.rows("SELECT count(*) FROM chunk WHERE id >> 20 = 999") == [(0,)]
        assert store.spool().id > TRIAL
    finally:
        store.close()


@pytest.mark.parametrize("number", range(1, len(MIGRATIONS)))
def test_a_crash_between_two_steps_leaves_a_whole_older_format(tmp_path: Path, number: int) -> None:
    """A step is one transaction: with a later one failing, the store is of the format before, and data stays."""
    path = tmp_path / "m.db"
    store_of_format(path, number)
    connection = sqlite3.connect(path, isolation_level=None)
    with pytest.raises(sqlite3.Error):
        connection.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[number]} CREATE TABLE message (x); COMMIT;")
    connection.close()
    held = check_store(path)
    assert (held.format, held.messages, held.waiting) == (number, 5, 5)


def test_a_newer_format_is_refused_by_everything(tmp_path: Path) -> None:
    """The service, a backup and a restore leave it alone, with words."""
    path = tmp_path / "m.db"
    store_of_format(path, len(MIGRATIONS))
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreError, match="written by a newer mailrouter"):
        check_store(path)


def test_a_store_of_an_older_format_tells_a_reader_so(tmp_path: Path) -> None:
    """`queue list` of a new program on a store that no service has brought up to date yet says what to do."""
    path = tmp_path / "m.db"
    store_of_format(path, 1)
    with pytest.raises(StoreError, match="older mailrouter"):
        StoreReader(path)


@pytest.mark.parametrize(
    ("words", "left"),
    [
        ("550 5.7.1 found 'the budget'", "550 5.7.1"),
        ("451 4.7.26 the budget", "451 4.7.26"),
        ("552 the budget", "552"),
        ("5.1.1 the budget", "5.1.1"),
        ("451 4.4.2 The server closed the connection", "451 4.4.2 The server closed the connection"),
        ("dropped by laurie", "dropped by laurie"),
        ("", ""),
    ],
)
def test_what_servers_said_of_a_handoff_before_is_cut_down_to_its_codes(
    tmp_path: Path, words: str, left: str
) -> None:
    """For the whole message of a copy that carried one, and in its history; of other mail it stays as it was said."""
    path = tmp_path / "m.db"
    store_of_format(path, 7)
    connection = sqlite3.connect(path, isolation_level=None)
    mine = (OPEN << DELIVERY_BITS, (OPEN << DELIVERY_BITS) + 1)
    other = FAILED << DELIVERY_BITS
    connection.execute("UPDATE delivery SET handoff = 7 WHERE id = ?", mine[:1])
    connection.execute("UPDATE delivery SET last_reply = ? WHERE id IN (?, ?, ?)", (words, *mine, other))
    for id_ in (*mine, other):
        connection.execute("INSERT INTO event VALUES (?, 1, 'tried', '', ?)", (id_, words))
    migrate(connection)
    found = dict(connection.execute("SELECT id, last_reply FROM delivery").fetchall())
    told = dict(connection.execute("SELECT delivery, words FROM event").fetchall())
    inside = {id_ for (id_,) in connection.execute("SELECT id FROM delivery WHERE inside")}
    connection.close()
    assert [found[id_] for id_ in (*mine, other)] == [left, left, words]
    assert [told[id_] for id_ in (*mine, other)] == [left, left, words]
    assert inside == set(mine)


async def test_a_store_of_the_first_version_gets_the_new_tables(tmp_path: Path) -> None:
    """What is in it stays."""
    path = tmp_path / "m.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
    connection.execute("INSERT INTO handoff VALUES (7, 'vp-hr', 'Laurie', 1, 'x', x'78')")
    migrate(connection)
    assert connection.execute("SELECT version FROM handoff").fetchall() == [(7,)]
    assert connection.execute("SELECT count(*) FROM waiting_handoff").fetchone() == (0,)
    connection.close()
