"""What stands behind the door: takes or refuses, plans, commits. One message's way from here is one page:
``docs/how-it-works.md``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from mailrouter import keyed
from mailrouter.config.writing import Draft
from mailrouter.intake.aftermath import of_expansion
from mailrouter.intake.decision import Arrival, decide, situation_of, unfit, vacant
from mailrouter.intake.facts import RESERVED_TAGS, Desk, earlier_ids
from mailrouter.intake.handing import (
    NO_HANDING,
    Addressed,
    Handing,
    addressed,
    came_from,
    confirmable,
    hand,
    trusts,
)
from mailrouter.intake.handoff_changes import changes_of, decide_rest
from mailrouter.intake.loops import CAME_BACK, came_back, looping, of_loop
from mailrouter.intake.reports import NO_SUCH, Reported, read_reports, returned_to
from mailrouter.intake.rows import deliveries_of, milliseconds, reply_of, request_of
from mailrouter.intake.schedule_files import ScheduleFiles
from mailrouter.message.bounce import MAX_READ
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.message.trace import received_field
from mailrouter.routing.handoff_mail import MAX_MAIL
from mailrouter.routing.model import Plan
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.gate import Client
from mailrouter.store.model import (
    DELIVERY_BITS,
    MOST_PLANNED,
    Acceptance,
    Consequence,
    Delivery,
    Message,
    queue_id,
)
from mailrouter.store.spool import SqliteSpool
from mailrouter.store.sqlite import SqliteStore
from mailrouter.trust.confirmations import SCHEDULE, purpose_of

log = logging.getLogger("mailrouter.intake")

MAX_SIZE = 256 * 1000 * 1000
"""Octets taken where neither the configuration nor the next hop names a limit: a disk is not endless."""


class Intake:
    """The Gate of the doors. ``desk`` is replaced when the configuration is read again."""

    def __init__(
        self,
        desk: Desk,
        store: SqliteStore,
        offer: Callable[[Sequence[Delivery]], None],
        next_hop_size: Callable[[], int | None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read: Callable[[bytes], Head] = Head,
    ) -> None:
        self.desk = desk
        self._store = store
        self._offer = offer
        self._next_hop_size = next_hop_size
        self._clock = clock
        self._read = read
        self.files = ScheduleFiles(store)
        self._secret = os.urandom(32)
        """A message's seed is made of it and its queue id: a call of the kernel for each would cost more."""

    def now(self) -> datetime:
        """The moment, as the injected clock has it."""
        return self._clock()

    def recipient(self, address: str) -> str | None:
        """Taken are our roles, with any sub-address that has no meaning of its own, or with that of handoffs and
        of the schedule, and the return paths of copies that left."""
        returned = returned_to(self.desk, self._store.reader, address, milliseconds(self.now()))
        if returned is not None:
            return returned if isinstance(returned, str) else None
        role, tag = self.desk.role_of(address)
        if role is None:
            return "550 5.7.1 No mail is taken here for this address"
        purpose, token = purpose_of(tag) or ("", None)
        if token is not None:
            found = confirmable(self.desk, self._store.reader, role, token, milliseconds(self.now()), purpose)
            return found if isinstance(found, str) else None
        if tag in RESERVED_TAGS:
            return NO_SUCH
        return vacant(self.desk, [role], self.now())

    def max_size(self) -> int | None:
        """What is configured, else what the next hop takes (known once it was spoken to), else a bound."""
        return self.desk.configuration.settings.max_size or self._next_hop_size() or MAX_SIZE

    def spool(self) -> SqliteSpool:
        """A place for a message while it arrives."""
        return self._store.spool()

    async def accept(
        self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape, head: bytes
    ) -> str:
        """Plan the message and commit all that follows from it; 250 is said only after that."""
        if any(f"+{SCHEDULE}" in to.lower() for to in envelope.recipients):
            async with self.files.lock:  # the file that was read is the one that is written
                return await self._accept(client, envelope, spool, shape, head)
        return await self._accept(client, envelope, spool, shape, head)

    async def _accept(
        self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape, head: bytes
    ) -> str:
        desk = self.desk
        parsed = self._head(head, spool)
        to = addressed(desk, envelope.recipients)
        moment = self.now()
        reported = await self._reports(desk, parsed, to, spool, shape, envelope, moment)
        by_hand = [role for role in reported.mail if role not in to.roles]
        to.roles.extend(by_hand)
        roles = [*to.roles, *to.handoff_roles]
        # What only reports something goes to nobody, so it may be as broken as it is.
        refusal = None
        if roles:
            refusal = (
                unfit(shape)
                or looping(desk, parsed, head, roles, milliseconds(moment))
                or vacant(desk, roles, moment)
            )
        if reported.nobody and not roles:
            refusal = NO_SUCH
        if refusal or not (roles or to.returned):
            await spool.discard()
            log.warning("%s: refused from %s: %s", queue_id(spool.id), client.address, refusal)
            if refusal == CAME_BACK:
                await self._tell_of_loop(desk, parsed, head, roles, client, envelope, moment)
            return refusal or "550 5.7.1 No mail is taken here for this address"
        arrival = None
        if roles:
            arrival = self._arrival(desk, spool, roles, parsed, shape, client, envelope, moment)
            if to.returned:
                # It may quote the copy that it is about, handoff and all: it is for partners alone.
                arrival = replace(arrival, to_handoff=frozenset(role.key for role in roles))
        handing, drafts = NO_HANDING, dict[str, Draft]()
        if arrival is None:
            decision = Plan((), None, tuple(reported.reasons))
        elif to.handoffs and parsed is not None:
            handing = await self._hand(desk, arrival, parsed, to, spool, client)
            if handing.refusal:
                await spool.discard()
                words = "; ".join(handing.reasons)
                log.warning("%s: refused from %s: %s", queue_id(spool.id), client.address, words)
                return handing.refusal
            drafts = await self.files.drafts(desk, handing)
            decision = decide_rest(desk, arrival, to, handing)
        else:
            decision = decide(desk, arrival)
        if by_hand and arrival:
            decision = replace(decision, reasons=(*reported.reasons, *decision.reasons))
        message = Message(
            id=spool.id,
            received_at=milliseconds(moment),
            reverse_path=envelope.reverse_path or "",
            recipients=tuple(envelope.recipients),
            size=shape.size,
            body_start=shape.body_start,
            client=client.address,
            helo=client.helo,
            message_id=(parsed.message_id or "") if parsed else "",
            eight_bit=shape.eight_bit or shape.header_eight_bit,
            smtputf8=envelope.smtputf8,
            reasons=decision.reasons,
            dsn=request_of(envelope),
        )
        reply, memory = reply_of(message, decision)
        content = await spool.finish()
        shown = self._shown(desk, decision, parsed, roles) if decision.shown and parsed else []
        deliveries = deliveries_of(message, decision, desk.return_paths)
        wanted = self._expansion(desk, message, to.roles, parsed, shape, moment)
        for number, consequence in enumerate(wanted, len(deliveries)):
            consequence.delivery.id += number
        first = len(deliveries) + len(wanted)
        changes = changes_of(message, handing, first) if handing.decided else ()
        planned = first + sum(len(change.notices) for change in changes)
        if planned > MOST_PLANNED:
            await spool.discard()
            for draft in drafts.values():
                draft.discard()
            log.error(
                "%s: refused from %s: %d deliveries of one message",
                queue_id(spool.id),
                client.address,
                planned,
            )
            # Permanent: it would be as many at each try. Its sender hears of it, and can write to fewer at once.
            return f"554 5.5.3 Too many people behind these {len(roles)} addresses; send it to fewer of them at once"
        acceptance = Acceptance(
            message, content, deliveries, reply, memory, shown, changes, reported.outcomes, wanted
        )
        try:
            queued = await self._store.accept(spool, acceptance)
        except BaseException:
            for draft in drafts.values():
                draft.discard()
            raise
        if drafts and not await self.files.publish(desk, drafts, changes, queued):
            self._offer([])  # what is told instead lies in the store
        for change in changes:
            if change.new is not None:
                self.desk.take_up_handoff(self._store.reader, change.new.role)
        try:
            self._offer(queued)
            if reported.outcomes:
                self._offer([])  # what they bring about lies in the store
        except Exception:
            # It is durable: to say anything but 250 now would have it sent, and delivered, again.
            log.exception(
                "%s: accepted, but not handed to delivery; it is taken up from the store", queue_id(spool.id)
            )
        name = queue_id(spool.id)
        log.info(
            "%s from <%s> for %s: %d bytes, %d deliveries%s",
            name,
            message.reverse_path,
            ", ".join(role.key for role in roles),
            message.size,
            len(queued),
            ", answered" if any(delivery.kind == "reply" for delivery in queued) else "",
        )
        return f"250 2.0.0 queued as {name}"

    @staticmethod
    def _expansion(
        desk: Desk, message: Message, roles: Sequence[Role], head: Head | None, shape: Shape, moment: datetime
    ) -> list[Consequence]:
        """The reports of success that were asked for; a fault of ours in them does not hold up the mail."""
        if not message.dsn.notify or head is None:
            return []
        try:
            return of_expansion(desk, message, roles, head, shape, moment)
        except Exception:
            log.exception("%s: no report of success can be made", queue_id(message.id))
            return []

    async def _tell_of_loop(
        self,
        desk: Desk,
        head: Head | None,
        raw: bytes,
        roles: Sequence[Role],
        client: Client,
        envelope: Envelope,
        moment: datetime,
    ) -> None:
        """Tell the operator whose mailbox forwards to the role, if its return path tells; never raises, for the
        refusal stands in any case."""
        try:
            found = returned_to(desk, self._store.reader, envelope.reverse_path or "", milliseconds(moment))
            of = found if isinstance(found, Delivery) else None
            role = came_back(desk, head, raw, roles, milliseconds(moment))[0]
            alert = of_loop(desk, self._store.reader, role, of, head, client.address, moment)
            if alert is None or alert.reply is None:
                return
            spool = self._store.spool()
            alert = replace(alert, message=replace(alert.message, id=spool.id))
            assert alert.reply is not None
            alert.reply.id = spool.id << DELIVERY_BITS
            self._offer(await self._store.accept(spool, alert))
        except Exception:
            log.exception("the operator can't be told of a loop")

    async def _hand(
        self, desk: Desk, arrival: Arrival, head: Head, to: Addressed, spool: SqliteSpool, client: Client
    ) -> Handing:
        """Decide about the handoff addresses, for which the content is read as well, if it is not too large."""
        raw = await spool.finish()
        if raw is None and arrival.shape.size <= MAX_MAIL:
            raw = b"".join([block async for block in self._store.read(spool.id, 0, arrival.shape.size)])
        situations = [situation_of(desk, target.role, head, arrival) for target in to.handoffs]
        targets = list(zip(to.handoffs, situations, strict=True))
        trusted = trusts(desk.configuration.settings.trusted_networks, client.address)
        origin = came_from(client.address, client.helo)
        return hand(desk, self._store.reader, targets, head, arrival.shape, raw, spool.id, trusted, origin)

    async def _reports(
        self,
        desk: Desk,
        head: Head | None,
        to: Addressed,
        spool: SqliteSpool,
        shape: Shape,
        envelope: Envelope,
        moment: datetime,
    ) -> Reported:
        """What the message says to the return paths among its recipients."""
        if not to.returned:
            return Reported()
        if head is None:
            return Reported(reasons=["a report whose header can't be read; it goes to nobody"])
        raw = await spool.finish()
        if raw is None:
            end = min(shape.size, MAX_READ)
            raw = b"".join([block async for block in self._store.read(spool.id, 0, end)])
        about = [
            returned_to(desk, self._store.reader, address, milliseconds(moment)) for address in to.returned
        ]
        ids = [found.id for found in about if isinstance(found, Delivery)]
        path = envelope.reverse_path or ""
        return read_reports(desk, self._store.reader, ids, head, shape, raw, path, moment)

    def _head(self, raw: bytes, spool: SqliteSpool) -> Head | None:
        try:
            return self._read(raw)
        except Exception:
            log.exception("%s: its header can't be read; every partner gets the mail", queue_id(spool.id))
            return None

    def _arrival(
        self,
        desk: Desk,
        spool: SqliteSpool,
        roles: Sequence[Role],
        head: Head | None,
        shape: Shape,
        client: Client,
        envelope: Envelope,
        moment: datetime,
    ) -> Arrival:
        name = queue_id(spool.id)
        received = received_field(
            helo=client.helo,
            peer=client.address,
            by=desk.configuration.settings.hostname,
            protocol=client.protocol,
            queue_id=name,
            when=moment.astimezone(roles[0].time_zone),
        )
        return Arrival(
            name=name,
            roles=roles,
            head=head,
            shape=shape,
            reverse_path=envelope.reverse_path or "",
            received=received,
            moment=moment,
            seed=keyed.digest(self._secret, name.encode()),
            seen=lambda role: self._seen(desk, role, head),
            next_hop_size=self._next_hop_size(),
        )

    def _seen(self, desk: Desk, role: Role, head: Head | None) -> int:
        """The handoff version this conversation has carried; read only where it can matter."""
        if head is None or role.key not in desk.handoffs or role.handoff != "thread":
            return 0
        ids = earlier_ids(head)
        return self._store.shown(desk.conversation(role, ids)) if ids else 0

    def _shown(self, desk: Desk, decision: Plan, head: Head, roles: Sequence[Role]) -> list[tuple[str, int]]:
        """What to remember: this mail's conversation has carried the handoff."""
        ids = [*earlier_ids(head), *([head.message_id] if head.message_id else [])]
        by_key = {role.key: role for role in roles}
        return [
            (conversation, version)
            for key, version in decision.shown
            for conversation in desk.conversation(by_key[key], ids)
        ]
