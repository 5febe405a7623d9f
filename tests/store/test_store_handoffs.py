"""Versions of handoffs, those that wait, and the mails that brought them: all or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS
from mailrouter.store.ids import MessageId
from mailrouter.store.model import (
    ASKING_MS,
    MOST_ASKED_A_DAY,
    MOST_WAITING,
    WAIT_MS,
    Acceptance,
    Delivery,
    HandoffChange,
    NewHandoff,
    WaitingHandoff,
)
from mailrouter.store.protocols import Store
from tests.support.homes import Home
from tests.support.messages import SMALL, T0, deliveries_of, filled, message_of

NEW = NewHandoff("vp-hr", "Laurie", T0, "Left: all\n", b"Left: all\r\n")


async def take(store: Store, *changes: HandoffChange, at: int = T0) -> list[Delivery]:
    """Accept a small message that changes handoffs; each change gets a notice."""
    spool = await filled(store, SMALL)
    message = message_of(spool.id, len(SMALL), at)
    notices = [
        replace(row, kind="notice")
        for row in deliveries_of(spool.id, len(SMALL), ["a@x.test"] * len(changes))
    ]
    with_notices = [
        replace(change, notices=[notice]) for change, notice in zip(changes, notices, strict=True)
    ]
    content = await spool.finish()
    return await store.accept(spool, Acceptance(message, content, [], handoffs=with_notices))


def waiting(message: int = 1, mailbox: str = "laurie@example.test", at: int = T0) -> WaitingHandoff:
    """One that waits."""
    return WaitingHandoff(MessageId(message), "vp-hr", "handoff", mailbox, at, "Left: all\n")


def count(home: Home, store: Store, table: str) -> int:
    """Rows of a table."""
    return int(home.rows(store, f"SELECT count(*) FROM {table}")[0][0])


async def test_a_version_and_its_notices_are_one_thing(store: Store) -> None:
    """The notices tell which version they are of, in hand and in the store."""
    (notice,) = await take(store, HandoffChange(new=NEW))
    kept = await store.reader.handoff("vp-hr")
    assert kept is not None
    assert (kept.author, kept.text, kept.body) == (NEW.author, NEW.text, NEW.body)
    assert notice.handoff == kept.version
    entry = await store.reader.entry(notice.message)
    assert entry is not None
    assert [row.handoff for row in entry.deliveries] == [kept.version]
    assert await store.claim(10, T0) == [], "what was accepted is in hand"


async def test_the_same_mail_counts_once(home: Home, store: Store) -> None:
    """Of its second coming the message alone is kept, for people to find."""
    assert len(await take(store, HandoffChange(new=NEW, once="key"))) == 1
    assert await store.reader.handoff_mail("key")
    assert await take(store, HandoffChange(new=NEW, once="key")) == []
    assert (count(home, store, "handoff"), count(home, store, "message"), count(home, store, "delivery")) == (
        1,
        2,
        1,
    )
    assert len(await take(store, HandoffChange(new=NEW, once="other"))) == 1


async def test_what_waits_is_taken_once(home: Home, store: Store) -> None:
    """The second answer fails as a whole."""
    await take(store, HandoffChange(waiting=waiting()))
    found = await store.reader.waiting_handoff("vp-hr", "handoff", MessageId(1), T0 - 1)
    assert found == waiting()
    await take(store, HandoffChange(new=NEW, confirms=found))
    with pytest.raises(StoreError, match="does not wait any more"):
        await take(store, HandoffChange(new=NEW, confirms=found))
    assert (
        count(home, store, "handoff"),
        count(home, store, "message"),
        count(home, store, "waiting_handoff"),
    ) == (1, 2, 0)


async def test_what_waited_too_long_is_not_taken_and_goes_in_time(home: Home, store: Store) -> None:
    """After a week it confirms nothing, and the next question clears it away."""
    await take(store, HandoffChange(waiting=waiting()))
    assert await store.reader.waiting_handoff("vp-hr", "handoff", MessageId(1), T0) is None
    with pytest.raises(StoreError):
        await take(store, HandoffChange(new=NEW, confirms=waiting()), at=T0 + WAIT_MS)
    await take(store, HandoffChange(waiting=waiting(2, "elaine@example.test", T0 + WAIT_MS)))
    assert count(home, store, "waiting_handoff") == 1


LAURIE = "laurie@example.test"


async def test_a_mailbox_is_asked_about_three_mails_an_hour_over_all_roles(store: Store) -> None:
    """Each waits by itself; an hour after the first there may be another. A mail to two roles is one of them."""
    for number in (1, 2, 3):
        await take(store, HandoffChange(waiting=waiting(number, at=T0 + number)))
    assert await store.reader.asked(LAURIE, T0) == 3
    with pytest.raises(StoreError, match="a moment ago"):
        await take(store, HandoffChange(waiting=waiting(4, at=T0 + ASKING_MS)))
    await take(store, HandoffChange(waiting=waiting(5, "elaine@example.test", T0 + 4)))
    with pytest.raises(StoreError, match="a moment ago"):
        await take(store, HandoffChange(waiting=replace(waiting(6, at=T0 + 4), role="office")))
    assert await store.reader.asked(LAURIE, T0) == 3
    await take(store, HandoffChange(waiting=waiting(7, at=T0 + 1 + ASKING_MS)))
    assert [
        await store.reader.waiting_handoff("vp-hr", "handoff", MessageId(n), 0) is not None
        for n in (1, 2, 3, 4, 7)
    ] == [
        *(True, True, True),
        *(False, True),
    ]


async def test_what_waits_is_bounded_and_the_oldest_makes_room(home: Home, store: Store) -> None:
    """Somebody who sends mails in a partner's name for a week fills neither the disk nor every place."""
    for number in range(1, MOST_WAITING + 4):
        await take(store, HandoffChange(waiting=waiting(number, at=T0 + number * 3 * ASKING_MS)))
    assert count(home, store, "waiting_handoff") == MOST_WAITING
    assert [
        await store.reader.waiting_handoff("vp-hr", "handoff", MessageId(n), 0) is not None for n in (3, 4)
    ] == [
        False,
        True,
    ]


async def test_a_mailbox_is_asked_about_twelve_mails_a_day(store: Store) -> None:
    """One an hour and a bit: the thirteenth within a day is too many, and a day after the first there is room."""
    step = ASKING_MS + 1
    for number in range(MOST_ASKED_A_DAY):
        await take(store, HandoffChange(waiting=waiting(number + 1, at=T0 + number * step)))
    late = T0 + MOST_ASKED_A_DAY * step
    with pytest.raises(StoreError, match="a moment ago"):
        await take(store, HandoffChange(waiting=waiting(90, at=late)))
    await take(store, HandoffChange(waiting=waiting(91, at=T0 + DAY_MS)))


async def test_a_confirmed_handoff_voids_older_ones_and_a_change_of_the_schedule_does_not(
    store: Store,
) -> None:
    """A handoff is whole, so an older one can't follow a newer; changes of the schedule are each their own."""
    for number in (1, 2, 3):
        await take(store, HandoffChange(waiting=waiting(number, at=T0 + number)))
    await take(store, HandoffChange(new=NEW, confirms=waiting(2, at=T0 + 2)))
    assert [
        await store.reader.waiting_handoff("vp-hr", "handoff", MessageId(n), 0) is not None for n in (1, 2, 3)
    ] == [
        False,
        False,
        True,
    ]
    for number in (4, 5):
        other = replace(waiting(number, at=T0 + number), purpose="schedule")
        await take(store, HandoffChange(waiting=other))
    await take(store, HandoffChange(confirms=replace(waiting(5, at=T0 + 5), purpose="schedule")))
    assert await store.reader.waiting_handoff("vp-hr", "schedule", MessageId(4), 0) is not None
