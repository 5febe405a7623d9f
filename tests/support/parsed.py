"""Messages as Python's email parser has them."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message
from typing import Any


def parts_of(message: Message) -> Sequence[Any]:
    """The parts of a multipart message, or of a report's part. Of type Any, since what they are depends on the policy."""
    parts = message.get_payload()
    assert isinstance(parts, list)
    return parts
