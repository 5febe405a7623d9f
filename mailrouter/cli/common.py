"""Common needs of commands: the configuration, a role, a moment, a look at the store."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from mailrouter import config
from mailrouter.calendars.cache import with_kept
from mailrouter.config import Configuration, Settings
from mailrouter.config.values.errors import Wrong
from mailrouter.config.values.times import day, midnight, moment
from mailrouter.errors import NoSuchRole, UsageError
from mailrouter.schedule.localtime import to_utc
from mailrouter.schedule.model import Person, Role
from mailrouter.store.opening import exists, open_reader
from mailrouter.store.protocols import Reading


def load(options: argparse.Namespace) -> Configuration:
    """The configuration that the options name, with the absences of partners' calendars. Raises ConfigurationError."""
    return with_kept(config.load(options.config or config.default_folder()))


def load_settings(options: argparse.Namespace) -> Settings:
    """The settings alone, for commands that work beside a broken role file. Raises ConfigurationError."""
    return config.settings_of(options.config or config.default_folder())


def role_named(configuration: Configuration, name: str) -> Role:
    """The role by short name or address. Raises NoSuchRole, naming those there are."""
    role = configuration.role_for(name)
    if role is None:
        known = ", ".join(found.key for found in configuration.roles)
        raise NoSuchRole(f"{name} is not a role here; the roles are: {known}.")
    return role


def partners_called(role: Role, name: str) -> list[Person]:
    """The partners whom ``name`` may mean: by short name, else by name, first name or address; whatever its case."""
    folded = " ".join(name.split()).casefold()
    by_key = [person for person in role.partners if person.key.casefold() == folded]
    exact = [person for person in by_key if person.key == name]
    called = [
        person
        for person in role.partners
        if folded in (known.casefold() for known in (person.name, person.first_name, person.email))
    ]
    return exact or by_key or called


def partner_named(role: Role, name: str) -> Person:
    """The one partner whom ``name`` means (``partners_called``). Raises UsageError, naming those there are."""
    found = partners_called(role, name)
    if len(found) == 1:
        return found[0]
    known = ", ".join(person.key for person in found or role.partners)
    if found:
        raise UsageError(f"{name} may be one of these partners of {role.key}: {known}. Use the short name.")
    raise UsageError(f"{name} is not a partner of {role.key}; its partners are: {known}.")


def moment_of(text: str | None, role: Role) -> datetime:
    """The moment (UTC) that ``--at`` names in the role's zone; now without it. Raises UsageError."""
    if text is None:
        return datetime.now(UTC)
    try:
        aware = datetime.fromisoformat(text)
        if aware.tzinfo is not None:
            return aware.astimezone(UTC)
    except ValueError:
        pass  # not ISO with an offset: the role's wall time, then
    try:
        wall = moment(text.strip().replace("T", " "))
    except Wrong as wrong:
        raise UsageError(f"--at: {wrong.what}; {wrong.hint}.") from None
    return to_utc(wall if isinstance(wall, datetime) else midnight(wall), role.time_zone)


def day_of(text: str | None, option: str, default: date) -> date:
    """The day an option names. Raises UsageError."""
    if text is None:
        return default
    try:
        return day(text.strip())
    except Wrong as wrong:
        raise UsageError(f"{option}: {wrong.what}; {wrong.hint}.") from None


def store_of(configuration: Configuration | Settings) -> Reading | None:
    """The store as it is, read-only; None where there is none yet. Raises StoreError."""
    settings = configuration.settings if isinstance(configuration, Configuration) else configuration
    return open_reader(settings.store) if exists(settings.store) else None


def print_json(data: Any) -> None:
    """One JSON document, readable."""
    print(json.dumps(data, indent=2, ensure_ascii=False))


def as_called(program: str = "") -> str:
    """The way to call this program again from here: its name where the shell finds it, else the path that was used."""
    program = program or sys.argv[0]
    if Path(program).name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m mailrouter"
    found = shutil.which("mailrouter")
    if found and os.path.realpath(found) == os.path.realpath(program):
        return "mailrouter"
    return shlex.quote(program) if "/" in program else "mailrouter"


def width() -> int:
    """Columns of the terminal; 80 where there is none."""
    return shutil.get_terminal_size((80, 24)).columns


def in_colour() -> bool:
    """Whether standard output is a terminal that takes colours (see no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
