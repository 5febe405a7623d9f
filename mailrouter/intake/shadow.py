"""The gate of a relay on trial: blind copies are taken and planned as ever, and no reply of ours disturbs anybody.

A blind copy that is refused, or put off for days, comes back to the person who wrote the mail. So everything is taken
here, and what would have been refused is noted with the reply that the door would have given.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from mailrouter.config.settings import Settings
from mailrouter.intake.acceptor import Acceptor
from mailrouter.intake.purposes import recipient_of
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.moments import milliseconds
from mailrouter.routing.partner.handoff_text import MAX_MAIL
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.store.ids import queue_id
from mailrouter.store.model import Acceptance, Message
from mailrouter.store.protocols import Spool, Store

log = logging.getLogger("mailrouter.intake")

REFUSED = "would be refused: "
TO_SCHEDULE = "it came to the schedule address; a trial changes no file, so it was not read"
_NOTED = "250 2.0.0 noted; this relay is on trial and delivers nothing"


def shadow_settings(settings: Settings) -> Settings:
    """The settings of a trial beside a service.

    The store is ``mailrouter.shadow.db`` beside the one in which mail is kept, and the records are its own.
    """
    return replace(settings, store=settings.store.with_suffix(f".shadow{settings.store.suffix}"), trial=True)


class ShadowSpool:
    """As much of a message as planning looks at: nothing is delivered, so the rest need not lie on the disk.

    A store that can't take it doesn't disturb the sender either.
    """

    def __init__(self, kept: Spool) -> None:
        """``kept`` holds the beginning of the message."""
        self.id = kept.id
        self.size = 0
        self._kept = kept

    @property
    def held(self) -> int:
        """Octets in memory."""
        return self._kept.held

    def hold(self, block: bytes) -> bool:
        """Keep ``block``, unless enough is kept."""
        enough = self.size >= MAX_MAIL
        self.size += len(block)
        return not enough and self._kept.hold(block)

    async def flush(self) -> None:
        """Store what is held. Never raises: the commit will fail as well, and that is noted in the log."""
        try:
            await self._kept.flush()
        except Exception:
            log.exception("a blind copy can't be stored")

    async def finish(self) -> bytes | None:
        """The content that is kept, if it is small; else None. Raises StoreFull, StoreError."""
        return await self._kept.finish()

    async def discard(self) -> None:
        """Forget what came. Never raises."""
        await self._kept.discard()


class ShadowGate:
    """Says 250 to everything; ``acceptor`` decides what would have become of it."""

    def __init__(self, acceptor: Acceptor, store: Store) -> None:
        self._acceptor = acceptor
        self._store = store

    def recipient(self, address: str) -> None:
        """Every address is taken: nothing is delivered, so nothing is relayed."""

    def max_size(self) -> int | None:
        """None: a mail that is too large is taken and noted; only its beginning is kept."""

    def spool(self) -> ShadowSpool:
        """A place for a message while it arrives."""
        return ShadowSpool(self._store.spool())

    async def accept(self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head) -> str:
        """Plan a message and note its plan, or note its refusal. Always 250."""
        try:
            return await self._accept(client, envelope, spool, shape, head)
        except Exception:
            log.exception("a blind copy could not be looked at")
            await spool.discard()
            return _NOTED

    async def _accept(
        self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head
    ) -> str:
        refusals = {recipient: self._acceptor.recipient(recipient) for recipient in envelope.recipients}
        taken = [recipient for recipient, refusal in refusals.items() if refusal is None]
        mail = [recipient for recipient in taken if not self._is_to_schedule(recipient)]
        if taken and not mail:
            await spool.discard()
            return await self._note(client, envelope, shape, head)
        if not taken:
            reply = next(filter(None, refusals.values()), "")
            await spool.discard()
        else:
            reply = await self._acceptor.accept(
                client, replace(envelope, recipients=mail), spool, shape, head
            )
        return reply if reply.startswith("2") else await self._note(client, envelope, shape, head, reply)

    def _is_to_schedule(self, recipient: str) -> bool:
        """Whether mail goes to a schedule address. It would change a file, which a trial must not."""
        return recipient_of(self._acceptor.context.desk, recipient).purpose.changes_file

    async def _note(
        self, client: Client, envelope: Envelope, shape: Shape, head: Head, refusal: str = ""
    ) -> str:
        """``refusal`` is the reply that would have refused it; without one it came to the schedule address."""
        spool = self._store.spool()
        message = Message(
            id=spool.id,
            received_at=milliseconds(self._acceptor.context.now()),
            reverse_path=envelope.reverse_path or "",
            recipients=tuple(envelope.recipients),
            size=shape.size,
            body_start=shape.body_start,
            client=client.address,
            helo=client.helo,
            message_id=_message_id(head),
            reasons=(REFUSED + refusal if refusal else TO_SCHEDULE,),
            refusal=refusal,
        )
        await self._store.accept(spool, Acceptance(message, b"", ()))
        return f"{_NOTED} as {queue_id(message.id)}"


def _message_id(head: Head) -> str:
    try:
        return head.message_id or ""
    except Exception:  # what can't be read may be why it would be refused
        return ""
