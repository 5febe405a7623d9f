"""``mailrouter trace ID|MESSAGE-ID|ADDRESS``: the life of a message, in the order of time. Times are UTC."""

from __future__ import annotations

import argparse
import sys

from mailrouter.cli.common import load_settings, print_json, store_of, width
from mailrouter.cli.operate.queue_text import entry_data, message_data, size, span, state, wrapped
from mailrouter.clock import now_ms
from mailrouter.config import Settings
from mailrouter.moments import iso_utc, moment_at
from mailrouter.store.events import Event
from mailrouter.store.history import LOOKED, Life
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds, message_id_of, queue_id
from mailrouter.store.model import Delivery
from mailrouter.store.protocols import Reading

_SHOWN = 20
_WHAT = {
    "tried": "not delivered yet",
    "failed": "failed for good",
    "withdrawn": "withdrawn",
    "delivered": "delivered",
    "bounced": "came back",
    "answered": "an automatic answer came back",
    "held": "put on hold",
    "released": "released",
    "retried": "to be tried again at once",
    "dropped": "dropped",
}
_WITH_THE_MAIL = ("copy", "companion", "reply")


async def trace(options: argparse.Namespace) -> int:
    """Print one message's life, or the messages of an address or Message-ID."""
    settings = load_settings(options)
    store = store_of(settings)
    wanted = options.what.strip()
    told = await store.life(number) if store and (number := _number(wanted)) is not None else None
    if store is None or (told is None and not _may_be_address_or_id(wanted)):
        print(f"There is no message {wanted}{_kept(settings)}", file=sys.stderr)
        return 1
    if told is None:
        return await _search(options, settings, store, wanted)
    _print_life(told, options.json)
    return 0


def _number(text: str) -> MessageId | None:
    try:
        return message_id_of(text)
    except ValueError:
        return None


def _may_be_address_or_id(text: str) -> bool:
    return "@" in text or text.startswith("<")


def _kept(settings: Settings) -> str:
    return f". What became of a mail is kept for {span(settings.keep_history)}."


async def _search(options: argparse.Namespace, settings: Settings, store: Reading, wanted: str) -> int:
    most = options.limit or _SHOWN
    found = await store.find(wanted, most)
    far = (
        f"Looked through the newest {LOOKED:,} messages, back to {_when(found.back_to)}."
        if found.back_to is not None
        else ""
    )
    if options.json:
        print_json([entry_data(entry) for entry in found.entries])
        return 0 if found.entries else 1
    if not found.entries:
        print(f"There is no message from, to or named {wanted}{_kept(settings)}", file=sys.stderr)
        if far:
            print(far, file=sys.stderr)
        return 1
    if len(found.entries) == 1 and wanted.startswith("<"):
        told = await store.life(found.entries[0].message.id)
        if told is not None:
            _print_life(told, as_json=False)
            return 0
    for entry in found.entries:
        message = entry.message
        print(f"{_when(message.received_at)}  {queue_id(message.id)}")
        words = (
            f"from <{message.reverse_path}> to {', '.join(message.recipients)}: {_counts(entry.deliveries)}"
        )
        print("\n".join(wrapped(words, width(), 2, 2)))
    if found.more:
        print(f"… and older ones; --limit {most * 10} shows more.")
    if far:
        print(far)
    return 0


def _counts(deliveries: tuple[Delivery, ...]) -> str:
    words = {"queued": "waiting", "held": "on hold"}
    states = [words.get(d.state, d.state) for d in deliveries]
    return ", ".join(f"{states.count(word)} {word}" for word in dict.fromkeys(states)) or "for nobody"


def _print_life(told: Life, as_json: bool) -> None:
    if as_json:
        print_json(_data(told))
    else:
        print("\n".join(_lines(told)))


def _lines(told: Life) -> list[str]:
    message, columns = told.entry.message, width()
    lines = [f"{queue_id(message.id)}  {size(message.size)}"]
    lines += wrapped(f"from <{message.reverse_path}> to {', '.join(message.recipients)}", columns, 2, 2)
    if message.message_id:
        lines += wrapped(f"Message-ID {message.message_id}", columns, 2, 2)
    lines += ["", _when(message.received_at)]
    lines += wrapped(
        f"received from {message.client or 'a client'}{_helo(message.helo)}, without TLS", columns, 2, 2
    )
    for reason in message.reasons:
        lines += wrapped(f"why: {reason}", columns, 4, 2)
    last = _when(message.received_at)
    for at, words, more in _steps(told):
        if _when(at) != last:
            last = _when(at)
            lines.append(last)
        lines += wrapped(words, columns, 2, 2)
        if more:
            lines += wrapped(more, columns, 6)
    waiting = [d for d in told.entry.deliveries if d.state in ("queued", "held")]
    if waiting:
        lines.append("now")
    for delivery in waiting:
        lines += wrapped(f"{delivery.kind} to {delivery.recipient}: {state(delivery)}", columns, 2, 2)
    return lines


def _helo(helo: str) -> str:
    return f" (it called itself {helo})" if helo else ""


def _steps(told: Life) -> list[tuple[Milliseconds, str, str]]:
    """The message's events, in order: when, what, and the words that were said with it."""
    steps = []
    by_id = {delivery.id: delivery for delivery in told.entry.deliveries}
    for delivery in told.entry.deliveries:
        roles = ", ".join(delivery.roles)
        carried = f", with handoff {delivery.handoff}" if delivery.handoff else ""
        words = f"{delivery.kind} to {delivery.recipient} for {roles}{carried}: queued"
        steps.append((_made(delivery, told), words, ""))
    tries = dict.fromkeys(by_id, 0)
    for event in told.events:
        if event.delivery in by_id:
            steps.append((event.at, *_step(event, by_id[event.delivery], tries)))
    return sorted(steps, key=lambda step: step[0])


def _step(event: Event, delivery: Delivery, tries: dict[DeliveryId, int]) -> tuple[str, str]:
    words = f"{delivery.kind} to {delivery.recipient}: {_WHAT[event.what]}"
    if event.what in ("tried", "failed", "delivered"):
        tries[delivery.id] += 1
        if tries[delivery.id] > 1:
            words += f", try {tries[delivery.id]}"
    elif event.who:
        words += f", as {event.who} reports" if event.what in ("bounced", "answered") else f" by {event.who}"
    return words, event.words


def _made(delivery: Delivery, told: Life) -> Milliseconds:
    """The moment at which it was queued. Of what was on hold or failed, ``created_at`` was moved (see ``Steering``)."""
    received = told.entry.message.received_at
    if delivery.kind in _WITH_THE_MAIL:
        return received
    first = min((event.at for event in told.events if event.delivery == delivery.id), default=now_ms())
    return max(received, min(delivery.created_at, first))


def _data(told: Life) -> dict[str, object]:
    message = told.entry.message
    by_id = {delivery.id: delivery for delivery in told.entry.deliveries}
    return {
        **message_data(message),
        "client": message.client,
        "helo": message.helo,
        "tls": False,
        "reasons": list(message.reasons),
        "deliveries": entry_data(told.entry)["deliveries"],
        "events": [
            {
                "at": iso_utc(event.at),
                "what": event.what,
                "kind": by_id[event.delivery].kind,
                "recipient": by_id[event.delivery].recipient,
                "who": event.who,
                "words": event.words,
            }
            for event in told.events
            if event.delivery in by_id
        ],
    }


def _when(at: Milliseconds) -> str:
    return f"{moment_at(at):%Y-%m-%d %H:%M:%S} UTC"
