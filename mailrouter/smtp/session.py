"""The conversation of one SMTP session, without its socket: a command in, a reply out. Pure but for the gate's word.

Commands end in CRLF and nothing else; replies carry enhanced codes (RFC 2034), so they and PIPELINING (RFC 2920) are
offered; what is not named here is refused.
"""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable

from mailrouter.smtp.allowance import Allowance
from mailrouter.smtp.envelope import BadPath, Envelope, add_recipient, begin, check_recipient, read_path
from mailrouter.smtp.handler import FAULT, Gate, Limits

log = logging.getLogger("mailrouter.door")

MAX_COMMAND = 4096
"""Octets of a command line: RFC 5321 §4.5.3.1.4 asks for 512, its extensions add to that."""


MAX_OVERSHOOT = 1000
"""Recipients above the limit that are answered for nothing, as Postfix does (``smtpd_recipient_overshoot_limit``)."""


class Then(enum.Enum):
    """The action that follows a reply."""

    GO_ON = enum.auto()
    TEXT = enum.auto()
    END = enum.auto()


GO_ON, THEN_TEXT, THEN_END = Then
"""The members by names of their own: each command asks for one, and a name costs a tenth (see ``smtp.server``)."""


class Dialog:
    """The state of one SMTP dialog.

    ``envelope`` is the open transaction's, ``errors`` the refused commands since the last message that was taken,
    ``messages`` how many texts were begun; ``ended_for`` is why the session was ended, for the metrics.
    """

    def __init__(self, gate: Gate, hostname: str, limits: Limits) -> None:
        self.envelope = Envelope()
        self.helo = ""
        self.extended = False
        self.errors = 0
        self.messages = 0
        self.ended_for = ""
        self.refused: Callable[[str, str], None] = lambda recipient, reply: None
        """Hears of each recipient that is refused, with the reply."""
        self._gate = gate
        self._hostname = hostname
        self._limits = limits
        self._broken = False
        self._idle = Allowance(limits.max_idle_commands)
        self._cost = 0
        self._overshoot = 0

    def obey(self, line: bytes, now: float = 0.0) -> tuple[str, Then]:
        """The reply to one command, and what follows from it.

        The command has no CRLF; ``now`` is in seconds of a steady clock.

        Never raises.
        """
        then = GO_ON
        self._cost = 0
        try:
            reply, then = self._command(line)
        except BadPath as bad:
            reply = bad.reply
        except Exception:
            log.exception("a command failed")
            self.envelope = Envelope()
            self._broken = True
            reply = FAULT
        if reply[0] in "45" and not reply.startswith("452 4.5.3"):
            self.errors += 1
            if self.errors >= self._limits.max_errors:
                self.ended_for = "errors"
                return f"{reply}\r\n421 4.7.0 Too many errors; goodbye", THEN_END
        if self._cost and not self._idle.spend(self._cost, now):
            self.ended_for = "commands"
            return "421 4.7.0 Too many commands that bring no mail; please come again with some", THEN_END
        return reply, then

    def taken(self) -> None:
        """A message was taken: what was counted against the client is forgotten."""
        self.errors = self._overshoot = 0
        self._idle.refill()

    def text_refused(self) -> bool:
        """Count a message that was refused for good after its text; True where the session has had enough of them."""
        self.errors += 1
        if self.errors < self._limits.max_errors:
            return False
        self.ended_for = "errors"
        return True

    def take_envelope(self) -> Envelope:
        """The envelope of the message whose text comes now; the session begins anew."""
        self.messages += 1
        envelope, self.envelope = self.envelope, Envelope()
        return envelope

    def _command(self, line: bytes) -> tuple[str, Then]:
        if len(line) > MAX_COMMAND:
            return "500 5.5.2 The line is too long", GO_ON
        if b"\n" in line or b"\r" in line or b"\x00" in line:
            # A bare LF or CR is no end of a command (RFC 5321 §2.3.8); guessing is how smuggling begins.
            return "500 5.5.2 A command ends in CRLF and holds no control characters", GO_ON
        name, _, argument = line.partition(b" ")
        argument = argument.strip(b" ")
        match name.upper():
            case b"EHLO" | b"HELO" as greeting:
                return self._greet(greeting, argument), GO_ON
            case b"MAIL" if self.messages >= self._limits.max_messages:
                return "421 4.7.0 Enough for one connection; please open another", THEN_END
            case b"MAIL":
                return self._mail(argument), GO_ON
            case b"RCPT":
                return self._rcpt(argument), GO_ON
            case b"DATA":
                return self._data(argument)
            case b"RSET":
                self._forget()
                return "250 2.0.0 Forgotten", GO_ON
            case b"NOOP":
                self._cost = 1
                return "250 2.0.0 OK", GO_ON
            case b"VRFY":
                self._cost = 1
                # RFC 5321 §3.5.3: neither confirmed nor denied
                return "252 2.5.0 Send some mail and see", GO_ON
            case b"QUIT":
                return "221 2.0.0 Goodbye", THEN_END
        return "502 5.5.1 The command is not known here", GO_ON

    def _greet(self, greeting: bytes, argument: bytes) -> str:
        if not argument:
            return f"501 5.5.4 Syntax: {greeting.decode()} hostname"
        self.helo = argument.decode("ascii", "replace")[:255]
        self.extended = greeting == b"EHLO"
        self._forget()  # RFC 5321 §4.1.4: EHLO resets like RSET
        if not self.extended:
            return f"250 {self._hostname}"
        size = self._gate.max_size()
        return (
            f"250-{self._hostname}\r\n250-PIPELINING\r\n250-SIZE{f' {size}' if size else ''}\r\n"
            "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n250 ENHANCEDSTATUSCODES"
        )

    def _reset(self) -> None:
        if self.envelope.reverse_path is not None:  # else it is as new
            self.envelope = Envelope()
        self._broken = False

    def _forget(self) -> None:
        """Drop the transaction as the client asked. What it had us look up for nothing is counted."""
        self._cost = 1 + len(self.envelope.recipients) // 10
        self._reset()

    def _out_of_order(self, reply: str) -> str:
        """Refuse a command that lacks the one before it. After a fault of ours what follows fails as temporarily: a
        pipelining client has sent it already, and a 5xx would bounce its mail."""
        return FAULT if self._broken else reply

    def _mail(self, argument: bytes) -> str:
        if not self.helo:
            return "503 5.5.1 Say EHLO first"
        if self.envelope.reverse_path is not None:
            return "503 5.5.1 A message is open already; RSET forgets it"
        self._reset()
        self.envelope = begin(read_path("FROM", argument), self._gate.max_size())
        return "250 2.1.0 OK"

    def _rcpt(self, argument: bytes) -> str:
        if self.envelope.reverse_path is None:
            return self._out_of_order("503 5.5.1 Say MAIL first")
        path = read_path("TO", argument)
        check_recipient(path, self.envelope.smtputf8)
        if path.address in self.envelope.recipients:
            self._cost = 1  # and nothing is looked up again
            return "250 2.1.5 OK"
        if len(self.envelope.recipients) >= self._limits.max_recipients:
            self._overshoot += 1
            self._cost = int(self._overshoot > MAX_OVERSHOOT)
            return "452 4.5.3 Too many recipients"
        refusal = self._gate.recipient(path.address)
        if refusal is not None:
            self.refused(path.address, refusal)
            return refusal
        add_recipient(self.envelope, path)
        return "250 2.1.5 OK"

    def _data(self, argument: bytes) -> tuple[str, Then]:
        if argument:
            return "501 5.5.4 DATA takes no argument", GO_ON
        if not self.envelope.recipients:
            missing = "RCPT" if self.envelope.reverse_path is not None else "MAIL"
            return self._out_of_order(f"503 5.5.1 Say {missing} first"), GO_ON
        return "354 End with a dot on a line of its own", THEN_TEXT
