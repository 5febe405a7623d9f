"""Sending: one pipelined SMTP connection that carries many messages, and the replies it reads.

RFC 2920 lets MAIL, RCPT and DATA travel together, and the commands of the next message travel with the end of
this one. So a message costs one round trip where the peer offers PIPELINING, and the connection is never idle
while there is something to send.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from mailrouter.smtp.dotted import stuff

MAX_REPLY = 65536
"""Octets: bounds memory if a server streams a reply without an end."""
_REPLY = re.compile(rb"[2-5][0-9][0-9](?:[ -]|\Z)")
GOODBYE = 2.0
"""Seconds the answer to QUIT is waited for: nothing depends on it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: its code and its text, with a line feed between its lines."""

    code: int
    text: str

    @property
    def positive(self) -> bool:
        """2yz."""
        return 200 <= self.code < 300

    def __str__(self) -> str:
        """One line without control characters: it goes into logs and onto terminals."""
        line = f"{self.code} {' '.join(self.text.split())}".strip()
        return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)


class PeerError(Exception):
    """The connection can't be used (any more): refused, lost, too slow or nonsense. Always temporary."""


@dataclass(slots=True)
class Outgoing:
    """One transaction to send: one recipient, and the content whole (``content``) or as blocks
    (``stream``)."""

    reverse_path: str
    recipient: str
    size: int
    eight_bit: bool = False
    smtputf8: bool = False
    content: bytes = b""
    stream: Callable[[], AsyncIterator[bytes]] | None = None
    begun: bool = False
    """Set once content was sent: from then on its fate is unknown until the reply to its end."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds (RFC 5321 §4.5.3.2 gives the least; a smarthost beside us that is slower than this is in
    trouble)."""

    connect: float = 30.0
    reply: float = 300.0
    data_end: float = 600.0


class Connection:
    """An open connection. Made by ``Connection.open``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeouts: Timeouts
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._timeouts = timeouts
        self._data = b""
        self._extensions: dict[str, str] = {}
        self._loop = asyncio.get_running_loop()
        self._deadline = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._late = False
        self.settled = 0
        """Messages that got their final reply here."""
        self.useful = 0
        """Those of them whose reply spoke of the message; 421 speaks of the connection."""

    @classmethod
    async def open(cls, host: str, port: int, helo: str, timeouts: Timeouts | None = None) -> Connection:
        """Connect and greet. Raises PeerError."""
        timeouts = timeouts or Timeouts()
        try:
            async with asyncio.timeout(timeouts.connect):
                reader, writer = await asyncio.open_connection(host, port, limit=MAX_REPLY)
        except (OSError, TimeoutError) as error:
            raise PeerError(f"{host}:{port} can't be reached: {_why(error)}") from error
        connection = cls(reader, writer, timeouts)
        try:
            await connection._greet(helo)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _greet(self, helo: str) -> None:
        banner = await self._reply(self._timeouts.reply)
        if banner.code != 220:
            raise PeerError(f"The server does not take mail now: {banner}")
        lines = await self._ask(f"EHLO {helo}")
        if lines.code == 250:
            for line in lines.text.split("\n")[1:]:
                name, _, value = line.partition(" ")
                self._extensions[name.upper()] = value
            return
        hello = await self._ask(f"HELO {helo}")
        if hello.code != 250:
            raise PeerError(f"The server refuses our name: {hello}")

    @property
    def pipelining(self) -> bool:
        """Whether commands may travel together (RFC 2920)."""
        return "PIPELINING" in self._extensions

    @property
    def max_size(self) -> int | None:
        """The peer's limit in octets (RFC 1870), or None where it names none."""
        value = self._extensions.get("SIZE", "")
        return int(value) or None if value.isdecimal() and value.isascii() and len(value) < 20 else None

    @property
    def lost(self) -> bool:
        """Whether the peer has closed, as far as is known here."""
        return self._reader.at_eof() or self._reader.exception() is not None or self._writer.is_closing()

    def objection(self, message: Outgoing) -> Reply | None:
        """Why this peer can't take ``message`` at all, told before anything is sent."""
        if self.max_size is not None and message.size > self.max_size:
            return Reply(
                552, f"5.3.4 The message ({message.size} octets) is larger than the next server takes"
            )
        addresses = message.reverse_path + message.recipient
        if not addresses.isascii() and "SMTPUTF8" not in self._extensions:
            return Reply(553, "5.6.7 The next server does not know addresses with such letters (SMTPUTF8)")
        if "\r" in addresses or "\n" in addresses:
            return Reply(553, "5.1.3 An address holds a line break")  # it would be a command of its own
        return None

    async def deliver(
        self, take: Callable[[], Outgoing | None], settle: Callable[[Outgoing, Reply], None]
    ) -> None:
        """Send what ``take`` gives until it gives None; ``settle`` hears each message's final reply.

        Raises PeerError when the connection fails, and whatever a message's ``stream`` raises; the connection
        can't be used any more then. What was taken and not settled is to be sent again; where it was
        ``begun``, nobody knows whether it arrived.
        """

        def done(message: Outgoing, reply: Reply) -> None:
            self.settled += 1
            self.useful += reply.code != 421
            settle(message, reply)

        current = take()
        opened = False
        while current is not None:
            if refusal := self.objection(current):
                done(current, refusal)
                current = take()
                continue
            if not opened:
                self._writer.write(self._opening(current))
            opened = False
            refusal = await self._envelope_replies(current, done)
            if refusal is not None:
                done(current, refusal)
                # Its MAIL may stand although its RCPT was refused; the next MAIL would be "nested".
                await self._ask("RSET")
                current = take()
                continue
            current.begun = True
            end = await self._send_content(current)
            upcoming = take()
            opened = upcoming is not None and self.pipelining and self.objection(upcoming) is None
            self._writer.write(end + self._opening(upcoming) if opened and upcoming is not None else end)
            reply = await self._reply(self._timeouts.data_end)
            done(current, reply)
            if reply.code == 421:
                raise PeerError(f"The server closes: {reply}")
            current = upcoming if upcoming is not None else take()

    def _opening(self, message: Outgoing) -> bytes:
        mail, rcpt = self._commands(message)
        return b"".join((mail, rcpt, b"DATA\r\n")) if self.pipelining else mail

    def _commands(self, message: Outgoing) -> tuple[bytes, bytes]:
        mail = f"MAIL FROM:<{message.reverse_path}>"
        if "SIZE" in self._extensions:
            mail += f" SIZE={message.size}"
        if message.eight_bit and "8BITMIME" in self._extensions:
            mail += " BODY=8BITMIME"
        if "SMTPUTF8" in self._extensions and (
            message.smtputf8 or not (message.reverse_path + message.recipient).isascii()
        ):
            mail += " SMTPUTF8"
        if "DSN" in self._extensions and message.reverse_path:
            mail += " RET=HDRS"  # RFC 3461 §4.3: what comes back need not carry a note or a handoff
        rcpt = f"RCPT TO:<{message.recipient}>"
        if "DSN" in self._extensions and not message.reverse_path:
            rcpt += " NOTIFY=NEVER"  # RFC 3834 §5: nobody wants to hear that an automatic answer failed
        return mail.encode() + b"\r\n", rcpt.encode() + b"\r\n"

    async def _envelope_replies(
        self, message: Outgoing, done: Callable[[Outgoing, Reply], None]
    ) -> Reply | None:
        """None once the peer said 354, else the reply that refuses this recipient.

        A peer that refuses and then closes has refused: ``done`` hears it before the PeerError.
        """
        patience = self._timeouts.reply
        if not self.pipelining:
            _, rcpt = self._commands(message)
            for line in (b"", rcpt):
                self._writer.write(line)
                reply = await self._reply(patience)
                if not reply.positive:
                    return _not_closing(_as_failure(reply))
            self._writer.write(b"DATA\r\n")
            reply = await self._reply(patience)
            return None if reply.code == 354 else _not_closing(_as_failure(reply))
        refusal: Reply | None = None
        try:
            # All three replies are read whatever they are: they come all the same.
            for _ in range(2):
                reply = await self._reply(patience)
                if refusal is None and not reply.positive:
                    refusal = _not_closing(_as_failure(reply))
            data = await self._reply(patience)
            if data.code == 354 and refusal is not None:
                # RFC 2920 §3.1: a server may still ask for content; an empty one is sent and its reply not
                # believed.
                self._writer.write(b".\r\n")
                await self._reply(self._timeouts.data_end)
        except PeerError:
            if refusal is not None:
                done(message, refusal)
            raise
        return refusal if refusal is not None or data.code == 354 else _not_closing(_as_failure(data))

    async def _send_content(self, message: Outgoing) -> bytes:
        """Send the content; gives what is left of it and the end, to be written together with what
        follows."""
        if message.stream is None:
            content = message.content
            return stuff(content) + (b".\r\n" if content.endswith(b"\r\n") or not content else b"\r\n.\r\n")
        line_start, carry = True, b""
        async for block in message.stream():
            data = carry + block
            # A block may end inside CR LF "."; what could belong to it waits for the next one.
            keep = 2 if data.endswith(b"\r\n") else 1 if data.endswith(b"\r") else 0
            carry = data[len(data) - keep :] if keep else b""
            data = data[: len(data) - keep] if keep else data
            if data:
                self._writer.write(stuff(data, line_start))
                line_start = False
                await self._drain()
        return carry + (b".\r\n" if carry == b"\r\n" or (line_start and not carry) else b"\r\n.\r\n")

    async def _drain(self) -> None:
        self._patience(self._timeouts.reply)
        try:
            await self._writer.drain()
        except OSError as error:
            raise self._lost(error) from error
        self._deadline = math.inf

    def _patience(self, seconds: float) -> None:
        """The peer has this long. One timer a connection that re-arms itself costs less than one a reply."""
        self._deadline = self._loop.time() + seconds
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

    def _lost(self, error: OSError | None) -> PeerError:
        if self._late:
            return PeerError("The server said nothing for too long")
        return PeerError(
            f"The connection was lost: {_why(error)}" if error else "The server closed the connection"
        )

    async def _ask(self, command: str) -> Reply:
        self._writer.write(command.encode() + b"\r\n")
        return await self._reply(self._timeouts.reply)

    async def _reply(self, patience: float) -> Reply:
        """The next reply, whole within ``patience`` seconds. Raises PeerError."""
        lines: list[str] = []
        length, asked = 0, False
        while True:
            end = self._data.find(b"\n")
            if end < 0 or length > MAX_REPLY:
                if length + len(self._data) > MAX_REPLY:
                    raise PeerError("The server's reply has no end")
                if not asked:
                    self._patience(patience)
                    asked = True
                await self._more()
                continue
            line, self._data = self._data[:end].rstrip(b"\r"), self._data[end + 1 :]
            length += len(line) + 1
            if not _REPLY.match(line):
                raise PeerError(f"The server's reply can't be understood: {line[:80]!r}")
            lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                self._deadline = math.inf
                return Reply(int(line[:3]), "\n".join(lines))

    async def _more(self) -> None:
        try:
            block = await self._reader.read(MAX_REPLY)
        except OSError as error:
            raise self._lost(error) from error
        if not block:
            raise self._lost(None)
        self._data += block

    async def quit(self) -> None:
        """Say goodbye; never raises."""
        try:
            self._writer.write(b"QUIT\r\n")
            await self._reply(GOODBYE)
        except (PeerError, OSError):
            pass
        self.abort()

    def abort(self) -> None:
        """Close without a word, and without waiting for a peer that does not read."""
        if self._timer is not None:
            self._timer.cancel()
        self._writer.transport.abort()


def _as_failure(reply: Reply) -> Reply:
    return reply if reply.code >= 400 else Reply(451, f"4.5.0 An answer out of place: {reply}")


def _not_closing(reply: Reply) -> Reply:
    """421 speaks of the connection, not of the message (RFC 5321 §3.8): the message is tried on another
    one."""
    if reply.code == 421:
        raise PeerError(f"The server closes: {reply}")
    return reply


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    number = getattr(error, "errno", None) or 0
    # The event loop words some errors by the socket's address; the system's own words are shorter.
    return (
        os.strerror(number)
        if number > 0
        else getattr(error, "strerror", None) or str(error) or type(error).__name__
    )
