"""A role's file as deciding about it needs it: read, edited in memory, and loaded as the service would.

Loading takes a while, and what is loaded may be a stranger's: the service has it done by its worker process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from mailrouter.calendars.cache import with_kept
from mailrouter.config.atomic_write import CannotWrite, role_path
from mailrouter.config.proposals import edited_role, replaced_role
from mailrouter.intake.worker_answers import Answers
from mailrouter.moments import moment_at
from mailrouter.routing.partner.file.difference import FileDifference, file_difference
from mailrouter.routing.partner.file.merged import PastChange, merged, taken_back
from mailrouter.routing.partner.schedule_request import LastChange, Proposed, ScheduleRequest
from mailrouter.runtime.context import Desk
from mailrouter.schedule.changes.edits import Edit
from mailrouter.schedule.model import Role
from mailrouter.store.ids import queue_id
from mailrouter.store.model import CHANGES_KEPT
from mailrouter.store.protocols import Reading


class FolderFile:
    """A role's file in the configuration's folder (a ``RoleFile`` of ``rescheduling``).

    Each method may raise Missing (see ``Answers``) and WorkerFailed.
    """

    def __init__(self, desk: Desk, role: Role, answers: Answers) -> None:
        self._desk, self._role, self._answers = desk, role, answers
        self.path = role_path(desk.configuration.folder, role.key)

    def current(self) -> Proposed:
        """The file as it is now; loaded only if it isn't what is in force. Raises MailrouterError."""
        try:
            text = self.path.read_bytes()
        except OSError as error:
            raise CannotWrite(f"The file {self.path.name} can't be read: {error.strerror}.") from error
        read = self._desk.as_read.role_for(self._role.key)
        if read is not None and text == self._desk.texts.get(self._role.key):
            return Proposed(text, read)
        return self.replaced(text)

    def edited(self, base: Proposed, edits: Sequence[Edit]) -> Proposed:
        """With these edits. Raises MailrouterError."""
        return Proposed(*self._answers.of(edited_role, *self._place(), base.text, tuple(edits), base.role))

    def replaced(self, text: bytes) -> Proposed:
        """With this text, as the service would load it. Raises ConfigurationError."""
        return Proposed(text, self._answers.of(replaced_role, *self._place(), text))

    def _place(self) -> tuple[Path, str, str]:
        return self._desk.configuration.folder, self._role.key, self._desk.hostname

    def compared(self, base: Proposed, proposed: Proposed, today: date) -> FileDifference:
        """The effect of another text, from ``today`` on."""
        before, after = (base.text, base.role), (proposed.text, proposed.role)
        old, new = self.shown(base.role), self.shown(proposed.role)
        return self._answers.of(file_difference, before, after, old, new, today)

    def merged(self, common: str, edited: str, current: str) -> str:
        """See ``merged_file.merged``."""
        return self._answers.of(merged, common, edited, current)

    def taken_back(
        self, current: str, new: str, past: Sequence[PastChange], author: str
    ) -> PastChange | None:
        """See ``merged_file.taken_back``."""
        return self._answers.of(taken_back, current, new, tuple(past), author)

    def shown(self, role: Role) -> Role:
        """With the absences that partners' calendars have brought."""
        (laid,) = with_kept(replace(self._desk.as_read, roles=(role,))).roles
        return laid


@dataclass(frozen=True, slots=True)
class KnownChanges:
    """The store's knowledge of a role's file: the ``last`` change, and the ``past`` ones that hold, the newest first."""

    last: LastChange | None = None
    past: tuple[PastChange, ...] = ()


NO_CHANGES = KnownChanges()


async def known_changes(reader: Reading, role: str, *, past: bool) -> KnownChanges:
    """Read them; the ``past`` ones only where a whole file is to be compared with them. Raises StoreError."""
    last = await reader.last_schedule_change(role)
    known = None
    if last is not None:
        at = moment_at(last.at)
        known = LastChange(last.id, at, queue_id(last.id), last.what, last.author, last.before, last.after)
    kept = await reader.schedule_changes(role, CHANGES_KEPT) if past else []
    holding = (c for c in kept if c.state == "done")
    return KnownChanges(known, tuple(PastChange(c.what, c.author, c.before, c.after) for c in holding))


def schedule_request(desk: Desk, role: Role, answers: Answers, known: KnownChanges) -> ScheduleRequest:
    """The rules for mail to a role's schedule address, with their facts."""
    return ScheduleRequest(FolderFile(desk, role, answers), known.last, known.past)
