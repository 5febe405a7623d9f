"""The contents of a mail for partners: read once, however many of their addresses it was sent to. Pure.

A stranger may write such a mail, and it may be large: the service has it read in a process of its own
(``mailrouter.worker``). Whatever is read here is cut to a bound before an expression runs over it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mailrouter.message.head import Head
from mailrouter.message.parts import leaves
from mailrouter.message.shape import Shape
from mailrouter.routing.partner.handoff_text import ENCRYPTED, Written, body_of, handoff_of
from mailrouter.routing.partner.schedule_mail import Asked, asked_of


@dataclass(frozen=True, slots=True)
class Contents:
    """A mail's text, as each address for partners needs it.

    ``body`` is what was written in the mail itself, without signature and quoted mail; ``handoff`` the attached text
    files and the body; ``asked`` what it asks of the schedule, or why it can't be read as that.
    """

    body: Written
    handoff: Written
    asked: Asked | Written


def contents_of(head: Head, shape: Shape, raw: bytes) -> Contents:
    """The contents of the whole message ``raw``, whose header section is ``head``."""
    if shape.encrypted:
        return Contents(ENCRYPTED, ENCRYPTED, ENCRYPTED)
    parts = leaves(head, raw[shape.body_start :])
    body = body_of(head, parts)
    return Contents(body, handoff_of(head, parts, body), asked_of(head, parts, body))


def read_contents(header: bytes, shape: Shape, raw: bytes) -> Contents:
    """The contents from octets alone. Another process can be asked for them so."""
    return contents_of(Head(header), shape, raw)
