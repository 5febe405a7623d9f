"""Mails and situations in a few words, and what a plan comes to in bytes."""

from __future__ import annotations

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage, MIMEPart
from functools import lru_cache

from mailrouter.message.head import Head
from mailrouter.message.pieces import Pieces, render
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape
from mailrouter.message.text.writing import quoted_printable
from mailrouter.routing.model import Copy, Plan, Situation
from mailrouter.routing.plan import plan
from mailrouter.routing.wording import CurrentHandoff, Wording
from mailrouter.runtime.templates import Templates
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Emergency, Role
from tests.schedule.roles import at, role_of

ROLE = "vp-hr@example.test"
AWAY = "away elaine 2026-12-01..2027-01-01 cover laurie"
BOTH_AWAY = "away elaine 2026-12-01..2027-01-01; away laurie 2026-12-01..2027-01-03"
STAND_IN = "away elaine 2026-12-01..2027-01-01 cover pat"
THURSDAY = "2026-12-03 10:00"
CANARY = "canary-7f3a"
HANDOFF_TEXT = f"Done:\n- the budget ({CANARY})\n\nLeft:\n- call Jürgen\n"
HANDOFF_BODY = quoted_printable(HANDOFF_TEXT)
HANDOFF = CurrentHandoff(7, "Laurie", datetime(2026, 12, 1, 18, 0, tzinfo=UTC), len(HANDOFF_BODY))
EMERGENCY = Emergency("HR duty line", "+1 650 555 0100", tell="inside")


@lru_cache(maxsize=1)
def templates() -> Templates:
    """The shipped templates, compiled once for all tests."""
    return Templates()


def role(text: str = "", **changes: object) -> Role:
    """``tests.schedule.roles.role_of`` with fields replaced."""
    return replace(role_of(text), **changes)  # type: ignore[arg-type]


def second_role(text: str = "", **changes: object) -> Role:
    """Another role of the same people."""
    given = {"key": "office", "address": "office@example.test", "name": "Office"}
    return role(text, **(given | changes))


def mail(*fields: str | bytes, body: bytes = b"Hello.\r\n") -> bytes:
    """A mail from Jane to the role; ``fields`` are added, or stand instead of those of their names."""
    lines = {
        b"from": b"From: Jane Doe <jane@example.test>",
        b"to": b"To: VP HR <vp-hr@example.test>",
        b"subject": b"Subject: The budget",
        b"date": b"Date: Thu, 03 Dec 2026 10:00:00 -0800",
        b"message-id": b"Message-ID: <one@example.test>",
    }
    more = []
    for field in fields:
        line = field.encode() if isinstance(field, str) else field
        name, _, value = line.partition(b":")
        if name.lower() not in lines:
            more.append(line)
        elif value.strip():
            lines[name.lower()] = line
        else:
            del lines[name.lower()]
    return b"\r\n".join((*lines.values(), *more)) + b"\r\n\r\n" + body


def read(raw: bytes) -> tuple[Head, Shape]:
    """A message as the door reads it."""
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    return scanner.head, shape


def situation(
    of: Role, when: str = THURSDAY, sender: str = "jane@example.test", **facts: object
) -> Situation:
    """The facts for one role at a wall time of its zone; seed, marks and Received are always the same."""
    given: dict[str, object] = {
        "role": of,
        "duty": Roster(of).duty(at(of, when)),
        "reverse_path": sender,
        "hostname": "mx.example.test",
        "our_domains": frozenset({"example.test"}),
        "ours": frozenset({of.address, *of.aliases, "it@example.test"}),
        "received": b"Received: from client ([192.0.2.1])\r\n\tby mx.example.test with ESMTP id test;\r\n"
        b"\tThu, 03 Dec 2026 10:00:00 -0800\r\n",
        "loop_mark": f"mark-of-{of.key}",
        "seed": b"s" * 32,
        "wording": Wording(templates()),
    }
    return Situation(**(given | facts))  # type: ignore[arg-type]


def planned(raw: bytes, *situations: Situation) -> Plan:
    """The plan for a message."""
    head, shape = read(raw)
    return plan(head, shape, situations)


def octets(pieces: Pieces, raw: bytes) -> bytes:
    """A copy as it is sent; the only handoff versions that are known are 7 and 8."""
    return render(pieces, {0: raw, 7: HANDOFF_BODY, 8: HANDOFF_BODY})


def parsed(pieces: Pieces, raw: bytes = b"") -> EmailMessage:
    """A copy as an independent reader sees it."""
    message = email.message_from_bytes(octets(pieces, raw), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(part: MIMEPart) -> str:
    """The text of a part, its line ends as Python has them."""
    return str(part.get_content()).replace("\r\n", "\n")


def recipients(found: Plan) -> list[str]:
    """The local parts of those who get a copy, in order."""
    return [copy.recipient.partition("@")[0] for copy in found.copies]


def copy_for(found: Plan, name: str) -> Copy:
    """The one copy for this local part."""
    (copy,) = [copy for copy in found.copies if copy.recipient.startswith(f"{name}@")]
    return copy
