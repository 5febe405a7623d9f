"""The purpose of mail to each of a role's addresses: one row a sub-address (RFC 5233).

A new purpose is one module that decides about such a mail, and one row in ``PURPOSES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mailrouter.intake.role_file import KnownChanges, schedule_request
from mailrouter.intake.worker_answers import Answers
from mailrouter.routing.partner.decision import PartnerRequest
from mailrouter.routing.partner.handoff_request import HandoffRequest
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.trust.tokens import token_of

MakeRequest = Callable[[Desk, Role, Answers, KnownChanges], PartnerRequest]


@dataclass(frozen=True, slots=True)
class Purpose:
    """The purpose of mail to a sub-address.

    ``copies``: every partner gets a copy, as of mail to the role itself. ``request`` makes what decides about a
    partner's mail, with the role's facts. Without either no mail is taken. ``changes_file``: it may change the role's
    file, which a trial must not.
    """

    tag: str
    copies: bool = False
    request: MakeRequest | None = None
    changes_file: bool = False


COPIES = Purpose("", copies=True)
"""Of the role's own address, and of every sub-address that has no row."""
RETURN_PATH = Purpose("b")
"""Of the return paths of copies (``trust/tokens.py``): what comes there is read, and goes to nobody."""
HANDOFF = Purpose("handoff", request=lambda *_: HandoffRequest())
SCHEDULE = Purpose("schedule", request=schedule_request, changes_file=True)
SHARE = Purpose("share")
"""Kept for later: no mail is taken there."""
PURPOSES = {purpose.tag: purpose for purpose in (HANDOFF, SCHEDULE, SHARE)}


class Recipient(NamedTuple):
    """One recipient of a message: whose it is, what for, and what stands behind the ``-`` of its sub-address.

    ``role`` is None for a return path, and for an address that is none of ours (``kind``).
    """

    address: str
    kind: Literal["role", "return path", "not ours"]
    role: Role | None
    purpose: Purpose
    token: str | None = None


class Target(NamedTuple):
    """One role's address for partners, as it was written to; ``token`` is what stands there, None for none."""

    role: Role
    purpose: Purpose
    token: str | None = None


class Addressed(NamedTuple):
    """The addressees of a message: ``roles`` that get copies, each once; ``targets`` at addresses for partners; and
    ``returned``, the return paths of ours among its recipients.
    """

    roles: tuple[Role, ...]
    targets: tuple[Target, ...] = ()
    returned: tuple[str, ...] = ()

    @property
    def partners_alone(self) -> tuple[Role, ...]:
        """The roles that were written to at their addresses for partners alone."""
        plain = {role.key for role in self.roles}
        found = {t.role.key: t.role for t in self.targets if t.role.key not in plain}
        return tuple(found.values())


def recipient_of(desk: Desk, address: str) -> Recipient:
    """Tell whose an address is, and what for."""
    if token_of(address) is not None:
        return Recipient(address, "return path", None, RETURN_PATH)
    role, tag = desk.role_of(address)
    if role is None:
        return Recipient(address, "not ours", None, COPIES)
    purpose, token = purpose_of(tag)
    return Recipient(address, "role", role, purpose, token)


def purpose_of(sub_address: str) -> tuple[Purpose, str | None]:
    """The row of a sub-address, and the token behind its ``-``; None for no token."""
    name, dash, token = sub_address.partition("-")
    purpose = PURPOSES.get(name, COPIES)
    if dash and purpose.request is None:
        return COPIES, None  # of a reserved word its very self alone is reserved
    return purpose, token if dash else None


def addressed(desk: Desk, recipients: Iterable[str]) -> Addressed:
    """Tell who is meant by the recipients of a message; those that are none of ours are passed over."""
    roles: dict[str, Role] = {}
    targets: dict[tuple[str, str, str | None], Target] = {}
    returned: list[str] = []
    for found in (recipient_of(desk, address) for address in recipients):
        if found.kind == "return path":
            returned.append(found.address)
        elif found.role is not None and found.purpose.request is not None:
            key = (found.role.key, found.purpose.tag, found.token)
            targets.setdefault(key, Target(found.role, found.purpose, found.token))
        elif found.role is not None:
            roles.setdefault(found.role.key, found.role)
    return Addressed(tuple(roles.values()), tuple(targets.values()), tuple(returned))
