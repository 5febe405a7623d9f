"""The hourly list of mail that nobody has. It has what the operator was not told of one by one, over restarts too."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import UTC, datetime, timedelta

from mailrouter.intake.feedback.affected import ALIVE, copies_of, roles_of
from mailrouter.intake.originals import Original, originate
from mailrouter.moments import milliseconds
from mailrouter.routing.letters.lost_letter import LostMail, lost_letter
from mailrouter.runtime.context import Context, Desk
from mailrouter.store.ids import queue_id
from mailrouter.store.model import QueueEntry
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")

PAUSE = 60.0
"""Seconds between two looks."""
EVERY = timedelta(hours=1)
MOST = 2000
"""Messages looked at for one list."""
_NAME = "lost mail"


async def list_lost(context: Context, store: Store) -> bool:
    """Queue the list of the last hour's lost mail; True if there was anything to tell.

    Up to when it was listed is remembered in the transaction that queues the list.
    """
    now, desk = context.now(), context.desk
    told = await store.reader.told(_NAME)
    since = datetime.fromisoformat(told) if told else now
    if not told or since > now:
        await store.remember_told(_NAME, now.isoformat(), milliseconds(now))
        return False
    if now - since < EVERY:
        return False
    found: list[LostMail] = []
    for message in await store.reader.messages_lost_after(milliseconds(since), MOST):
        entry = await store.reader.entry(message)
        if entry is not None:
            found += _untold(desk, entry)
            await asyncio.sleep(0)
    settings = desk.configuration.settings
    if not found or desk.role_of(settings.postmaster)[0] is not None:
        await store.remember_told(_NAME, now.isoformat(), milliseconds(now))
        return False
    zone = desk.configuration.roles[0].time_zone if desk.configuration.roles else UTC
    letter = lost_letter(
        found,
        since.astimezone(zone),
        now.astimezone(zone),
        settings.hostname,
        settings.postmaster,
        os.urandom(32),
    )
    log.error("nobody has %d mails of the last hour", len(found))
    alert = Original("alert", settings.postmaster, letter)
    return await originate(store, "", [alert], now, "mails that nobody has", (_NAME, now.isoformat()))


def _untold(desk: Desk, entry: QueueEntry) -> list[LostMail]:
    """Roles without the mail and without an alert about it."""
    told = {d.role for d in entry.deliveries if d.kind == "alert" and d.claim == "nobody"}
    copy = next((d for d in entry.deliveries if d.kind == "copy"), None)
    found = []
    for role in roles_of(desk, entry, copy) if copy is not None else ():
        copies = copies_of(entry, role)
        if role.key not in told and copies and not any(one.state in ALIVE for one in copies):
            found.append(LostMail(queue_id(entry.message.id), entry.message.reverse_path, role.name))
    return found
