"""A next server's extensions, and the commands that use them. Pure.

Our copies leave under a return path of ours, so that of a sender's own wishes (RFC 3461) nothing is passed on: what a
server beyond us reports, it reports to us, with our ENVID and ORCPT, and without the content (RET=HDRS). SUCCESS is
never asked for: such a report would only say which private mailbox has the mail.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from mailrouter.caching import cached_by_text
from mailrouter.message.text.xtext import encode_utf8_address, encode_xtext
from mailrouter.smtp.replies import Reply


@dataclass(slots=True)
class Outgoing:
    """One transaction to send: one recipient, and the content whole (``content``) or as blocks
    (``stream``). ``envid`` is our name for it in reports."""

    reverse_path: str
    recipient: str
    size: int
    eight_bit: bool = False
    smtputf8: bool = False
    content: bytes = b""
    stream: Callable[[], AsyncIterator[bytes]] | None = None
    envid: str = ""
    begun: bool = False
    """Set once content was sent: from then on its fate is unknown until the reply to its end."""
    stage: str = ""
    """What its final reply answered: mail, rcpt, data or dot; ``""`` where nothing was asked."""
    another: Callable[[], Awaitable[str]] | None = None
    """Gives another recipient, whom the server may be asked about where it refuses this one; ``""`` for none."""
    opinion: Reply | None = None
    """What the server said to somebody else in place of this mail, after it had refused it (``smtp.refusals``)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The extensions of one connection, by name in upper case; none where the server knows HELO alone."""

    extensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reply: Reply) -> Offer:
        """The offer in a reply to EHLO."""
        pairs = (line.partition(" ") for line in reply.text.split("\n")[1:])
        return cls({name.upper(): value for name, _, value in pairs})

    @property
    def pipelining(self) -> bool:
        """Whether commands may travel together (RFC 2920)."""
        return "PIPELINING" in self.extensions

    @property
    def max_size(self) -> int | None:
        """The peer's limit in octets, or None without one (RFC 1870)."""
        value = self.extensions.get("SIZE", "")
        return int(value) or None if value.isdecimal() and value.isascii() and len(value) < 20 else None

    def objection(self, message: Outgoing) -> Reply | None:
        """The reason why this peer can't take ``message`` at all. Told before anything is sent."""
        most = self.max_size
        if most is not None and message.size > most:
            return Reply(
                552,
                f"5.3.4 The message ({message.size} octets) is larger than the next server takes",
                own=True,
            )
        addresses = message.reverse_path + message.recipient
        if not addresses.isascii() and "SMTPUTF8" not in self.extensions:
            return Reply(
                553, "5.6.7 The next server does not know addresses with such letters (SMTPUTF8)", own=True
            )
        if "\r" in addresses or "\n" in addresses:
            # it would be a command of its own
            return Reply(553, "5.1.3 An address holds a line break", own=True)
        return None

    def opening(self, message: Outgoing) -> bytes:
        """The opening of a transaction: everything up to DATA, or MAIL alone where commands may not travel together."""
        mail, rcpt = self.commands(message)
        return b"".join((mail, rcpt, b"DATA\r\n")) if self.pipelining else mail

    def commands(self, message: Outgoing) -> tuple[bytes, bytes]:
        """MAIL and RCPT. What is 8-bit goes as it is to a server without 8BITMIME (see ``docs/standards.md``)."""
        mail = f"MAIL FROM:<{message.reverse_path}>"
        if "SIZE" in self.extensions:
            mail += f" SIZE={message.size}"
        if message.eight_bit and "8BITMIME" in self.extensions:
            mail += " BODY=8BITMIME"
        if "SMTPUTF8" in self.extensions and (
            message.smtputf8 or not (message.reverse_path + message.recipient).isascii()
        ):
            mail += " SMTPUTF8"
        rcpt = f"RCPT TO:<{message.recipient}>"
        if "DSN" in self.extensions:
            if message.reverse_path:
                # RFC 3461 §4.3: what comes back need not carry a note or a handoff
                mail += " RET=HDRS"
                if message.envid:
                    mail += f" ENVID={encode_xtext(message.envid)}"
                rcpt += f" NOTIFY=FAILURE,DELAY ORCPT={_typed(message.recipient)}"
            else:
                rcpt += " NOTIFY=NEVER"  # RFC 3834 §5: nobody wants to hear that an automatic answer failed
        return mail.encode() + b"\r\n", rcpt.encode() + b"\r\n"


@cached_by_text(1024)
def _typed(address: str) -> str:
    """An address with its type, for ORCPT (RFC 3461 §4.2, 6533 §3)."""
    return f"rfc822;{encode_xtext(address)}" if address.isascii() else f"utf-8;{encode_utf8_address(address)}"
