"""``mailrouter undo``: the last change of a schedule by mail or command is taken back."""

from __future__ import annotations

import argparse

from mailrouter.cli.common import load
from mailrouter.cli.duty.change_common import carry_out, role_of
from mailrouter.schedule.language.requests import Plain


def undo(options: argparse.Namespace) -> int:
    """Put the file back as it was before the last change, and have both partners told."""
    return carry_out(options, role_of(load(options), options), Plain("undo"))
