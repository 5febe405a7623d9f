"""The running service's state, for ``check --live``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mailrouter.config import Settings
from mailrouter.moments import iso_utc, moment_at
from mailrouter.schedule.date_words import called, date_words, joined, moment_words
from mailrouter.schedule.model import Role
from mailrouter.service.control import ask
from mailrouter.store.ids import Milliseconds
from mailrouter.store.opening import holder

SOCKET = "mailrouter.sock"

_KINDS = {
    "reply": "automatic replies",
    "report": "reports of failure",
    "delay": "reports of delay",
    "success": "reports of success",
}


@dataclass(frozen=True, slots=True)
class Live:
    """The running service's answer, None without one, and its roles' names.

    ``held_by`` is the process that holds the store all the same (``""``: some process), None where none does.
    """

    status: dict[str, Any] | None
    roles: tuple[Role, ...]
    moment: datetime
    socket: Path
    held_by: str | None = None

    @property
    def well(self) -> bool:
        """Whether it runs, delivers, and every partner gets their mail."""
        wrong = ("trouble", "failing", "lost", "configuration")
        return self.status is not None and not any(self.status.get(name) for name in wrong)

    def data(self) -> dict[str, object]:
        """For JSON: ``running``, and what the service said, its moments in ISO 8601."""
        if self.status is None:
            if self.held_by is None:
                return {"running": False}
            return {"running": True, "answers": False, "process": self.held_by, "socket": str(self.socket)}
        failing = [one | {"since": _iso(one["since"])} for one in self.status["failing"]]
        moments = {name: _iso(self.status[name]) for name in ("troubled_since", "oldest")}
        return {"running": True, **self.status, **moments, "failing": failing}

    def shown(self, width: int) -> str:
        """For people, in ``width`` columns."""
        return "\n".join(textwrap.fill(line, width, subsequent_indent="  ") for line in self._lines())

    def _lines(self) -> Iterator[str]:
        if self.status is None and self.held_by is not None:
            process = f" (process {self.held_by})" if self.held_by else ""
            yield (
                f"A service is running{process}, but its socket {self.socket} is gone, so it can't be asked: restart it."
            )
            return
        if self.status is None:
            yield "No service is running with this configuration, so no mail is taken or delivered."
            return
        status = self.status
        at = f"takes mail at {' and '.join(status['listens_at'])} and " if status.get("listens_at") else ""
        yield f"The service is running; it {at}delivers to {status['delivers_to']}."
        if status["trouble"]:
            since = self._moment(status["troubled_since"])
            yield f"The next server can't be used since {since}: {status['trouble']}"
            if status.get("advice"):
                yield status["advice"]
        yield self._queue(status["queued"], status["oldest"])
        if status.get("lost"):
            yield f"{status['lost']}. `mailrouter queue list --state failed --state bounced` shows them."
        if status.get("as_root"):
            yield f"{status['as_root'][0].upper()}{status['as_root'][1:]}."
        if status.get("configuration"):
            yield f"Its configuration can't be read, and the one before is in force: {status['configuration']}"
        if capped := status.get("capped"):
            what = joined(f"{n:,} {_KINDS.get(kind, kind)}" for kind, n in sorted(capped.items()))
            yield f"Not sent today, for enough were sent to the same people: {what}."
        for one in status["failing"]:
            yield self._failing(one)
        if not any(status.get(name) for name in ("trouble", "failing", "lost")):
            yield "Every partner's mailbox takes mail, as far as is known."

    def _queue(self, queued: int, oldest: Milliseconds | None) -> str:
        if not queued or oldest is None:
            return "Nothing waits to be delivered."
        waits = "1 delivery waits" if queued == 1 else f"{queued:,} deliveries wait"
        return f"{waits}; the oldest mail came {self._moment(oldest)}."

    def _failing(self, one: dict[str, Any]) -> str:
        zone = self.roles[0].time_zone if self.roles else UTC
        since = moment_at(one["since"], zone)
        who = next(_named(self.roles, one["mailbox"]), "not in the files as they are now")
        words = f" Its server says: {one['words']}" if one["words"] else ""
        day = date_words(since.date(), self.moment.astimezone(zone).date())
        return f"Mail has not been reaching {one['mailbox']} ({who}) since {day}.{words}"

    def _moment(self, at: Milliseconds) -> str:
        """``Tuesday 24 November at 10:00``, by the clocks of the first role."""
        moment = moment_at(at)
        if not self.roles:
            return _iso(at) or ""
        zone = self.roles[0].time_zone
        return moment_words(moment, zone, self.moment.astimezone(zone).date())


def look(settings: Settings, roles: tuple[Role, ...]) -> Live:
    """Ask the service that runs with these settings. Raises MailrouterError where it does not answer."""
    socket = settings.run_folder / SOCKET
    status = ask(socket, {"do": "status"})
    held_by = holder(settings.store) if status is None else None
    return Live(status, roles, datetime.now(UTC), socket, held_by)


def _named(roles: Iterable[Role], mailbox: str) -> Iterator[str]:
    for role in roles:
        for person in role.people:
            if person.mailbox == mailbox:
                yield f"{called(role)[person.key]}, {role.name}"


def _iso(at: Milliseconds | None) -> str | None:
    return None if at is None else iso_utc(at)
