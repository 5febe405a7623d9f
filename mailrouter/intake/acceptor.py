"""Acceptance of mail at the door: parse, admit, decide, commit, publish.

One message's way from here is one page: ``docs/how-it-works.md``.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial

from mailrouter import events, keyed
from mailrouter.config.atomic_write import FileDraft
from mailrouter.delivery.under_way import UnderWay, incoming_key, is_incoming
from mailrouter.intake.acceptance import acceptance_of
from mailrouter.intake.admission import Refusal, admit, max_size, refused_recipient
from mailrouter.intake.conversations import version_seen
from mailrouter.intake.feedback.blamed import tell_of_arriving
from mailrouter.intake.feedback.bounces import reports_of
from mailrouter.intake.feedback.probes import Probes
from mailrouter.intake.partner.decide_apart import ChangesFile, PartnerMail
from mailrouter.intake.partner.file_changes import ScheduleFiles
from mailrouter.intake.planning import Case, decide
from mailrouter.intake.purposes import Addressed, addressed
from mailrouter.intake.received import Received
from mailrouter.intake.refused import RefusedMail, tell_vacant
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Context, Desk
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.store import queued as of_ours
from mailrouter.store.ids import queue_id
from mailrouter.store.model import Acceptance, Delivery, HandoffChange
from mailrouter.store.protocols import Spool, Store
from mailrouter.worker.worker import Calls, CallsHere

log = logging.getLogger("mailrouter.intake")

SUSPECT = "451 4.3.0 This mail can't be worked on now; those who look after this server are told"


class Acceptor:
    """The gate of the doors: takes a message durably, or refuses it.

    Decisions are made by what ``context`` holds at that moment. What takes long, for mail to partners' addresses, is
    done in ``calls``. ``offer`` hands deliveries to delivery, and wakes it where there are none.
    """

    def __init__(
        self,
        context: Context,
        store: Store,
        offer: Callable[[Sequence[Delivery]], None],
        under_way: UnderWay | None = None,
        calls: Calls | None = None,
    ) -> None:
        self.context = context
        self.calls: Calls = calls or CallsHere()
        self.files = ScheduleFiles(store)
        self.probes = Probes()
        self._store = store
        self._offer = offer
        self._under_way = under_way or UnderWay()
        self._suspects = frozenset(filter(is_incoming, self._under_way.blamed))
        self._refused = RefusedMail(store, offer)
        self._secret = os.urandom(32)
        """A message's seed is made of it and its queue id: a call of the kernel for each would cost more."""

    def recipient(self, address: str) -> str | None:
        """The reply that refuses RCPT to this address, or None (see ``admission.refused_recipient``)."""
        refusal = refused_recipient(self.context.desk, address, self.context.now())
        if refusal is None:
            return None
        tell_vacant(refusal)
        return refusal.reply

    def max_size(self) -> int | None:
        """Octets of the largest message taken; what the next hop takes is known once it was spoken to."""
        return max_size(self.context.desk, self.context.desk.next_hop_size())

    def spool(self) -> Spool:
        """A place for a message while it arrives."""
        return self._store.spool()

    async def accept(self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head) -> str:
        """Commit all that follows from a message, or refuse it; 250 is said only after that."""
        key = incoming_key(head.raw)
        if key in self._suspects:
            return await self._put_off(client, envelope, spool, shape)
        self._under_way.begin_incoming(key)
        try:
            received = self._received(client, envelope, spool, shape, head)
            return await self._take(received, spool)
        finally:
            self._under_way.end_incoming(key)

    async def _put_off(self, client: Client, envelope: Envelope, spool: Spool, shape: Shape) -> str:
        """Answer a message suspected of ending the service, without reading it.

        It was being worked on at two unexpected ends.
        """
        name, path, moment = queue_id(spool.id), envelope.reverse_path or "", self.context.now()
        await spool.discard()
        log.error("%s: put off from %s: it was being worked on at two unexpected ends", name, client.address)
        try:
            desk = self.context.desk
            if await tell_of_arriving(self._store, desk, path, client.address, shape.size, moment):
                self._offer([])
        except Exception:
            log.exception("%s: the operator can't be told of it", name)
        return SUSPECT

    def _received(
        self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head
    ) -> Received:
        name = queue_id(spool.id)

        async def content(most: int) -> bytes:
            raw = await spool.finish()
            if raw is None:
                end = min(shape.size, most)
                raw = b"".join([block async for block in self._store.read(spool.id, 0, end)])
            return raw

        return Received(
            spool.id,
            name,
            client,
            envelope,
            head,
            shape,
            self.context.now(),
            self.max_size(),
            self.context.desk.next_hop_size(),
            keyed.digest(self._secret, name.encode()),
            content,
        )

    async def _take(self, received: Received, spool: Spool) -> str:
        """Decide, commit and publish; give the reply."""
        mail = PartnerMail(self.calls, self.files)
        try:
            try:
                return await self._decide_and_commit(received, spool, mail)
            except ChangesFile:
                # Nothing has happened yet. Decided again behind the lock: the file that is read is the one written.
                async with self.files.lock:
                    mail.locked = True
                    return await self._decide_and_commit(received, spool, mail)
        except BaseException:
            mail.discard()
            raise

    async def _decide_and_commit(self, received: Received, spool: Spool, mail: PartnerMail) -> str:
        """Decide about a message, and commit all that follows from it.

        Raises ChangesFile where a role's file is to be changed and its lock isn't held.
        """
        desk = self.context.desk
        to = addressed(desk, received.recipients)
        decided = await self._decided(desk, received, to, mail)
        if isinstance(decided, Refusal):
            mail.discard()
            await spool.discard()
            return await self._refused.tell(desk, received, decided)
        rows, roles = decided
        queued = await self._store.accept(spool, rows._replace(content=await spool.finish()))
        await self._publish(desk, mail.drafts, rows, queued)
        _log_accepted(rows, roles, queued)
        for address in to.returned:
            self.probes.arrived(desk.return_paths, address, milliseconds(received.moment))
        return f"250 2.0.0 queued as {received.name}"

    async def _decided(
        self, desk: Desk, received: Received, to: Addressed, mail: PartnerMail
    ) -> tuple[Acceptance, Sequence[Role]] | Refusal:
        """The rows of a message's effects and its roles, or its refusal."""
        reader = self._store.reader
        reported = await reports_of(desk, reader, received, to.returned)
        admitted = admit(desk, received, to, reported)
        if isinstance(admitted, Refusal):
            return admitted
        seen = partial(version_seen, desk, self._store, received)
        case = Case(desk, reader, received, admitted, reported, seen)
        effects = await decide(case, mail)
        if isinstance(effects, Refusal):
            return effects
        rows = acceptance_of(desk, received, admitted, effects)
        return rows if isinstance(rows, Refusal) else (rows, admitted.roles)

    async def _publish(
        self, desk: Desk, drafts: dict[str, FileDraft], rows: Acceptance, queued: list[Delivery]
    ) -> None:
        """Put into effect what is committed: files, handoffs, deliveries."""
        changes: Sequence[HandoffChange] = rows.handoffs
        if drafts and not await self.files.publish(desk, drafts, changes, queued):
            self._offer([])  # what is told instead lies in the store
        for change in changes:
            if change.new is not None:
                await self.context.take_up_handoff(self._store.reader, change.new.role)
        try:
            self._offer(queued)
            if rows.reported:
                self._offer([])  # what they bring about lies in the store
        except Exception:
            # The message is durable: to say anything but 250 now would have it sent, and delivered, again.
            log.exception(
                "%s: accepted, but not handed to delivery; it is taken up from the store",
                queue_id(rows.message.id),
            )


def _log_accepted(rows: Acceptance, roles: Sequence[Role], queued: list[Delivery]) -> None:
    message = rows.message
    fields: events.Fields = {
        "client": message.client,
        "from": message.reverse_path,
        "to": message.recipients,
        "nrcpt": len(message.recipients),
        "size": message.size,
        "role": ",".join(role.key for role in roles) or None,
        "deliveries": len(queued),
    }
    events.tell(log, "accepted", queue_id(message.id), fields)
    of_ours.tell(queued)
