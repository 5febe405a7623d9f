"""Ids of messages, chunks and deliveries: the one place where they are made and taken apart.

A message's id is a number that only grows: milliseconds since 2020 or one more than the last id, whichever is
larger. Its chunks and its deliveries carry it in their own ids, so that all of a message's rows lie together
and none needs a second index:

    chunk id    = message id << 20 | n      (up to a million chunks of 256 KB)
    delivery id = message id << 10 | k      (up to 1,024 deliveries of one message)
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NewType

from mailrouter.moments import Milliseconds as Milliseconds

MessageId = NewType("MessageId", int)
DeliveryId = NewType("DeliveryId", int)
ChunkId = NewType("ChunkId", int)

NO_MESSAGE, NO_DELIVERY = MessageId(0), DeliveryId(0)
EPOCH: Milliseconds = 1577836800000
"""2020-01-01T00:00Z: message ids count from here."""
CHUNK_BITS = 20
DELIVERY_BITS = 10
REPLY_NUMBER = (1 << DELIVERY_BITS) - 1
"""The automatic reply has the last number of its message, so that it never takes another's."""
MOST_PLANNED = 900
"""Deliveries that one message may begin with: the other numbers are for what comes of it (alerts, reports, copies planned
anew)."""

_ALPHABET = "0123456789bcdfghjklmnpqrstvwxyz"


class QueueId(str):
    """A queue id. A type of its own, so that a log can tell it from other text (see ``mailrouter.cli.operate.logs``)."""

    __slots__ = ()


@lru_cache(maxsize=1024)
def queue_id(message: MessageId) -> QueueId:
    """The id as people read and type it: short, without vowels, so that it never spells a word."""
    digits, rest = "", int(message)
    while rest:
        rest, digit = divmod(rest, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return QueueId(digits)


def message_id_of(queue: str) -> MessageId:
    """The number behind a queue id. Raises ValueError for text that is none."""
    number = 0
    for letter in queue.strip().lower():
        number = number * len(_ALPHABET) + _ALPHABET.index(letter)
    return MessageId(number)


def new_message(last: MessageId, now: Milliseconds) -> MessageId:
    """The id of a message coming in ``now``, after ``last``. ``last`` is an id."""
    return MessageId(max(last + 1, now - EPOCH))


def first_message_at(moment: Milliseconds) -> MessageId:
    """The lowest id that a message received at ``moment`` can have."""
    return MessageId(max(0, moment - EPOCH))


def first_delivery_at(moment: Milliseconds) -> DeliveryId:
    """The lowest possible id of deliveries received at ``moment``."""
    return DeliveryId(first_message_at(moment) << DELIVERY_BITS)


def moment_of(delivery: DeliveryId) -> Milliseconds:
    """The arrival of a delivery's message, as its id tells. It is a little later after a flood."""
    return (delivery >> DELIVERY_BITS) + EPOCH


def delivery_of(message: MessageId, number: int) -> DeliveryId:
    """The id of the ``number``-th delivery of a message.

    Beyond ``REPLY_NUMBER`` lie the next message's ids: who plans deliveries refuses so many, and the store does.
    """
    return DeliveryId((message << DELIVERY_BITS) + number)


def unnumbered(message: MessageId) -> DeliveryId:
    """The id of a delivery that the transaction will number."""
    return DeliveryId(message << DELIVERY_BITS)


def reply_of(message: MessageId) -> DeliveryId:
    """The id of a message's automatic reply."""
    return DeliveryId(message << DELIVERY_BITS | REPLY_NUMBER)


def message_of(delivery: DeliveryId) -> MessageId:
    """The id of a delivery's message."""
    return MessageId(delivery >> DELIVERY_BITS)


def messages_of(deliveries: Iterable[DeliveryId]) -> list[MessageId]:
    """The ids of the messages of deliveries, each once, lowest first."""
    return sorted({message_of(delivery) for delivery in deliveries})


def number_of(delivery: DeliveryId) -> int:
    """A delivery's number within its message."""
    return delivery & REPLY_NUMBER


def deliveries_of(message: MessageId) -> tuple[DeliveryId, DeliveryId]:
    """The lowest and highest possible delivery ids of a message."""
    first = message << DELIVERY_BITS
    return DeliveryId(first), DeliveryId(first | REPLY_NUMBER)


def first_free(deliveries: Iterable[DeliveryId]) -> int:
    """The first number behind those of a message's deliveries; its automatic reply's does not count."""
    numbers = (number_of(delivery) for delivery in deliveries)
    return max((number for number in numbers if number != REPLY_NUMBER), default=-1) + 1


def chunk_of(message: MessageId, n: int) -> ChunkId:
    """The id of part ``n`` of a message's bytes."""
    return ChunkId((message << CHUNK_BITS) + n)


def chunks_of(message: MessageId) -> tuple[ChunkId, ChunkId]:
    """The lowest and highest possible chunk ids of a message."""
    first = message << CHUNK_BITS
    return ChunkId(first), ChunkId(first | (1 << CHUNK_BITS) - 1)
