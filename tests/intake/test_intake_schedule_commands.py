"""Changes of the schedule by command, what is kept of them, and what ``explain`` tells."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from mailrouter.config.atomic_write import CannotWrite
from mailrouter.errors import MailrouterError
from mailrouter.intake.explain import explained, in_hand
from mailrouter.intake.partner.by_command import as_json, change_by_command, from_json
from mailrouter.message.scanner import Scanner
from mailrouter.moments import milliseconds
from mailrouter.schedule.language.requests import Off, Plain, Request, Works
from mailrouter.schedule.language.spans import spans_in
from mailrouter.smtp.envelope import Envelope
from tests.intake.rescheduling import (
    COMMENTED,
    ELAINE,
    LAURIE,
    MOMENT,
    OFF,
    SCHEDULE,
    asked,
    desk_in,
    file_of,
    folder_in,
    running,
)


async def test_a_command_does_the_same_and_both_are_told(tmp_path: Path) -> None:
    """Off, a swap and undoing it; through JSON as over the socket; what stands already is refused in words."""
    folder_in(tmp_path)
    now = datetime(2026, 12, 3, 10)
    async with running(tmp_path) as found:

        async def command(request: Request) -> str:
            import json

            again = from_json(json.loads(json.dumps(as_json(request), default=str)))
            assert again == request
            return await change_by_command(found.context.desk, found.acceptor.files, "vp-hr", [again], MOMENT)

        off = Off("laurie", spans_in("Monday", now), "elaine")
        assert await command(off) == "Laurie is away on Monday 7 December; Elaine covers."
        assert file_of(tmp_path) == COMMENTED + "absences:\n" + OFF
        with pytest.raises(MailrouterError, match="stands so already"):
            await command(off)
        swap = Works("laurie", datetime(2026, 12, 4).date(), None, (720, 1020))
        assert "on Friday 4 December from 12:00 to 17:00" in await command(swap)
        assert "swaps:\n  - {date: 2026-12-04, partner: laurie, hours: 12:00-17:00}\n" in file_of(tmp_path)
        assert (await command(Plain("undo"))).startswith("Undone: Laurie works")
        due = await found.store.claim(10, milliseconds(MOMENT))
        assert [(d.kind, d.recipient) for d in due] == [("notice", LAURIE), ("notice", ELAINE)] * 3
        assert b"A command changed the schedule" in due[0].pieces
        (tmp_path / "config" / "roles" / "vp-hr.yaml").chmod(0o444)
        with pytest.raises(CannotWrite):
            await command(Plain("undo"))


@pytest.mark.parametrize(
    "data", [{}, {"kind": "Off"}, {"kind": "Off", "spans": "x"}, {"kind": "Works", "day": 3}]
)
def test_a_request_that_is_none_is_refused(data: dict[str, object]) -> None:
    """In words, for whoever wrote to the socket."""
    with pytest.raises(MailrouterError, match="no change of a schedule"):
        from_json(data)


def earlier(database: Path, number: int) -> None:
    """So many changes like the only one, made before it."""
    with sqlite3.connect(database) as connection:
        (row,) = connection.execute("SELECT * FROM schedule_change")
        places = ", ".join("?" * len(row))
        role, last, *rest = row
        rows = [(role, last - n, *rest) for n in range(1, number + 1)]
        connection.executemany(f"INSERT INTO schedule_change VALUES ({places})", rows)
    connection.close()


async def test_history_is_bounded(tmp_path: Path) -> None:
    """The newest fifty changes of a role are kept."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(asked("off Monday", number=1), SCHEDULE)
        (first,) = await found.store.reader.schedule_changes("vp-hr", 100)
        earlier(tmp_path / "mailrouter.db", 48)
        assert len(await found.store.reader.schedule_changes("vp-hr", 100)) == 49
        await found.send(asked("undo", number=2), SCHEDULE)
        assert len(await found.store.reader.schedule_changes("vp-hr", 100)) == 50
        for number in (3, 4):
            await found.send(asked("off Monday" if number % 2 else "undo", number=number), SCHEDULE)
        changes = await found.store.reader.schedule_changes("vp-hr", 100)
        assert len(changes) == 50
        assert changes[3].id == first.id, "it is the oldest ones that went"
    assert file_of(tmp_path) == COMMENTED
    mode = (tmp_path / "mailrouter.db").stat().st_mode & 0o777
    assert mode == 0o600
    with sqlite3.connect(tmp_path / "mailrouter.db") as connection:
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM schedule_change WHERE role = 'x' AND state = 'done' AND undoes = 0"
            " ORDER BY id DESC LIMIT 1"
        ).fetchall()
    connection.close()
    assert "SEARCH" in plan[0][3]
    assert len(plan) == 1


async def test_explain_tells_what_would_come_of_it(tmp_path: Path) -> None:
    """Without doing any of it."""
    folder_in(tmp_path)
    raw = asked("off Monday, Elaine covers")
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    desk = desk_in(tmp_path / "config")
    received = in_hand(desk, scanner.head, shape, Envelope(LAURIE, [SCHEDULE]), MOMENT, raw)
    found = explained(desk, None, received, list(desk.configuration.roles))
    assert [notice.recipient for notice in found.notices] == [LAURIE, ELAINE]
    assert found.about == "schedule"
    assert any("the file is changed" in reason for reason in found.reasons)
    assert file_of(tmp_path) == COMMENTED
