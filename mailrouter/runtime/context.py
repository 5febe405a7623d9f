"""Facts read once and handed over as data: the configuration made ready, and one message's Situation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from mailrouter import keyed
from mailrouter.address import canonical, domain_of, split_tag
from mailrouter.config import Configuration
from mailrouter.message.head import Head
from mailrouter.message.provenance.received import loop_mark
from mailrouter.moments import milliseconds, moment_at
from mailrouter.routing.findings import NO_FINDINGS, Findings, findings
from mailrouter.routing.model import CurrentHandoff, Situation
from mailrouter.routing.verdict import verdicts, vouched_for
from mailrouter.routing.wording import Wording, Words
from mailrouter.runtime.keys import Keys
from mailrouter.runtime.mailbox_health import Mailboxes
from mailrouter.runtime.origin import trusts, way_of
from mailrouter.runtime.return_paths import ReturnPaths
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Role
from mailrouter.store.model import Handoff
from mailrouter.store.protocols import Reading


class Arrival(NamedTuple):
    """The way and moment of a message's arrival: the same for every role that it is for.

    ``received`` is our trace field for it, ``seed`` at least 16 random octets. ``client`` is the address of who handed
    it in; None: it is told as if one of our own servers had. ``next_hop_size`` is what the next server takes, None
    while that is not known.
    """

    reverse_path: str
    moment: datetime
    received: bytes
    seed: bytes
    client: str | None = None
    next_hop_size: int | None = None


@dataclass(slots=True)
class Desk:
    """A configuration made ready for work: rosters, address book, loop marks. Replaced whole at a reload."""

    configuration: Configuration
    words: Words
    keys: Keys
    handoffs: dict[str, CurrentHandoff] = field(default_factory=dict)
    mailboxes: Mailboxes = field(default_factory=Mailboxes)
    next_hop_size: Callable[[], int | None] = lambda: None
    """Gives the next hop's SIZE, None while it is not known."""
    texts: Mapping[str, bytes] = field(default_factory=dict)
    """Of the roles' files that the configuration was made of, where they are known."""
    vanished: frozenset[str] = frozenset()
    """Keys of the roles whose files are missing: they are kept for a while, and their mail comes again later."""
    read: Configuration | None = None
    """What these texts say by themselves, where ``configuration`` has more, such as absences from calendars."""
    known: InitVar[Mapping[str, Roster]] = MappingProxyType({})
    """Rosters of the desk before: of a role that is still the very same, its roster and what that has worked out stay."""
    wording: Wording = field(init=False)
    rosters: dict[str, Roster] = field(init=False)
    by_address: dict[str, Role] = field(init=False)
    ours: frozenset[str] = field(init=False)
    loop_marks: dict[str, str] = field(init=False)
    return_paths: ReturnPaths = field(init=False)

    def __post_init__(self, known: Mapping[str, Roster]) -> None:
        roles = self.configuration.roles
        self.wording = Wording(self.words)
        self.rosters = {
            role.key: kept if (kept := known.get(role.key)) and kept.role is role else Roster(role)
            for role in roles
        }
        self.by_address = {address: role for role in roles for address in (role.address, *role.aliases)}
        self.ours = frozenset({*self.by_address, canonical(self.configuration.settings.postmaster)})
        domain = self.configuration.settings.return_domain
        self.return_paths = ReturnPaths(
            (self.keys.current,), domain, self.keys.earlier, frozenset(map(domain_of, self.by_address))
        )
        self.loop_marks = {role.key: loop_mark(self.keys.current, role.address) for role in roles}

    @property
    def as_read(self) -> Configuration:
        """The configuration as it stands in the files."""
        return self.read or self.configuration

    @property
    def hostname(self) -> str:
        """Our own name."""
        return self.configuration.settings.hostname

    def role_of(self, recipient: str) -> tuple[Role | None, str]:
        """The role that takes mail for ``recipient``, and its sub-address."""
        address, tag = split_tag(recipient)
        return self.by_address.get(address), tag

    def role_at(self, role: Role, moment: datetime) -> Role:
        """The role with nobody but those who are its partners at ``moment``: who else has no say and no part."""
        return self.rosters[role.key].role_at(moment)

    def situation(
        self,
        role: Role,
        head: Head,
        arrival: Arrival,
        *,
        handoff_seen: int = 0,
        to_handoff: bool = False,
    ) -> Situation:
        """All facts about one role for one message; what memory knows is given by the caller."""
        moment = arrival.moment
        settings = self.configuration.settings
        found, vouched = self._checked(head, arrival.client)
        roster = self.rosters[role.key]
        role = roster.role_at(moment)
        return Situation(
            role=role,
            duty=roster.duty(moment),
            reverse_path=arrival.reverse_path,
            hostname=settings.hostname,
            our_domains=settings.our_domains,
            ours=self.ours,
            received=arrival.received,
            loop_mark=self.loop_marks[role.key],
            seed=arrival.seed,
            wording=self.wording,
            handoff=self.handoffs.get(role.key),
            handoff_seen=handoff_seen,
            verdicts=verdicts(head, settings.authserv_id, found),
            findings=found,
            vouched=vouched,
            next_hop_size=arrival.next_hop_size,
            to_handoff=to_handoff,
            unreached=self.mailboxes.unreached(role, milliseconds(moment)) if self.mailboxes else (),
            whole=roster.role,
        )

    def _checked(self, head: Head, client: str | None) -> tuple[Findings, bool | None]:
        """Our mail server's verdict on a mail, and its author's domain. None where none is named."""
        settings = self.configuration.settings
        if not settings.authserv_id:
            return NO_FINDINGS, None
        found = findings(head, settings.authserv_id, way_of(settings, head, client))
        trusted = client is None or trusts(settings.trusted_networks, client)
        return found, trusted and vouched_for(head, found, settings.our_domains)

    def conversation(self, role: Role, message_ids: Sequence[str]) -> list[str]:
        """The keys under which this role's conversations with these Message-IDs are remembered."""
        return [
            keyed.memory_key(self.keys.memory, f"{role.key}\0{id_}") for id_ in dict.fromkeys(message_ids)
        ]


@dataclass(slots=True)
class Context:
    """The basis of the running service's decisions: the configuration in force, and the clock.

    ``desk`` is replaced whole when the configuration is read again, or calendars bring something new.
    """

    desk: Desk
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def now(self) -> datetime:
        """The moment, in UTC."""
        return self.clock()

    async def take_up_handoff(self, reader: Reading, role: str) -> None:
        """Give the next mails to ``role`` its newest stored handoff."""
        stored = await reader.handoff(role)
        known = self.desk.handoffs.get(
            role
        )  # by now: meanwhile the desk, or its handoff, may have become another
        if stored is not None and (known is None or known.version < stored.version):
            self.desk.handoffs[role] = current(stored)


def current(handoff: Handoff) -> CurrentHandoff:
    """The facts that planning needs of a stored handoff."""
    written = moment_at(handoff.written_at)
    return CurrentHandoff(handoff.version, handoff.author, written, len(handoff.body))


def seed_of(head: bytes) -> bytes:
    """A seed for ``explain``, the same for the same file."""
    return hashlib.sha256(head).digest()
