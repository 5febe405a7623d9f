"""Admission of a message: all that can refuse it, for the service, a trial and ``explain`` alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from mailrouter.intake.feedback.bounces import NO_SUCH, Reported, returned_number
from mailrouter.intake.feedback.loops import CAME_BACK, TOO_MANY, came_back, too_far_travelled
from mailrouter.intake.partner.decide import asked_about
from mailrouter.intake.purposes import Addressed, recipient_of
from mailrouter.intake.received import Received
from mailrouter.message.shape import Shape
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import too_large
from mailrouter.store.ids import MOST_PLANNED

MAX_SIZE = 256 * 1000 * 1000
"""Octets taken where neither the configuration nor the next hop names a limit: a disk is not endless."""
NOT_OURS = "550 5.7.1 No mail is taken here for this address"
FILE_GONE = "450 4.3.5 Mail for this address can't be taken at the moment; please try again later"
"""The answer while a role's file is missing: most often somebody is just copying files."""
NOBODY = "450 4.2.1 Nobody takes mail for this address at the moment; please try again later"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The door's reply to a message that is not taken.

    ``why`` are further reasons, for IT alone; ``looped`` the roles whose own copy has come back, and ``vacant`` the
    role that has no partner at the moment.
    """

    reply: str
    why: tuple[str, ...] = ()
    looped: tuple[Role, ...] = ()
    vacant: Role | None = None


class Admitted(NamedTuple):
    """The admitted recipients of a message that is taken.

    ``to`` are its recipients, with the roles for which a mail to a return path is mail after all; ``by_hand`` are
    those, and ``roles`` everyone's whose partners may get something of it.
    """

    to: Addressed
    roles: tuple[Role, ...]
    by_hand: tuple[Role, ...] = ()


def max_size(desk: Desk, next_hop: int | None) -> int:
    """Octets of the largest message taken: as configured, else as ``next_hop`` takes them, else a bound."""
    return desk.configuration.settings.max_size or next_hop or MAX_SIZE


def refused_recipient(desk: Desk, address: str, moment: datetime) -> Refusal | None:
    """The answer to RCPT where it is no; None for an address that takes mail.

    Taken are roles with any sub-address that has no meaning of its own, their addresses for partners, and the
    return paths of copies. A token is judged by its seal and its date: whether the store still knows what it was made
    for is looked at once the message is there (``admit``, ``partner.decide``).
    """
    at = milliseconds(moment)
    if (returned := returned_number(desk, address, at)) is not None:
        return Refusal(returned) if isinstance(returned, str) else None
    found = recipient_of(desk, address)
    if found.role is None:
        return Refusal(NOT_OURS)
    if found.token is not None:
        asked = asked_about(desk, found.role, found.token, at, found.purpose.tag)
        return Refusal(asked) if isinstance(asked, str) else None
    if not found.purpose.copies and found.purpose.request is None:
        return Refusal(NO_SUCH)
    return _vacant(desk, [found.role], moment)


def admit(desk: Desk, received: Received, to: Addressed, reported: Reported) -> Refusal | Admitted:
    """The decision whether a whole message is taken.

    ``to`` are its recipients, each of which was taken; ``reported`` is what it says to return paths among them. What
    only reports something goes to nobody, so it may be as broken as it is.
    """
    shape = received.shape
    if received.max_size is not None and shape.size > received.max_size:
        return Refusal(too_large(received.max_size))
    by_hand = tuple(role for role in reported.mail if role not in to.roles)
    to = to._replace(roles=(*to.roles, *by_hand))
    roles = [*to.roles, *to.partners_alone]
    if not roles:
        if reported.nobody or reported.gone:
            return Refusal(NO_SUCH)
        return Admitted(to, ()) if to.returned else Refusal(NOT_OURS)
    if reply := unfit(shape):
        return Refusal(reply)
    if too_far_travelled(received):
        return Refusal(TOO_MANY)
    if back := came_back(desk, received, roles):
        return Refusal(CAME_BACK, looped=tuple(back))
    return _vacant(desk, roles, received.moment) or Admitted(to, tuple(roles), by_hand)


def too_many_deliveries(roles: int, planned: int) -> Refusal | None:
    """The refusal of a message with too many deliveries to ``roles``.

    The numbers of one message's deliveries are bounded.

    It is permanent: there would be as many at each try. Its sender hears of it, and can write to fewer at once.
    """
    if planned <= MOST_PLANNED:
        return None
    reply = f"554 5.5.3 Too many people behind these {roles} addresses; send it to fewer of them at once"
    return Refusal(reply, (f"{planned} deliveries of one message",))


def unfit(shape: Shape) -> str | None:
    """The refusal of an unfit message, or None."""
    if shape.bare_cr or shape.bare_lf or shape.nul:
        # Sent on as they are, they smuggle a second message past the next server.
        return "550 5.6.11 The message holds a bare CR, a bare LF or a NUL"
    if shape.header_too_large:
        return "552 5.3.4 The message's header is too large"
    if shape.too_many_fields:
        return "552 5.3.4 The message's header has too many fields"
    if shape.too_deep or shape.too_many_parts:
        return "554 5.6.0 The message has too many parts inside parts"
    return None


def vacant(desk: Desk, roles: Sequence[Role], moment: datetime) -> Role | None:
    """The first of ``roles`` that has no partner at ``moment``: its mail waits, for its file may be mended any time."""
    return next((role for role in roles if not desk.role_at(role, moment).partners), None)


def _vacant(desk: Desk, roles: Sequence[Role], moment: datetime) -> Refusal | None:
    if any(role.key in desk.vanished for role in roles):
        return Refusal(FILE_GONE)
    role = vacant(desk, roles, moment)
    return Refusal(NOBODY, vacant=role) if role else None
