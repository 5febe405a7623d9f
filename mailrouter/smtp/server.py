"""The door: aiosmtpd's SMTP with its reading replaced.

The stock class runs a task a connection, reads line by line and holds all of a message. Here what arrives is worked on
where it arrives: commands at once (``smtp/dialog.py``), the text in blocks that stream into the store. Only a commit,
or a store that needs time, is a task; it belongs to the service and not to the connection, so that a client that
vanishes can't tear it. 250 is said only after ``Gate.accept`` has committed; any fault is ``451 4.3.0`` and never a
word of its cause.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Coroutine
from typing import Any

from aiosmtpd.smtp import SMTP

from mailrouter.message.scanner import Scanner
from mailrouter.smtp.dialog import MAX_COMMAND, Dialog, Then
from mailrouter.smtp.dotted import DottedReader
from mailrouter.smtp.envelope import Envelope, too_large
from mailrouter.smtp.gate import FAULT, Client, Gate, Limits, Traffic, fault_reply
from mailrouter.store.model import Spool

__all__ = ["Client", "Door", "Gate", "Limits", "Traffic", "work_ended"]

log = logging.getLogger("mailrouter.door")

HELD = 65536
"""Octets that may wait while a commit is under way; then the client is not read from."""
LINGER = 5.0
"""Seconds a closed connection has to take its last replies."""


class _Mode(enum.Enum):
    COMMANDS = enum.auto()
    TEXT = enum.auto()
    WAITING = enum.auto()
    ENDED = enum.auto()


class _Text:
    """A message while its text arrives. ``fault`` is the reply that will refuse it."""

    __slots__ = ("envelope", "fault", "reader", "scanner", "spool")

    def __init__(self, envelope: Envelope, spool: Spool) -> None:
        self.envelope = envelope
        self.spool = spool
        self.reader = DottedReader()
        self.scanner = Scanner()
        self.fault = ""


class Door(SMTP):
    """One session. ``sessions`` and ``traffic`` are shared by all doors of a listener."""

    def __init__(
        self,
        gate: Gate,
        hostname: str,
        limits: Limits,
        sessions: set[Door],
        loop: Any,
        traffic: Traffic | None = None,
    ) -> None:
        # Not SMTP.__init__: it inspects every member anew at each connection (measured: 119 µs).
        self.loop = loop
        self.hostname = hostname
        self.transport: Any = None
        self._gate = gate
        self._limits = limits
        self._sessions = sessions
        self._traffic = traffic or Traffic()
        self._dialog = Dialog(gate, hostname, limits)
        self._mode = _Mode.COMMANDS
        self._text: _Text | None = None
        self._data = b""
        self._at = 0
        """How far ``_data`` was worked on: cutting it at each of a thousand pipelined commands would be quadratic."""
        self._out: list[str] = []
        self._reading = True
        self._writable = True
        self._committing = False
        self._eof = False
        self._last_active = self._last_message = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._peer = "local"
        self._ending = False

    def __del__(self) -> None:
        """Nothing of the stock class's streams is there to be looked after."""

    # --- the connection -----------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Count the session and greet."""
        self.transport = transport
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):
            self._peer = str(peer[0])
        self._sessions.add(self)
        self._traffic.sessions += 1
        self._timer = self.loop.call_later(
            min(self._limits.idle_seconds, self._limits.message_seconds), self._look_at_the_clock
        )
        if len(self._sessions) > self._limits.max_connections or self._crowds():
            self._end("421 4.3.2 Too many connections; please come again")
        else:
            self._say(f"220 {self.hostname} ESMTP")
            self._flush()

    def _crowds(self) -> bool:
        """Whether this client has more connections than one may have, so that it can't keep others out."""
        if self._limits.exempt(self._peer):
            return False
        return sum(door._peer == self._peer for door in self._sessions) > self._limits.max_per_address

    def connection_lost(self, error: Exception | None) -> None:
        """What is being committed goes on; what was still arriving is nobody's and is forgotten."""
        self.transport = None
        self._sessions.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._mode is _Mode.TEXT:
            self._abandon_text()
        if self._mode is not _Mode.WAITING:
            self._mode = _Mode.ENDED

    def eof_received(self) -> bool:
        """A half-closed client still gets the replies to what it sent."""
        self._eof = True
        if self._mode is not _Mode.WAITING:
            self._hang_up()
        return True

    def pause_writing(self) -> None:
        """The client does not take its replies: nothing more is read from it."""
        self._writable = False
        self._set_reading()

    def resume_writing(self) -> None:
        """It does again."""
        self._writable = True
        self._work()

    def data_received(self, data: bytes) -> None:
        """Work on what arrived, or keep it while something else must end first."""
        self._last_active = self.loop.time()
        self._data = self._data + data if self._data else bytes(data)
        self._work()

    def _work(self) -> None:
        try:
            while self._writable:
                if self._mode is _Mode.COMMANDS:
                    if not self._next_command():
                        break
                elif self._mode is _Mode.TEXT and self._at < len(self._data):
                    self._take_text()
                else:
                    break
        except Exception:
            # What comes next may be text: it must never be read as commands.
            log.exception("a session failed")
            self._abandon_text()
            self._end(FAULT)
        self._data, self._at = self._data[self._at :], 0
        # Replies to pipelined commands leave together, when nothing more is there to work on (RFC 2920 §3.2).
        self._flush()
        self._set_reading()
        if self._eof and self._mode in (_Mode.COMMANDS, _Mode.TEXT):
            self._hang_up()

    def _next_command(self) -> bool:
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            if len(self._data) - self._at > MAX_COMMAND:
                self._end("500 5.5.2 The line is too long")
            return False
        line, self._at = self._data[self._at : end], end + 2
        reply, then = self._dialog.obey(line)
        if then is Then.END:
            self._end(reply)
            return False
        if then is Then.TEXT:
            try:
                self._text = _Text(self._dialog.envelope, self._gate.spool())
            except Exception as error:
                reply = fault_reply(error)
            else:
                self._mode = _Mode.TEXT
            self._dialog.take_envelope()
        self._say(reply)
        return True

    # --- the text -----------------------------------------------------------------------------------------------

    def _take_text(self) -> None:
        text, block = self._text, self._data[self._at :]
        self._data, self._at = b"", 0
        assert text is not None
        content = text.reader.feed(block)
        limit = self._gate.max_size()
        flush = False
        if content and not text.fault:
            if limit is not None and text.spool.size + len(content) > limit:
                text.fault = too_large(limit)
                self._own(_discard(text.spool))
            else:
                text.scanner.feed(content)
                flush = text.spool.hold(content)
        if text.reader.done:
            self._data = text.reader.rest
            self._text = None
            self._committing = True
            self._mode = _Mode.WAITING
            self._own(self._commit(text, flush))
        elif flush:
            self._mode = _Mode.WAITING
            self._own(self._store(text))

    async def _store(self, text: _Text) -> None:
        """Wait until the store has what is held, then read on."""
        await self._bring(text)
        if self.transport is None or self._mode is not _Mode.WAITING:
            # Gone, or told to come again meanwhile: to go on now would take a message that comes a second time.
            await _discard(text.spool)
            self._mode = _Mode.ENDED
            return
        self._mode = _Mode.TEXT
        self._work()

    async def _bring(self, text: _Text) -> None:
        try:
            await text.spool.flush()
        except Exception as error:
            text.fault = fault_reply(error)
            await _discard(text.spool)

    async def _commit(self, text: _Text, flush: bool) -> None:
        if flush:
            await self._bring(text)
        dialog = self._dialog
        client = Client(self._peer, dialog.helo, "ESMTP" if dialog.extended else "SMTP")
        reply = text.fault
        if not reply:
            try:
                shape = text.scanner.finish()
                reply = await self._gate.accept(
                    client, text.envelope, text.spool, shape, text.scanner.head_bytes
                )
            except Exception as error:
                await _discard(text.spool)
                reply = fault_reply(error)
        if reply.startswith("2"):
            dialog.errors = 0
            self._traffic.accepted += 1
            self._traffic.octets += text.spool.size
            self._last_message = self.loop.time()
        self._last_active = self.loop.time()
        self._committing = False
        if self.transport is None:
            self._mode = _Mode.ENDED
            return
        self._mode = _Mode.COMMANDS
        self._say(reply)
        if self._ending:
            self._end("421 4.3.2 The service is stopping; please come again")
        self._work()

    def _abandon_text(self) -> None:
        if self._text is not None:
            self._own(_discard(self._text.spool))
            self._text = None

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` to its end whatever becomes of the connection."""
        task = self.loop.create_task(work)
        _owned.add(task)
        task.add_done_callback(_owned.discard)

    # --- replies and the end ------------------------------------------------------------------------------------

    def _say(self, reply: str) -> None:
        if reply.startswith(("4", "5")):
            self._traffic.refused[reply[:3]] += 1
        self._out.append(reply)

    def _flush(self) -> None:
        if self._out and self.transport is not None:
            out = "\r\n".join(self._out) + "\r\n"
            self._out.clear()
            self.transport.write(out.encode("ascii", "replace"))

    def _set_reading(self) -> None:
        """Read from the client only while there is room for what it says."""
        reading = self._writable and (self._mode is not _Mode.WAITING or len(self._data) < HELD)
        if reading != self._reading and self.transport is not None and not self.transport.is_closing():
            self._reading = reading
            (self.transport.resume_reading if reading else self.transport.pause_reading)()

    def _end(self, reply: str) -> None:
        self._say(reply)
        self._hang_up()

    def _hang_up(self) -> None:
        """Close; a client that does not take its last replies is not waited for."""
        if self._mode is _Mode.TEXT:
            self._abandon_text()
        self._mode = _Mode.ENDED
        self._flush()
        if self.transport is None or self.transport.is_closing():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
        self.transport.close()

    def end_soon(self) -> None:
        """The service stops: no new transaction; a message whose end was seen is still answered."""
        self._ending = True
        if not self._committing:
            self._end("421 4.3.2 The service is stopping; please come again")

    @property
    def committing(self) -> bool:
        """True between the end of a message and its reply."""
        return self._committing

    def _look_at_the_clock(self) -> None:
        """One timer a session that re-arms itself: cheaper than a new one at each command."""
        limits = self._limits
        now = self.loop.time()
        left = min(self._last_active + limits.idle_seconds, self._last_message + limits.message_seconds) - now
        if left > 0 or self._committing:
            self._timer = self.loop.call_later(
                max(left, 1.0) if self._committing else left, self._look_at_the_clock
            )
        else:
            self._end("421 4.4.2 Nothing was heard for too long; goodbye")


async def _discard(spool: Spool) -> None:
    try:
        await spool.discard()
    except Exception:
        log.exception("what arrived can't be discarded; the next start does it")


_owned: set[asyncio.Task[None]] = set()
"""Work under way: the loop itself holds tasks only weakly."""


async def work_ended(seconds: float) -> None:
    """Return once every commit under way has ended, its client gone or not; at the latest after ``seconds``."""
    if _owned:
        await asyncio.wait(set(_owned), timeout=seconds)
