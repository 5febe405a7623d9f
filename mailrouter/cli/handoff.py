"""``mailrouter handoff show|set|history``: a role's handoff, for the partners' and IT's eyes."""

from __future__ import annotations

import argparse
import asyncio
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from mailrouter.cli.common import load, partner_named, print_json, role_named, store_of, width
from mailrouter.config import Configuration
from mailrouter.errors import UsageError
from mailrouter.moments import moment_at
from mailrouter.routing.handoff import age_words, read_sections
from mailrouter.schedule.date_words import date_words
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Role
from mailrouter.service.control import ask, check_handoff, set_handoff
from mailrouter.store.model import Handoff
from mailrouter.store.opening import open_store

_HISTORY = 20


async def handoff(options: argparse.Namespace) -> int:
    """Show the newest handoff, set a new one, or list versions."""
    configuration = load(options)
    role = role_named(configuration, options.role)
    if options.action == "set":
        return _set(configuration, role, options)
    store = store_of(configuration)
    found = await store.handoffs(role.key, 1 if options.action == "show" else _HISTORY) if store else []
    if options.json:
        data = [_data(role, version) for version in found]
        print_json((data[0] if data else None) if options.action == "show" else data)
        return 0 if found else 1
    if not found:
        print(f"There is no handoff for {role.name} yet.", file=sys.stderr)
        return 1
    if options.action == "show":
        print(_shown(role, found[0]))
        return 0
    for version in found:
        first = next((line.strip() for line in version.text.splitlines() if line.strip()), "")
        print(
            textwrap.shorten(
                f"{version.version:>4}  {_title(role, version)}: {first}", width(), placeholder=" …"
            )
        )
    return 0


def _set(configuration: Configuration, role: Role, options: argparse.Namespace) -> int:
    try:
        raw = sys.stdin.buffer.read() if options.file == "-" else Path(options.file).read_bytes()
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise UsageError(f"{options.file} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{options.file} is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from error
    check_handoff(text)
    author = _author(role, options.author)
    settings = configuration.settings
    request = {"do": "handoff", "role": role.key, "author": author, "text": text}
    version = ask(settings.run_folder / "mailrouter.sock", request)
    if version is None:
        version = asyncio.run(_set_alone(settings.store, role.key, author, text))
    if options.json:
        print_json({"role": role.key, "version": version, "author": author})
        return 0
    sections = read_sections(text)
    counts = ", ".join(
        f"{len(lines)} {name}"
        for name, lines in (("done", sections.done), ("left", sections.left), ("to watch", sections.watch))
        if lines
    )
    print(f"Handoff {version} for {role.name}, by {author}: {counts or 'no sections found, kept as it is'}.")
    return 0


async def _set_alone(path: Path, role: str, author: str, text: str) -> int:
    """No service runs, so the store's lock is ours for a moment."""
    store = open_store(path)
    try:
        return await set_handoff(store, role, author, text)
    finally:
        store.close()


def _author(role: Role, named: str | None) -> str:
    """The author's first name: as named, else the one partner on duty; a wrong guess is worse than none."""
    roster, now = Roster(role), datetime.now(UTC)
    role = roster.role_at(now)
    if named is None:
        on = [person for person in roster.duty(now).on if person in role.partners]
        return on[0].first_name if len(on) == 1 else "the partners"
    return partner_named(role, named).first_name


def _written(role: Role, version: Handoff) -> datetime:
    return moment_at(version.written_at, role.time_zone)


def _title(role: Role, version: Handoff) -> str:
    written = _written(role, version)
    today = datetime.now(role.time_zone).date()
    age = age_words(written.date(), today)
    return f"{version.author}, {date_words(written.date(), today)} at {written:%H:%M} ({age})"


def _shown(role: Role, version: Handoff) -> str:
    return f"Handoff {version.version} for {role.name}\nby {_title(role, version)}\n\n{version.text.rstrip()}"


def _data(role: Role, version: Handoff) -> dict[str, object]:
    sections = read_sections(version.text)
    return {
        "role": role.key,
        "version": version.version,
        "author": version.author,
        "written": _written(role, version).isoformat(timespec="seconds"),
        "sections": {
            "done": sections.done,
            "left": sections.left,
            "watch": sections.watch,
            "other": sections.other,
        },
        "text": version.text,
    }
