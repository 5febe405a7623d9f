"""``mailrouter who ROLE``: who is in, in one line."""

from __future__ import annotations

import argparse
from datetime import datetime

from mailrouter.cli.common import load, moment_of, print_json, role_named
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.views.one_line import briefly, ends


def who(options: argparse.Namespace) -> int:
    """Print who is in now, or at a moment; who is next, and when those away are back."""
    role = role_named(load(options), options.role)
    moment, roster = moment_of(options.at, role), Roster(role)
    if not options.json:
        print(briefly(roster, moment))
        return 0
    duty = roster.duty(moment)
    until = ends(roster, duty)

    def iso(at: datetime | None) -> str | None:
        return at.astimezone(role.time_zone).isoformat() if at else None

    print_json(
        {
            "at": iso(moment),
            "on": [{"who": p.key, "name": p.name, "until": iso(until[p.key])} for p in duty.on],
            "next": [{"who": p.key, "name": p.name, "from": iso(start)} for p, start in duty.next_on],
            "away": [
                {
                    "who": away.person.key,
                    "name": away.person.name,
                    "until": None if away.open_ended else iso(away.until),
                    "back": iso(away.back),
                    "cover": [p.key for p in away.cover],
                }
                for away in duty.away
            ],
        }
    )
    return 0
