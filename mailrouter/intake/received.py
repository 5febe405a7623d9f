"""A message that has arrived whole, before anything is decided about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from mailrouter.message.head import Head
from mailrouter.message.provenance.received import received_field
from mailrouter.message.shape import Shape
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.store.ids import MessageId

ReadContent = Callable[[int], Awaitable[bytes]]
"""Gives at least so many octets of a message from its beginning, or all of it."""


class Received(NamedTuple):
    """A message at the door.

    ``id`` is its number in the store and ``name`` its queue id. ``max_size`` are the octets taken at this moment, and
    ``next_hop_size`` what the next hop announces; None for any number. ``seed`` are at least 16 random octets.
    ``by_ours``: it is judged as if one of our own servers had handed it in, whoever ``client`` is.
    """

    id: MessageId
    name: str
    client: Client
    envelope: Envelope
    head: Head
    shape: Shape
    moment: datetime
    max_size: int | None
    next_hop_size: int | None
    seed: bytes
    read: ReadContent
    by_ours: bool = False

    @property
    def reverse_path(self) -> str:
        """The envelope's sender; ``""`` for ``<>``."""
        return self.envelope.reverse_path or ""

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope's recipients, as they were written."""
        return tuple(self.envelope.recipients)

    @property
    def message_id(self) -> str:
        """The message's Message-ID; ``""`` for none."""
        return self.head.message_id or ""

    @property
    def conversation(self) -> tuple[str, ...]:
        """The Message-IDs by which its conversation is known (``Head.conversation``)."""
        return self.head.conversation

    @property
    def handed_in_by(self) -> str | None:
        """The address of the client; None where it counts as one of our own servers."""
        return None if self.by_ours else self.client.address

    def trace(self, hostname: str, role: Role) -> bytes:
        """Our Received field (RFC 5321 §4.4), in the role's time."""
        return received_field(
            helo=self.client.helo,
            peer=self.client.address,
            by=hostname,
            protocol=self.client.protocol,
            queue_id=self.name,
            when=self.moment.astimezone(role.time_zone),
        )
