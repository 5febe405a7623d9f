"""People's actions on queued deliveries, on the writing connection. Each gives the ids of what it was done to.

The caller holds the deliveries in hand meanwhile, so that nothing of them is being sent.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mailrouter.store import ids
from mailrouter.store.events import Event
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import Consequence, Outcome
from mailrouter.store.selection import DONE, Action, NewPath, Selection
from mailrouter.store.sqlite import consequences, hot_path, queue, rows
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.spool import Run

# Time on hold is no time of trying: what is released has as much of it left as when it was put on hold. What has failed
# begins anew.
_CHANGE: dict[Action, str] = {
    "hold": "state = 'held', next_at = :at WHERE state = 'queued'",
    "release": (
        "state = 'queued', created_at = created_at + max(0, :at - next_at), next_at = :at WHERE state = 'held'"
    ),
    "retry": (
        "state = 'queued', next_at = :at, created_at = CASE state WHEN 'failed' THEN :at ELSE created_at END"
        " WHERE state IN ('queued', 'failed')"
    ),
    "drop": (
        "state = 'withdrawn', next_at = :at, last_reply = :words, dropped = 1, pieces = x''"
        " WHERE state IN ('queued', 'held', 'failed')"
    ),
}


_TAKE_BACK = """
    SELECT id, roles FROM delivery WHERE state = 'bounced' AND pieces <> x'' AND id IN ({names})
"""
_COPY = f"""
    INSERT INTO delivery ({rows.NEW_DELIVERY})
    SELECT :new, kind, roles, recipient, :path, pieces, size, handoff, eight_bit, smtputf8, 0, :at, :at, 'queued', '',
        inside, id, ''
    FROM delivery WHERE id = :old
"""


def send_again(
    connection: sqlite3.Connection,
    deliveries: Sequence[DeliveryId],
    at: Milliseconds,
    who: str,
    path: NewPath,
) -> list[DeliveryId]:
    """Queue returned copies once more, under new return paths.

    Each is a delivery of its own: what comes back of that one is told apart. Gives the ids of what came back and is
    sent again now.
    """
    names = ", ".join("?" * len(deliveries))
    done: list[DeliveryId] = []
    for old, roles_held in connection.execute(_TAKE_BACK.format(names=names), list(deliveries)).fetchall():
        message = ids.message_of(old)
        number = consequences.free_number(connection, message)
        if number >= ids.REPLY_NUMBER or not (
            reverse_path := path(rows.roles_of(roles_held), ids.delivery_of(message, number))
        ):
            continue
        connection.execute(
            _COPY, {"new": ids.delivery_of(message, number), "path": reverse_path, "at": at, "old": old}
        )
        connection.execute("UPDATE delivery SET pieces = x'' WHERE id = ?", (old,))
        connection.execute("UPDATE message SET open = open + 1 WHERE id = ?", (message,))
        done.append(old)
    rows.note_events(connection, [Event(id_, at, "retried", who, "") for id_ in done])
    return done


def steer(
    connection: sqlite3.Connection,
    action: Action,
    deliveries: Sequence[DeliveryId],
    at: Milliseconds,
    who: str,
    reports: Mapping[DeliveryId, Sequence[Consequence]],
    keep_at: Milliseconds = 0,
) -> list[DeliveryId]:
    """Do ``action`` to those ``deliveries`` (``STEP`` at most) that it fits. ``reports`` are queued with a drop."""
    names = ", ".join(f":d{n}" for n in range(len(deliveries)))
    values: dict[str, object] = {f"d{n}": id_ for n, id_ in enumerate(deliveries)}
    statement = f"UPDATE delivery SET {_CHANGE[action]} AND id IN ({names}) RETURNING id"
    values |= {"at": at, "words": f"dropped by {who}"}
    done = sorted(DeliveryId(id_) for (id_,) in connection.execute(statement, values).fetchall())
    rows.note_events(connection, [Event(id_, at, DONE[action], who, "") for id_ in done])
    if action == "drop":
        ended: dict[int, int] = {}
        for id_ in done:
            if told := reports.get(id_):
                consequences.follow(connection, Outcome(id_, "withdrawn", "", at, consequences=tuple(told)))
            message = ids.message_of(id_)
            ended[message] = ended.get(message, 0) + 1
        hot_path.close(connection, ended, keep_at)
    return done


class SqliteSteering:
    """The Steering of a store that is open at ``path``: ``run`` runs work in a write transaction, ``keep_at`` tells from
    when on content is kept (see ``hot_path.close``)."""

    def __init__(self, path: Path, run: Run, keep_at: Callable[[], Milliseconds]) -> None:
        self._path = path
        self._run = run
        self._keep_at = keep_at

    async def meant(self, selection: Selection) -> list[DeliveryId]:
        """All deliveries meant. Of many it takes a while: a connection of its own is asked beside the event loop."""
        return await asyncio.to_thread(self._selected, selection)

    def _selected(self, selection: Selection) -> list[DeliveryId]:
        reader = StoreReader(self._path)
        try:
            return queue.selected(reader, selection)
        finally:
            reader.close()

    async def change(
        self,
        action: Action,
        deliveries: Sequence[DeliveryId],
        at: Milliseconds,
        who: str,
        reports: Mapping[DeliveryId, Sequence[Consequence]] = {},
        again: NewPath | None = None,
    ) -> list[DeliveryId]:
        """Do ``action`` in one transaction; gives the ids of what it was done to."""

        def work(connection: sqlite3.Connection) -> list[DeliveryId]:
            done = steer(connection, action, deliveries, at, who, reports, self._keep_at())
            if action == "retry" and again is not None:
                done = sorted((*done, *send_again(connection, deliveries, at, who, again)))
            return done

        changed: list[DeliveryId] = await self._run(work)
        return changed
