"""Messages of ours that no mail brings about: queued as a message without content, with what is remembered of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailrouter.message.pieces import Pieces, encode, length
from mailrouter.moments import milliseconds
from mailrouter.store import ids
from mailrouter.store.ids import MessageId, Milliseconds
from mailrouter.store.model import Acceptance, Delivery, HandoffChange, Kind, Message, ScheduleChange
from mailrouter.store.protocols import Store


@dataclass(frozen=True, slots=True)
class Original:
    """One message of ours to one recipient."""

    kind: Kind
    recipient: str
    pieces: Pieces


async def originate(
    store: Store,
    role: str,
    originals: Sequence[Original],
    moment: datetime,
    reason: str,
    once: tuple[str, str] = ("", ""),
) -> bool:
    """Queue them under the null reverse-path; False where the second word of ``once`` was told under the first."""
    number, at = store.spool().id, milliseconds(moment)
    deliveries = [delivery_of(number, n, role, original, at) for n, original in enumerate(originals)]
    acceptance = Acceptance(_message(number, at, originals, reason), b"", deliveries)
    return await store.originate(acceptance, *once)


async def originate_change(
    store: Store, change: ScheduleChange, originals: Sequence[Original]
) -> HandoffChange:
    """Begin a change of a role's file that no mail brought. It comes with what is told of it; gives what was stored."""
    made = [
        delivery_of(change.id, n, change.role, original, change.at) for n, original in enumerate(originals)
    ]
    wanted = HandoffChange(notices=made, schedule=change)
    message = _message(change.id, change.at, originals, change.what)
    await store.originate(Acceptance(message, b"", (), handoffs=(wanted,)))
    return wanted


def _message(number: MessageId, at: Milliseconds, originals: Sequence[Original], reason: str) -> Message:
    recipients = tuple(dict.fromkeys(original.recipient for original in originals))
    return Message(number, at, "", recipients, 0, 0, reasons=(reason,))


def delivery_of(message: MessageId, number: int, role: str, original: Original, at: Milliseconds) -> Delivery:
    """The message's ``number``-th delivery."""
    return Delivery(
        id=ids.delivery_of(message, number),
        kind=original.kind,
        roles=(role,),
        recipient=original.recipient,
        reverse_path="",
        pieces=encode(original.pieces),
        size=length(original.pieces),
        next_at=at,
        created_at=at,
    )
