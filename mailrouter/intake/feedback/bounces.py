"""Mail to our return paths: read, tied to its delivery, and kept from everybody it is not for.

A bounce is recorded with what follows from it, and goes no further: it may hold the very copy that it returns, note
and handoff with it. A partner's own out-of-office is absorbed too. Only what a person wrote there by hand is mail, to
the partners of the role.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailrouter import events
from mailrouter.errors import StoreError
from mailrouter.intake.feedback.failures import of_failure
from mailrouter.intake.feedback.incident import Answer
from mailrouter.intake.feedback.loops import BEEN_HERE
from mailrouter.intake.feedback.probes import probe_of
from mailrouter.intake.received import Received
from mailrouter.message.dsn.bounce import MAX_READ, Bounce, read_bounce, unmarked_absence
from mailrouter.message.dsn.wording import one_line
from mailrouter.message.head import Head
from mailrouter.moments import milliseconds
from mailrouter.routing.letters.undelivered import News
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.store.ids import DeliveryId, Milliseconds
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.protocols import Reading
from mailrouter.trust.tokens import VALID_DAYS, TokenError

log = logging.getLogger("mailrouter.intake")

_CODE = re.compile(r"(?<![\w.])(?:[45][0-9][0-9][ -]|[45]\.[0-9]{1,3}\.[0-9]{1,3}\b)")
_BEGINS = re.compile(r"[45][0-9][0-9](?![^ -])")

NO_SUCH = "550 5.1.1 This address takes no mail here"


@dataclass(slots=True)
class Reported:
    """The outcomes that a message reports, and its mail: ``outcomes`` are to be recorded, ``mail`` are the roles for
    which it is mail after all; ``nobody``: it is mail for a role that is no more; ``gone``: nothing is known of what
    they were made for.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    mail: list[Role] = field(default_factory=list)
    nobody: bool = False
    gone: bool = False
    reasons: list[str] = field(default_factory=list)


def returned_number(desk: Desk, address: str, at: Milliseconds) -> DeliveryId | str | None:
    """The delivery or probe that the return path ``address`` was made for; the refusal where it can't be taken; None:
    no return path. By its seal and its day alone."""
    try:
        return desk.return_paths.delivery_of(address, at)
    except TokenError as error:
        if error.reason == "expired":
            return f"550 5.1.1 This return address was good for {VALID_DAYS} days; please write to the role itself"
        return NO_SUCH


async def returned_to(desk: Desk, reader: Reading, address: str, at: Milliseconds) -> Delivery | None:
    """The delivery that mail to the return path ``address`` is about; None where there is none. Raises StoreError."""
    number = returned_number(desk, address, at)
    return None if number is None or isinstance(number, str) else await reader.delivery(number)


async def reports_of(
    desk: Desk, reader: Reading | None, received: Received, returned: Sequence[str]
) -> Reported:
    """Read what a message says to the return paths among its recipients.

    Raises StoreError; a fault of ours in telling others costs the telling alone.
    """
    if not returned:
        return Reported()
    at, ids, probed = milliseconds(received.moment), dict[DeliveryId, None](), False
    for address in returned:
        if probe_of(desk.return_paths, address, at) is not None:
            probed = True
        elif reader is not None and (about := await returned_to(desk, reader, address, at)) is not None:
            ids[about.id] = None
        await asyncio.sleep(0)  # a stranger may name a hundred
    if reader is None or not ids:
        return Reported(gone=not probed)
    return await _read_reports(desk, reader, received, received.head, list(ids))


async def _read_reports(
    desk: Desk, reader: Reading, received: Received, head: Head, numbers: Sequence[DeliveryId]
) -> Reported:
    """The reports in a message about deliveries with these ``numbers``; others have their turn after each."""
    raw = await received.read(MAX_READ)
    found, shape, path, moment = Reported(), received.shape, received.reverse_path, received.moment
    bounce = read_bounce(head, shape, raw, path)
    for number in numbers:
        await asyncio.sleep(0)
        delivery = await reader.delivery(number)
        said = bounce
        if said is None and delivery is not None:
            said = unmarked_absence(head, shape, raw, path, delivery.recipient)
        if delivery is None:
            found.reasons.append("a report about mail that is not known any more; it goes to nobody")
        elif said is None:
            roles = _roles(desk, delivery)
            found.mail += [role for role in roles if role not in found.mail]
            found.nobody |= not roles
            found.reasons.append(
                f"somebody wrote to the return path of {delivery.queue_id}; it is mail to the role"
            )
        else:
            found.reasons.append(
                f"{_MEANING[said.kind]} about {delivery.queue_id} to {delivery.recipient}: it goes to nobody"
            )
            if (outcome := await _outcome(desk, reader, delivery, said, head, moment)) is not None:
                found.outcomes.append(outcome)
    return found


async def _outcome(
    desk: Desk, reader: Reading, delivery: Delivery, bounce: Bounce, head: Head, moment: datetime
) -> Outcome | None:
    """Log one report and learn from it; gives what it makes of the delivery, with what is told of it."""
    desk.mailboxes.reports[bounce.kind] += 1
    line = _line(bounce, head)
    words = _codes(bounce) if delivery.inside else line
    # Its words stay out of the log: they may be a subject.
    fields: events.Fields = {
        "kind": bounce.kind,
        "role": delivery.role,
        "to": delivery.recipient,
        "dsn": bounce.status or None,
    }
    failed = bounce.kind == "failed"
    name, level = ("bounced", logging.WARNING) if failed else ("returned", logging.INFO)
    events.tell(log, name, delivery.queue_id, fields, level=level, words=_MEANING[bounce.kind])
    at = milliseconds(moment)
    # Our own refusal, come home: the mailbox sent the copy to the role, and may have kept it as well.
    round_again = BEEN_HERE in line
    if bounce.kind == "auto-reply":
        desk.mailboxes.arrived(delivery.recipient, at, certain=True)
    elif bounce.kind in ("failed", "delayed") and not round_again:
        desk.mailboxes.failed(delivery.recipient, at, words, returned=True)
    if bounce.kind not in ("failed", "auto-reply"):
        return None
    news: News = "away" if bounce.kind == "auto-reply" else "loop" if round_again else "bounced"
    state = delivery.state if news == "away" else "bounced"
    try:
        answer = Answer(news, words, bounce.status, bounce.in_field)
        told = await of_failure(desk, reader, delivery, answer, moment)
    except StoreError:
        raise
    except Exception:
        log.exception("%s: nobody can be told that it came back", delivery.queue_id)
        told = ()
    return Outcome(delivery.id, state, words, at, consequences=told)


_MEANING = {
    "failed": "a bounce",
    "delayed": "a delay notice",
    "delivered": "a delivery receipt",
    "auto-reply": "an automatic answer",
    "feedback": "a complaint",
    "receipt": "a read receipt",
    "other-report": "an automatic message",
}


def _line(bounce: Bounce, head: Head) -> str:
    """Status and words on one line, the status once; of a bounce without words of its own, the status alone: its
    subject tends to be the original's, which IT need not read. Nor need they read a line of a mail that is quoted,
    so outside a field only a line with a server's code counts."""
    words = bounce.diagnostic
    if bounce.kind == "failed" and (
        words == one_line(head.text("subject") or "") or not (bounce.in_field or _CODE.search(words))
    ):
        words = ""
    return words if not bounce.status or bounce.status in words else f"{bounce.status} {words}".strip()


def _codes(bounce: Bounce) -> str:
    """Codes alone: whatever else a report holds may quote the handoff that its copy carried."""
    code = _BEGINS.match(bounce.diagnostic) if bounce.in_field else None
    return f"{code[0] if code else ''} {bounce.status}".strip()


def _roles(desk: Desk, delivery: Delivery) -> Sequence[Role]:
    keys = delivery.roles
    return [role for role in desk.configuration.roles if role.key in keys]
