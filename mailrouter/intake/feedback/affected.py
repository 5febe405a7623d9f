"""The roles and copies that a delivery concerns: the roles it is for, the other copies, the header as it was received."""

from __future__ import annotations

from mailrouter.address import canonical
from mailrouter.errors import StoreError
from mailrouter.intake.purposes import addressed
from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.store.ids import DeliveryId
from mailrouter.store.model import Delivery, Message, QueueEntry, State
from mailrouter.store.protocols import Reading

ALIVE: tuple[State, ...] = ("queued", "held", "delivered")
"""What may still reach somebody, or has."""


async def header_of(reader: Reading, message: Message) -> tuple[Head, Shape]:
    """A message's header section and the shape that it tells. An empty one where the message is gone."""
    try:
        raw = (await reader.chunk(message.id, 0))[: message.body_start]
    except StoreError:
        raw = b""
    scanner = Scanner()
    scanner.feed(raw or b"\r\n")
    shape = scanner.finish()
    return scanner.head, shape._replace(size=message.size, eight_bit=message.eight_bit)


def roles_of(desk: Desk, entry: QueueEntry, delivery: Delivery) -> list[Role]:
    """The roles that a delivery is for. One that carries a handoff names that handoff's role alone."""
    keys = list(delivery.roles)
    plain = addressed(desk, entry.message.recipients).roles if delivery.kind == "copy" else ()
    wanted = canonical(delivery.recipient)
    keys += [role.key for role in plain if any(person.mailbox == wanted for person in role.people)]
    known = {role.key: role for role in desk.configuration.roles}
    return [known[key] for key in dict.fromkeys(keys) if key in known]


def copies_of(entry: QueueEntry, role: Role) -> list[Delivery]:
    """The copies of a message that are for ``role``: by their own word, or by who its people are.

    A delivery that carries a handoff names that handoff's role alone, though it may be for another as well. One that
    came back and was sent again counts as the one that repeats it.
    """
    people = {person.mailbox for person in role.people}
    repeated = repeated_in(entry)
    return [
        other
        for other in entry.deliveries
        if other.kind == "copy"
        and other.state != "withdrawn"
        and other.id not in repeated
        and (role.key in other.roles or canonical(other.recipient) in people)
    ]


def repeated_in(entry: QueueEntry) -> dict[DeliveryId, Delivery]:
    """Copies that came back and were sent again, with their repeats."""
    return {d.about: d for d in entry.deliveries if d.kind in ("copy", "companion") and d.about}


def others_of(entry: QueueEntry, role: Role, delivery: Delivery) -> list[Delivery]:
    return [other for other in copies_of(entry, role) if other.id != delivery.id]
