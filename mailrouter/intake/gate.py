"""What stands behind the door: takes or refuses, plans, commits. One message's way from here is one page:
``docs/how-it-works.md``."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from mailrouter.intake.facts import RESERVED_TAGS, Desk, earlier_ids
from mailrouter.intake.rows import deliveries_of, reply_of
from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.message.trace import has_loop_mark, received_count, received_field
from mailrouter.routing.model import Plan
from mailrouter.routing.plan import plain_plan, plan
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.server import Client
from mailrouter.store.model import Acceptance, Delivery, Message, queue_id
from mailrouter.store.sqlite import SqliteSpool, SqliteStore

log = logging.getLogger("mailrouter.intake")

MAX_RECEIVED = 100
"""Received fields of a message that goes round in circles (RFC 5321 §6.3)."""

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
    ) -> None:
        self.desk = desk
        self._store = store
        self._offer = offer
        self._next_hop_size = next_hop_size
        self._clock = clock

    def now(self) -> datetime:
        """The moment, as the injected clock has it."""
        return self._clock()

    def recipient(self, address: str) -> str | None:
        """Taken are our roles, with any sub-address that has no meaning of its own; nothing else."""
        role, tag = self.desk.role_of(address)
        if role is None:
            return "550 5.7.1 No mail is taken here for this address"
        if tag in RESERVED_TAGS or tag.startswith("b-"):
            return "550 5.1.1 This address takes no mail here"
        return None

    def max_size(self) -> int | None:
        """What is configured, else what the next hop takes (known once it was spoken to), else a wide bound."""
        return self.desk.configuration.settings.max_size or self._next_hop_size() or MAX_SIZE

    def spool(self) -> SqliteSpool:
        """A place for a message while it arrives."""
        return self._store.spool()

    async def accept(self, client: Client, envelope: Envelope, spool: SqliteSpool, shape: Shape, head: bytes) -> str:
        """Plan the message and commit all that follows from it; 250 is said only after that."""
        parsed = Head(head)
        desk = self.desk
        roles = list({role.key: role for r in envelope.recipients if (role := desk.role_of(r)[0])}.values())
        refusal = unfit(shape) or self._looping(parsed, roles)
        if refusal or not roles:
            await spool.discard()
            log.warning("refused from %s: %s", client.address, refusal)
            return refusal or "550 5.7.1 No mail is taken here for this address"
        moment = self.now()
        decision = self._decide(desk, parsed, shape, roles, client, envelope, spool.id, moment)
        message = Message(
            id=spool.id,
            received_at=int(moment.timestamp() * 1000),
            reverse_path=envelope.reverse_path or "",
            recipients=tuple(envelope.recipients),
            size=shape.size,
            body_start=shape.body_start,
            client=client.address,
            helo=client.helo,
            message_id=parsed.message_id or "",
            eight_bit=shape.eight_bit or shape.header_eight_bit,
            smtputf8=envelope.smtputf8,
            reasons=decision.reasons,
        )
        reply, memory = reply_of(message, decision)
        content = await spool.finish()
        acceptance = Acceptance(
            message, content, deliveries_of(message, decision), reply, memory, self._shown(desk, decision, parsed, roles)
        )
        queued = await self._store.accept(spool, acceptance)
        self._offer(queued)
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

    def _looping(self, head: Head, roles: Sequence[Role]) -> str | None:
        if received_count(head) > MAX_RECEIVED:
            return "554 5.4.6 The message has passed too many servers"
        for role in roles:
            if has_loop_mark(head, self.desk.key, role.address):
                log.error("mail of role %s came back to it: somebody forwards it to the role again", role.key)
                return "554 5.4.6 The message has been here before; a mailbox forwards it back"
        return None

    def _decide(
        self,
        desk: Desk,
        head: Head,
        shape: Shape,
        roles: Sequence[Role],
        client: Client,
        envelope: Envelope,
        message: int,
        moment: datetime,
    ) -> Plan:
        received = received_field(
            helo=client.helo,
            peer=client.address,
            by=desk.configuration.settings.hostname,
            protocol=client.protocol,
            queue_id=queue_id(message),
            when=moment.astimezone(roles[0].time_zone),
        )
        seed = os.urandom(32)
        situations = [
            desk.situation(
                role,
                head,
                reverse_path=envelope.reverse_path or "",
                moment=moment,
                received=received,
                seed=seed,
                handoff_seen=self._seen(desk, role, head),
                next_hop_size=self._next_hop_size(),
            )
            for role in roles
        ]
        try:
            return plan(head, shape, situations)
        except Exception as error:
            # A bug or a broken template must not hold up mail: the copies go plain, and the fault is told.
            log.exception("%s: planning failed; plain copies are sent", queue_id(message))
            return plain_plan(head, shape, situations, f"of a fault in planning ({type(error).__name__})")

    def _seen(self, desk: Desk, role: Role, head: Head) -> int:
        """The handoff version this conversation has carried; read only where there is a conversation and a handoff."""
        ids = earlier_ids(head) if role.key in desk.handoffs and role.handoff == "thread" else []
        return self._store.reader.shown(desk.conversation(role, ids)) if ids else 0

    def _shown(self, desk: Desk, decision: Plan, head: Head, roles: Sequence[Role]) -> list[tuple[str, int]]:
        """What to remember: this mail's conversation has carried the handoff."""
        ids = [*earlier_ids(head), *([head.message_id] if head.message_id else [])]
        by_key = {role.key: role for role in roles}
        return [(key, version) for role, version in decision.shown for key in desk.conversation(by_key[role], ids)]


def unfit(shape: Shape) -> str | None:
    """Why a message can't be taken as it is, or None."""
    if shape.bare_cr or shape.bare_lf or shape.nul:
        # Sent on as they are, they smuggle a second message past the next server.
        return "550 5.6.11 The message holds a bare CR, a bare LF or a NUL"
    if shape.header_too_large:
        return "552 5.3.4 The message's header is too large"
    if shape.too_deep or shape.too_many_parts:
        return "554 5.6.0 The message has too many parts inside parts"
    return None
