"""Common parts of commands that change a schedule: whose, on which days, and the way to the service."""

from __future__ import annotations

import argparse
import asyncio
import json
import textwrap
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from mailrouter.cli.common import load, partners_called, print_json, role_named, width
from mailrouter.config import Configuration
from mailrouter.config.last_good import serving
from mailrouter.errors import NoSuchRole, UsageError
from mailrouter.intake.partner.by_command import as_json, change_by_command
from mailrouter.intake.partner.file_changes import ScheduleFiles
from mailrouter.runtime.context import Desk
from mailrouter.runtime.keys import NAME, read_keys
from mailrouter.runtime.templates import Templates
from mailrouter.schedule.date_words import date_words
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests import Off, Request, Works
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.rota import monday_of
from mailrouter.schedule.views.diff import week_lines
from mailrouter.service.control import ask
from mailrouter.store.opening import open_store

_WEEK = 7


def role_of(configuration: Configuration, options: argparse.Namespace, partner: str = "") -> Role:
    """The role named by ``--role``, or the only one that fits.

    Without the option that is the only role, or the only one with this partner. Raises UsageError.
    """
    if options.role:
        return role_named(configuration, options.role)
    roles = configuration.roles
    if partner:
        roles = tuple(role for role in roles if partners_called(role, partner))
        if not roles:
            known = sorted({person.key for role in configuration.roles for person in role.partners})
            raise NoSuchRole(f"{partner} is not a partner here; the partners are: {', '.join(known)}.")
    if len(roles) != 1:
        names = ", ".join(role.key for role in roles)
        raise UsageError(f"Which role? Add --role; it is one of: {names}.")
    return roles[0]


def read_as(option: str, read: Callable[[], Any]) -> Any:
    """Give what ``read`` gives. Raises UsageError, naming the option, where it is unclear."""
    try:
        return read()
    except Unclear as unclear:
        raise UsageError(f"{option}: {unclear.why}") from None


def wall_now(role: Role) -> datetime:
    """Now, as the role's clocks have it."""
    return datetime.now(role.time_zone).replace(tzinfo=None, second=0, microsecond=0)


def carry_out(options: argparse.Namespace, role: Role, request: Request) -> int:
    """Make the change and show it with the week.

    The running service does it, or this process under the store's lock.
    """
    configuration = load(options)
    settings = configuration.settings
    asked = json.loads(json.dumps(as_json(request), default=str))
    what = ask(settings.run_folder / "mailrouter.sock", {"do": "change", "role": role.key, "request": asked})
    if what is None:
        what = asyncio.run(_alone(configuration, role, request))
    now = role_named(load(options), role.key)
    today = local_day(datetime.now(UTC), now.time_zone)
    first, heading = today, f"The next {_WEEK} days:"
    if (spoken_of := _first_day(request, today)) >= today + timedelta(days=_WEEK):
        first = monday_of(spoken_of)
        heading = f"The week of {date_words(first, today)}:"
    days = week_lines(now, first, first + timedelta(days=_WEEK - 1))
    if options.json:
        print_json({"role": role.key, "what": what, "week": days})
        return 0
    print(f"{textwrap.fill(what, width())}\n\n{heading}\n")
    print("\n".join(days) or "nobody has hours on these days")
    return 0


def _first_day(request: Request, today: date) -> date:
    """The first day that is spoken of; today for what speaks of none."""
    match request:
        case Off():
            return request.spans[0].start.date()
        case Works():
            return request.day
    return today


async def _alone(configuration: Configuration, role: Role, request: Request) -> str:
    """No service runs, so the store's lock is ours for a moment; what is to be told leaves when one runs."""
    settings = configuration.settings
    store = open_store(settings.store)
    try:
        now = serving(configuration.folder)
        desk = Desk(configuration, Templates(settings.templates), read_keys(settings.run_folder / NAME))
        desk.texts, desk.read = now.texts, now.configuration
        files = ScheduleFiles(store)
        await files.recover(desk)
        return await change_by_command(desk, files, role.key, [request], datetime.now(UTC))
    finally:
        store.close()
