"""A role's file as it would be with another text: loaded and checked with all the others, as the service would.

These are whole pieces of work that a process of its own can be asked for (``mailrouter.worker``): a partner's file
may be hostile, and with many roles the check takes a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mailrouter.config.last_good import proposed
from mailrouter.config.text_edits import edited
from mailrouter.schedule.changes.edits import Edit
from mailrouter.schedule.model import Role


def replaced_role(folder: Path, key: str, hostname: str, text: bytes) -> Role:
    """The role that ``text`` in place of its file would give. Raises ConfigurationError with all problems."""
    return proposed(folder, key, text, hostname).role(key)


def edited_role(
    folder: Path, key: str, hostname: str, text: bytes, edits: Sequence[Edit], role: Role
) -> tuple[bytes, Role]:
    """The text with these edits made, and the role that it gives; ``role`` is what it says before. Raises CannotEdit,
    ConfigurationError."""
    after = edited(text, edits, role)
    return after, replaced_role(folder, key, hostname, after)
