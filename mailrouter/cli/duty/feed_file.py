"""``mailrouter schedule --ical``: the feed on standard output."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime

from mailrouter.calendars.feeds import changed_at, feed_range
from mailrouter.cli.common import partner_named
from mailrouter.config import Configuration
from mailrouter.schedule.ical.feed import feed
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import day_range


def print_feed(
    configuration: Configuration, role: Role, partner: str | None, days: tuple[date, date] | None
) -> int:
    """Everybody's or a partner's, from a day to a day; what a subscriber gets without them. Raises UsageError.

    Octets, with line ends that no platform may change.
    """
    key = partner_named(role, partner).key if partner else None
    start, end = day_range(role, *days) if days else feed_range(role, datetime.now(UTC))
    sys.stdout.buffer.write(feed(role, start, end, changed_at(configuration, role), key))
    return 0
