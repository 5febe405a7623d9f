"""The output of ``mailrouter check``: each problem with its line and a mark, or what was read."""

from __future__ import annotations

import argparse
import contextlib
import gc
import sys
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

from mailrouter.address import domain_of
from mailrouter.calendars.check import calendar_oddities
from mailrouter.cli.common import in_colour, load, load_settings, print_json, width
from mailrouter.cli.machine import machine_problems
from mailrouter.cli.setup.check_live import look
from mailrouter.cli.setup.check_route import look_at_route, shown_route
from mailrouter.cli.tables import at_a_glance
from mailrouter.config import Configuration
from mailrouter.errors import ConfigurationError, MailrouterError, Problem
from mailrouter.routing.forwarding import wrapped_outside
from mailrouter.runtime.templates import Templates
from mailrouter.schedule.check.warnings import no_holidays, too_few_holidays, warnings
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.rota import monday_of
from mailrouter.schedule.views.grid import days
from mailrouter.service import process

_RED, _YELLOW, _FAINT, _BOLD, _PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[1m", "\x1b[0m"
_MARGIN = "    "
_MANY = 200
"""Roles from which on it is worth the while to begin further processes."""
_PART = 50
_ASKED: list[tuple[Role, date]] = []
"""What the processes of ``oddities`` are to look at."""
_TABLES = 4
"""Roles whose weeks are shown; more would bury the problems."""


def check(options: argparse.Namespace) -> int:
    """Read everything as ``serve`` would; 0 if it can be used, 1 with all problems if not.

    With ``--live`` the running service is asked too, with ``--route`` the next server and the way back; 1 says as well
    that something is wrong there.
    """
    gc.disable()  # the command ends soon, and of a thousand roles nothing becomes garbage before that
    try:
        configuration = load(options)
        Templates(configuration.settings.templates)
        of_machine = tuple(machine_problems(configuration))
        if problems := [problem for problem in of_machine if not problem.warning]:
            raise ConfigurationError(problems)
    except ConfigurationError as error:
        return _told_broken(options, error)
    now = datetime.now(UTC)
    doubtful = (*configuration.warnings, *of_machine)
    unsafe = process.surroundings(configuration.settings)
    odd = [("mailrouter.yaml", text) for text in (*_outside(configuration), *unsafe)]
    odd += [(key, text) for key, texts in oddities(configuration.roles, now) for text in texts]
    ours = configuration.settings.our_domains
    odd += [(role.key, text) for role in configuration.roles for text in wrapped_outside(role, ours)]
    odd += calendar_oddities(configuration, now)
    if options.json:
        found = [*map(str, doubtful), *(f"{key}: {text}" for key, text in odd)]
        data: dict[str, object] = {"ok": True, "problems": [], "warnings": found}
        return _as_json(options, configuration, data)
    print(summary(configuration, width()))
    if doubtful:
        print("\n" + render(doubtful, width(), in_colour()))
    if odd:
        print("\nworth a look:")
    for key, text in odd:
        print(textwrap.fill(f"{key}: {text}", width(), initial_indent="  ", subsequent_indent="    "))
    print("\n" + "\n\n".join(ahead(configuration.roles, now, width(), in_colour())))
    well = True
    if options.live:
        live = look(configuration.settings, configuration.roles)
        print("\n" + live.shown(width()))
        well = live.well
    if options.route:
        print()
        tried = look_at_route(configuration, lambda line: print(line, file=sys.stderr, flush=True))
        print(shown_route(tried, width()))
        well = well and all(one.well for one in tried)
    return int(not well)


def _as_json(options: argparse.Namespace, configuration: Configuration, data: dict[str, object]) -> int:
    if options.live:
        live = look(configuration.settings, configuration.roles)
        data |= {"live": live.data(), "ok": live.well}
    if options.route:
        found = look_at_route(configuration)
        data["route"] = [asdict(one) for one in found]
        data["ok"] = data["ok"] and all(one.well for one in found)
    print_json(data)
    return int(not data["ok"])


def _told_broken(options: argparse.Namespace, error: ConfigurationError) -> int:
    """Tell the problems; and how the running service is all the same, where the settings say how to ask it."""
    live = None
    if options.live:
        with contextlib.suppress(MailrouterError):
            live = look(load_settings(options), ())
    if options.json:
        problems = [asdict(problem) for problem in error.problems]
        data: dict[str, object] = {"ok": False, "problems": problems, "warnings": []}
        print_json(data if live is None else data | {"live": live.data()})
        return 1
    if live is None:
        raise error
    print(render(error.problems, width(), sys.stderr.isatty()), file=sys.stderr)
    print(live.shown(width()))
    return 1


def oddities(roles: Sequence[Role], now: datetime) -> list[tuple[str, list[str]]]:
    """The oddities of each role's schedule, by its key; of many roles found out by all processors of the machine."""
    asked = [(role, local_day(now, role.time_zone)) for role in roles]
    if len(roles) < _MANY:
        return list(map(_odd, asked))
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    try:
        # Forked processes have the roles already; to send them would take as long as to look at them.
        _ASKED[:] = asked
        with ProcessPoolExecutor(mp_context=multiprocessing.get_context("fork")) as pool:
            parts = pool.map(_odd_part, range(0, len(asked), _PART))
            return [found for part in parts for found in part]
    except (
        OSError,
        ValueError,
    ):  # a system that lends no process, no shared memory or no fork: slower, and no worse
        return list(map(_odd, asked))
    finally:
        _ASKED.clear()


def _odd_part(first: int) -> list[tuple[str, list[str]]]:
    return list(map(_odd, _ASKED[first : first + _PART]))


def _odd(asked: tuple[Role, date]) -> tuple[str, list[str]]:
    role, today = asked
    return role.key, [*warnings(role, today), *no_holidays(role, today), *too_few_holidays(role, today)]


def ahead(roles: Sequence[Role], now: datetime, width: int, colour: bool = False) -> Iterator[str]:
    """Each role's next four weeks as a table, for partners to compare. With many roles there is none."""
    if len(roles) > _TABLES:
        yield "`mailrouter schedule ROLE` shows who is in, role by role"
        return
    for role in roles:
        monday = monday_of(local_day(now, role.time_zone))
        weeks = days(role, monday, monday + timedelta(days=27))
        yield f"{role.key}, four weeks:\n" + at_a_glance(weeks, role, width, colour)


def render(problems: Iterable[Problem], width: int, colour: bool = False) -> str:
    """The problems in ``width`` columns, an empty line between them; ``colour`` adds ANSI codes."""
    return "\n\n".join(_one(problem, max(width, 40), colour) for problem in problems)


def _one(problem: Problem, width: int, colour: bool) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}:"
    if not problem.source_line and (problem.line, problem.column) == (1, 1):
        place = f"{problem.file}:"  # the file or folder as a whole
    kind = " warning:" if problem.warning else ""
    said = _visible(f"{place}{kind} {problem.what}{'; ' + problem.hint if problem.hint else ''}")
    lines = textwrap.wrap(said, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    if colour:
        lines[0] = _painted(lines[0], _visible(place + kind), _YELLOW if problem.warning else _RED)
    if problem.source_line.strip():
        source, spaces = _window(problem.source_line, problem.column - 1, width - len(_MARGIN))
        mark = " " * spaces + "^"
        lines += [_MARGIN + source, _MARGIN + (f"{_BOLD}{mark}{_PLAIN}" if colour else mark)]
    return "\n".join(lines)


def _painted(line: str, start: str, paint: str) -> str:
    """``line`` with its ``start`` in colour; a place with spaces may have been wrapped, and stays plain."""
    return f"{paint}{start}{_PLAIN}{line.removeprefix(start)}" if line.startswith(start) else line


def _window(source: str, column: int, width: int) -> tuple[str, int]:
    """The part of ``source`` around ``column`` that fits, and the cells before."""
    text = _visible(source)
    start = 0
    while _cells(text[start:column]) > width - width // 3:
        start += max(1, width // 3)
    head = "…" if start else ""
    shown = head + text[start:]
    if _cells(shown) > width:
        while _cells(shown) > width - 1:
            shown = shown[:-1]
        shown += "…"
    return shown, _cells(head + text[start:column])


def _visible(text: str) -> str:
    """``text`` without tabs and control characters, for a terminal.

    A tab becomes a space, and what could command a terminal or takes no room ``·``.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        " " if c in "\t\xa0" else c if c.isprintable() and not unicodedata.combining(c) else "·" for c in text
    )


def _cells(text: str) -> int:
    """Columns of a terminal that ``text`` takes; wide characters take two (Unicode Annex 11)."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def summary(configuration: Configuration, width: int = 80) -> str:
    """The configuration in a few lines: roles, partners, where mail comes in and goes.

    Lines are broken between words at ``width`` columns; an address or a path stays whole.
    """
    settings = configuration.settings
    roles = "1 role" if len(configuration.roles) == 1 else f"{len(configuration.roles)} roles"
    lines = [
        f"{configuration.folder}: {roles}, no problems",
        *(line for role in configuration.roles for line in _role(role)),
        f"mail comes in at {' and '.join(_door(*place) for place in settings.listen_smtp)} as {settings.hostname}",
        f"copies go to {settings.deliver}",
        f"mail waits in {settings.store}",
        *([f"metrics and health at {_door(*settings.web)}"] if settings.web else []),
    ]
    return "\n".join(_broken(_visible(line), width) for line in lines)


def _broken(line: str, width: int) -> str:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.fill(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _role(role: Role) -> Iterable[str]:
    also = f" (also {', '.join(role.aliases)})" if role.aliases else ""
    yield f"  {role.key}: {role.name} <{role.address}>{also}, {role.time_zone.key}"
    for person in role.partners:
        zone = person.time_zone.key if person.time_zone else role.time_zone.key
        own = f"; hours beside the name are times of {zone}" if zone != role.time_zone.key else ""
        yield f"    {person.key}: {person.name} <{person.email}>{own}"


def _door(host: str, port: int) -> str:
    if not host:
        return f"port {port} of every interface"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _outside(configuration: Configuration) -> Iterable[str]:
    """Warn of a role outside ``our_domains``: the partners' colleagues become strangers."""
    ours = configuration.settings.our_domains
    for role in configuration.roles:
        if domain_of(role.address) not in ours:
            domains = ", ".join(sorted(ours))
            yield f"{role.address} is of none of our_domains ({domains}), so its own colleagues count as outside"
