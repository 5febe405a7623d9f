"""Sending: one pipelined SMTP connection that carries many messages, and the replies it reads.

RFC 2920 lets MAIL, RCPT and DATA travel together, and the commands of the next message travel with the end of
this one. So a message costs one round trip where the peer offers PIPELINING, and the connection is never idle
while there is something to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from mailrouter.config.retry_settings import Timeouts
from mailrouter.smtp.capabilities import Offer, Outgoing
from mailrouter.smtp.dot_stuffing import stuff
from mailrouter.smtp.refusals import needs_opinion
from mailrouter.smtp.replies import MAX_REPLY, PeerError, Replies, Reply, why

__all__ = ["Connection", "Outgoing", "PeerError", "Reply", "Timeouts"]

LMTP = (
    "The next server speaks LMTP (RFC 2033) there and not SMTP; `deliver:` needs a port on which it takes SMTP, as "
    "that of the mail server beside it"
)
Settle = Callable[[Outgoing, Reply], Awaitable[None]]
"""Hears a message's final reply."""
GOODBYE = 2.0
"""Seconds the answer to QUIT is waited for: nothing depends on it."""


class Connection:
    """An open connection. Made by ``Connection.open``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, timeouts: Timeouts
    ) -> None:
        self._writer = writer
        self._timeouts = timeouts
        self._replies = Replies(reader, writer)
        self.offer = Offer()
        self.settled = 0
        """Messages that got their final reply here."""
        self.useful = 0
        """Messages whose final reply spoke of them; 421 speaks of the connection."""

    @classmethod
    async def open(cls, host: str, port: int, helo: str, timeouts: Timeouts | None = None) -> Connection:
        """Connect and greet. Raises PeerError."""
        timeouts = timeouts or Timeouts()
        try:
            async with asyncio.timeout(timeouts.connect):
                reader, writer = await asyncio.open_connection(host, port, limit=MAX_REPLY)
        except (OSError, TimeoutError) as error:
            raise PeerError(f"{host}:{port} can't be reached: {why(error)}") from error
        connection = cls(reader, writer, timeouts)
        try:
            await connection._greet(helo)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _greet(self, helo: str) -> None:
        banner = await self._replies.next(self._timeouts.reply)
        if banner.code != 220:
            raise PeerError("The server does not take mail now", banner)
        hello = await self.ask(f"EHLO {helo}")
        if hello.code == 250:
            self.offer = Offer.of(hello)
            return
        if hello.code >= 500:
            # Only a server that does not know EHLO: to one that has a trouble, mail that needs an extension would
            # seem undeliverable (RFC 5321 §3.2).
            hello = await self.ask(f"HELO {helo}")
            if hello.code >= 500 and (await self.ask(f"LHLO {helo}")).code == 250:
                raise PeerError(LMTP)
        if hello.code != 250:
            raise PeerError("The server refuses our name", hello)

    @property
    def max_size(self) -> int | None:
        """The peer's limit in octets, or None where it names none."""
        return self.offer.max_size

    @property
    def lost(self) -> bool:
        """Whether the peer has closed, as far as is known here."""
        return self._replies.ended or self._writer.is_closing()

    def silent(self, since: float) -> bool:
        """Whether a reply is owed unusually long, or since ``since``.

        It was asked for up to then (in the loop's time).
        """
        return self._replies.silent(since)

    async def deliver(self, take: Callable[[], Awaitable[Outgoing | None]], settle: Settle) -> None:
        """Send what ``take`` gives until it gives None; ``settle`` hears each message's final reply.

        Raises PeerError when the connection fails, and whatever a message's ``stream`` raises; the connection
        can't be used any more then. What was taken and not settled is to be sent again; where it was
        ``begun``, nobody knows whether it arrived.
        """

        async def done(message: Outgoing, reply: Reply) -> None:
            self.settled += 1
            self.useful += reply.code != 421
            await settle(message, reply)

        current = await take()
        opened = False
        while current is not None:
            if refusal := self.offer.objection(current):
                await done(current, refusal)
                current = await take()
                continue
            if not opened:
                self._writer.write(self.offer.opening(current))
            opened = False
            refusal = await self._envelope_replies(current, done)
            if refusal is not None:
                await self._second_opinion(current, refusal, done)
                await done(current, refusal)
                if refusal.own:
                    # Out of step: from here on each answer might be another question's.
                    raise PeerError(str(refusal))
                # Its MAIL may stand although its RCPT was refused; the next MAIL would be "nested".
                await self.ask("RSET")
                current = await take()
                continue
            current.begun, current.stage = True, "dot"
            end = await self._send_content(current)
            upcoming = await take()
            opened = upcoming is not None and self.offer.pipelining and self.offer.objection(upcoming) is None
            self._writer.write(end + self.offer.opening(upcoming) if opened and upcoming is not None else end)
            reply = await self._replies.next(self._timeouts.data_end, "dot")
            await done(current, reply)
            if reply.code == 421:
                raise PeerError(f"The server closes: {reply.codes}")
            current = upcoming if upcoming is not None else await take()

    async def _second_opinion(self, message: Outgoing, refusal: Reply, done: Settle) -> None:
        """Ask about somebody else, where a refusal may concern us. Nothing is sent.

        A refused mailbox is told from a server that refuses everybody by one question, and no mail has to wait for the
        next one to come.
        """
        if not needs_opinion(message.stage, refusal):
            return
        another = ""
        if message.stage == "rcpt" and message.another is not None:
            another = await message.another()
        if another == "" if message.stage == "rcpt" else message.reverse_path == "":
            return
        try:
            await self.ask("RSET")
            path = message.reverse_path if message.stage == "rcpt" else ""
            said = _not_closing(await self.ask(f"MAIL FROM:<{path}>"))
            if message.stage == "rcpt" and said.positive:
                message.opinion = _not_closing(await self.ask(f"RCPT TO:<{another}>"))
            elif message.stage == "mail":
                message.opinion = said
        except PeerError:
            await done(message, refusal)
            raise

    async def _envelope_replies(self, message: Outgoing, done: Settle) -> Reply | None:
        """None after the peer's 354, else the reply that refuses.

        A peer that refuses and then closes has refused: ``done`` hears it before the PeerError.
        """
        patience = self._timeouts.reply
        if not self.offer.pipelining:
            _, rcpt = self.offer.commands(message)
            for stage, line in (("mail", b""), ("rcpt", rcpt)):
                self._writer.write(line)
                message.stage = stage
                reply = await self._replies.next(patience, stage)
                if not reply.positive:
                    return _not_closing(_as_failure(reply))
            self._writer.write(b"DATA\r\n")
            message.stage = "data"
            reply = await self._replies.next(patience, "data")
            return None if reply.code == 354 else _not_closing(_as_failure(reply))
        refusal: Reply | None = None
        try:
            # All three replies are read whatever they are: they come all the same.
            for stage in ("mail", "rcpt"):
                reply = await self._replies.next(patience, stage)
                if refusal is None and not reply.positive:
                    message.stage = stage
                    refusal = _not_closing(_as_failure(reply))
            data = await self._replies.next(patience, "data")
            if data.code == 354 and refusal is not None:
                # RFC 2920 §3.1: a server may still ask for content; an empty one is sent and its reply not
                # believed.
                self._writer.write(b".\r\n")
                await self._replies.next(self._timeouts.data_end)
        except PeerError:
            if refusal is not None:
                await done(message, refusal)
            raise
        if refusal is None:
            message.stage = "data"
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
                await self._replies.drain(self._timeouts.reply)
        return carry + (b".\r\n" if carry == b"\r\n" or (line_start and not carry) else b"\r\n.\r\n")

    async def ask(self, command: str) -> Reply:
        """The reply to one command. Raises PeerError."""
        self._writer.write(command.encode() + b"\r\n")
        return await self._replies.next(self._timeouts.reply)

    async def quit(self) -> None:
        """Say goodbye; never raises."""
        try:
            self._writer.write(b"QUIT\r\n")
            await self._replies.next(GOODBYE)
        except (PeerError, OSError):
            pass
        self.abort()

    def abort(self) -> None:
        """Close without a word or a wait. The peer may not read."""
        self._replies.stop()
        self._writer.transport.abort()


def _as_failure(reply: Reply) -> Reply:
    if reply.code >= 400:
        return reply
    return Reply(451, f"4.5.0 An answer out of place: {reply.codes}", own=True)


def _not_closing(reply: Reply) -> Reply:
    """421 speaks of the connection, not of the message (RFC 5321 §3.8): the message is tried on another
    one."""
    if reply.code == 421:
        raise PeerError(f"The server closes: {reply.codes}")
    return reply
