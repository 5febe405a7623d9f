"""``mailrouter undo``: the last change of a schedule by mail or command is taken back."""

from __future__ import annotations

import argparse

from mailrouter.cli.common import load
from mailrouter.cli.duty.change_common import carry_out, role_of
from mailrouter.schedule.language.requests import Plain


def undo(options: argparse.Namespace) -> int:
    """Take back the last change of the file, and tell both partners."""
    return carry_out(options, role_of(load(options), options), Plain("undo"))
