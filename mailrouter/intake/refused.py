"""A message that is not taken: its log line, and the word to the operator about a copy that came back."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

from mailrouter import events
from mailrouter.intake.admission import Refusal
from mailrouter.intake.feedback.bounces import returned_to
from mailrouter.intake.feedback.loops import of_loop
from mailrouter.intake.received import Received
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.schedule.model import Role
from mailrouter.smtp.sessions import network_of
from mailrouter.store.ids import unnumbered
from mailrouter.store.model import Delivery
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.intake")


class RefusedMail:
    """Tells of refused messages; ``offer`` hands deliveries to delivery."""

    def __init__(self, store: Store, offer: Callable[[Sequence[Delivery]], None]) -> None:
        self._store, self._offer = store, offer
        self._lines = events.Bounded()
        """How many log lines there may be."""

    async def tell(self, desk: Desk, received: Received, refusal: Refusal) -> str:
        """Log why, and tell the operator of a copy that came back. Gives the reply."""
        tell_vacant(refusal)
        self._log(received, refusal)
        if refusal.looped:
            keys = ", ".join(role.key for role in refusal.looped)
            log.error("mail of role %s came back to it: somebody forwards it to the role again", keys)
            await self._tell_of_loop(desk, received, refusal.looped[0])
        return refusal.reply

    def _log(self, received: Received, refusal: Refusal) -> None:
        if not self._lines.may(network_of(received.client.address), time.monotonic()):
            return
        code, status, _ = (*refusal.reply.split(" ", 2), "", "")[:3]
        fields: events.Fields = {
            "client": received.client.address,
            "from": received.reverse_path,
            "to": received.recipients,
            "size": received.shape.size,
            "dsn": status,
            "status": f"{code} {status}",
            "left_out": self._lines.take_left_out(),
        }
        words = "; ".join(refusal.why) or refusal.reply
        events.tell(log, "refused", received.name, fields, words=words)

    async def _tell_of_loop(self, desk: Desk, received: Received, role: Role) -> None:
        """Tell the operator whose mailbox forwards to the role.

        Its return path tells that, if at all. Never raises, for the refusal stands in any case.
        """
        moment, reader = received.moment, self._store.reader
        try:
            of = await returned_to(desk, reader, received.reverse_path, milliseconds(moment))
            alert = await of_loop(desk, reader, received, role, of)
            if alert is None or alert.reply is None:
                return
            spool = self._store.spool()
            alert = alert._replace(message=alert.message._replace(id=spool.id))
            assert alert.reply is not None
            alert.reply.id = unnumbered(spool.id)
            self._offer(await self._store.accept(spool, alert))
        except Exception:
            log.exception("the operator can't be told of a loop")


def tell_vacant(refusal: Refusal) -> None:
    """Log that a role has no partner, where that is why."""
    if refusal.vacant is not None:
        log.error(
            "role %s has no partner now; its mail is deferred until its file names one", refusal.vacant.key
        )
