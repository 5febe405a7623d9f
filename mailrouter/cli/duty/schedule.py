"""``mailrouter schedule``: who is on duty, as a table, as data, or a month as a picture."""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from mailrouter.cli.common import day_of, in_colour, load, print_json, role_named, width
from mailrouter.cli.duty.feed_file import print_feed
from mailrouter.cli.tables import as_table
from mailrouter.errors import MailrouterError, UsageError
from mailrouter.schedule.localtime import local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.rota import monday_of
from mailrouter.schedule.timeline import Span, day_range, timeline
from mailrouter.schedule.views.grid import month_of
from mailrouter.schedule.views.svg import month_picture

_DAYS_SHOWN = 14


def schedule(options: argparse.Namespace) -> int:
    """Print who is on duty from one day to another, both included. Two weeks from today without them."""
    configuration = load(options)
    role = role_named(configuration, options.role)
    if options.partner and not options.ical:
        raise UsageError("--partner goes with --ical.")
    first, last = _days(options, local_day(datetime.now(UTC), role.time_zone))
    if options.ical:
        asked = options.first or options.last or options.week is not None or options.month is not None
        return print_feed(configuration, role, options.partner, (first, last) if asked else None)
    if options.svg:
        return _picture(role, first, options.svg)
    spans = timeline(role, *day_range(role, first, last))
    if options.json:
        print_json(as_json(spans, role))
    else:
        about = f"{role.name} <{role.address}>, times of {role.time_zone.key}"
        print(textwrap.fill(about, width(), break_long_words=False, break_on_hyphens=False) + "\n")
        print(as_table(spans, role, width(), in_colour()))
    return 0


def _days(options: argparse.Namespace, today: date) -> tuple[date, date]:
    """The first and the last day that are asked for. Raises UsageError."""
    ways = [name for name in ("week", "month") if getattr(options, name) is not None]
    ways += ["from or --to"] if options.first or options.last else []
    if len(ways) > 1:
        raise UsageError(f"--{ways[0]} and --{ways[1]} can't stand together; use one of them.")
    if options.week is not None:
        monday = monday_of(day_of(options.week or None, "--week", today))
        return monday, monday + timedelta(days=6)
    if options.month is not None or (options.svg and not ways):
        return month_of(_month(options.month, today))
    first = day_of(options.first, "--from", today)
    last = day_of(options.last, "--to", first + timedelta(days=_DAYS_SHOWN - 1))
    if last < first:
        raise UsageError(f"--to {last} lies before --from {first}.")
    return first, last


def _month(text: str | None, today: date) -> date:
    """A day of the month: ``2026-12``, or any day of it."""
    whole = f"{text}-01" if text and len(text) == len("2026-12") else text
    try:
        return day_of(whole or None, "--month", today)
    except UsageError:
        raise UsageError(f"--month: {text} is not a month; write it as 2026-12.") from None


def _picture(role: Role, first: date, where: str) -> int:
    """Write the month of ``first``; ``-`` is the standard output."""
    made = month_picture(role, first)
    if where == "-":
        sys.stdout.write(made)
        return 0
    try:
        Path(where).write_text(made, encoding="utf-8")
    except OSError as error:
        raise MailrouterError(f"{where} can't be written: {error.strerror}.") from error
    print(f"{where}: {first:%B %Y} of {role.name}")
    return 0


def as_json(spans: Sequence[Span], role: Role) -> list[dict[str, object]]:
    """``[{"start", "end", "on", "why"}]``: ISO 8601 with the offset of the role's zone, half-open.

    ``on`` are the partners' keys (a stand-in's is the address); nobody is ``[]``.
    """
    return [
        {
            "start": span.start.astimezone(role.time_zone).isoformat(),
            "end": span.end.astimezone(role.time_zone).isoformat(),
            "on": list(span.on),
            "why": span.why,
        }
        for span in spans
    ]
