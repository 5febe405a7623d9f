"""The queue as people see it: which deliveries are meant, how many there are, and the oldest of them.

A delivery is in the queue while it is queued, on hold, or has failed and nobody has dropped it. What came back is asked
for by its state, and can be sent again while its content is kept. Each of these states
has an index of its own, so that mail that was delivered, however much, is not read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds
from mailrouter.store.model import QueueEntry, State
from mailrouter.store.sqlite.reader import StoreReader

OPEN: tuple[State, ...] = ("queued", "held", "failed")
BACK: tuple[State, ...] = (*OPEN, "bounced")
"""What can be sent, at once or once more: of what came back, that of which the content is kept."""
_INDEX = {
    "queued": "delivery_due",
    "held": "delivery_held",
    "failed": "delivery_failed",
    "bounced": "delivery_bounced",
}
_KEPT = " AND pieces <> x''"
FEW = 20_000
"""So many rows are looked up one by one; of more, the whole stretch from the oldest on is read (measured with 400,000:
0.2 s instead of 0.6 s)."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries in the queue are meant: all that fit every word said here.

    Addresses are compared without regard to case. Times are exclusive; ``until`` is the newest message meant.
    """

    messages: tuple[MessageId, ...] = ()
    role: str = ""
    recipient: str = ""
    sender: str = ""
    states: tuple[State, ...] = OPEN
    received_before: Milliseconds | None = None
    received_after: Milliseconds | None = None
    due_before: Milliseconds | None = None
    due_after: Milliseconds | None = None
    until: MessageId | None = None

    def __post_init__(self) -> None:
        if not self.states or not set(self.states) <= set(BACK):
            raise ValueError(f"states are some of {', '.join(BACK)}")

    @property
    def narrow(self) -> bool:
        """Whether anything but the state is said."""
        return replace(self, states=OPEN, until=None) != Selection()

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Selection:
        """From ``data``. Raises ValueError, TypeError for what is none."""
        if not isinstance(data, dict):
            raise TypeError("a selection is an object")
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"a selection has no {', '.join(sorted(unknown))}")
        known = dict(data)
        for name in ("messages", "states"):
            if name in known:
                known[name] = tuple(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Summary:
    """How much there is: messages, deliveries by state, when the oldest came in, deliveries by recipient."""

    messages: int
    by_state: dict[State, int]
    oldest: Milliseconds | None
    by_recipient: list[tuple[str, int]]

    @property
    def deliveries(self) -> int:
        """Of all states."""
        return sum(self.by_state.values())


def open_ids(selection: Selection) -> tuple[str, list[Any]]:
    """A statement that gives the ids of all deliveries in these states, by what the states' indices hold, and when they
    are due."""
    words, values = _joined(_by_index(selection))
    parts = [
        f"SELECT id FROM delivery INDEXED BY {_INDEX[state]} WHERE state = '{state}'{words}"
        + (_KEPT if state == "bounced" else "")
        for state in selection.states
        if state == "queued" or not _due(selection)
    ]
    return " UNION ALL ".join(parts) or "SELECT 1 WHERE 0", values * len(parts)


def among(selection: Selection, places: str, columns: str) -> tuple[str, list[Any]]:
    """A statement that gives ``columns`` of the deliveries meant, of those in ``places`` (a condition)."""
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
    """What the index of a state answers."""
    until = None if selection.until is None else ids.deliveries_of(selection.until)[1]
    found = (
        ("delivery.next_at < ?", selection.due_before),
        ("delivery.next_at > ?", selection.due_after),
        ("delivery.id <= ?", until),
    )
    return [(words, value) for words, value in found if value is not None]


def _by_row(selection: Selection) -> Conditions:
    """What needs the rows themselves."""
    found = (
        ("instr(',' || delivery.role || ',', ',' || ? || ',')", selection.role or None),
        ("delivery.recipient = ? COLLATE NOCASE", selection.recipient or None),
        ("message.reverse_path = ? COLLATE NOCASE", selection.sender or None),
        ("message.received_at < ?", selection.received_before),
        ("message.received_at > ?", selection.received_after),
    )
    return [(words, value) for words, value in found if value is not None]


def _joined(conditions: Conditions) -> tuple[str, list[Any]]:
    return "".join(f" AND {words}" for words, _ in conditions), [value for _, value in conditions]


def selected(reader: StoreReader, selection: Selection, few: int = FEW) -> list[DeliveryId]:
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
    if len(found) > few:
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


def entries(reader: StoreReader, found: Sequence[DeliveryId], most: int) -> list[QueueEntry]:
    """The first ``most`` messages of these deliveries (in order of ids), each with those of its own."""
    by_message: dict[MessageId, list[DeliveryId]] = {}
    for id_ in found:
        message = ids.message_of(id_)
        if message not in by_message and len(by_message) == most:
            break
        by_message.setdefault(message, []).append(id_)
    deliveries = {d.id: d for d in reader.deliveries([id_ for mine in by_message.values() for id_ in mine])}
    listed = []
    for known in reader.messages(list(by_message)):
        mine = tuple(deliveries[id_] for id_ in by_message[known.id] if id_ in deliveries)
        if mine:  # what was pruned in this moment is no more
            listed.append(QueueEntry(known, mine))
    return listed


def summary(
    reader: StoreReader, selection: Selection, found: Sequence[DeliveryId], few: int = FEW
) -> Summary:
    """What the deliveries meant (``found`` are their ids, in order) amount to."""
    states: Counter[State] = Counter()
    recipients: Counter[str] = Counter()
    if len(found) > few:
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
