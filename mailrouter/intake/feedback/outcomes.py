"""Mailbox health learnt from attempts, and its place in the store."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Container, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from mailrouter.moments import DAY_MS
from mailrouter.runtime.mailbox_health import OF_MAILBOXES, Mailboxes
from mailrouter.smtp.replies import Reply
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import Delivery, Lost, Outcome
from mailrouter.store.protocols import Reading, Store

log = logging.getLogger("mailrouter.intake")

_CODE = re.compile(r"(?<![\w.])[45][0-9][0-9](?![\w.])")
_STATUS = re.compile(r"(?<![\w.])[45]\.[0-9]{1,3}\.[0-9]{1,3}(?![\w.])")
MOST_NAMED = 5
"""Mailboxes named in one line."""

_keeping: set[asyncio.Task[None]] = set()
"""Writes under way: a task that nobody refers to may vanish."""


async def kept_mailboxes(store: Store, people: Container[str]) -> Mailboxes:
    """The mailboxes failing when the service last ended.

    They are those of ``people`` (canonical) alone; what changes is kept in the store. Raises StoreError.
    """
    known = []
    for found in await store.reader.failing_mailboxes():
        if found.mailbox in people:
            known.append(found)
        else:
            _keep(store.forget_failing(found.mailbox))
    return Mailboxes(
        known,
        lambda found: _keep(store.keep_failing(found)),
        lambda mailbox: _keep(store.forget_failing(mailbox)),
    )


def learn(mailboxes: Mailboxes, delivery: Delivery, outcome: Outcome, reply: Reply) -> bool:
    """Learn from an attempt whether a mailbox works; True where it has not for a day and that is to be told."""
    if outcome.state == "delivered":
        mailboxes.arrived(delivery.recipient, outcome.at)
        return False
    if reply.own or reply.waits == "server" or reply.code == 421 or delivery.kind not in OF_MAILBOXES:
        return False  # it tells of a connection, or of a sender's mailbox
    return mailboxes.failed(delivery.recipient, outcome.at, outcome.reply).lasting


async def lost_lately(reader: Reading, now: Milliseconds) -> list[Lost]:
    """Mailboxes whose copies failed within a day, with the codes.

    Copies that came back count as well. Raises StoreError.
    """
    lost = await reader.lost_copies(now - DAY_MS)
    return [replace(found, words=_codes(found.words)) for found in lost]


def _codes(words: str) -> str:
    """``552 5.2.2``, however they stand in a server's words."""
    reply, status = _CODE.search(words), _STATUS.search(words)
    return " ".join(found[0] for found in (reply, status) if found)


def lost_words(lost: Sequence[Lost]) -> str:
    """A sentence about copies that were lost lately, ``""`` for none.

    ``2 copies failed or came back in the last 24 hours: maria@example.test, 552 5.2.2``.
    """
    number = sum(found.copies for found in lost)
    if not number:
        return ""
    copies = "1 copy" if number == 1 else f"{number:,} copies"
    named = [f"{one.recipient}, {one.words}" if one.words else one.recipient for one in lost[:MOST_NAMED]]
    more = [f"and {len(lost) - MOST_NAMED} more"] if len(lost) > MOST_NAMED else []
    return f"{copies} failed or came back in the last 24 hours: {'; '.join([*named, *more])}"


def _keep(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _keeping.add(task)
    task.add_done_callback(_kept)


def _kept(task: asyncio.Task[None]) -> None:
    _keeping.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        # In memory it is right; the next start knows what was kept before.
        log.error("which mailboxes fail can't be kept: %s", error)
