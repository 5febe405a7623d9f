"""A role's file that comes back by mail: what may be different in it. Pure.

Who the partners are, and the role's addresses, are never changed by mail: whoever could write in a partner's name would
otherwise have the role's mail sent elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from mailrouter.address import canonical, domain_of
from mailrouter.errors import MailrouterError
from mailrouter.schedule.model import Role


def may_become(old: Role, new: Role, our_domains: Collection[str]) -> None:
    """Raises MailrouterError where ``new`` has what can't be changed by mail."""
    if _identity(new) != _identity(old):
        raise MailrouterError(
            "The role's addresses, and who the partners are (with their mailboxes, first and last days, and "
            "calendars), can't be changed by mail. Please leave these lines as they are; IT can change them in "
            "the file itself."
        )
    strange = {address for address in _reached(new) - _reached(old) if domain_of(address) not in our_domains}
    if strange:
        raise MailrouterError(
            f"A mailbox outside can't be brought in by mail ({', '.join(sorted(strange))}), for it would get mail, "
            "or the schedule. IT can change that in the file itself."
        )


def version_mark(text: bytes) -> str:
    """The mark of a file's text, for a mail's Message-ID. It tells one text from another."""
    return hashlib.sha256(text).hexdigest()[:20]


def with_line_ends_of(known: bytes, text: str) -> bytes:
    """Mail makes every line end CRLF; a file keeps its own."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    text = text if text.endswith("\n") else text + "\n"
    return (text.replace("\n", "\r\n") if b"\r\n" in known else text).encode("utf-8")


def _identity(role: Role) -> tuple[object, ...]:
    return (
        role.address,
        sorted(role.aliases),
        {p.key: (p.email, p.name, p.since, p.until, p.calendar) for p in role.partners},
    )


def _reached(role: Role) -> set[str]:
    """The mailboxes, beside the partners', that something of the role goes to."""
    return {
        canonical(to) for to in (*(p.email for p in role.people), *(role.weekly.to if role.weekly else ()))
    }
