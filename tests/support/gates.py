"""Gates for a door that stands alone, and doors on loopback to talk to."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from mailrouter.message.head import Head
from mailrouter.message.shape import Shape
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Client, Gate, Limits
from mailrouter.smtp.server import Door
from mailrouter.smtp.sessions import Sessions
from mailrouter.store.ids import MessageId
from mailrouter.store.protocols import Spool
from tests.support.messages import until

HOST = "mx.example.test"


class MemorySpool:
    """Keeps a message in memory and knows whether it was discarded."""

    def __init__(self, number: int, before_write: Callable[[], None]) -> None:
        self.id = MessageId(number)
        self.size = self.held = 0
        self.blocks: list[bytes] = []
        self.discarded = False
        self._before_write = before_write

    def hold(self, block: bytes) -> bool:
        """Keep ``block``; each is to be flushed."""
        self.blocks.append(block)
        self.size += len(block)
        return True

    async def flush(self) -> None:
        """Nothing but what the test wants to happen here."""
        self._before_write()

    async def finish(self) -> bytes | None:
        """The whole content."""
        return b"".join(self.blocks)

    async def discard(self) -> None:
        """Remember that it was asked for."""
        self.discarded = True
        self.blocks.clear()


@dataclass
class ListGate:
    """Accepts every message into ``accepted`` as (client, envelope, content); every step may be replaced."""

    limit: int | None = 1_000_000
    refuse: Callable[[str], str | None] = lambda address: None
    before_commit: Callable[[], Awaitable[None]] | None = None
    before_write: Callable[[], None] = lambda: None
    accepted: list[tuple[Client, Envelope, bytes]] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    spools: list[MemorySpool] = field(default_factory=list)

    def recipient(self, address: str) -> str | None:
        """What ``refuse`` says."""
        return self.refuse(address)

    def max_size(self) -> int | None:
        """The ``limit``."""
        return self.limit

    def spool(self) -> Spool:
        """A spool that can be asked about later."""
        self.spools.append(MemorySpool(len(self.spools) + 1, self.before_write))
        return self.spools[-1]

    async def accept(self, client: Client, envelope: Envelope, spool: Spool, shape: Shape, head: Head) -> str:
        """Keep the message, after ``before_commit``."""
        assert isinstance(spool, MemorySpool)
        if self.before_commit is not None:
            await self.before_commit()
        self.accepted.append((client, envelope, b"".join(spool.blocks)))
        self.shapes.append(shape)
        return f"250 2.0.0 queued as {len(self.accepted)}"

    @property
    def contents(self) -> list[bytes]:
        """The contents of all accepted messages."""
        return [content for _, _, content in self.accepted]


class Talk:
    """One client's side of a conversation, octet by octet."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def reply(self) -> str:
        """The next reply, its lines joined by LF; empty at the end of the connection."""
        lines = []
        while True:
            line = (await self.reader.readline()).decode()
            lines.append(line.rstrip("\r\n"))
            if line[3:4] != "-":
                return "\n".join(lines)

    async def say(self, *lines: str) -> str:
        """Send each line with CRLF, waiting for each reply; gives the last one."""
        reply = ""
        for line in lines:
            self.writer.write(line.encode() + b"\r\n")
            reply = await self.reply()
        return reply

    def send(self, data: bytes) -> None:
        """Send octets as they are."""
        self.writer.write(data)

    async def open_message(self, sender: str = "a@b.test", recipient: str = "role@example.test") -> None:
        """Go on to the 354."""
        reply = await self.say(f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA")
        assert reply.startswith("354"), reply

    def reset(self) -> None:
        """Break the connection with a TCP reset, as a crash does."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    async def rest(self) -> str:
        """Everything until the server closes."""
        return (await self.reader.read()).decode()


class Doors:
    """A listener of doors before ``gate``. ``sessions`` are those now open."""

    def __init__(self, gate: Gate, limits: Limits | None = None) -> None:
        self.gate = gate
        self.sessions = Sessions(limits or Limits(), asyncio.get_running_loop())
        self.port = 0
        self._talks: list[Talk] = []

    async def connect(self) -> Talk:
        """A connection whose banner is still to be read."""
        talk = Talk(*await asyncio.open_connection("127.0.0.1", self.port))
        self._talks.append(talk)
        return talk

    async def greeted(self) -> Talk:
        """A connection after EHLO."""
        talk = await self.connect()
        assert (await talk.reply()).startswith("220 ")
        assert (await talk.say("EHLO client.test")).startswith("250-")
        return talk

    async def all_closed(self) -> None:
        """Once no session is left."""
        await until(lambda: not self.sessions, 5)


@contextlib.asynccontextmanager
async def doors(gate: Gate, limits: Limits | None = None) -> AsyncIterator[Doors]:
    """Listening doors, closed at the end."""
    found = Doors(gate, limits)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(gate, HOST, found.sessions, loop), "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    try:
        async with asyncio.timeout(20):
            yield found
    finally:
        server.close()
        for talk in found._talks:
            talk.writer.close()
        for door in list(found.sessions):
            door.transport.abort()
        await found.all_closed()
