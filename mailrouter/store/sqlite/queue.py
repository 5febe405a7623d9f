"""The queue and the history as people see them: which deliveries are meant, how many, the oldest, a message's life.

Each state of what is in the queue has an index of its own, so that mail that was delivered, however much, is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mailrouter.store import ids
from mailrouter.store.events import Event
from mailrouter.store.history import Found, Life, life_of
from mailrouter.store.ids import DeliveryId, MessageId
from mailrouter.store.model import QueueEntry, State
from mailrouter.store.selection import Selection, Summary
from mailrouter.store.sqlite.rows import of_role

if TYPE_CHECKING:  # it asks these functions
    from mailrouter.store.sqlite.reader import StoreReader

EVENTS = (
    "SELECT delivery, at, what, who, words FROM event WHERE delivery BETWEEN ? AND ? ORDER BY at, delivery"
)
_INDEX = {
    "queued": "delivery_due",
    "held": "delivery_held",
    "failed": "delivery_failed",
    "bounced": "delivery_bounced",
}
_KEPT = " AND pieces <> x''"
_BATCH = 500


def open_ids(selection: Selection) -> tuple[str, list[Any]]:
    """A statement for open deliveries' ids and due times, by states' indices."""
    words, values = _joined(_by_index(selection))
    parts = [
        f"SELECT id FROM delivery INDEXED BY {_INDEX[state]} WHERE state = '{state}'{words}"
        + (_KEPT if state == "bounced" else "")
        for state in selection.states
        if state == "queued" or not _due(selection)
    ]
    return " UNION ALL ".join(parts) or "SELECT 1 WHERE 0", values * len(parts)


def among(selection: Selection, places: str, columns: str) -> tuple[str, list[Any]]:
    """A statement for ``columns`` of deliveries meant, from those in ``places``. ``places`` is a condition."""
    words, values = _joined([*_by_index(selection), *_by_row(selection)])
    join = f" JOIN message ON message.id = delivery.id >> {ids.DELIVERY_BITS}" if "message." in words else ""
    states = ", ".join(f"'{state}'" for state in selection.states if state == "queued" or not _due(selection))
    # NOT INDEXED leaves the primary key, by which all these places go.
    return (
        f"SELECT {columns} FROM delivery NOT INDEXED{join} WHERE {places} AND state IN ({states})"
        f" AND (state <> 'bounced' OR pieces <> x''){words}",
        values,
    )


def _due(selection: Selection) -> bool:
    """Nothing but what is queued has a next attempt."""
    return selection.due_before is not None or selection.due_after is not None


Conditions = list[tuple[str, Any]]


def _by_index(selection: Selection) -> Conditions:
    """The part of a selection that a state's index answers."""
    until = None if selection.until is None else ids.deliveries_of(selection.until)[1]
    found = (
        ("delivery.next_at < ?", selection.due_before),
        ("delivery.next_at > ?", selection.due_after),
        ("delivery.id <= ?", until),
    )
    return [(words, value) for words, value in found if value is not None]


def _by_row(selection: Selection) -> Conditions:
    """The part of a selection that needs the rows themselves."""
    found = (
        (of_role("delivery.roles"), selection.role or None),
        ("delivery.recipient = ? COLLATE NOCASE", selection.recipient or None),
        ("message.reverse_path = ? COLLATE NOCASE", selection.sender or None),
        ("message.received_at < ?", selection.received_before),
        ("message.received_at > ?", selection.received_after),
    )
    return [(words, value) for words, value in found if value is not None]


def _joined(conditions: Conditions) -> tuple[str, list[Any]]:
    return "".join(f" AND {words}" for words, _ in conditions), [value for _, value in conditions]


def selected(reader: StoreReader, selection: Selection) -> list[DeliveryId]:
    """All deliveries meant, oldest message first. Raises StoreError."""
    if selection.messages:
        found = []
        for message in selection.messages:
            mine = "delivery.id BETWEEN {} AND {}".format(*ids.deliveries_of(message))
            found += _ids(reader, among(selection, mine, "delivery.id"))
        return sorted(set(found))
    found = _ids(reader, open_ids(selection))
    if not found or not _by_row(selection):
        return found
    if len(found) > reader.few:
        return _ids(reader, among(selection, _stretch(found), "delivery.id"))
    kept: list[DeliveryId] = []
    for first in range(0, len(found), _BATCH):
        kept += _ids(reader, among(selection, _one_by_one(found[first : first + _BATCH]), "delivery.id"))
    return sorted(kept)


def _ids(reader: StoreReader, asked: tuple[str, list[Any]]) -> list[DeliveryId]:
    return sorted(id_ for (id_,) in reader.rows(*asked))


def _stretch(found: Sequence[DeliveryId]) -> str:
    return f"delivery.id BETWEEN {found[0]} AND {found[-1]}"


def _one_by_one(found: Sequence[DeliveryId]) -> str:
    return f"delivery.id IN ({', '.join(map(str, found))})"


async def entries(reader: StoreReader, found: Sequence[DeliveryId], most: int) -> list[QueueEntry]:
    """The first ``most`` messages of these deliveries, by id, with their own."""
    by_message: dict[MessageId, list[DeliveryId]] = {}
    for id_ in found:
        message = ids.message_of(id_)
        if message not in by_message and len(by_message) == most:
            break
        by_message.setdefault(message, []).append(id_)
    deliveries = {
        d.id: d for d in await reader.deliveries([id_ for mine in by_message.values() for id_ in mine])
    }
    listed = []
    for known in reader.messages(list(by_message)):
        mine = tuple(deliveries[id_] for id_ in by_message[known.id] if id_ in deliveries)
        if mine:  # what was pruned in this moment is no more
            listed.append(QueueEntry(known, mine))
    return listed


def summary(reader: StoreReader, selection: Selection, found: Sequence[DeliveryId]) -> Summary:
    """The sum of the deliveries meant (``found`` are their ids, in order)."""
    states: Counter[State] = Counter()
    recipients: Counter[str] = Counter()
    if len(found) > reader.few and not selection.messages:  # between messages that are named lie others
        places = [_stretch(found)]
    else:
        places = [_one_by_one(found[n : n + _BATCH]) for n in range(0, len(found), _BATCH)]
    for place in places:
        statement, values = among(selection, place, "state, recipient, count(*)")
        for state, recipient, number in reader.rows(f"{statement} GROUP BY state, recipient", values):
            states[state] += number
            recipients[recipient] += number
    oldest = reader.messages([ids.message_of(found[0])]) if found else []
    messages = len(ids.messages_of(found))
    received_at = oldest[0].received_at if oldest else None
    return Summary(
        messages, dict(states), received_at, sorted(recipients.items(), key=lambda one: (-one[1], one[0]))
    )


async def life(reader: StoreReader, message: MessageId) -> Life | None:
    """The life of a message; None if it is not known (any more). Raises StoreError."""
    entry = await reader.entry(message)
    if entry is None:
        return None
    return life_of(entry, [Event(*row) for row in reader.rows(EVENTS, ids.deliveries_of(message))])


async def find(reader: StoreReader, text: str, most: int, looked: int) -> Found:
    """Messages with this Message-ID, or of or for this address. Brackets don't matter.

    The newest ``looked`` messages are looked through. Raises StoreError.
    """
    oldest = reader.rows(
        "SELECT id, received_at FROM message ORDER BY id DESC LIMIT 1 OFFSET ?", (looked - 1,)
    )
    bound, back_to = oldest[0] if oldest else (ids.NO_MESSAGE, None)
    address = text.strip("<>")
    by_message = reader.rows(
        "SELECT id FROM message WHERE id >= ? AND (message_id IN (?, ?) OR reverse_path = ? COLLATE NOCASE"
        " OR instr(char(10) || lower(recipients) || char(10), char(10) || lower(?) || char(10)))"
        " ORDER BY id DESC LIMIT ?",
        (bound, text, f"<{text}>", address, address, most + 1),
    )
    by_delivery = reader.rows(
        f"SELECT DISTINCT id >> {ids.DELIVERY_BITS} FROM delivery WHERE id >= ? AND recipient = ? COLLATE NOCASE"
        " ORDER BY id DESC LIMIT ?",
        (ids.deliveries_of(bound)[0], address, most + 1),
    )
    found = sorted({MessageId(id_) for (id_,) in (*by_message, *by_delivery)}, reverse=True)
    entries = [await reader.entry(id_) for id_ in found[:most]]
    return Found(tuple(entry for entry in entries if entry is not None), len(found) > most, back_to)
