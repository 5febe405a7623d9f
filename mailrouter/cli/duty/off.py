"""``mailrouter off``: a partner is away."""

from __future__ import annotations

import argparse

from mailrouter.cli.common import load, partner_named
from mailrouter.cli.duty.change_common import carry_out, read_as, role_of, wall_now
from mailrouter.errors import UsageError
from mailrouter.schedule.language.mail_lines import NOTE_LENGTH
from mailrouter.schedule.language.requests import Off
from mailrouter.schedule.language.spans import spans_in


def off(options: argparse.Namespace) -> int:
    """Put an absence into the role's file, and have both partners told."""
    configuration = load(options)
    role = role_of(configuration, options, options.partner)
    who = partner_named(role, options.partner)
    first, last = options.first or "today", options.last
    said = f"from {first} to {last}" if last else first
    spans = read_as("--from/--until" if last else "--from", lambda: spans_in(said, wall_now(role)))
    cover = partner_named(role, options.cover).key if options.cover else None
    if cover == who.key:
        raise UsageError(f"{cover} can't cover for themselves.")
    note = " ".join((options.note or "").split())
    if len(note) > NOTE_LENGTH:
        raise UsageError(f"--note is longer than {NOTE_LENGTH} characters.")
    return carry_out(options, role, Off(who.key, spans, cover, note))
