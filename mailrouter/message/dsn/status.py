"""Delivery status fields (RFC 3464 §2) and what they amount to. Pure; never raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

from mailrouter.message.head import Head
from mailrouter.message.parts import Part
from mailrouter.message.text.words import strip_controls

STATUS_KINDS = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/x-delivery-status"}
)
MAX_GROUPS = 100

_GROUPS = re.compile(rb"\r\n(?:[ \t]*\r\n)+")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_STATUS = re.compile(r"(?<![0-9.])([245])\.([0-9]{1,3})\.([0-9]{1,3})(?![0-9]|\.[0-9])")
_TYPED = re.compile(r"\A\s*[A-Za-z0-9-]{1,40}\s*;\s*")
_RECIPIENT = ("final-recipient", "original-recipient", "action", "status")


class RecipientStatus(NamedTuple):
    """The status of one recipient; ``""`` where the report does not say."""

    action: str
    status: str
    diagnostic: str


def read_status(part: Part) -> tuple[RecipientStatus, ...]:
    """The recipients of a message/delivery-status, in order.

    Fields of the message and of its first recipient may stand together: what names a recipient, an action or
    a status is a recipient's.
    """
    data = _LINE_END.sub(b"\r\n", part.decoded()).strip(b"\r\n \t")
    found = []
    for group in _GROUPS.split(data)[:MAX_GROUPS]:
        head = Head(group.strip(b"\r\n") + b"\r\n")
        if head.first_of(_RECIPIENT) is None:
            continue
        diagnostic = strip_controls(head.structured("diagnostic-code") or "")
        found.append(
            RecipientStatus(
                action=strip_controls(head.structured("action") or "").partition("(")[0].strip().lower(),
                status=status_in(head.structured("status") or "") or status_in(diagnostic),
                diagnostic=_TYPED.sub("", diagnostic, count=1),
            )
        )
    return tuple(found)


Verdict = Literal["failed", "delayed", "delivered", ""]


def verdict(recipients: Sequence[RecipientStatus]) -> Verdict:
    """``failed``, ``delayed`` or ``delivered``: the worst that happened; ``""`` where nothing is said."""
    said = {_one(recipient) for recipient in recipients}
    worst: Verdict
    for worst in ("failed", "delayed", "delivered"):
        if worst in said:
            return worst
    return ""


def status_in(text: str) -> str:
    """The first enhanced status code in ``text``, normalised (RFC 3463 §2), or ``""``.

    >>> status_in("550 5.01.1 no such user at 192.0.2.5.1")
    '5.1.1'
    """
    match = _STATUS.search(text)
    return ".".join(str(int(number)) for number in match.groups()) if match else ""


def _one(recipient: RecipientStatus) -> str:
    match recipient.action:
        case "failed" | "failure":
            return "failed"
        case "delayed":
            return "delayed"
        case "delivered" | "relayed" | "expanded":
            return "delivered"
    # Without an action that we know, the class of the status says it (RFC 3463 §3.1).
    return {"2": "delivered", "4": "delayed", "5": "failed"}.get(recipient.status[:1], "")
