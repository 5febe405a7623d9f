"""The operator's mail at the end of a next server's long trouble."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime

from mailrouter.errors import StoreError
from mailrouter.intake.originals import Original, originate
from mailrouter.moments import moment_at
from mailrouter.routing.letters.hop_letter import HopTrouble, hop_letter
from mailrouter.runtime.context import Desk
from mailrouter.store.ids import Milliseconds
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.intake")

SHORTEST = 5.0
"""Seconds: what ended sooner was a restart, however short the pauses between tries are."""


def lasted(since: Milliseconds, now: Milliseconds, first: float) -> bool:
    """Whether a trouble put mail off: it was longer than the ``first`` pause (seconds) of a mail."""
    return now - since >= 1000 * max(SHORTEST, first)


async def tell_of_recovery(
    desk: Desk, store: Store, hop: str, since: Milliseconds, words: str, wake: Callable[[], None]
) -> None:
    """Queue the mail; never raises, for the log has told of the trouble."""
    settings = desk.configuration.settings
    if desk.role_of(settings.postmaster)[0] is not None:
        return  # a role's mail is for partners
    try:
        zone = desk.configuration.roles[0].time_zone if desk.configuration.roles else UTC
        now = datetime.now(UTC)
        trouble = HopTrouble(
            hop,
            moment_at(since, zone),
            now.astimezone(zone),
            words,
            await store.reader.waiting_messages(),
            settings.hostname,
            os.urandom(32),
        )
        letter = Original("alert", settings.postmaster, hop_letter(trouble, settings.postmaster))
        await originate(store, "", [letter], now, "the next server works again")
        wake()
    except StoreError as error:
        log.error("the operator can't be told that the next server works again: %s", error)
    except Exception:
        log.exception("the operator can't be told that the next server works again")
