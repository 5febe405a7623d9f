"""Roles' files under changes by mail and command: worked out, committed, written, and finished after a crash.

The order is this. The new text is written beside the file and synced, so that a full disk or a file that can't be
written is known while nothing has happened yet. Then the change is committed, with both texts, the mail that brought
it and what is told about it. Then the draft is renamed over the file, the change is marked as done, and only then is
250 said. After a crash before the commit nothing has happened, and the mail comes again; after one behind it the
change is found begun and its text is written at the start; the mail that comes again is known.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mailrouter import events
from mailrouter.config.atomic_write import ChangedMeanwhile, FileDraft, draft, role_path
from mailrouter.errors import MailrouterError, StoreError
from mailrouter.intake.originals import Original, delivery_of
from mailrouter.intake.partner.decide import Handing
from mailrouter.message.head import Head
from mailrouter.moments import milliseconds
from mailrouter.routing.model import Situation
from mailrouter.routing.partner import schedule_notices
from mailrouter.runtime.context import Arrival, Desk
from mailrouter.schedule.model import Role
from mailrouter.store import ids
from mailrouter.store.model import Delivery, HandoffChange, ScheduleChange
from mailrouter.store.protocols import Store

log = logging.getLogger("mailrouter.schedule")


@dataclass(slots=True)
class ScheduleFiles:
    """The writing side. One change at a time: ``lock`` is held from the decision to the renamed file.

    ``changed`` is awaited after each, for the service to work by it at once.
    """

    store: Store
    changed: Callable[[], Awaitable[None]] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def drafts(self, desk: Desk, found: Handing) -> dict[str, FileDraft]:
        """The new texts beside their files, by role; where one can't be written the decision becomes an answer that
        says so."""
        made: dict[str, FileDraft] = {}
        for number, decided in enumerate(found.decided):
            file = decided.handover.file
            if file is None:
                continue
            path = role_path(desk.configuration.folder, decided.role.key)
            try:
                if decided.role.key in made:
                    raise ChangedMeanwhile("Another mail changes the same file in this moment.")
                made[decided.role.key] = await asyncio.to_thread(draft, path, file.before, file.after)
            except MailrouterError as error:
                log.error("%s: a change of the schedule can't be written: %s", decided.role.key, error)
                found.decided[number] = decided.failed(str(error))
        return made

    async def publish(
        self,
        desk: Desk,
        drafts: dict[str, FileDraft],
        changes: Sequence[HandoffChange],
        queued: list[Delivery],
    ) -> bool:
        """Put the drafts of what is committed in place; False if one could not be, after all: that is told, then,
        instead of what was ``queued`` about it."""
        whole = True
        for change in (wanted.schedule for wanted in changes):
            if change is None:
                continue
            try:
                await asyncio.to_thread(drafts[change.role].publish)
            except MailrouterError as error:
                whole = False
                drafts[change.role].discard()
                notices = [d for d in queued if d.kind == "notice" and d.role == change.role]
                await self._lost(desk, change, notices, str(error))
                queued[:] = [d for d in queued if d not in notices]
            else:
                await self._finish(change)
                fields = {"role": change.role, "by": change.author or "a command"}
                events.tell(log, "schedule_written", fields=fields, words="the schedule is changed")
        if self.changed is not None and drafts:
            try:
                await self.changed()
            except Exception:
                log.exception("the changed schedule can't be taken up yet; it is tried again by itself")
        return whole

    async def _finish(self, change: ScheduleChange) -> None:
        try:
            await self.store.finish_change(change)
        except StoreError as error:
            # The file holds it, and it is found begun at the next start; the mail must not come again.
            log.error("%s: a change of the schedule is not marked as done: %s", change.role, error)

    async def recover(self, desk: Desk) -> bool:
        """Finish what a crash left begun; True if a file was written."""
        wrote = False
        for change in await self.store.reader.begun_schedule_changes():
            path = role_path(desk.configuration.folder, change.role)
            try:
                if not _holds(path, change.after):
                    draft(path, change.before, change.after).publish()
                    wrote = True
            except MailrouterError as error:
                entry = await self.store.reader.entry(change.id)
                mine = [
                    d
                    for d in (entry.deliveries if entry else ())
                    if d.kind == "notice" and d.role == change.role and d.state == "queued"
                ]
                await self._lost(desk, change, mine, str(error))
                continue
            await self._finish(change)
            log.warning("%s: a change of the schedule that a crash interrupted is in the file", change.role)
        return wrote

    async def _lost(self, desk: Desk, change: ScheduleChange, notices: Sequence[Delivery], why: str) -> None:
        log.error("%s: a change of the schedule is lost: %s", change.role, why)
        role = desk.configuration.role_for(change.role)
        new: list[Delivery] = []
        if role is not None:
            situation = own_situation(desk, role, datetime.now(UTC))
            entry = await self.store.reader.entry(change.id)
            first = ids.first_free(d.id for d in (entry.deliveries if entry else ()))
            for number, person in enumerate(desk.role_at(role, situation.duty.moment).partners, first):
                told = schedule_notices.lost(situation, person, change.what, why)
                original = Original("notice", told.recipient, told.pieces)
                at = milliseconds(situation.duty.moment)
                new.append(delivery_of(change.id, number, role.key, original, at))
        await self.store.lose_change(change, notices, new)


def own_situation(desk: Desk, role: Role, moment: datetime) -> Situation:
    """The facts for a message of ours that no mail brings about."""
    return desk.situation(role, Head(b"\r\n"), Arrival("", moment, b"", os.urandom(32)))


def _holds(path: Path, text: bytes) -> bool:
    try:
        return path.read_bytes() == text
    except OSError:
        return False
