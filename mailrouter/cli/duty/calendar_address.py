"""``mailrouter calendar-address``: where a role's or a partner's calendar feed is, and a new address for it."""

from __future__ import annotations

import argparse
import sys

from mailrouter.calendars.feed_secret import draw_anew, name_of
from mailrouter.calendars.feeds import Feeds
from mailrouter.cli.common import load, partner_named, role_named
from mailrouter.runtime.keys import NAME, read_keys


def calendar_address(options: argparse.Namespace) -> int:
    """Print the address; whoever knows it reads the feed."""
    configuration = load(options)
    role = role_named(configuration, options.role)
    partner = partner_named(role, options.partner).key if options.partner else ""
    settings = configuration.settings
    feeds = Feeds(configuration, read_keys(settings.run_folder / NAME).current)
    if options.new:
        draw_anew(settings.run_folder, name_of(role.key, partner))
        print("The address before is out of use.", file=sys.stderr)
    print(f"{settings.calendar_url or '/calendar'}/{feeds.secret(role, partner)}.ics")
    if settings.calendar_url is None:
        hint = "This is the way alone: calendar_url in mailrouter.yaml says what stands before it."
        print(hint, file=sys.stderr)
    return 0
