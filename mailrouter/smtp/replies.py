"""Replies, and reading them from an untrustworthy peer. It may be slow, talk nonsense, or never end."""

from __future__ import annotations

import asyncio
import math
import os
import re
from typing import Literal, NamedTuple

from mailrouter.smtp.meanings import meaning

MAX_REPLY = 65536
"""Octets: bounds memory if a server streams a reply without an end."""
MAX_WORDS = 500
"""Characters of a reply that are kept or told."""
_REPLY = re.compile(rb"[2-5][0-9][0-9](?:[ -]|\Z)")
_NEXT_ID = re.compile(
    r"(?:2\.[0-9]{1,3}\.[0-9]{1,3} )?(?:ok[: ]+)?(?:<[^ <>]{1,320}> )?(?:queued as |id=)([0-9A-Za-z.-]{4,40})(?![\w.-])",
    re.IGNORECASE,
)
"""Where a server says under which id it has a mail: Postfix, Exim, and those that say it as they do."""
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.])")


class Reply(NamedTuple):
    """A reply: its code and its text, with a line feed between its lines.

    ``own``: it tells nothing of a mailbox, since we made it ourselves, or since the server spoke of nobody. ``stage`` is
    what a server's reply answers: ``mail``, ``rcpt``, ``data``, ``dot`` (the end of the content); ``""`` for one of ours,
    and for what was asked apart from a message. ``waits``: it is permanent, and the mail waits all the same, for it
    speaks of us to everybody (``server``) or to this recipient (``recipient``); see ``smtp.refusals``.
    """

    code: int
    text: str
    own: bool = False
    stage: str = ""
    waits: Literal["", "server", "recipient"] = ""

    @property
    def positive(self) -> bool:
        """2yz."""
        return 200 <= self.code < 300

    @property
    def status(self) -> str:
        """The reply's enhanced status (RFC 2034), or ``""``."""
        status = _STATUS.match(self.text)
        return status[0] if status else ""

    @property
    def next_hop_id(self) -> str | None:
        """The id under which the server has taken the mail, if known."""
        found = _NEXT_ID.match(self.text[:MAX_WORDS]) if self.code == 250 and self.stage == "dot" else None
        return found[1] if found else None

    @property
    def ours(self) -> bool:
        """Whether it holds no words but our own."""
        return self.own and not self.stage

    @property
    def lost(self) -> bool:
        """Whether it tells of the connection alone: it broke (4.4.2), or the server ends it (421, RFC 5321 §3.8)."""
        return self.code == 421 or (self.code == 451 and self.status == "4.4.2")

    @property
    def codes(self) -> str:
        """Code and enhanced status alone: its words may quote a mail."""
        return f"{self.code} {self.status}".rstrip()

    @property
    def brief(self) -> str:
        """As a log may have it: of a server's reply the codes, and what they mean in words of ours."""
        if self.ours:
            return str(self)
        means = "" if self.code < 400 else meaning(self.code, self.status)
        return f"{self.codes} ({means})" if means else self.codes

    def __str__(self) -> str:
        """One line of at most ``MAX_WORDS`` without control characters: it goes onto terminals."""
        line = f"{self.code} {' '.join(self.text[: 2 * MAX_WORDS].split())}".strip()[:MAX_WORDS]
        return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)


LEAST_SLOW = 2.0
"""Seconds that a server has in any case before others are tried beside a connection that is silent."""


class PeerError(Exception):
    """The connection can't be used (any more): refused, lost, too slow or nonsense. Always temporary.

    Its text never has a server's words, which may quote a mail that it took before: of a reply it has the codes and
    what these mean. ``in_full`` has the words: for whoever asks the server by hand.
    """

    def __init__(self, text: str, said: Reply | str = "") -> None:
        super().__init__(f"{text}: {said.brief}" if isinstance(said, Reply) else text)
        self.in_full = f"{text}: {said}" if said else text


class Replies:
    """The peer's replies on one connection. A peer that is silent for too long has its connection aborted."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._data = b""
        self._loop = asyncio.get_running_loop()
        self._deadline = math.inf
        self._asked_at = self._slow_at = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._late = False

    @property
    def ended(self) -> bool:
        """Whether the peer has closed, as far as is known here."""
        return self._reader.at_eof() or self._reader.exception() is not None

    def silent(self, since: float = -math.inf) -> bool:
        """Whether the peer owes a reply since ``since``, or for unusually long."""
        return self._deadline < math.inf and (self._asked_at <= since or self._slow_at <= self._loop.time())

    async def next(self, patience: float, stage: str = "") -> Reply:
        """The next reply, to what ``stage`` says, whole within ``patience`` seconds. Raises PeerError."""
        lines: list[str] = []
        length, asked = 0, False
        while True:
            end = self._data.find(b"\n")
            if end < 0 or length > MAX_REPLY:
                if length + len(self._data) > MAX_REPLY:
                    raise PeerError("The server's reply has no end")
                if not asked:
                    self.patience(patience)
                    asked = True
                await self._more()
                continue
            line, self._data = self._data[:end].rstrip(b"\r"), self._data[end + 1 :]
            length += len(line) + 1
            if not _REPLY.match(line):
                raise PeerError("The server's reply can't be understood", repr(line[:80]))
            lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                self._deadline = math.inf
                return Reply(int(line[:3]), "\n".join(lines), stage=stage)

    async def drain(self, patience: float) -> None:
        """Once the peer has read enough of what was written. Raises PeerError."""
        self.patience(patience)
        try:
            await self._writer.drain()
        except OSError as error:
            raise self.lost(error) from error
        self._deadline = math.inf

    def patience(self, seconds: float) -> None:
        """The peer has this long. One timer a connection that re-arms itself costs less than one a reply."""
        self._asked_at = self._loop.time()
        self._deadline = self._asked_at + seconds
        self._slow_at = self._asked_at + slow_after(seconds)
        if self._timer is None or self._timer.when() > self._deadline + 1:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_later(min(seconds, 5.0), self._look)

    def _look(self) -> None:
        left = self._deadline - self._loop.time()
        if left > 0:
            self._timer = self._loop.call_later(min(left + 0.01, 5.0), self._look)
        else:
            self._late = True
            self._writer.transport.abort()

    def lost(self, error: OSError | None) -> PeerError:
        """The reason why there is no connection any more."""
        if self._late:
            return PeerError("The server said nothing for too long")
        return PeerError(
            f"The connection was lost: {why(error)}" if error else "The server closed the connection"
        )

    async def _more(self) -> None:
        try:
            block = await self._reader.read(MAX_REPLY)
        except OSError as error:
            raise self.lost(error) from error
        if not block:
            raise self.lost(None)
        self._data += block

    def stop(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()


def slow_after(patience: float) -> float:
    """Seconds after which others are tried beside a peer. It has ``patience`` seconds: 20 s of 300 s."""
    return max(LEAST_SLOW, patience / 15)


def why(error: BaseException) -> str:
    """An error of a connection in few words."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    number = getattr(error, "errno", None) or 0
    # The event loop words some errors by the socket's address; the system's own words are shorter.
    return (
        os.strerror(number)
        if number > 0
        else getattr(error, "strerror", None) or str(error) or type(error).__name__
    )
