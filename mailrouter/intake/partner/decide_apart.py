"""A mail to partners' addresses on its way through the service: read once, and decided without holding up other mail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mailrouter.config.atomic_write import FileDraft
from mailrouter.intake.partner.decide import Handing, Incoming, hand_in_turn, is_proven, unread
from mailrouter.intake.partner.file_changes import ScheduleFiles
from mailrouter.intake.purposes import Target
from mailrouter.intake.worker_answers import Answers
from mailrouter.routing.model import Situation
from mailrouter.routing.partner.contents import Contents, read_contents
from mailrouter.routing.partner.handoff_text import MAX_MAIL
from mailrouter.worker.worker import Calls, WorkerBusy, WorkerFailed

BUSY = "451 4.3.2 Too much mail is being read just now; please try again later"
"""Nothing is known of the mail yet, and the same one will do a little later. As plain mail it would reach the partners,
but nobody would do what it asks for."""


class ChangesFile(Exception):
    """A mail will change a role's file, and needs the files' lock. It is decided once more behind that lock."""


class PartnerMail:
    """One such mail. What was read and worked out of it stays, if its decision has to be made again.

    ``files`` writes changed files of roles, of which the ``drafts`` lie beside them until the mail is committed; None
    where nothing is written. ``locked``: the lock of the files is held.
    """

    def __init__(self, calls: Calls, files: ScheduleFiles | None = None) -> None:
        self.drafts: dict[str, FileDraft] = {}
        self.locked = False
        self._calls = calls
        self._files = files
        self._answers: Answers | None = None
        self._contents: Contents | WorkerFailed | None = None

    async def decide(self, mail: Incoming, targets: Sequence[tuple[Target, Situation]]) -> Handing:
        """Decide about each address for partners. Raises ChangesFile."""
        handing = await self._decide(mail, targets)
        if self._files is not None and any(decided.handover.file for decided in handing.decided):
            if not self.locked:
                raise ChangesFile
            if not handing.refusal:
                self.drafts = await self._files.drafts(mail.desk, handing)
        return handing

    def discard(self) -> None:
        """Remove the drafts: the mail is not taken."""
        for draft in self.drafts.values():
            draft.discard()

    async def _decide(self, mail: Incoming, targets: Sequence[tuple[Target, Situation]]) -> Handing:
        ahead = is_proven(mail, targets)
        try:
            if self._answers is None:
                self._answers = Answers(self._calls, ahead=ahead)
                self._contents = await self._read(mail, ahead)
            if isinstance(self._contents, WorkerFailed):
                roles = [situation.role for _, situation in targets]
                return unread(mail.received.name, roles, self._contents)
            return await hand_in_turn(replace(mail, contents=self._contents), targets, self._answers)
        except WorkerBusy:
            return Handing(refusal=BUSY)

    async def _read(self, mail: Incoming, ahead: bool) -> Contents | WorkerFailed | None:
        received = mail.received
        if received.shape.size > MAX_MAIL:
            return None
        raw = await received.read(received.shape.size)
        try:
            return await self._calls.call(read_contents, mail.head.raw, received.shape, raw, ahead=ahead)
        except WorkerFailed as failed:
            return failed
