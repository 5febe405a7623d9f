"""A mail to partners' addresses on its way through the service: read once, and decided without holding up other mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from mailrouter.intake.partner.decide import (
    Addressed,
    Handing,
    Incoming,
    Target,
    hand_in_turn,
    is_proven,
    unread,
)
from mailrouter.intake.partner.worker_answers import Answers
from mailrouter.intake.planning import Arrival, situation_in_steps
from mailrouter.intake.resting import in_turns
from mailrouter.message.head import Head
from mailrouter.routing.model import Situation
from mailrouter.routing.partner.contents import Contents, read_contents
from mailrouter.runtime.context import Desk
from mailrouter.runtime.origin import came_from, trusts, way_of
from mailrouter.smtp.handler import Client
from mailrouter.store.ids import MessageId
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.turns import Steps
from mailrouter.worker.worker import Calls, WorkerBusy, WorkerFailed

BUSY = "451 4.3.2 Too much mail is being read just now; please try again later"
"""Nothing is known of the mail yet, and the same one will do a little later. As plain mail it would reach the partners,
but nobody would do what it asks for."""


class PartnerMail:
    """One such mail. What was read and worked out of it stays, if its decision has to be made again."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._answers: Answers | None = None
        self._contents: Contents | WorkerFailed | None = None

    async def decide(
        self,
        desk: Desk,
        reader: StoreReader,
        message: MessageId,
        arrival: Arrival,
        head: Head,
        to: Addressed,
        client: Client,
        raw: Callable[[], Awaitable[bytes | None]],
    ) -> Handing:
        """The decision about each address for partners; ``raw`` gives the whole message, None if it is too large."""
        targets = await in_turns(_facts_of_each(desk, head, arrival, to.handoffs))
        settings = desk.configuration.settings
        trusted = trusts(settings.trusted_networks, client.address)
        origin = came_from(way_of(settings, head, client.address), client.address, client.helo)
        mail = Incoming(desk, reader, head, arrival.shape, None, message, trusted, origin)
        ahead = is_proven(mail, targets)
        try:
            if self._answers is None:
                self._answers = Answers(self._calls, ahead=ahead)
                self._contents = await self._read(head, arrival, await raw(), ahead)
            if isinstance(self._contents, WorkerFailed):
                return unread(message, [situation.role for _, situation in targets], self._contents)
            return await hand_in_turn(mail.saying(self._contents), targets, self._answers)
        except WorkerBusy:
            return Handing(refusal=BUSY)

    async def _read(
        self, head: Head, arrival: Arrival, raw: bytes | None, ahead: bool
    ) -> Contents | WorkerFailed | None:
        if raw is None:
            return None
        try:
            return await self._calls.call(read_contents, head.raw, arrival.shape, raw, ahead=ahead)
        except WorkerFailed as failed:
            return failed


def _facts_of_each(
    desk: Desk, head: Head, arrival: Arrival, targets: Sequence[Target]
) -> Steps[list[tuple[Target, Situation]]]:
    found: list[tuple[Target, Situation]] = []
    for target in targets:
        found.append((target, (yield from situation_in_steps(desk, target.role, head, arrival))))
    return found
