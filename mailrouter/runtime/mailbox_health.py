"""Mailboxes that mail has not been reaching, and since when: in memory, since every mail asks.

A mailbox fails from its first refusal or bounce on, until something arrives. A refusal by the next server is over when
it takes a mail; but of one whose mail came back that says little, so there it is over when nothing has come back for an
hour. What a lost connection did to a mail says nothing of the mailbox.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import get_args

from mailrouter.address import canonical
from mailrouter.message.dsn.bounce import Kind
from mailrouter.moments import moment_at
from mailrouter.schedule.model import Role
from mailrouter.store.ids import Milliseconds
from mailrouter.store.model import FailingMailbox

SAVE_AGAIN_MS = 600_000
"""How late the stored moment of the last failure may be: each refusal of many need not be written."""
OF_MAILBOXES = ("copy", "companion", "notice")
"""Kinds of deliveries that go to people behind a role."""

Save = Callable[[FailingMailbox], None]
Forget = Callable[[str], None]


def _ignore(_: object) -> None:
    """Keep nothing."""


class Mailboxes:
    """The failing ones. ``save`` and ``forget`` are told of changes worth keeping for the next start."""

    def __init__(
        self, known: Iterable[FailingMailbox] = (), save: Save = _ignore, forget: Forget = _ignore
    ) -> None:
        self._failing = {found.mailbox: found for found in known}
        self._saved = {found.mailbox: found.last for found in known}
        self.reports: Counter[str] = Counter(dict.fromkeys(get_args(Kind), 0))
        """What came to return paths since the start, by kind."""
        self._save = save
        self._forget = forget

    def failing(self, now: Milliseconds) -> int:
        """The number of mailboxes that fail now, however briefly."""
        return sum(not found.mended(now) for found in self._failing.values())

    def __len__(self) -> int:
        """The number of mailboxes that fail now, however briefly."""
        return len(self._failing)

    def failed(self, address: str, at: Milliseconds, words: str, *, returned: bool = False) -> FailingMailbox:
        """Note that a mailbox refused, put off or ``returned`` a mail.

        It returns mail after taking it; ``words`` are the other server's.
        """
        mailbox = canonical(address)
        before = self._failing.get(mailbox)
        if before is not None and before.mended(at):
            before = None
        found = FailingMailbox(mailbox, before.since if before else at, at, words[:300], returned)
        self._failing[mailbox] = found
        if before is None or before.lasting != found.lasting or at - self._saved[mailbox] >= SAVE_AGAIN_MS:
            self._saved[mailbox] = at
            self._save(found)
        return found

    def arrived(self, address: str, at: Milliseconds, *, certain: bool = False) -> None:
        """The next server took a mail for it; ``certain`` where the mailbox itself answered."""
        if not self._failing:
            return
        mailbox = canonical(address)
        found = self._failing.get(mailbox)
        if found is None:
            return
        if found.returned and not certain and not found.mended(at):
            if not found.taken_at:
                self._failing[mailbox] = replace(found, taken_at=at)
                self._save(self._failing[mailbox])
            return
        del self._failing[mailbox], self._saved[mailbox]
        self._forget(mailbox)

    def clock_was_set(self, step: Milliseconds) -> None:
        """Set what is known by ``step``, as the clock was: how long a mailbox has been failing stays what it is."""
        for mailbox, found in list(self._failing.items()):
            taken_at = found.taken_at + step if found.taken_at else 0
            moved = replace(found, since=found.since + step, last=found.last + step, taken_at=taken_at)
            self._failing[mailbox], self._saved[mailbox] = moved, moved.last
            self._save(moved)

    def lasting(self, address: str, now: Milliseconds) -> FailingMailbox | None:
        """The mailbox, if mail hasn't reached it for a day."""
        found = self._failing.get(canonical(address)) if self._failing else None
        return found if found is not None and found.lasting and not found.mended(now) else None

    def all_lasting(self, now: Milliseconds) -> list[FailingMailbox]:
        """All mailboxes unreached for a day or more, longest first."""
        found = [one for one in self._failing.values() if one.lasting and not one.mended(now)]
        return sorted(found, key=lambda one: one.since)

    def unreached(self, role: Role, now: Milliseconds) -> tuple[tuple[str, datetime], ...]:
        """A role's partners whose mailboxes fail lastingly, by key, and since when."""
        if not self._failing:
            return ()
        pairs = ((person, self.lasting(person.email, now)) for person in role.partners)
        return tuple((person.key, moment_at(found.since)) for person, found in pairs if found)
