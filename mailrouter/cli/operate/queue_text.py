"""Waiting mail as text and as JSON: for ``queue`` and ``trace``."""

from __future__ import annotations

import textwrap

from mailrouter.clock import now_ms
from mailrouter.moments import iso_utc
from mailrouter.store.ids import Milliseconds, queue_id
from mailrouter.store.model import Delivery, Message, QueueEntry, State
from mailrouter.store.selection import Summary

_STATES: dict[State, str] = {
    "queued": "waiting",
    "held": "on hold",
    "failed": "failed",
    "bounced": "came back",
}


def counted(number: int, what: str, several: str = "") -> str:
    """``1 message``, ``2,000 messages``."""
    return f"{number:,} {what if number == 1 else several or what + 's'}"


def summary_lines(summary: Summary, width: int, most: int = 5) -> list[str]:
    """The size and age of the queue, and its recipients; the ``most`` recipients with the most."""
    states = ", ".join(
        f"{summary.by_state[state]:,} {word}"
        for state, word in _STATES.items()
        if summary.by_state.get(state)
    )
    words = f"{counted(summary.messages, 'message')}, {counted(summary.deliveries, 'delivery', 'deliveries')}: {states}."
    if summary.oldest is not None:
        words += f" The oldest came in {span(now_ms() - summary.oldest)} ago."
    lines = textwrap.wrap(words, width)
    for recipient, number in summary.by_recipient[:most]:
        lines.append(f"  {number:>7,}  to {recipient}")
    if rest := summary.by_recipient[most:]:
        lines.append(f"  {sum(number for _, number in rest):>7,}  to {counted(len(rest), 'other')}")
    return lines


def entry_lines(entry: QueueEntry, width: int) -> list[str]:
    """One message with its deliveries."""
    message = entry.message
    lines = [f"{queue_id(message.id)}  {size(message.size)}  {span(now_ms() - message.received_at)} old"]
    lines += wrapped(f"from <{message.reverse_path}> to {', '.join(message.recipients)}", width, 2)
    for delivery in entry.deliveries:
        lines += wrapped(f"{delivery.kind} to {delivery.recipient}: {state(delivery)}", width, 4)
        if delivery.last_reply:
            lines += wrapped(delivery.last_reply, width, 8, most=3)
    return lines


def wrapped(text: str, width: int, indent: int, hang: int = 0, most: int | None = None) -> list[str]:
    """``text`` in lines of ``width``; addresses are not broken at their hyphens."""
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        max_lines=most,
        placeholder=" …",
        break_on_hyphens=False,
    )


def state(delivery: Delivery) -> str:
    """``waiting, 2 tries, next in 12 min``."""
    tries = counted(delivery.attempts, "try", "tries")
    match delivery.state:
        case "queued":
            wait = delivery.next_at - now_ms()
            return f"waiting, {tries}, {f'next in {span(wait)}' if wait > 0 else 'next at once'}"
        case "held":
            return f"on hold for {span(now_ms() - delivery.next_at)}, {tries}"
        case "bounced":
            return f"came back {span(now_ms() - delivery.next_at)} ago"
        case other:
            return f"{other}, {tries}"


def entry_data(entry: QueueEntry) -> dict[str, object]:
    """One message with its deliveries."""
    return message_data(entry.message) | {"deliveries": [_delivery_data(found) for found in entry.deliveries]}


def message_data(message: Message) -> dict[str, object]:
    """The facts of a message alone."""
    return {
        "id": queue_id(message.id),
        "received": iso_utc(message.received_at),
        "size": message.size,
        "from": message.reverse_path,
        "to": list(message.recipients),
        "message_id": message.message_id,
    }


def _delivery_data(delivery: Delivery) -> dict[str, object]:
    return {
        "recipient": delivery.recipient,
        "kind": delivery.kind,
        "role": delivery.role,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_attempt": iso_utc(delivery.next_at) if delivery.state == "queued" else None,
        "held_since": iso_utc(delivery.next_at) if delivery.state == "held" else None,
        "last_reply": delivery.last_reply,
    }


def size(octets: int) -> str:
    """``800 B``, ``12 KB``, ``3.4 MB``."""
    if octets < 1000:
        return f"{octets} B"
    return f"{octets / 1000:.0f} KB" if octets < 1e6 else f"{octets / 1e6:.1f} MB"


def span(milliseconds: Milliseconds) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``2 days``."""
    seconds = max(0, milliseconds // 1000)
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
