"""Whatever happens to a message's deliveries, in whatever order: what is open is counted, and its content is there."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as some

from mailrouter.message import pieces
from mailrouter.store.ids import NO_DELIVERY, DeliveryId, MessageId, delivery_of, number_of
from mailrouter.store.model import Acceptance, Consequence, Delivery, Kind, Outcome, State
from mailrouter.store.protocols import Store
from mailrouter.store.selection import ACTIONS, Selection
from mailrouter.turns import drive
from tests.support.examples import examples
from tests.support.homes import Home
from tests.support.messages import SMALL, T0, deliveries_of, filled, message_of

KINDS: tuple[Kind, ...] = get_args(Kind)
OPEN = ("queued", "held", "failed")
STEPS = some.lists(
    some.tuples(
        some.sampled_from(
            (
                "queued",
                "delivered",
                "failed",
                "withdrawn",
                "bounced",
                "answered",
                *ACTIONS,
                "anew",
                "restart",
            )
        ),
        some.integers(0, 9),
        some.booleans(),
    ),
    max_size=14,
)


def ours(message: int, kind: Kind, unless: Sequence[DeliveryId]) -> Consequence:
    """A message of ours that follows from something, unless one of these is alive still; else another in its stead."""
    made = [
        replace(
            d,
            id=NO_DELIVERY,
            kind=kind,
            recipient="it@example.test",
            pieces=pieces.encode((b"Subject: oh\r\n\r\n",)),
        )
        for d in deliveries_of(message, len(SMALL), ["x", "y"])
    ]
    return Consequence(
        made[0], tuple(unless), ("queued", "held", "delivered"), None, Consequence(made[1], (), (), None)
    )


class Looked:
    """One message, and what must hold of it."""

    def __init__(self, home: Home, store: Store, message: MessageId) -> None:
        self.home, self.store, self.message = home, store, message
        self.ended: dict[DeliveryId, State] = {}

    @property
    def deliveries(self) -> tuple[Delivery, ...]:
        """All of it, as stored."""
        entry = drive(self.store.reader.entry(self.message))
        assert entry is not None
        return entry.deliveries

    def check(self, said: Any) -> None:
        """Raises AssertionError."""
        states = {d.id: d.state for d in self.deliveries}
        (still_open,) = self.home.rows(self.store, "SELECT open FROM message WHERE id = ?", (self.message,))[
            0
        ]
        assert still_open == sum(state in OPEN for state in states.values()), (said, states)
        content = drive(self.store.reader.chunk(self.message, 0))
        assert content == SMALL if still_open else len(content) < len(SMALL), (said, states)
        due = set(drive(self.store.reader.selected(Selection(states=("queued",)))))
        assert due == {id_ for id_, state in states.items() if state == "queued"}, (said, states)
        for id_, before in self.ended.items():
            assert states[id_] == before or (before, states[id_]) == ("delivered", "bounced"), (said, states)
        self.ended = {id_: state for id_, state in states.items() if state not in OPEN}
        found = drive(self.store.reader.life(self.message))
        assert found is not None
        for id_, state in self.ended.items():
            (last, *_) = [
                e.what for e in reversed(found.events) if e.delivery == id_ and e.what != "answered"
            ]
            assert last == state or (state, last) == ("withdrawn", "dropped"), (said, found.events)


async def one(store: Store, looked: Looked, step: tuple[str, int, bool], at: int) -> None:
    """One thing that happens."""
    what, number, tells = step
    found = looked.deliveries
    meant = found[number % len(found)]
    others = [d.id for d in found if d.id != meant.id]
    told = (ours(looked.message, KINDS[number % len(KINDS)], others),) if tells else ()
    if what in ("queued", "delivered", "failed", "withdrawn"):
        if meant.state in ("queued", "failed", "held"):  # as an attempt under way may find it
            retry = at + 1 if what == "queued" else 0
            await store.settle([Outcome(meant.id, what, "450 no", at, retry, consequences=told)])  # type: ignore[arg-type]
    elif what in ("bounced", "answered"):
        state: State = "bounced" if what == "bounced" else "queued"
        await store.report([Outcome(meant.id, state, "550 no", at, consequences=told)])
    elif what == "anew":
        if meant.state in ("queued", "held"):
            first = max(number_of(d.id) for d in found) + 1
            fresh = replace(
                meant, id=delivery_of(looked.message, first), recipient="new@example.test", state="queued"
            )
            await store.replace_delivery(meant, [fresh], at)
    else:
        ids = [meant.id, *(others if number > 6 else ())]
        reports = {meant.id: told}
        await store.steering.change(what, ids, at, "jim", reports)  # type: ignore[arg-type]


@settings(max_examples=examples(80))
@given(steps=STEPS)
def test_what_is_open_is_counted_and_its_content_is_there(
    home: Home, steps: list[tuple[str, int, bool]]
) -> None:
    """For every kind, every state and everybody who changes it; and what has ended stays so, and is told truly."""

    async def run(folder: Path) -> None:
        store = home.open(folder / "m.db")
        spool = await filled(store, SMALL)
        made = [
            replace(d, kind=kind)
            for d, kind in zip(
                deliveries_of(spool.id, len(SMALL), [f"{k}@x.test" for k in KINDS]), KINDS, strict=True
            )
        ]
        message = message_of(spool.id, len(SMALL))
        await store.accept(spool, Acceptance(message, await spool.finish(), made, None, None, ()))
        looked = Looked(home, store, spool.id)
        looked.check("at first")
        for n, step in enumerate(steps, 1):
            if step[0] == "restart":
                store.close()
                looked.store = store = home.open(folder / "m.db")
            else:
                await one(store, looked, step, T0 + 1000 * n)
            looked.check(step)
        store.close()

    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(Path(name)))
