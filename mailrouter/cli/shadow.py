"""``mailrouter shadow report``: what a relay on trial would have done, and why, from the store of the trial."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from mailrouter.cli.common import load, print_json, store_of, width
from mailrouter.config import Configuration
from mailrouter.errors import MailrouterError, UsageError
from mailrouter.intake.shadow import shadow_settings
from mailrouter.moments import iso_utc, moment_at
from mailrouter.schedule.date_words import called, joined, short_date
from mailrouter.store.ids import NO_MESSAGE, message_id_of, queue_id
from mailrouter.store.model import Kind, QueueEntry
from mailrouter.store.protocols import Reading

_PAGE = 1000
_KINDS: dict[Kind, str] = {
    "companion": "messages beside copies",
    "reply": "automatic replies",
    "notice": "notices about handoffs",
    "report": "reports to senders",
    "alert": "alerts to the operator",
}


@dataclass(slots=True)
class _Tally:
    """The outcome of one role's mail, had it been sent."""

    mails: int = 0
    senders: set[str] = field(default_factory=set)
    copies: Counter[str] = field(default_factory=Counter)
    others: Counter[Kind] = field(default_factory=Counter)
    handoffs: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


async def shadow(options: argparse.Namespace) -> int:
    """Print the whole report, or one message with all its reasons."""
    if options.newest < 0:
        raise UsageError("--newest takes a number of messages, 0 for none.")
    read = load(options)
    configuration = Configuration(read.folder, shadow_settings(read.settings), read.roles)
    store = store_of(configuration)
    if store is None:
        raise MailrouterError("There was no trial yet; `mailrouter serve --shadow` begins one.")
    if options.id:
        return await _one(configuration, store, options)
    refused: Counter[str] = Counter()
    tallies: dict[str, _Tally] = {role.key: _Tally() for role in configuration.roles}
    newest: deque[QueueEntry] = deque(maxlen=options.newest)
    first = last = count = 0
    async for entry in _entries(store):
        count += 1
        first, last = first or entry.message.received_at, entry.message.received_at
        newest.append(entry)
        if _refusal(entry):
            refused[_refusal(entry)] += 1
        else:
            _count(configuration, tallies, entry)
    if options.json:
        print_json(_data(count, tallies, refused, newest))
        return 0
    for line in (
        *_report(configuration, count, first, last, tallies, refused),
        *_newest(configuration, newest),
    ):
        print(line)
    return 0


async def _entries(store: Reading) -> AsyncIterator[QueueEntry]:
    after = NO_MESSAGE
    while page := await store.history(after, _PAGE):
        for entry in page:
            yield entry
        after = page[-1].message.id


def _refusal(entry: QueueEntry) -> str:
    return entry.message.refusal


def _roles_of(configuration: Configuration, entry: QueueEntry) -> list[str]:
    found = (configuration.role_for(recipient) for recipient in entry.message.recipients)
    return list(dict.fromkeys(role.key for role in found if role is not None))


def _count(configuration: Configuration, tallies: dict[str, _Tally], entry: QueueEntry) -> None:
    for key in _roles_of(configuration, entry):
        tally = tallies[key]
        tally.mails += 1
        tally.senders.add(entry.message.reverse_path)
        tally.reasons.update(list(dict.fromkeys(entry.message.reasons)))
        for delivery in entry.deliveries:
            if key not in delivery.roles or delivery.state == "withdrawn":
                continue
            if delivery.kind == "copy":
                tally.copies[delivery.recipient] += 1
            else:
                tally.others[delivery.kind] += 1
            tally.handoffs += bool(delivery.handoff) and delivery.kind in ("copy", "companion")


def _report(
    configuration: Configuration,
    count: int,
    first: int,
    last: int,
    tallies: dict[str, _Tally],
    refused: Counter[str],
) -> Iterator[str]:
    zone = configuration.roles[0].time_zone
    if not count:
        yield "No mail has come to the trial yet; nothing was delivered."
        return
    mails = f"{count} mail{'s' if count != 1 else ''}"
    yield from _wrapped(
        f"On trial: {mails} from {_when(first, zone)} to {_when(last, zone)}. Nothing was delivered."
    )
    for role in configuration.roles:
        tally = tallies[role.key]
        yield ""
        yield from _wrapped(f"{role.key}: {role.name}")
        if not tally.mails:
            yield "  no mail"
            continue
        names = called(role)
        to = {person.email: names[person.key] for person in role.people}
        copies = joined(f"{to.get(who, who)} {n}" for who, n in tally.copies.most_common())
        yield from _row(tally.mails, f"mails taken, from {_senders(tally)}")
        yield from _row(tally.copies.total(), f"copies{': ' if copies else ''}{copies}")
        yield from _row(tally.handoffs, "of them with the handoff")
        for kind, words in _KINDS.items():
            if kind == "reply" or tally.others[kind]:
                yield from _row(tally.others[kind], words)
        yield "  why, and how often:"
        for reason, n in tally.reasons.most_common(20):
            yield from _row(n, reason, "    ")
    if refused:
        yield ""
        yield "would be refused:"
        for reply, n in refused.most_common(20):
            yield from _row(n, reply)


def _senders(tally: _Tally) -> str:
    return f"{len(tally.senders)} sender{'s' if len(tally.senders) != 1 else ''}"


def _newest(configuration: Configuration, newest: Iterable[QueueEntry]) -> Iterator[str]:
    entries = list(newest)
    if not entries:
        return
    yield ""
    yield from _wrapped("the newest (`mailrouter shadow report ID` tells all of one):")
    zone = configuration.roles[0].time_zone
    for entry in reversed(entries):
        message = entry.message
        yield from _wrapped(
            f"{queue_id(message.id)}  {_when(message.received_at, zone)}  from <{message.reverse_path}>: "
            f"{_summary(entry)}",
            "  ",
        )


def _summary(entry: QueueEntry) -> str:
    if refusal := _refusal(entry):
        return f"would be refused ({refusal[:9].strip()})"
    kinds = Counter(delivery.kind for delivery in entry.deliveries if delivery.state != "withdrawn")
    if not kinds:
        return "absorbed"
    made = [f"{kinds['copy']} cop{'y' if kinds['copy'] == 1 else 'ies'}"] if kinds["copy"] else []
    made += (
        ["the handoff"]
        if any(d.handoff and d.kind in ("copy", "companion") for d in entry.deliveries)
        else []
    )
    made += ["an automatic reply"] if kinds["reply"] else []
    made += [words for kind, words in _KINDS.items() if kind not in ("companion", "reply") and kinds[kind]]
    return joined(made)


async def _one(configuration: Configuration, store: Reading, options: argparse.Namespace) -> int:
    try:
        entry = await store.entry(message_id_of(options.id))
    except ValueError:
        entry = None
    if entry is None:
        print(f"There is no message {options.id} in the trial.", file=sys.stderr)
        return 1
    if options.json:
        print_json(_entry_data(entry))
        return 0
    message, zone = entry.message, configuration.roles[0].time_zone
    lines = [
        f"{queue_id(message.id)}, {_when(message.received_at, zone)}",
        f"from <{message.reverse_path}> to {', '.join(message.recipients)}, {message.size:,} octets",
    ]
    lines += [
        f"{delivery.kind} to {delivery.recipient}{', with the handoff' if delivery.handoff else ''}: not sent"
        for delivery in entry.deliveries
    ]
    print("\n".join(line for text in lines for line in _wrapped(text)))
    print("why:")
    print("\n".join(line for reason in message.reasons for line in _wrapped(reason, "  ")))
    return 0


def _data(
    count: int, tallies: dict[str, _Tally], refused: Counter[str], newest: Iterable[QueueEntry]
) -> dict[str, object]:
    return {
        "mails": count,
        "roles": {
            key: {
                "mails": tally.mails,
                "senders": len(tally.senders),
                "copies": dict(tally.copies),
                "handoffs": tally.handoffs,
                **{kind: tally.others[kind] for kind in _KINDS},
                "reasons": dict(tally.reasons.most_common()),
            }
            for key, tally in tallies.items()
        },
        "would_refuse": dict(refused.most_common()),
        "newest": [_entry_data(entry) for entry in reversed(list(newest))],
    }


def _entry_data(entry: QueueEntry) -> dict[str, object]:
    message = entry.message
    return {
        "id": queue_id(message.id),
        "received": iso_utc(message.received_at),
        "from": message.reverse_path,
        "to": list(message.recipients),
        "size": message.size,
        "would_send": [
            {"kind": delivery.kind, "recipient": delivery.recipient, "handoff": bool(delivery.handoff)}
            for delivery in entry.deliveries
        ],
        "reasons": list(message.reasons),
    }


def _row(number: int, words: str, indent: str = "  ") -> list[str]:
    """A number, right-aligned, and words that wrap beside it."""
    return textwrap.wrap(
        f"{indent}{number:>6}  {words}",
        width(),
        subsequent_indent=indent + " " * 8,
        drop_whitespace=True,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped(words: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        words,
        width(),
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _when(at: int, zone: ZoneInfo) -> str:
    local = moment_at(at, zone)
    return f"{short_date(local.date())} {local:%H:%M}"
