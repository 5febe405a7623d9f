"""``mailrouter schedule``: the spans of a role as data and as a table."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from mailrouter.calendars.published import changed_at, feed_range
from mailrouter.cli.common import day_of, load, partner_named, print_json, role_named, width
from mailrouter.config import Configuration
from mailrouter.errors import UsageError
from mailrouter.schedule.feed import feed
from mailrouter.schedule.localtime import day_start, local_day
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import Span, day_range, timeline
from mailrouter.schedule.words import called, joined, short_date

_DAY_COLUMN = len("Thu 31 Dec  ")
_HOURS_COLUMN = len("09:00–17:00  ")
_NARROWEST_REASON = 16


_DAYS_SHOWN = 14


def schedule(options: argparse.Namespace) -> int:
    """Print who is on duty from a day to a day, both included; two weeks from today without them."""
    configuration = load(options)
    role = role_named(configuration, options.role)
    if options.ical:
        return _as_feed(configuration, role, options)
    if options.partner:
        raise UsageError("--partner goes with --ical.")
    first = day_of(options.first, "--from", local_day(datetime.now(UTC), role.time_zone))
    last = day_of(options.last, "--to", first + timedelta(days=_DAYS_SHOWN - 1))
    if last < first:
        raise UsageError(f"--to {last} lies before --from {first}.")
    spans = timeline(role, *day_range(role, first, last))
    if options.json:
        print_json(as_json(spans, role))
    else:
        print(f"{role.name} <{role.address}>, times of {role.time_zone.key}\n")
        print(as_table(spans, role, width()))
    return 0


def _as_feed(configuration: Configuration, role: Role, options: argparse.Namespace) -> int:
    """The feed on standard output: octets, with line ends that no platform may change."""
    zone = role.time_zone
    start, end = feed_range(role, datetime.now(UTC))
    if options.first or options.last:
        first = day_of(options.first, "--from", local_day(start, zone))
        last = day_of(options.last, "--to", max(first, local_day(end, zone)))
        if last < first:
            raise UsageError(f"--to {last} lies before --from {first}.")
        start, end = day_range(role, first, last)
    partner = partner_named(role, options.partner).key if options.partner else None
    sys.stdout.buffer.write(feed(role, start, end, changed_at(configuration, role), partner))
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


def as_table(spans: Sequence[Span], role: Role, width: int = 80) -> str:
    """One line a span, grouped by day: the day, the hours, who is on, and why.

    Hours outside the rota are left out. A span that ends after midnight stands at the day it begins on; one
    of more than a day is shown day by day. No line is longer than ``width`` columns, down to what names need.
    """
    shown = [part for span in spans if span.on or span.why != "outside hours" for part in _by_day(span, role)]
    if not shown:
        return "nobody has hours on these days"
    names = [_names(span, role) for span in shown]
    names_column = max(map(len, names)) + 2
    indent = _DAY_COLUMN + _HOURS_COLUMN + names_column
    lines: list[str] = []
    day_before = None
    for span, who in zip(shown, names, strict=True):
        start, end = (moment.astimezone(role.time_zone) for moment in (span.start, span.end))
        day = start.date()
        first = "" if day == day_before else short_date(day)
        hours = f"{start:%H:%M}–{_end_of(start, end)}"
        head = f"{first:<{_DAY_COLUMN}}{hours:<{_HOURS_COLUMN}}{who:<{names_column}}"
        reason = textwrap.wrap(_reason(span), max(width - indent, _NARROWEST_REASON))
        lines += [head + reason[0], *(" " * indent + more for more in reason[1:])]
        day_before = day
    return "\n".join(lines)


def _by_day(span: Span, role: Role) -> Iterator[Span]:
    """The span itself, or its days where it is longer than one."""
    start = span.start
    while span.end - start > timedelta(days=1):
        midnight = day_start(local_day(start, role.time_zone) + timedelta(days=1), role.time_zone)
        yield Span(start, midnight, span.on, span.why)
        start = midnight
    yield Span(start, span.end, span.on, span.why)


def _end_of(start: datetime, end: datetime) -> str:
    """The end on the clock; midnight is the end of the day that it ends."""
    return "24:00" if end.time() == datetime.min.time() and end.date() > start.date() else f"{end:%H:%M}"


def _names(span: Span, role: Role) -> str:
    names = called(role)
    return joined(names[key] for key in span.on) or "nobody"


def _reason(span: Span) -> str:
    """The reason without the day and the names, which have columns of their own."""
    return re.sub(r"^\w+: [^;]+ by the rota(?!; \w+: )", "by the rota", span.why)
