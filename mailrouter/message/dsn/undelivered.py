"""The facts of a report to a sender, and its allowance. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Action = Literal["failed", "delayed", "expanded"]
"""What became of the mail (RFC 3464 §2.3.3); ``expanded``: passed on to several, of whom nothing is told."""


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The facts about mail that reached nobody behind a role.

    ``reverse_path`` is the original's; ``moment`` and ``arrived`` have time zones, and people read them in
    that zone. ``status`` is an enhanced code (RFC 3463) and ``diagnostic`` the remote server's words; both as
    they came. ``private`` are the partners' addresses, and any names or hosts that may not be told.
    ``envid``, ``orcpt`` and ``full`` (RET=FULL) are the parameters of RFC 3461 as the sender wrote them.
    ``retry_until`` makes it a delay notice, ``expanded`` one that the mail was passed on. ``seed`` is 16 random octets
    or more. ``sender`` is the address that reports: the postmaster at ``hostname`` where it is empty.
    """

    role_address: str
    role_name: str
    reverse_path: str
    hostname: str
    moment: datetime
    arrived: datetime
    seed: bytes
    status: str = ""
    diagnostic: str = field(default="", repr=False)
    private: tuple[str, ...] = field(default=(), repr=False)
    envid: str | None = None
    orcpt: str | None = None
    full: bool = False
    retry_until: datetime | None = None
    expanded: bool = False
    sender: str = ""

    @property
    def international(self) -> bool:
        """Whether the report may be UTF-8, like its address (RFC 6533 §4)."""
        return not self.reverse_path.isascii()

    @property
    def action(self) -> Action:
        """The action field's word for the mail (RFC 3464 §2.3.3)."""
        return "expanded" if self.expanded else "delayed" if self.retry_until else "failed"


def wants_dsn(notify: str | None, event: Action) -> bool:
    """Whether the sender may hear of this, by NOTIFY (RFC 3461 §4.1). NOTIFY is a parameter of the role's RCPT.

    Without one, failure and delay are told (§5.2.1 leaves the delay to us).
    """
    words = {word.strip().upper() for word in (notify or "FAILURE,DELAY").split(",")}
    return {"failed": "FAILURE", "delayed": "DELAY", "expanded": "SUCCESS"}[event] in words
