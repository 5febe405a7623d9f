"""Which deliveries a selection means, and what they amount to: against a plain look at every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.store.model import Acceptance, Delivery, Message
from mailrouter.store.protocols import Store
from mailrouter.store.selection import OPEN, Selection
from mailrouter.store.sqlite.reader import StoreReader
from tests.support.examples import examples
from tests.support.homes import Home
from tests.support.messages import SMALL, T0, deliveries_of, message_of

ROLES = (("vp-hr",), ("vp",), ("office", "vp-hr"))
SENDERS = ("jane@other.test", "", "J_ne%@other.test")
RECIPIENTS = ("laurie@example.test", "elaine@example.test", "it_@example.test")
STATES = ("queued", "held", "failed", "delivered", "bounced", "withdrawn")
TIMES = (T0 - 1000, T0, T0 + 1000)


@pytest.fixture(scope="module")
def everything() -> list[tuple[Message, list[Delivery]]]:
    """Messages with deliveries in every state, of several roles, senders and times."""
    found = []
    for number in range(1, 40):
        message = message_of(number, len(SMALL))._replace(
            reverse_path=SENDERS[number % 3], received_at=TIMES[number % 3]
        )
        mine = deliveries_of(number, len(SMALL), RECIPIENTS[: 1 + number % 3])
        for k, delivery in enumerate(mine):
            delivery.state = STATES[(number + 3 * k) % 6]  # type: ignore[assignment]
            delivery.roles = ROLES[(number // 3) % 3]
            delivery.next_at = TIMES[(number + k) % 3]
        found.append((message, mine))
    return found


@pytest.fixture
async def store(
    home: Home, tmp_path: Path, everything: list[tuple[Message, list[Delivery]]]
) -> AsyncIterator[Store]:
    """A store with all that."""
    opened = home.open(tmp_path / "m.db")
    for message, mine in everything:
        await opened.accept(opened.spool(), Acceptance(message, SMALL, mine))
    yield opened
    opened.close()


def times() -> st.SearchStrategy[int | None]:
    """A moment around those of the messages, or none."""
    return st.none() | st.sampled_from([at + d for at in TIMES for d in (-1, 0, 1)])


SELECTIONS = st.builds(
    Selection,
    messages=st.lists(st.integers(0, 45), max_size=3).map(tuple),
    role=st.sampled_from(("", "vp-hr", "vp", "office", "vp-h_")),
    recipient=st.sampled_from(("", "Laurie@Example.test", "it_@example.test", "itx@example.test", "%")),
    sender=st.sampled_from(("", "JANE@other.test", "J_ne%@other.test", "Jane%@other.test")),
    states=st.lists(st.sampled_from(OPEN), min_size=1, max_size=3, unique=True).map(tuple),
    received_before=times(),
    received_after=times(),
    due_before=times(),
    due_after=times(),
    until=st.none() | st.integers(0, 45),
)


def meant(selection: Selection, message: Message, delivery: Delivery) -> bool:
    """The same, said in Python."""
    return (
        delivery.state in selection.states
        and (not selection.messages or message.id in selection.messages)
        and (not selection.role or selection.role in delivery.roles)
        and (not selection.recipient or selection.recipient.lower() == delivery.recipient.lower())
        and (not selection.sender or selection.sender.lower() == message.reverse_path.lower())
        and (selection.received_before is None or message.received_at < selection.received_before)
        and (selection.received_after is None or message.received_at > selection.received_after)
        and (
            (selection.due_before is None and selection.due_after is None)
            or (
                delivery.state == "queued"
                and (selection.due_before is None or delivery.next_at < selection.due_before)
                and (selection.due_after is None or delivery.next_at > selection.due_after)
            )
        )
        and (selection.until is None or message.id <= selection.until)
    )


@settings(max_examples=examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(selection=SELECTIONS, few=st.sampled_from([0, 20_000]))
async def test_a_selection_means_what_it_says(
    store: Store, everything: list[tuple[Message, list[Delivery]]], selection: Selection, few: int
) -> None:
    """Whether the queue is short or long, filters, counts and the list are those of a look at every row."""
    wanted = [(m, d) for m, mine in everything for d in mine if meant(selection, m, d)]
    if isinstance(store.reader, StoreReader):  # which asks in another way where a queue is long
        store.reader.few = few
    found = await store.reader.selected(selection)
    assert found == [d.id for _, d in wanted]
    summary = await store.reader.summary(selection, found)
    assert summary.deliveries == len(wanted)
    assert summary.messages == len({m.id for m, _ in wanted})
    assert summary.by_state == Counter(d.state for _, d in wanted)
    assert dict(summary.by_recipient) == Counter(d.recipient for _, d in wanted)
    assert summary.oldest == (wanted[0][0].received_at if wanted else None)
    listed = await store.reader.entries(found, 5)
    first = list(dict.fromkeys(m.id for m, _ in wanted))[:5]
    assert [entry.message.id for entry in listed] == first
    assert [d.id for entry in listed for d in entry.deliveries] == [
        d.id for _, d in wanted if d.message in first
    ]
    assert Selection.of(selection.data()) == selection


@pytest.mark.parametrize(
    "data", [{"states": []}, {"states": ["delivered"]}, {"role; DROP": 1}, {"messages": 3}, {"states": [[]]}]
)
def test_what_is_no_selection_is_refused(data: dict[str, object]) -> None:
    """Whatever comes by the socket is either a selection or an error."""
    with pytest.raises((ValueError, TypeError)):
        Selection.of(data)
