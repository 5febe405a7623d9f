"""The effect of a role's new text: the lines and the days that differ. Pure.

Both are worked out in one step, which a process of its own can be asked for: a year of two schedules is compared day by
day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from mailrouter.routing.partner.file.lines import FileLines, file_lines
from mailrouter.schedule.model import Role
from mailrouter.schedule.views.diff import Difference, differences


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A role's file before and after, with what differs.

    These are the roles as people are to see them, the lines that differ (none where words tell all), the new text, and
    the days on which somebody else is in.
    """

    old: Role
    new: Role
    lines: FileLines
    text: bytes
    days: tuple[Difference, ...]


def file_difference(
    before: tuple[bytes, Role], after: tuple[bytes, Role], old: Role, new: Role, today: date
) -> FileDifference:
    """From two texts, each with the role that it gives by itself; ``old`` and ``new`` are these as people see them."""
    lines = file_lines(before[0], after[0], before[1], after[1])
    return FileDifference(old, new, lines, after[0], tuple(differences(old, new, today)))
