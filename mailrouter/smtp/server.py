"""The door: aiosmtpd's SMTP with its reading replaced.

The stock class runs a task a connection, reads line by line and holds all of a message. Here what arrives is worked on
where it arrives: commands at once (``smtp/session.py``), the text in blocks that stream into the store. Only a commit,
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

from mailrouter import events
from mailrouter.smtp.arriving import Arriving, discard, own, work_ended
from mailrouter.smtp.envelope import Envelope, too_large
from mailrouter.smtp.handler import FAULT, Client, Gate, Limits, Traffic, fault_reply
from mailrouter.smtp.session import MAX_COMMAND, THEN_END, THEN_TEXT, Dialog
from mailrouter.smtp.sessions import SLOW, Sessions, network_of

__all__ = ["Client", "Door", "Gate", "Limits", "Sessions", "Traffic", "work_ended"]

log = logging.getLogger("mailrouter.door")

HELD = 65536
"""Octets that may wait while a commit is under way; then the client is not read from."""
TURN = 50
"""Commands that are worked off before others have their turn: some milliseconds where each asks the store."""
DRAIN = 1.0
"""Seconds in which what a client still sends after our goodbye is thrown away. Closed with anything unread, the kernel
would reset the connection, and the client would never see why (RFC 9293 §3.6.1)."""
LINGER = 5.0
"""Seconds a closed connection has to take its last replies."""


class _Mode(enum.Enum):
    COMMANDS = enum.auto()
    TEXT = enum.auto()
    WAITING = enum.auto()
    ENDED = enum.auto()


# Python 3.11 looks up a member of an enumeration for ten times the price of a name (measured: a hundredth of a message).
_COMMANDS, _TEXT, _WAITING, _ENDED = _Mode


class Door(SMTP):
    """One session. ``sessions`` are those of its listener: all share its places, memory and counters."""

    def __init__(self, gate: Gate, hostname: str, sessions: Sessions, loop: Any) -> None:
        # Not SMTP.__init__: it inspects every member anew at each connection (measured: 119 µs).
        self.loop = loop
        self.hostname = hostname
        self.transport: Any = None
        self._gate = gate
        self._limits = sessions.limits
        self._sessions = sessions
        self._traffic = sessions.traffic
        self._dialog = Dialog(gate, hostname, sessions.limits)
        self._dialog.refused = self._refused_recipient
        self._mode = _COMMANDS
        self._text: Arriving | None = None
        """What arrives, or is being stored or committed."""
        self._data = b""
        self._at = 0
        """How far ``_data`` was worked on: cutting it at each of a thousand pipelined commands would be quadratic."""
        self._out: list[str] = []
        self._reading = True
        self._writable = True
        self._resting = False
        """Others have their turn, then the rest of ``_data`` is worked on."""
        self.held = 0
        self.held_since = 0.0
        self.held_back = False
        self._committing = False
        self._eof = False
        self._last_active = self._last_message = loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._peer = self.network = "local"
        self.trusted = False
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
            self.network = network_of(self._peer)
        self.trusted = bool(self._limits.exempt(self._peer))
        self._timer = self.loop.call_later(
            min(self._limits.idle_seconds, self._limits.message_seconds), self._look_at_the_clock
        )
        if refusal := self._sessions.enter(self):
            self.end(refusal, drain=False)
        else:
            self._say(f"220 {self.hostname} ESMTP")
            self._flush()
            # Not here: uvloop begins to read when this returns, though reading was paused.
            self.loop.call_soon(self._account)

    def connection_lost(self, error: Exception | None) -> None:
        """End the session: what is being committed goes on; what was still arriving is nobody's and is forgotten."""
        self.transport = None
        self._data, self._at = b"", 0
        if self._timer is not None:
            self._timer.cancel()
        if self._mode is _TEXT:
            self._abandon_text()
        if self._mode is not _WAITING:
            self._mode = _ENDED
        self._account()
        self._sessions.leave(self)

    def eof_received(self) -> bool:
        """A half-closed client still gets the replies to what it sent."""
        self._eof = True
        if self._mode is not _WAITING and not self._resting:
            self._hang_up()
        return True

    def pause_writing(self) -> None:
        """The client does not take its replies: nothing more is read from it."""
        self._writable = False
        self._set_reading()

    def resume_writing(self) -> None:
        """The client takes its replies again."""
        self._writable = True
        self._work()

    def data_received(self, data: bytes) -> None:
        """Work on what arrived, or keep it until its turn. Something else must end first then."""
        if self._mode is _ENDED:
            return
        self._last_active = self.loop.time()
        self._data = self._data + data if self._data else bytes(data)
        self._work()

    def _work(self) -> None:
        if self._resting:
            return
        commands = 0
        try:
            while self._writable:
                if self._mode is _COMMANDS:
                    if commands == TURN:
                        self._resting = True
                        self.loop.call_soon(self._work_on)
                        break
                    commands += 1
                    if not self._next_command():
                        break
                elif self._mode is _TEXT and self._at < len(self._data):
                    self._take_text()
                else:
                    break
        except Exception:
            # What comes next may be text: it must never be read as commands.
            log.exception("a session failed")
            self.end(FAULT)
        self._data, self._at = self._data[self._at :], 0
        # Replies to pipelined commands leave together, when nothing more is there to work on (RFC 2920 §3.2).
        self._flush()
        self._account()
        self._set_reading()
        if self._eof and not self._resting and self._mode in (_COMMANDS, _TEXT):
            self._hang_up()

    def _work_on(self) -> None:
        self._resting = False
        self._work()

    def _account(self) -> None:
        """Tell how much is in memory here; where memory is short, a stranger waits for a place in it."""
        held = len(self._data) + (self._text.held if self._text is not None else 0)
        sessions = self._sessions
        if held != self.held:
            sessions.hold(self, held)
        if sessions.waits(self) and self._mode is not _ENDED:
            sessions.wait(self)

    def _next_command(self) -> bool:
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            if len(self._data) - self._at > MAX_COMMAND:
                self.end("500 5.5.2 The line is too long")
            return False
        line, self._at = self._data[self._at : end], end + 2
        reply, then = self._dialog.obey(line, self._last_active)
        if then is THEN_END:
            if self._dialog.ended_for:
                self._traffic.limited[self._dialog.ended_for] += 1
            self.end(reply, drain=bool(self._dialog.ended_for))
            return False
        if then is THEN_TEXT and self._at < len(self._data) and self._sessions.waits(self):
            # Text before the 354 that asks for it (RFC 5321 §4.3.2), while there is no room for it.
            self._traffic.limited["slow"] += 1
            self.end(SLOW)
            return False
        if then is THEN_TEXT:
            try:
                self._text = Arriving(self._dialog.envelope, self._gate.spool(), self._last_active)
            except Exception as error:
                reply = fault_reply(error)
            else:
                self._mode = _TEXT
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
                self._own(discard(text.spool))
            else:
                text.scanner.feed(content)
                flush = text.spool.hold(content)
        if text.reader.done:
            self._data = text.reader.rest
            self._committing = True
            self._mode = _WAITING
            self._own(self._commit(text, flush))
        elif flush:
            self._mode = _WAITING
            self._own(self._store(text))

    async def _store(self, text: Arriving) -> None:
        """Wait until the store has what is held, then read on."""
        await self._bring(text)
        if self.transport is None or self._mode is not _WAITING:
            # Gone, or told to come again meanwhile: to go on now would take a message that comes a second time.
            self._text = None
            self._account()
            await discard(text.spool)
            self._mode = _ENDED
            return
        self._sessions.flushed(self)
        self._mode = _TEXT
        self._work()

    async def _bring(self, text: Arriving) -> None:
        try:
            await text.spool.flush()
        except Exception as error:
            text.fault = fault_reply(error)
            await discard(text.spool)

    async def _commit(self, text: Arriving, flush: bool) -> None:
        if flush:
            await self._bring(text)
        dialog = self._dialog
        client = Client(self._peer, dialog.helo, "ESMTP" if dialog.extended else "SMTP")
        reply = text.fault
        if reply.startswith("5"):
            self._log_refused(text.envelope, reply)
        if not reply:
            try:
                shape = text.scanner.finish()
                reply = await self._gate.accept(client, text.envelope, text.spool, shape, text.scanner.head)
            except Exception as error:
                await discard(text.spool)
                reply = fault_reply(error)
        if reply.startswith("2"):
            dialog.taken()
            self._traffic.accepted += 1
            self._traffic.octets += text.spool.size
            self._last_message = self.loop.time()
        self._last_active = self.loop.time()
        self._committing = False
        self._text = None
        if self.transport is None:
            self._account()
            self._mode = _ENDED
            return
        self._mode = _COMMANDS
        self._say(reply)
        if reply.startswith("5") and dialog.text_refused():
            self._traffic.limited[dialog.ended_for] += 1
            self.end("421 4.7.0 Too many errors; goodbye")
        elif self._ending:
            self.end("421 4.3.2 The service is stopping; please come again", drain=False)
        self._work()

    def _refused_recipient(self, recipient: str, reply: str) -> None:
        self._log_refused(self._dialog.envelope, reply, recipient)

    def _log_refused(self, envelope: Envelope, reply: str, recipient: str | None = None) -> None:
        """A line about a recipient, or a message, that is refused; so many a minute, or a flood would fill the disk."""
        lines = self._sessions.lines
        if not lines.may(self.network, self.loop.time()):
            return
        code, status, words = (*reply.split(" ", 2), "", "")[:3]
        fields: events.Fields = {
            "client": self._peer,
            "helo": self._dialog.helo[:64],
            "from": envelope.reverse_path or "",
            "to": list(envelope.recipients) if recipient is None else recipient,
            "dsn": status,
            "status": f"{code} {status}",
            "left_out": lines.take_left_out(),
        }
        what = "refused" if recipient is None else "recipient_refused"
        events.tell(log, what, fields=fields, words=words.split("\r\n")[0])

    def _abandon_text(self) -> None:
        if self._text is not None:
            self._own(discard(self._text.spool))
            self._text = None

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` to its end whatever becomes of the connection."""
        own(self.loop.create_task(work))

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
        """Read on only when no input waits and there is room."""
        reading = self._mode is _ENDED or (
            self._writable
            and not self._resting
            and not self.held_back
            and (self._mode is not _WAITING or len(self._data) < HELD)
        )
        if reading != self._reading and self.transport is not None and not self.transport.is_closing():
            self._reading = reading
            (self.transport.resume_reading if reading else self.transport.pause_reading)()

    def end(self, reply: str, drain: bool = True) -> None:
        """Say ``reply`` and close; what was still arriving is forgotten. With ``drain`` more may be on its way."""
        self._say(reply)
        self._hang_up(drain)

    def _hang_up(self, drain: bool = False) -> None:
        """Close; a client that does not take its last replies is not waited for."""
        if self._mode is _TEXT:
            self._abandon_text()
        self._mode = _ENDED
        self._data, self._at = b"", 0
        self._account()
        self._flush()
        if self.transport is None or self.transport.is_closing():
            return
        if self._timer is not None:
            self._timer.cancel()
        if drain and not self._eof:
            self.held_back = self._resting = False
            self._set_reading()
            self.transport.write_eof()
            self._timer = self.loop.call_later(DRAIN, self._hang_up)
            return
        self._timer = self.loop.call_later(LINGER, self.transport.abort)
        self.transport.close()

    def end_soon(self) -> None:
        """The service stops: no new transaction; a message whose end was seen is still answered."""
        self._ending = True
        if not self._committing:
            self.end("421 4.3.2 The service is stopping; please come again", drain=False)

    @property
    def committing(self) -> bool:
        """True between the end of a message and its reply."""
        return self._committing

    def hold_back(self) -> None:
        """Read nothing more until ``go_on``: memory is short."""
        self.held_back = True
        self._set_reading()

    def go_on(self) -> None:
        """Read again."""
        self.held_back = False
        self._last_active = self.loop.time()
        self._set_reading()

    def idles(self, now: float) -> bool:
        """Whether a stranger keeps this place without use (see ``Limits.short_idle_seconds``)."""
        limits = self._limits
        if self._committing or self._mode not in (_COMMANDS, _TEXT):
            return False
        if now - self._last_active > limits.short_idle_seconds:
            return True
        if self._mode is _COMMANDS or self._text is None:
            return bool(now - self._last_message > limits.short_message_seconds)
        took: float = now - self._text.began
        return took > limits.short_message_seconds and self._text.spool.size < took * limits.short_rate

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
            self.end("421 4.4.2 Nothing was heard for too long; goodbye")
