"""What stands behind the door: takes or refuses, plans, commits. One message's way from here is one page:
``docs/how-it-works.md``."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from mailrouter import events, keyed
from mailrouter.config.atomic_write import Draft
from mailrouter.delivery.under_way import UnderWay, incoming_key, is_incoming
from mailrouter.intake.acceptance import acceptance_of
from mailrouter.intake.admission import (
    Admitted,
    Received,
    Refusal,
    admit,
    max_size,
    refused_by_partners,
    refused_recipient,
)
from mailrouter.intake.feedback.blamed import tell_of_arriving
from mailrouter.intake.feedback.bounces import Reported, read_reports, returned_to
from mailrouter.intake.feedback.loops import of_loop
from mailrouter.intake.feedback.probes import Probes, probe_of
from mailrouter.intake.partner.decide import NO_HANDING, Addressed, Handing, addressed
from mailrouter.intake.partner.decide_apart import PartnerMail
from mailrouter.intake.partner.file_changes import ScheduleFiles
from mailrouter.intake.partner.stored import decide_rest
from mailrouter.intake.planning import Arrival, decide
from mailrouter.intake.resting import in_turns
from mailrouter.message.dsn.bounce import MAX_READ
from mailrouter.message.head import Head
from mailrouter.message.provenance.received import received_field
from mailrouter.message.shape import Shape
from mailrouter.routing.model import Plan
from mailrouter.routing.partner.handoff_text import MAX_MAIL
from mailrouter.runtime.context import Desk
from mailrouter.runtime.conversations import version_seen
from mailrouter.runtime.rows import milliseconds
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client
from mailrouter.smtp.sessions import network_of
from mailrouter.store import queued as of_ours
from mailrouter.store.ids import DeliveryId, queue_id, unnumbered
from mailrouter.store.model import Acceptance, Delivery, HandoffChange
from mailrouter.store.sqlite.spool import SqliteSpool
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.turns import Steps
from mailrouter.worker.worker import Calls, CallsHere

log = logging.getLogger("mailrouter.intake")


class _ChangesFile(Exception):
    """A mail will change a role's file, so it is decided once more behind the lock of the files."""


class Intake:
    """The Gate of the doors. ``desk`` is replaced when the configuration is read again; in ``calls``, work that takes
    long is done for mail to partners' addresses."""

    def __init__(
        self,
        desk: Desk,
        store: SqliteStore,
        offer: Callable[[Sequence[Delivery]], None],
        next_hop_size: Callable[[], int | None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read: Callable[[bytes], Head] = Head,
        under_way: UnderWay | None = None,
        calls: Calls | None = None,
    ) -> None:
        self.desk = desk
        self._store = store
        self._offer = offer
        self._next_hop_size = next_hop_size
        self._clock = clock
        self._read = read
        self._under_way = under_way or UnderWay()
        self._blamed = frozenset(filter(is_incoming, self._under_way.blamed))
        self.calls: Calls = calls or CallsHere()
        self.files = ScheduleFiles(store)
        self.probes = Probes()
        self._lines = events.Bounded()
        """How many lines about refused mail there may be."""
        self._secret = os.urandom(32)
        """A message's seed is made of it and its queue id: a call of the kernel for each would cost more."""

    def now(self) -> datetime:
        """The moment, as the injected clock has it."""
        return self._clock()

    def recipient(self, address: str) -> str | None:
        """The reply that refuses RCPT to this address, or None (see ``admission.refused_recipient``)."""
        refusal = refused_recipient(self.desk, self._store.reader, address, self.now())
        if refusal is None:
            return None
        _tell_vacant(refusal)
        return refusal.reply

    def max_size(self) -> int | None:
        """Octets of the largest message taken; what the next hop takes is known once it was spoken to."""
        return max_size(self.desk, self._next_hop_size())

    def spool(self) -> SqliteSpool:
        """A place for a message while it arrives."""
        return self._store.spool()

    async def accept(
        self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape, head: bytes
    ) -> str:
        """Plan the message and commit all that follows from it; 250 is said only after that."""
        key = incoming_key(head)
        if key in self._blamed:
            return await self._put_off(client, envelope, spool, shape)
        self._under_way.begin_incoming(key)
        try:
            return await self._accept_any(client, envelope, spool, shape, head)
        finally:
            self._under_way.end_incoming(key)

    async def _put_off(self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape) -> str:
        """Answer a message that was being worked on at two unexpected ends, without reading it."""
        name, path = queue_id(spool.id), envelope.reverse_path or ""
        await spool.discard()
        log.error("%s: put off from %s: it was being worked on at two unexpected ends", name, client.address)
        try:
            if await tell_of_arriving(self._store, self.desk, path, client.address, shape.size, self.now()):
                self._offer([])
        except Exception:
            log.exception("%s: the operator can't be told of it", name)
        return "451 4.3.0 This mail can't be worked on now; those who look after this server are told"

    async def _accept_any(
        self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape, head: bytes
    ) -> str:
        mail = PartnerMail(self.calls)
        try:
            return await self._accept(client, envelope, spool, shape, head, mail)
        except _ChangesFile:
            # Nothing has happened yet. Decided again behind the lock: the file that is read is the one that is written.
            async with self.files.lock:
                return await self._accept(client, envelope, spool, shape, head, mail, locked=True)

    async def _accept(
        self,
        client: Client,
        envelope: Envelope,
        spool: SqliteSpool,
        shape: Shape,
        header: bytes,
        mail: PartnerMail,
        *,
        locked: bool = False,
    ) -> str:
        """Raises _ChangesFile where a role's file is to be changed and its lock isn't held."""
        desk = self.desk
        received = Received(
            header=header,
            head=self._head(header, spool),
            shape=shape,
            reverse_path=envelope.reverse_path or "",
            recipients=tuple(envelope.recipients),
            moment=self.now(),
            max_size=self.max_size(),
        )
        to = addressed(desk, received.recipients)
        reported = await self._reports(desk, received, to, spool)
        admitted = admit(desk, received, to, reported)
        if isinstance(admitted, Refusal):
            return await self._refuse(desk, received, admitted, spool, client)
        arrival = self._arrival(desk, spool, received, admitted, client)
        handing, drafts = NO_HANDING, dict[str, Draft]()
        if arrival is not None and admitted.to.handoffs and received.head is not None:
            handing = await mail.decide(
                desk,
                self._store.reader,
                spool.id,
                arrival,
                received.head,
                admitted.to,
                client,
                partial(self._whole, spool, shape),
            )
            if not locked and any(decided.handover.file for decided in handing.decided):
                raise _ChangesFile
            if refusal := refused_by_partners(handing):
                return await self._refuse(desk, received, refusal, spool, client)
            drafts = await self.files.drafts(desk, handing)
        try:
            decision = await in_turns(self._decision(desk, arrival, admitted, handing, reported))
            made = acceptance_of(desk, received, admitted, decision, handing, client, envelope, spool.id)
            if isinstance(made, Refusal):
                for draft in drafts.values():
                    draft.discard()
                return await self._refuse(desk, received, made, spool, client)
            made = replace(made, content=await spool.finish(), reported=reported.outcomes)
            queued = await self._store.accept(spool, made)
        except BaseException:
            for draft in drafts.values():
                draft.discard()
            raise
        await self._publish(desk, drafts, made, queued)
        name = queue_id(spool.id)
        for address in admitted.to.returned:
            if (probe := probe_of(desk.return_paths, address, milliseconds(received.moment))) is not None:
                self.probes.arrived(probe)
        self._log_accepted(name, made, admitted, queued)
        return f"250 2.0.0 queued as {name}"

    @staticmethod
    def _log_accepted(name: str, made: Acceptance, admitted: Admitted, queued: list[Delivery]) -> None:
        message = made.message
        fields: events.Fields = {
            "client": message.client,
            "from": message.reverse_path,
            "to": message.recipients,
            "nrcpt": len(message.recipients),
            "size": message.size,
            "role": ",".join([role.key for role in admitted.roles]) or None,
            "deliveries": len(queued),
        }
        events.tell(log, "accepted", name, fields)
        of_ours.tell(queued)

    @staticmethod
    def _decision(
        desk: Desk, arrival: Arrival | None, admitted: Admitted, handing: Handing, reported: Reported
    ) -> Steps[Plan]:
        """The plan, in steps, for those to whom it is mail, with the reasons of everything that was decided."""
        if arrival is None:
            return Plan((), None, tuple(reported.reasons))
        to_partners = admitted.to.handoffs and arrival.head is not None
        deciding = decide_rest(desk, arrival, admitted.to, handing) if to_partners else decide(desk, arrival)
        plan = yield from deciding
        return replace(plan, reasons=(*reported.reasons, *plan.reasons)) if admitted.by_hand else plan

    async def _publish(
        self, desk: Desk, drafts: dict[str, Draft], made: Acceptance, queued: list[Delivery]
    ) -> None:
        """Put into effect what is committed: files, handoffs, deliveries."""
        changes: Sequence[HandoffChange] = made.handoffs
        if drafts and not await self.files.publish(desk, drafts, changes, queued):
            self._offer([])  # what is told instead lies in the store
        for change in changes:
            if change.new is not None:
                self.desk.take_up_handoff(self._store.reader, change.new.role)
        try:
            self._offer(queued)
            if made.reported:
                self._offer([])  # what they bring about lies in the store
        except Exception:
            # It is durable: to say anything but 250 now would have it sent, and delivered, again.
            log.exception(
                "%s: accepted, but not handed to delivery; it is taken up from the store",
                queue_id(made.message.id),
            )

    async def _refuse(
        self, desk: Desk, received: Received, refusal: Refusal, spool: SqliteSpool, client: Client
    ) -> str:
        """Forget the message, log why, and tell the operator of a copy that came back. Gives the reply."""
        await spool.discard()
        _tell_vacant(refusal)
        words = "; ".join(refusal.why) or refusal.reply
        if self._lines.may(network_of(client.address), time.monotonic()):
            code, status, _ = (*refusal.reply.split(" ", 2), "", "")[:3]
            fields: events.Fields = {
                "client": client.address,
                "from": received.reverse_path,
                "to": received.recipients,
                "size": received.shape.size,
                "dsn": status,
                "status": f"{code} {status}",
                "left_out": self._lines.take_left_out(),
            }
            events.tell(log, "refused", queue_id(spool.id), fields, words=words)
        if refusal.looped:
            keys = ", ".join(role.key for role in refusal.looped)
            log.error("mail of role %s came back to it: somebody forwards it to the role again", keys)
            await self._tell_of_loop(desk, received, refusal.looped[0], client)
        return refusal.reply

    async def _tell_of_loop(self, desk: Desk, received: Received, role: Role, client: Client) -> None:
        """Tell the operator whose mailbox forwards to the role, if its return path tells; never raises, for the
        refusal stands in any case."""
        moment = received.moment
        try:
            found = returned_to(desk, self._store.reader, received.reverse_path, milliseconds(moment))
            of = found if isinstance(found, Delivery) else None
            alert = of_loop(desk, self._store.reader, role, of, received.head, client.address, moment)
            if alert is None or alert.reply is None:
                return
            spool = self._store.spool()
            alert = replace(alert, message=replace(alert.message, id=spool.id))
            assert alert.reply is not None
            alert.reply.id = unnumbered(spool.id)
            self._offer(await self._store.accept(spool, alert))
        except Exception:
            log.exception("the operator can't be told of a loop")

    async def _whole(self, spool: SqliteSpool, shape: Shape) -> bytes | None:
        """The whole message; None if it is larger than what is read for a handoff."""
        raw = await spool.finish()
        if raw is None and shape.size <= MAX_MAIL:
            raw = b"".join([block async for block in self._store.read(spool.id, 0, shape.size)])
        return raw

    async def _reports(self, desk: Desk, received: Received, to: Addressed, spool: SqliteSpool) -> Reported:
        """What the message says to the return paths among its recipients."""
        if not to.returned:
            return Reported()
        head, shape = received.head, received.shape
        if head is None:
            return Reported(reasons=["a report whose header can't be read; it goes to nobody"])
        raw = await spool.finish()
        if raw is None:
            end = min(shape.size, MAX_READ)
            raw = b"".join([block async for block in self._store.read(spool.id, 0, end)])
        return await in_turns(self._read_reports(desk, received, to, head, raw))

    def _read_reports(
        self, desk: Desk, received: Received, to: Addressed, head: Head, raw: bytes
    ) -> Steps[Reported]:
        ids, reader, moment = list[DeliveryId](), self._store.reader, received.moment
        for address in to.returned:
            found = returned_to(desk, reader, address, milliseconds(moment))
            if isinstance(found, Delivery):
                ids.append(found.id)
            yield
        path = received.reverse_path
        return (yield from read_reports(desk, reader, ids, head, received.shape, raw, path, moment))

    def _head(self, raw: bytes, spool: SqliteSpool) -> Head | None:
        try:
            return self._read(raw)
        except Exception:
            log.exception("%s: its header can't be read; every partner gets the mail", queue_id(spool.id))
            return None

    def _arrival(
        self, desk: Desk, spool: SqliteSpool, received: Received, admitted: Admitted, client: Client
    ) -> Arrival | None:
        """What is to be planned; None for what goes to nobody."""
        roles = admitted.roles
        if not roles:
            return None
        name = queue_id(spool.id)
        trace = received_field(
            helo=client.helo,
            peer=client.address,
            by=desk.configuration.settings.hostname,
            protocol=client.protocol,
            queue_id=name,
            when=received.moment.astimezone(roles[0].time_zone),
        )
        # What came to a return path may quote the copy that it is about, handoff and all: for partners alone.
        to_handoff = frozenset(role.key for role in roles) if admitted.to.returned else frozenset[str]()
        return Arrival(
            name=name,
            roles=roles,
            head=received.head,
            shape=received.shape,
            reverse_path=received.reverse_path,
            received=trace,
            moment=received.moment,
            seed=keyed.digest(self._secret, name.encode()),
            seen=lambda role: version_seen(desk, self._store, role, received.head),
            next_hop_size=self._next_hop_size(),
            to_handoff=to_handoff,
            client=client.address,
        )


def _tell_vacant(refusal: Refusal) -> None:
    if refusal.vacant is not None:
        log.error(
            "role %s has no partner now; its mail is deferred until its file names one", refusal.vacant.key
        )
