"""The open sessions of a listener, and what they share: places and memory.

A stranger is a client outside ``trusted_networks``. Strangers have most of the places and never the last ones, each of
them only some (an IPv6 client by its /64, RFC 6177), and all together only so much memory. Where places or memory get
short, strangers that are slow are asked to come again, the oldest first; servers of ours are not held back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from ipaddress import IPv6Address, ip_address
from typing import Any, Protocol

from mailrouter.caching import cached_by_text
from mailrouter.events import Bounded
from mailrouter.smtp.handler import Limits, Traffic

LOOK_SECONDS = 0.1
"""Between two looks at the sessions, while something is short."""
ROOMY = 0.75
"""The share of strangers' places, and of the memory, up to which nothing is short."""
ONE_READ = 262_144
"""Octets that one read of a session may bring."""
MUCH = 16 * 1024 * 1024
"""Octets: once so many were in memory and most of them are not, it is worth the while to give memory back."""

TOO_MANY = "421 4.3.2 Too many connections; please come again"
TOO_MANY_OF_YOURS = "421 4.7.0 Too many connections from your address; please close some and come again"
IDLE = "421 4.4.2 Many are waiting for a connection, and yours was quiet for too long; please come again"
SLOW = "421 4.3.2 There is little memory left, and your message arrives slowly; please come again"


class Session(Protocol):
    """The part of a session that is asked here."""

    network: str
    """As ``network_of`` gives it."""
    trusted: bool
    held: int
    """Octets that it has in memory; set by ``Sessions.hold``. A message that is being committed counts to its end."""
    held_since: float
    """Since when: the loop's clock."""
    held_back: bool
    """Nothing is read from it until ``go_on``."""

    @property
    def committing(self) -> bool:
        """Note that a message has come whole: it will end itself."""

    def idles(self, now: float) -> bool:
        """Whether, while places are short, a session keeps one without use."""

    def go_on(self) -> None:
        """Read from it again."""

    def hold_back(self) -> None:
        """Read nothing more from it."""

    def end(self, reply: str) -> None:
        """Say ``reply`` and close."""


class Sessions:
    """The sessions of one listener; iterating gives those that have a place.

    ``relieved`` is called when most of what was in memory has gone.
    """

    def __init__(
        self,
        limits: Limits,
        loop: Any,
        traffic: Traffic | None = None,
        relieved: Callable[[], object] = lambda: None,
    ) -> None:
        self.lines = Bounded()
        """How many lines about refused recipients there may be."""
        self.limits = limits
        self.traffic = traffic or Traffic()
        self.held = 0
        """Octets in memory of all sessions."""
        self._loop = loop
        self._all: dict[Session, None] = {}
        self._networks: Counter[str] = Counter()
        self._strangers = 0
        self._waiting: dict[Session, None] = {}
        """Sessions held back, in the order in which they may go on."""
        self._looking: Any = None
        self._relieved = relieved
        self._peak = 0

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all)

    @property
    def strangers_places(self) -> int:
        """The number of places that strangers have; the others are kept for servers of ours."""
        most = self.limits.max_connections
        return most - (max(20, most // 10) if most >= 100 else most // 10)

    # --- places -------------------------------------------------------------------------------------------------

    def enter(self, session: Session) -> str:
        """Give a new session its place; or the reply with which it is sent away."""
        self.traffic.sessions += 1
        refusal = self._refusal(session)
        if refusal:
            self.traffic.limited["address" if refusal == TOO_MANY_OF_YOURS else "places"] += 1
            return refusal
        self._all[session] = None
        if not session.trusted:
            self._strangers += 1
            self._networks[session.network] += 1
            if self._places_short():
                self._look_soon()
        return ""

    def _refusal(self, session: Session) -> str:
        if len(self._all) >= self.limits.max_connections:
            return TOO_MANY
        if session.trusted:
            return ""
        if self._networks[session.network] >= self.limits.max_per_address:
            return TOO_MANY_OF_YOURS
        return TOO_MANY if self._strangers >= self.strangers_places else ""

    def leave(self, session: Session) -> None:
        """Give the place back; nothing for one that had none."""
        self._waiting.pop(session, None)
        if session not in self._all:
            return
        del self._all[session]
        if not session.trusted:
            self._strangers -= 1
            self._networks[session.network] -= 1
            if not self._networks[session.network]:
                del self._networks[session.network]

    def _places_short(self) -> bool:
        return self._strangers > self.strangers_places * ROOMY

    # --- memory -------------------------------------------------------------------------------------------------

    def hold(self, session: Session, octets: int) -> None:
        """Note how much a session has in memory by now."""
        if octets == session.held:
            return
        if not session.held:
            session.held_since = self._loop.time()
        self.held += octets - session.held
        session.held = octets
        if self.held > self.limits.held_octets:
            self._hold_back()
        if self.held > self._peak:
            self._peak = self.held
        elif self._peak > MUCH and self.held < self._peak // 8:
            self._peak = self.held
            self._relieved()

    def flushed(self, session: Session) -> None:
        """Note that a session's data has gone to the store: it is not slow."""
        session.held_since = self._loop.time()

    @property
    def memory_short(self) -> bool:
        """Whether strangers wait to be read from."""
        return bool(self._waiting) or self.held > self.limits.held_octets

    def waits(self, session: Session) -> bool:
        """Whether memory is short, and this session must wait its turn."""
        if (
            not self._waiting and self.held <= self.limits.held_octets
        ):  # asked with each read: memory is nearly never short
            return False
        return not (session.trusted or session.held_back or session.committing)

    def _hold_back(self) -> None:
        """Read from no stranger. All at once: each read may bring a quarter of a megabyte."""
        for session in self._all:
            if self.waits(session):
                self.wait(session)
        self._look_soon()

    def wait(self, session: Session) -> None:
        """Have one session wait for memory, behind those that wait already."""
        session.hold_back()
        self._waiting.pop(session, None)
        self._waiting[session] = None
        self._look_soon()

    def _let_go_on(self) -> None:
        """Read again from as many as there is room for: one half of them those that have least here, so that nobody's
        first words wait for others' large messages, the other half those that have waited longest."""
        room = max(0, int(self.limits.held_octets - self.held) // ONE_READ)
        least = sorted(self._waiting, key=lambda session: session.held)[: (room + 1) // 2]
        longest = [session for session in self._waiting if session not in least]
        for session in (*least, *longest[: room - len(least)]):
            del self._waiting[session]
            session.go_on()

    # --- looking after both --------------------------------------------------------------------------------------

    def _look_soon(self) -> None:
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        self._looking = None
        now = self._loop.time()
        if self._places_short():
            for session in list(self._all):
                if not session.trusted and not session.held_back and session.idles(now):
                    self._send_away(session, "idle", IDLE)
        if self.memory_short:
            self._make_room(now)
            self._let_go_on()
        if self._places_short() or self.memory_short:
            self._look_soon()

    def _make_room(self, now: float) -> None:
        enough = self.limits.held_octets * ROOMY
        for session in sorted(self._all, key=lambda session: session.held_since):
            if self.held <= enough:
                return
            if session.held and not session.trusted and not session.committing:
                allowed = self.limits.slow_seconds + session.held / self.limits.slow_rate
                if now - session.held_since > allowed:
                    self._send_away(session, "slow", SLOW)

    def _send_away(self, session: Session, reason: str, reply: str) -> None:
        self.traffic.limited[reason] += 1
        self._waiting.pop(session, None)
        session.end(reply)


@cached_by_text(4096)
def network_of(client: str) -> str:
    """The network by which a client is counted: an IPv4 address, an IPv6 /64; what is neither as it stands.

    >>> network_of("2001:db8:1:2:3::4"), network_of("::ffff:192.0.2.1")
    ('2001:db8:1:2::', '192.0.2.1')
    """
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Address(int(address) >> 64 << 64))
