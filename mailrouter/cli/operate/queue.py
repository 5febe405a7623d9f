"""``mailrouter queue list|show|retry|hold|release|drop``: what waits, and what to do with it."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import logging
import os
import sys
import textwrap
from dataclasses import replace
from typing import Any

from mailrouter.cli.common import load, load_settings, print_json, store_of, width
from mailrouter.cli.operate.queue_text import counted, entry_data, entry_lines, summary_lines, wrapped
from mailrouter.clock import now_ms
from mailrouter.config import Settings
from mailrouter.config.values.durations import duration
from mailrouter.config.values.errors import Wrong
from mailrouter.errors import ConfigurationError, UsageError
from mailrouter.service.control import ask
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, MessageId, message_id_of, queue_id
from mailrouter.store.protocols import Reading
from mailrouter.store.selection import BACK, OPEN, Selection

_SHOWN = 50
_MOST_JSON = 10_000
_LONG = 5_000
"""From so many on, people are told that it takes a while."""
_PATIENCE = 600.0
"""Seconds that a change to a very long queue may take."""
_DONE = {
    "retry": ("is to be tried at once", "are to be tried at once"),
    "hold": ("was put on hold", "were put on hold"),
    "release": ("was released", "were released"),
    "drop": ("was dropped", "were dropped"),
}


async def queue(options: argparse.Namespace) -> int:
    """List the queue, show one message, or change what is selected."""
    settings = load_settings(options)
    if options.action == "show":
        return await _show(options, settings)
    selection = _selection(options)
    if options.action == "list":
        return await _list(options, settings, selection)
    if not (selection.narrow or options.state or options.all):
        raise UsageError(
            f"queue {options.action} needs queue ids or a filter (--role, --to, --state …); --all for everything."
        )
    return await _change(options, settings, selection)


def _selection(options: argparse.Namespace) -> Selection:
    role = _role(options) if options.role else ""
    at = now_ms()
    return Selection(
        messages=tuple(_message(text) for text in options.id),
        role=role,
        recipient=options.to or "",
        sender=options.sender or "",
        states=tuple(dict.fromkeys(options.state))
        if options.state
        else BACK
        if options.action == "retry"
        else OPEN,
        received_before=at - span if (span := _span(options.older, "--older")) is not None else None,
        received_after=at - span if (span := _span(options.newer, "--newer")) is not None else None,
        due_before=at + span if (span := _span(options.due_within, "--due-within")) is not None else None,
        due_after=at + span if (span := _span(options.due_after, "--due-after")) is not None else None,
    )


def _role(options: argparse.Namespace) -> str:
    """The role's short name, or the word typed where none fits.

    A role that is no more may have left mail behind.
    """
    try:
        role = load(options).role_for(options.role)
    except ConfigurationError:
        role = None
    return role.key if role else str(options.role)


def _span(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return int(1000 * duration(text))
    except Wrong as wrong:
        raise UsageError(f"{option}: {wrong.what}; {wrong.hint}.") from None


def _message(text: str) -> MessageId:
    try:
        return message_id_of(text)
    except ValueError:
        raise UsageError(f"{text} is not a queue id; `queue list` and the log give them.") from None


async def _list(options: argparse.Namespace, settings: Settings, selection: Selection) -> int:
    store = store_of(settings)
    found = await store.selected(selection) if store else []
    most = options.limit or (_MOST_JSON if options.json else _SHOWN)
    entries = await store.entries(found, most) if store else []
    if options.json:
        print_json([entry_data(entry) for entry in entries])
        return 0
    if not entries or store is None:
        print("Nothing in the queue fits." if selection != Selection() else "The queue is empty.")
        return 0
    summary = await store.summary(selection, found)
    print("\n".join(summary_lines(summary, width())))
    print(textwrap.fill(_service(settings), width()))
    for entry in entries:
        print("\n" + "\n".join(entry_lines(entry, width())))
    if more := summary.messages - len(entries):
        print(f"\n… and {counted(more, 'more message', 'more messages')}; --limit {most * 10} shows more.")
    return 0


async def _show(options: argparse.Namespace, settings: Settings) -> int:
    if len(options.id) != 1:
        raise UsageError("queue show needs one queue id, as `queue list` and the log give it.")
    store = store_of(settings)
    try:
        entry = await store.entry(message_id_of(options.id[0])) if store else None
    except ValueError:
        entry = None
    if entry is None:
        print(f"There is no message {options.id[0]}.", file=sys.stderr)
        return 1
    if options.json:
        print_json(entry_data(entry) | {"reasons": list(entry.message.reasons)})
        return 0
    print("\n".join(entry_lines(entry, width())))
    print("\nwhy:")
    for reason in entry.message.reasons:
        print("\n".join(wrapped(reason, width(), 2, 2)))
    return 0


def _service(settings: Settings) -> str:
    """Reasons for a queue that stands still: no service, or a next server that can't be reached."""
    status = ask(settings.run_folder / "mailrouter.sock", {"do": "status"})
    if status is None:
        return "No service is running, so nothing is being delivered."
    if status["trouble"]:
        return f"Everything for {status['delivers_to']} waits, and it is tried every few minutes: {status['trouble']}"
    return f"The service delivers to {status['delivers_to']}."


async def _change(options: argparse.Namespace, settings: Settings, selection: Selection) -> int:
    store = store_of(settings)
    found = await store.selected(selection) if store else []
    if store is None or not found:
        return _nothing(options)
    missing = sorted(set(selection.messages).difference(ids.messages_of(found)))
    if options.action == "drop":
        # What comes in while the question stands is not dropped.
        selection = replace(selection, until=ids.message_of(found[-1]))
        if not options.yes and not await _sure(options, store, selection, found):
            print("Nothing was dropped.")
            return 1
    if len(found) > _LONG:
        print(f"Changing {len(found):,} deliveries in small steps; mail goes on meanwhile …", file=sys.stderr)
    order = {"action": options.action, "selection": selection.data(), "who": _who(), "report": options.report}
    socket = settings.run_folder / "mailrouter.sock"
    done = ask(socket, {"do": "queue", **order}, _PATIENCE)
    if done is None:
        store.close()
        done = asyncio.run(_alone(options, settings, order))
    if options.json:
        print_json(done)
    else:
        _tell(options.action, done)
    for message in missing:
        print(f"There is nothing of {queue_id(message)} in the queue.", file=sys.stderr)
    return 0 if done["deliveries"] and not missing else 1


async def _alone(options: argparse.Namespace, settings: Settings, order: dict[str, Any]) -> dict[str, Any]:
    """With no service running: the store's lock is taken, and the very same is done here."""
    from mailrouter.intake.release.queue_actions import Order, steer
    from mailrouter.service.wiring import desk_of
    from mailrouter.store.opening import open_store

    # What the service would log is printed here anyway.
    logging.getLogger("mailrouter").addHandler(logging.NullHandler())
    store = open_store(settings.store)
    try:
        store.keep_bounced = settings.keep_bounced
        desk = desk_of(load(options)) if order["report"] or _came_back(order) else None
        return (await steer(store, Order.of(order), desk)).data()
    finally:
        store.close()


def _came_back(order: dict[str, Any]) -> bool:
    """Whether a selection to be sent again holds mail that came back. New return paths are made for such mail."""
    return order["action"] == "retry" and "bounced" in order["selection"]["states"]


def _nothing(options: argparse.Namespace) -> int:
    if options.json:
        print_json({"deliveries": 0, "messages": 0, "busy": 0, "reports": 0, "named": []})
    else:
        print("Nothing in the queue fits, so nothing was changed.", file=sys.stderr)
    return 1


async def _sure(
    options: argparse.Namespace, store: Reading, selection: Selection, found: list[DeliveryId]
) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("queue drop asks before it drops; where nobody can answer, say --yes.")
    for entry in await store.entries(found, 10):
        print("\n".join(entry_lines(entry, width())))
    summary = await store.summary(selection, found)
    print("\n" + "\n".join(summary_lines(summary, width())))
    told = (
        "The senders get a report where nobody else has the mail."
        if options.report
        else "Nobody is told; --report tells the senders."
    )
    print(textwrap.fill(f"Dropped mail is gone for good. {told}", width()))
    return _says_yes()


def _says_yes() -> bool:
    try:
        return input("Drop this? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _tell(action: str, done: dict[str, Any]) -> None:
    what = (
        f"{counted(done['deliveries'], 'delivery', 'deliveries')} of {counted(done['messages'], 'message')}"
    )
    print(textwrap.fill(f"{what} {_DONE[action][done['deliveries'] != 1]}.", width()))
    for named in done["named"]:
        print("\n".join(wrapped(f"{named['id']}  {named['kind']} to {named['recipient']}", width(), 2, 2)))
    if (more := done["deliveries"] - len(done["named"])) > 0:
        print(f"  … and {more:,} more")
    if done["reports"]:
        print(f"{counted(done['reports'], 'report')} to senders: queued.")
    if done["busy"]:
        busy = counted(done["busy"], "delivery is", "deliveries are")
        rest = {
            "hold": "on hold only if that does not succeed",
            "drop": "not dropped",
            "retry": "left alone",
            "release": "left alone",
        }[action]
        print(textwrap.fill(f"{busy} being sent in this moment: {rest}.", width()))


def _who() -> str:
    """The person who asks: the one behind sudo, if there is one."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
