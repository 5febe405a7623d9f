"""Mail that was under way at two unexpected ends in a row: a delivery is put on hold, and the operator is told."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from mailrouter import events
from mailrouter.errors import StoreError
from mailrouter.intake.feedback.plain_alerts import of_arriving, of_suspect
from mailrouter.intake.originals import Original, originate
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.store import ids
from mailrouter.store.ids import DeliveryId, MessageId, queue_id
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter")

WORDS = "on hold: it was under way at both of the last two unexpected ends of mailrouter"
"""As the queue shows it."""


async def tell_of_arriving(
    store: Store, desk: Desk, path: str, client: str, size: int, now: datetime
) -> bool:
    """Tell the operator once that a mail is answered 451, and why.

    False where that was done, or there is nobody to tell. Raises StoreError.
    """
    made = of_arriving(desk, path, client, size, now)
    if made is None:
        return False
    role = next(iter(desk.configuration.roles)).key
    alert = Original("alert", desk.configuration.settings.postmaster, made)
    why = "a mail that was being worked on at two unexpected ends is put off"
    return await originate(store, role, [alert], now, why, ("put off", f"{client} {path} {size}"))


async def hold(store: Store, desk: Desk, blamed: Iterable[DeliveryId], now: datetime) -> list[DeliveryId]:
    """Put blamed mail that is still to be sent on hold.

    There is one alert for all; gives the blamed deliveries that are settled by that. Never raises.

    What can't be put on hold stays in hand, so that this process does not send it.
    """
    done: list[DeliveryId] = []
    mails: dict[MessageId, list[DeliveryId]] = {}
    for id_ in blamed:
        mails.setdefault(ids.message_of(id_), []).append(id_)
    for message, mine in mails.items():
        try:
            entry = await store.reader.entry(message)
            waiting = [found for found in entry.deliveries if found.state == "queued"] if entry else []
            first = next((found for found in waiting if found.id in mine), None)
            if entry is not None and first is not None:
                fields: events.Fields = {"kind": first.kind, "role": first.role, "to": first.recipient}
                events.tell(log, "held", first.queue_id, fields, level=logging.ERROR, words=WORDS)
                told = of_suspect(desk, entry.message, first, now)
                await store.hold([found.id for found in waiting], milliseconds(now), WORDS, told)
            done += mine
        except StoreError as error:
            store.seize(mine)
            log.error("%s can't be put on hold: %s", queue_id(message), error)
        except Exception:
            store.seize(mine)
            log.exception("%s can't be put on hold", queue_id(message))
    return done
