"""What was answered 250 and has to arrive, and what arrived."""

from __future__ import annotations

import re
import threading
from collections import Counter
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.sink import Sink

_TRY = re.compile(rb"^X-Try: (\S+)\r", re.MULTILINE)
_ANSWERS = re.compile(rb"^In-Reply-To: <(\S+)@torture\.test>", re.MULTILINE)
_UNTRUE = re.compile(rb"^Subject: (?:Undelivered|Nobody has|[^\r]*did not reach)[^\r]*", re.MULTILINE)
_LINE = b"A line of text that says which mail it belongs to.\r\n"

Place = tuple[str, str]
"""A mark, and the recipient that it has to reach."""


def body(mark: str, octets: int) -> bytes:
    """A text that no other mail has, and that says if anything of it is missing."""
    own = f"This is {mark}, of {octets} octets.\r\n".encode()
    return own + _LINE * (octets // len(_LINE)) + own


@dataclass
class Accepted:
    """One 250: under which fault it was said, and all that has to follow."""

    fault: str
    wanted: tuple[Place, ...]
    handoff: str = ""


@dataclass
class Ledger:
    """Everything of one run. Threads add to it."""

    accepted: list[Accepted] = field(default_factory=list)
    arrived: Counter[Place] = field(default_factory=Counter)
    torn: list[Place] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    untrue: list[str] = field(default_factory=list)
    """Subjects of messages that say of a mail that it did not arrive: in the end all do."""
    fault: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, *wanted: Place, handoff: str = "") -> None:
        """250 was seen."""
        with self.lock:
            self.accepted.append(Accepted(self.fault, wanted, handoff))

    def owed(self) -> int:
        """How much was promised by now."""
        with self.lock:
            return sum(len(entry.wanted) for entry in self.accepted)

    def missing(self) -> set[Place]:
        """What was promised and is not there."""
        with self.lock:
            return {place for entry in self.accepted for place in entry.wanted if not self.arrived[place]}


class Watching(Sink):
    """A next hop that keeps marks and no texts. ``refusing``: at which command it refuses everybody, and how."""

    def __init__(self, ledger: Ledger, port: int | None = None) -> None:
        super().__init__(port)
        self._ledger = ledger
        self.refusing: tuple[str, str] = ("", "")

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take it, or refuse everybody."""
        if self.refusing[0] == "mail":
            return self.refusing[1]
        envelope.mail_from, envelope.mail_options = address, options
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """The same."""
        if self.refusing[0] == "rcpt":
            return self.refusing[1]
        return await super().handle_RCPT(server, session, envelope, address, options)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """See what it is, and whether it is whole."""
        content = bytes(envelope.original_content or b"")
        if untrue := _UNTRUE.search(content):
            self._ledger.untrue.append(untrue[0].decode())
        found = _TRY.search(content)
        answers = _ANSWERS.search(content)
        for recipient in envelope.rcpt_tos:
            if found:
                place = (found[1].decode(), recipient)
                if body(place[0], self._ledger.sizes.get(place[0], 0)) not in content:
                    self._ledger.torn.append(place)
            elif answers:
                place = (f"answer to {answers[1].decode()}", recipient)
            else:
                continue
            with self._ledger.lock:
                self._ledger.arrived[place] += 1
                if answers and not found:
                    # A reply is owed once to a sender, whichever try it answers.
                    self._ledger.arrived["a reply", recipient] += 1
        return "250 2.0.0 taken"
