"""``mailrouter queue list|show``: what waits, and what became of it."""

from __future__ import annotations

import argparse
import sys
import textwrap
from datetime import UTC, datetime

from mailrouter.cli.common import load, print_json, store_of, width
from mailrouter.config import Configuration
from mailrouter.control import ask
from mailrouter.errors import UsageError
from mailrouter.store.model import Delivery, Milliseconds, QueueEntry, message_id_of, queue_id

_MOST = 10_000


def queue(options: argparse.Namespace) -> int:
    """List what is queued or has failed, or show one message with all its deliveries."""
    configuration = load(options)
    store = store_of(configuration)
    if options.action == "list":
        if options.id:
            raise UsageError(f"queue list takes no ID; to see one message: queue show {options.id}")
        entries = store.queue(_MOST) if store else []
        if options.json:
            print_json([_data(entry) for entry in entries])
        else:
            print("\n".join(line for entry in entries for line in _lines(entry)) or "The queue is empty.")
            if entries:
                print(textwrap.fill("\n" + _service(configuration), width()))
        return 0
    if not options.id:
        raise UsageError("queue show needs the message's queue id, as `queue list` and the log give it.")
    try:
        entry = store.entry(message_id_of(options.id)) if store else None
    except ValueError:
        entry = None
    if entry is None:
        print(f"There is no message {options.id}.", file=sys.stderr)
        return 1
    if options.json:
        print_json(_data(entry) | {"reasons": list(entry.message.reasons)})
        return 0
    print("\n".join(_lines(entry)))
    print("\nwhy:")
    for reason in entry.message.reasons:
        print(textwrap.fill(reason, width(), initial_indent="  ", subsequent_indent="    "))
    return 0


def _service(configuration: Configuration) -> str:
    """Why the queue may stand still: no service, or a next server that can't be reached."""
    status = ask(configuration.settings.run_folder / "mailrouter.sock", {"do": "status"})
    if status is None:
        return "No service is running, so nothing is being delivered."
    if status["trouble"]:
        return f"Everything for {status['delivers_to']} waits, and it is tried every few minutes: {status['trouble']}"
    return f"The service delivers to {status['delivers_to']}."


def _lines(entry: QueueEntry) -> list[str]:
    message = entry.message
    age = _span(_now() - message.received_at)
    lines = [
        textwrap.shorten(
            f"{queue_id(message.id)}  {_size(message.size)}  {age} old  from <{message.reverse_path}>"
            f"  to {', '.join(message.recipients)}",
            width(),
            placeholder=" …",
        )
    ]
    for delivery in entry.deliveries:
        lines.append(f"    {delivery.kind} to {delivery.recipient}: {_state(delivery)}")
        if delivery.last_reply:
            lines += textwrap.wrap(
                delivery.last_reply, width(), initial_indent=" " * 8, subsequent_indent=" " * 8, max_lines=3
            )
    return lines


def _state(delivery: Delivery) -> str:
    tries = f"{delivery.attempts} {'try' if delivery.attempts == 1 else 'tries'}"
    if delivery.state != "queued":
        return f"{delivery.state}, {tries}"
    wait = delivery.next_at - _now()
    when = f"next in {_span(wait)}" if wait > 0 else "next at once"
    return f"waiting, {tries}, {when}"


def _data(entry: QueueEntry) -> dict[str, object]:
    message = entry.message
    return {
        "id": queue_id(message.id),
        "received": _iso(message.received_at),
        "size": message.size,
        "from": message.reverse_path,
        "to": list(message.recipients),
        "message_id": message.message_id,
        "deliveries": [
            {
                "recipient": delivery.recipient,
                "kind": delivery.kind,
                "role": delivery.role,
                "state": delivery.state,
                "attempts": delivery.attempts,
                "next_attempt": _iso(delivery.next_at) if delivery.state == "queued" else None,
                "last_reply": delivery.last_reply,
            }
            for delivery in entry.deliveries
        ],
    }


def _now() -> Milliseconds:
    return int(datetime.now(UTC).timestamp() * 1000)


def _iso(moment: Milliseconds) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds")


def _size(octets: int) -> str:
    return (
        f"{octets} B"
        if octets < 1000
        else f"{octets / 1000:.0f} KB"
        if octets < 1e6
        else f"{octets / 1e6:.1f} MB"
    )


def _span(milliseconds: Milliseconds) -> str:
    """``40 s``, ``12 min``, ``3 h``, ``2 days``."""
    seconds = max(0, milliseconds // 1000)
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
