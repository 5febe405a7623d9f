"""Ids of messages, chunks and deliveries are made and taken apart in one place, and lead back to where they came from."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import mailrouter
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, MessageId

MESSAGES = st.integers(1, (1 << 45) - 1).map(MessageId)
NUMBERS = st.integers(0, ids.REPLY_NUMBER)
ROOM = Path(mailrouter.__file__).parent


@given(MESSAGES, NUMBERS)
def test_a_delivery_s_id_leads_to_its_message_its_number_and_its_moment(
    message: MessageId, number: int
) -> None:
    """The id lies in its message's span, and no other message's; its moment is that of the message's id."""
    delivery = ids.delivery_of(message, number)
    first, last = ids.deliveries_of(message)
    assert (ids.message_of(delivery), ids.number_of(delivery)) == (message, number)
    assert first <= delivery <= last < ids.deliveries_of(MessageId(message + 1))[0]
    assert ids.moment_of(delivery) == message + ids.EPOCH
    assert first == ids.first_delivery_at(message + ids.EPOCH)


@given(MESSAGES, st.integers(0, (1 << ids.CHUNK_BITS) - 1))
def test_a_chunk_lies_between_those_of_the_messages_before_and_behind(message: MessageId, n: int) -> None:
    """The first and the last possible chunk bound it."""
    first, last = ids.chunks_of(message)
    assert first == ids.chunk_of(message, 0)
    assert first <= ids.chunk_of(message, n) <= last < ids.chunks_of(MessageId(message + 1))[0]


@given(MESSAGES, st.integers(0, 1 << 45))
def test_ids_of_messages_only_grow_and_follow_the_clock(last: MessageId, now: int) -> None:
    """A clock that was set back brings no id twice."""
    made = ids.new_message(last, now + ids.EPOCH)
    assert made > last
    assert made in (last + 1, now)


@given(MESSAGES, st.sets(NUMBERS))
def test_the_first_free_number_lies_behind_all_but_the_automatic_reply_s(
    message: MessageId, numbers: set[int]
) -> None:
    """The reply has the last number whatever the others are."""
    free = ids.first_free(ids.delivery_of(message, number) for number in numbers)
    others = numbers - {ids.REPLY_NUMBER}
    assert free == (max(others) + 1 if others else 0)
    assert ids.reply_of(message) == ids.delivery_of(message, ids.REPLY_NUMBER)


@given(MESSAGES)
def test_a_queue_id_is_read_back_as_people_type_it(message: MessageId) -> None:
    """Case and spaces around it don't count; nothing in it spells a word."""
    shown = ids.queue_id(message)
    assert ids.message_id_of(f" {shown.upper()} ") == message
    assert not set(shown) & set("aeiou")


def test_messages_of_deliveries_are_named_once() -> None:
    """In the order of their ids."""
    found = [ids.delivery_of(MessageId(m), n) for m, n in ((7, 1), (3, 0), (7, 0))]
    assert ids.messages_of(found) == [3, 7]
    assert ids.messages_of([DeliveryId(5)]) == [0]


def test_no_other_module_shifts_ids_by_hand() -> None:
    """The numbers of bits are named by ``ids``, and in SQL alone beside it."""
    for path in ROOM.rglob("*.py"):
        if path == ROOM / "store" / "ids.py":
            continue
        for line in path.read_text().splitlines():
            assert not re.search(r"(<<|>>) *(\w+\.)?(DELIVERY|CHUNK)_BITS", line), f"{path}: {line}"
