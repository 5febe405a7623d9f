"""``mailrouter swap``: a partner works on another's day."""

from __future__ import annotations

import argparse

from mailrouter.cli.common import load, partner_named
from mailrouter.cli.duty.change_common import carry_out, read_as, role_of, wall_now
from mailrouter.config.values.errors import Wrong
from mailrouter.config.values.times import time_range
from mailrouter.errors import UsageError
from mailrouter.schedule.language.requests import Works
from mailrouter.schedule.language.spans import day_in


def swap(options: argparse.Namespace) -> int:
    """Put a swap into the role's file, and have both partners told."""
    configuration = load(options)
    role = role_of(configuration, options, options.partner)
    who = partner_named(role, options.partner)
    today = wall_now(role).date()
    day = read_as("DAY", lambda: day_in(options.day, today))
    back = read_as("--for", lambda: day_in(options.back, today)) if options.back else None
    if day == back:
        raise UsageError("--for: that is the day of the swap itself.")
    try:
        hours = time_range(options.hours) if options.hours else None
    except Wrong as wrong:
        raise UsageError(f"--hours: {wrong.what}; {wrong.hint}.") from None
    return carry_out(options, role, Works(who.key, day, back, hours))
