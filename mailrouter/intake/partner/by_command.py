"""Changes of the schedule by command: what is asked for as JSON, and its way through the store and the file.

The same happens as for a partner's mail, and both partners are told; only nothing has to be proven, since whoever may
use the control socket, or the store, may change the file as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from mailrouter.config.atomic_write import draft, role_path
from mailrouter.errors import MailrouterError, NoSuchRole
from mailrouter.intake.originals import Original, originate_change
from mailrouter.intake.partner.file_changes import ScheduleFiles, own_situation
from mailrouter.intake.role_file import known_changes, schedule_request
from mailrouter.intake.worker_answers import Answers
from mailrouter.moments import milliseconds
from mailrouter.routing.partner.decision import Handover
from mailrouter.runtime.context import Desk
from mailrouter.schedule.language.requests import Off, Plain, Request, Works
from mailrouter.schedule.language.spans import Said
from mailrouter.store.ids import MessageId, queue_id
from mailrouter.store.model import ScheduleChange
from mailrouter.worker.worker import Calls, WorkerError


def as_json(request: Request) -> dict[str, Any]:
    """A request as it goes through the control socket."""
    return {"kind": type(request).__name__, **asdict(request)}


def from_json(data: dict[str, Any]) -> Request:
    """The request again. Raises MailrouterError for what is none."""
    fields = {name: value for name, value in data.items() if name != "kind"}
    try:
        match data["kind"]:
            case "Off":
                spans = [
                    Said(
                        datetime.fromisoformat(span["start"]),
                        datetime.fromisoformat(span["end"]),
                        bool(span["from_day"]),
                        bool(span["until_day"]),
                    )
                    for span in fields.pop("spans")
                ]
                return Off(spans=tuple(spans), **fields)
            case "Works":
                day, back = fields.pop("day"), fields.pop("back")
                hours = tuple(fields.pop("hours") or ())
                return Works(
                    day=date.fromisoformat(day),
                    back=date.fromisoformat(back) if back else None,
                    hours=(int(hours[0]), int(hours[1])) if hours else None,
                    **fields,
                )
            case "Plain":
                return Plain("undo")
    except (KeyError, TypeError, ValueError, IndexError):
        pass  # whatever is wrong in it, it is none of ours
    raise MailrouterError("This is no change of a schedule; the versions of command and service may differ.")


async def change_by_command(
    desk: Desk,
    files: ScheduleFiles,
    role_key: str,
    requests: Sequence[Request],
    moment: datetime,
    calls: Calls | None = None,
) -> str:
    """Change a role's file and have its partners told; gives what was done, in words. Raises MailrouterError.

    What takes long is done by ``calls``, or here without.
    """
    async with files.lock:
        role = desk.configuration.role_for(role_key)
        if role is None:
            raise NoSuchRole(f"There is no role {role_key!r} here.")
        number = files.store.spool().id
        answers = Answers(calls, ahead=True)
        known = await known_changes(files.store.reader, role.key, past=False)
        request = schedule_request(desk, role, answers, known)
        situation = own_situation(desk, role, moment)

        async def by_command() -> Handover:
            return request.by_command(situation, tuple(requests), queue_id(number))

        try:
            decided = await answers.decide(by_command)
        except WorkerError as error:
            raise MailrouterError(f"The change can't be worked out just now: {error}.") from None
        file = decided.file
        assert file is not None
        path = role_path(desk.configuration.folder, role.key)
        made = await asyncio.to_thread(draft, path, file.before, file.after)
        at = milliseconds(moment)
        undoes = MessageId(file.undoes)
        change = ScheduleChange(role.key, number, at, "", file.what, file.before, file.after, undoes)
        originals = [Original("notice", told.recipient, told.pieces) for told in decided.notices]
        try:
            wanted = await originate_change(files.store, change, originals)
        except BaseException:
            made.discard()
            raise
        if not await files.publish(desk, {role.key: made}, [wanted], list(wanted.notices)):
            raise MailrouterError(f"{path.name} could not be written after all; it stays as it was.")
    return file.what
