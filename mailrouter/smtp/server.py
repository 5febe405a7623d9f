"""The door: aiosmtpd's SMTP, with its command loop, MAIL, RCPT and DATA replaced.

What is replaced, and why: DATA is read in blocks and streamed (the stock one reads line by line and holds all
in memory); 250 is said only after ``Gate.accept`` has committed, in a task that a vanishing client can't
cancel; any fault is ``451 4.3.0`` and never a word of its cause; the envelope is fresh after each transaction
however it ended; commands end in CRLF and nothing else; replies carry enhanced codes (RFC 2034), so they are
offered, and PIPELINING (RFC 2920) with them; what is not named here is refused.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from aiosmtpd.smtp import SMTP, Session

from mailrouter.message.scanner import Scanner
from mailrouter.smtp.dotted import DottedReader
from mailrouter.smtp.envelope import BadPath, Envelope, begin, check_recipient, read_path
from mailrouter.smtp.gate import FAULT, Client, Gate, Limits, fault_reply
from mailrouter.store.model import Spool

__all__ = ["Client", "Door", "Gate", "Limits"]

log = logging.getLogger("mailrouter.door")

BLOCK = 65536
MAX_COMMAND = 4096
"""Octets of a command line: RFC 5321 §4.5.3.1.4 asks for 512, its extensions add to that."""
LINGER = 5.0
"""Seconds a closed connection has to take its last replies."""


class Door(SMTP):
    """One session. ``sessions`` is shared by all doors of a listener, to count and to close them."""

    def __init__(self, gate: Gate, hostname: str, limits: Limits, sessions: set[Door], loop: Any) -> None:
        # Not SMTP.__init__: it inspects every member anew at each connection. What it would set and we use:
        asyncio.StreamReaderProtocol.__init__(
            self, asyncio.StreamReader(limit=BLOCK, loop=loop), self._cb_client_connected, loop=loop
        )
        self.loop = loop
        self.hostname = hostname
        self.session: Session | None = None
        self.envelope: Any = Envelope()
        self.transport: Any = None
        self.tls_context = None
        self._original_transport = None
        self._tls_protocol = None
        self._timeout_handle: asyncio.TimerHandle | None = None
        self._handler_coroutine: asyncio.Task[None] | None = None

        self._gate = gate
        self._limits = limits
        self._sessions = sessions
        self._data = b""
        self._out: list[bytes] = []
        self._helo = ""
        self._extended = False
        self._errors = 0
        self._broken = False
        self._last_active = self._last_message = loop.time()
        self._committing = False
        self._ending = False

    # --- connection
    # ------------------------------------------------------------------------------------------

    def _create_session(self) -> Session:
        return Session(self.loop)

    def _create_envelope(self) -> Any:
        return Envelope()

    def connection_made(self, transport: Any) -> None:
        """Count the session and start serving it."""
        self._sessions.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """The reader learns of the end by itself; nothing is cancelled in mid-commit."""
        self._sessions.discard(self)
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        asyncio.StreamReaderProtocol.connection_lost(self, error)
        self.transport = None

    def eof_received(self) -> bool:
        """A half-closed client still gets its replies (RFC 5321 says nothing against it)."""
        asyncio.StreamReaderProtocol.eof_received(self)
        return True

    def _reset_timeout(self, duration: float | None = None) -> None:
        """One timer a session that re-arms itself: cheaper than a new one at each command."""
        if self._timeout_handle is None:
            first = min(self._limits.idle_seconds, self._limits.message_seconds)
            self._timeout_handle = self.loop.call_later(first, self._timeout_cb)

    def _timeout_cb(self) -> None:
        limits = self._limits
        now = self.loop.time()
        left = min(self._last_active + limits.idle_seconds, self._last_message + limits.message_seconds) - now
        if left > 0 or self._committing:
            self._timeout_handle = self.loop.call_later(
                max(left, 1.0) if self._committing else left, self._timeout_cb
            )
        else:
            self._hang_up("421 4.4.2 Nothing was heard for too long; goodbye")

    def _hang_up(self, reply: str = "") -> None:
        """Close; a client that does not take its last replies is not waited for."""
        if self.transport is None:
            return
        if reply:
            self._writer.write(reply.encode() + b"\r\n")
        self.transport.close()
        if self._timeout_handle is not None:
            self._timeout_handle.cancel()
        self._timeout_handle = self.loop.call_later(LINGER, self.transport.abort)

    def end_soon(self) -> None:
        """The service stops: no new transaction; a message whose end was seen is still answered."""
        self._ending = True
        if not self._committing:
            self._hang_up("421 4.3.2 The service is stopping; please come again")

    @property
    def committing(self) -> bool:
        """True between the end of a message and its reply."""
        return self._committing

    # --- the conversation
    # ------------------------------------------------------------------------------------

    async def _handle_client(self) -> None:
        try:
            if len(self._sessions) > self._limits.max_connections:
                self._say("421 4.3.2 Too many connections; please come again")
            else:
                self._say(f"220 {self.hostname} ESMTP")
                await self._converse()
            await self._flush()
        except (ConnectionError, TimeoutError):
            pass  # the client went away; what it was told 250 for is committed
        except Exception:
            log.exception("a session failed")
        finally:
            self._hang_up()

    async def _converse(self) -> None:
        while self.transport is not None and not self._ending:
            end = self._data.find(b"\r\n")
            if end < 0:
                if len(self._data) > MAX_COMMAND:
                    self._say("500 5.5.2 The line is too long")
                    return
                # Replies to pipelined commands leave together, when nothing more is there to read (RFC 2920
                # §3.2).
                await self._flush()
                block = await self._reader.read(MAX_COMMAND)
                if not block:
                    return
                self._last_active = self.loop.time()
                self._data += block
                continue
            line, self._data = self._data[:end], self._data[end + 2 :]
            try:
                if not await self._command(line):
                    return
            except BadPath as bad:
                self._fail(bad.reply)
            except (ConnectionError, asyncio.CancelledError):
                raise
            except Exception:
                log.exception("a command failed")
                self.envelope = Envelope()
                self._broken = True
                self._fail(FAULT)
            if self._errors >= self._limits.max_errors:
                self._say("421 4.7.0 Too many errors; goodbye")
                return

    async def _command(self, line: bytes) -> bool:
        """Obey one command; False ends the session."""
        if len(line) > MAX_COMMAND:
            self._fail("500 5.5.2 The line is too long")
            return True
        if b"\n" in line or b"\r" in line or b"\x00" in line:
            # A bare LF or CR is no end of a command (RFC 5321 §2.3.8); guessing is how smuggling begins.
            self._fail("500 5.5.2 A command ends in CRLF and holds no control characters")
            return True
        name, _, argument = line.partition(b" ")
        argument = argument.strip(b" ")
        match name.upper():
            case b"EHLO" | b"HELO" as greeting:
                self._greet(greeting, argument)
            case b"MAIL":
                self._mail(argument)
            case b"RCPT":
                self._rcpt(argument)
            case b"DATA":
                return await self._take_data(argument)
            case b"RSET":
                self._reset()
                self._say("250 2.0.0 Forgotten")
            case b"NOOP":
                self._say("250 2.0.0 OK")
            case b"VRFY":
                self._say("252 2.5.0 Send some mail and see")  # RFC 5321 §3.5.3: neither confirmed nor denied
            case b"QUIT":
                self._say("221 2.0.0 Goodbye")
                return False
            case _:
                self._fail("502 5.5.1 The command is not known here")
        return True

    def _greet(self, greeting: bytes, argument: bytes) -> None:
        if not argument:
            self._fail(f"501 5.5.4 Syntax: {greeting.decode()} hostname")
            return
        self._helo = argument.decode("ascii", "replace")[:255]
        self._extended = greeting == b"EHLO"
        self._reset()  # RFC 5321 §4.1.4: EHLO resets like RSET
        if not self._extended:
            self._say(f"250 {self.hostname}")
            return
        size = self._gate.max_size()
        lines = [
            self.hostname,
            "PIPELINING",
            f"SIZE {size}" if size else "SIZE",
            "8BITMIME",
            "SMTPUTF8",
            "ENHANCEDSTATUSCODES",
        ]
        self._say("\r\n".join(["250-" + text for text in lines[:-1]] + ["250 " + lines[-1]]))

    def _reset(self) -> None:
        self.envelope = Envelope()
        self._broken = False

    def _out_of_order(self, reply: str) -> None:
        """Refuse a command that lacks the one before it. After a fault of ours what follows fails as
        temporarily: a pipelining client has sent it already, and a 5xx would bounce its mail."""
        self._fail(FAULT if self._broken else reply)

    def _mail(self, argument: bytes) -> None:
        if not self._helo:
            self._fail("503 5.5.1 Say EHLO first")
        elif self.envelope.reverse_path is not None:
            self._fail("503 5.5.1 A message is open already; RSET forgets it")
        else:
            self._reset()
            self.envelope = begin(read_path("FROM", argument), self._gate.max_size())
            self._say("250 2.1.0 OK")

    def _rcpt(self, argument: bytes) -> None:
        if self.envelope.reverse_path is None:
            self._out_of_order("503 5.5.1 Say MAIL first")
            return
        path = read_path("TO", argument)
        check_recipient(path, self.envelope.smtputf8)
        if len(self.envelope.recipients) >= self._limits.max_recipients:
            self._say("452 4.5.3 Too many recipients")
            return
        refusal = self._gate.recipient(path.address)
        if refusal is not None:
            self._fail(refusal)
            return
        if path.address not in self.envelope.recipients:
            self.envelope.recipients.append(path.address)
        self._say("250 2.1.5 OK")

    async def _take_data(self, argument: bytes) -> bool:
        if argument:
            self._fail("501 5.5.4 DATA takes no argument")
            return True
        if not self.envelope.recipients:
            missing = "RCPT" if self.envelope.reverse_path is not None else "MAIL"
            self._out_of_order(f"503 5.5.1 Say {missing} first")
            return True
        spool, limit = self._gate.spool(), self._gate.max_size()
        self._say("354 End with a dot on a line of its own")
        await self._flush()
        envelope, self.envelope = self.envelope, Envelope()
        scanner = Scanner()
        try:
            fault = await self._receive(spool, scanner, limit)
        except Exception as error:
            await spool.discard()
            if not isinstance(error, ConnectionError):
                log.exception("the text of a message could not be read")
                self._say(FAULT)
            return False  # what comes next may be text: it must never be read as commands
        try:
            self._say(fault or await self._commit(envelope, spool, scanner))
        finally:
            self._committing = False
        if self._ending:
            self._say("421 4.3.2 The service is stopping; please come again")
        return True

    async def _receive(self, spool: Spool, scanner: Scanner, limit: int | None) -> str:
        """Read the text to its end; gives the reply that refuses it, or "".

        Raises ConnectionError where the end never comes.
        """
        reader, fault = DottedReader(), ""
        block, self._data = self._data, b""
        while True:
            if block:
                content = reader.feed(block)
                # From here on the service waits for this session before it stops.
                self._committing = reader.done
                if not fault and limit is not None and spool.size + len(content) > limit:
                    fault = f"552 5.3.4 The message is larger than the {limit} octets taken here"
                    await spool.discard()
                if not fault and content:
                    try:
                        scanner.feed(content)
                        await spool.write(content)
                    except Exception as error:
                        fault = fault_reply(error)
                        await spool.discard()
                if reader.done:
                    self._data = reader.rest
                    return fault
            block = await self._reader.read(BLOCK)
            if not block or self._ending:
                raise ConnectionAbortedError
            self._last_active = self.loop.time()

    async def _commit(self, envelope: Envelope, spool: Spool, scanner: Scanner) -> str:
        peer = self.session.peer if self.session else None
        client = Client(
            str(peer[0]) if isinstance(peer, tuple) else "local",
            self._helo,
            "ESMTP" if self._extended else "SMTP",
        )
        try:
            work = self._gate.accept(client, envelope, spool, scanner.finish(), scanner.head_bytes)
            task = self.loop.create_task(work)
            _commits.add(task)
            task.add_done_callback(_commits.discard)
            reply = await asyncio.shield(task)
        except Exception as error:
            await spool.discard()
            return fault_reply(error)
        if reply.startswith("2"):
            self._errors = 0
        self._last_active = self._last_message = self.loop.time()
        return reply

    # --- replies
    # ---------------------------------------------------------------------------------------------

    def _say(self, reply: str) -> None:
        self._out.append(reply.encode("ascii", "replace") + b"\r\n")

    def _fail(self, reply: str) -> None:
        self._errors += 1
        self._say(reply)

    async def _flush(self) -> None:
        if self._out and self.transport is not None:
            self._writer.write(b"".join(self._out))
            self._out.clear()
            await self._writer.drain()


_commits: set[asyncio.Task[str]] = set()
"""Commits under way: the loop itself holds tasks only weakly."""
