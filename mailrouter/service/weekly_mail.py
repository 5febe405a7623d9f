"""The weekly mail to colleagues about who is in: once a week, at its hour, over restarts too."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from mailrouter import events
from mailrouter.errors import MailrouterError
from mailrouter.intake.originals import Original, originate
from mailrouter.intake.partner.file_changes import own_situation
from mailrouter.moments import milliseconds
from mailrouter.routing.letters.weekly_letter import weekly_letter
from mailrouter.runtime.context import Context
from mailrouter.schedule.model import Role
from mailrouter.schedule.views.weekly import MOST_LATE, last_due
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")

AHEAD = timedelta(days=1)
PAUSE = 15.0
"""Seconds between two looks at the clock."""


async def send_due(context: Context, store: Store) -> bool:
    """Queue what is due now and was not sent; True if there was anything.

    The moment that it was due is remembered in the transaction that queues it. A service that sees this setting for
    the first time waits for the next such moment; one that was down sends late, but not the day after.
    """
    sent = False
    for role in context.desk.configuration.roles:
        try:
            sent |= await _send(context, store, role)
        except MailrouterError:
            raise
        except Exception:
            log.exception("%s: its weekly mail can't be made", role.key)
    return sent


async def _send(context: Context, store: Store, role: Role) -> bool:
    if role.weekly is None:
        return False
    now = context.now()
    due = last_due(role.weekly, role.time_zone, now)
    name, what = f"weekly {role.key}", due.isoformat()
    known = await store.reader.told(name)
    if known and datetime.fromisoformat(known) > now + AHEAD:
        # The clock was set back since: without this, nobody would hear of a week for so long.
        await store.remember_told(name, what, milliseconds(now))
        return False
    if known >= what:
        return False
    if not known or now - due > MOST_LATE:
        await store.remember_told(name, what, milliseconds(now))
        return False
    situation = own_situation(context.desk, role, now)
    letters = [
        Original("letter", to, weekly_letter(situation, role.weekly, to, due)) for to in role.weekly.to
    ]
    reason = "the weekly mail about who is in"
    if not await originate(store, role.key, letters, now, reason, (name, what)):
        return False
    fields: events.Fields = {"role": role.key, "letters": len(letters)}
    events.tell(
        log, "weekly_mail", fields=fields, words=f"{role.key}: the weekly mail goes to {len(letters)}"
    )
    return True
