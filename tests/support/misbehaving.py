"""A real SMTP server on loopback that misbehaves as it is told: for each connection a script, for each state
an action.

States are ``connect``, ``ehlo``, ``helo``, ``mail``, ``rcpt``, ``data``, ``dot``, ``rset``, ``quit``. An
action is the reply to give (text), one of CLOSE, HANG, GIBBERISH, ENDLESS and (for ``dot``) TAKE_AND_CLOSE,
or a function (perhaps asynchronous) of the command line
(for ``dot``: the recipient) that gives one of these, or None for what a strict server would say.
Where a script says nothing, the server is strict: a nested MAIL is 503, DATA without a recipient is 503.

``misbehaving`` runs it in the test's own loop; ``standing`` in a thread of its own, beside a real relay, where
``behave`` changes how it goes on at any time.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import inspect
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PLAIN_OFFER = ("PIPELINING", "SIZE 100000000", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


class Do(enum.Enum):
    """Actions that are no reply."""

    CLOSE = "close without a word"
    HANG = "read on and say nothing more"
    GIBBERISH = "answer something that is no reply"
    ENDLESS = "answer without an end"
    TAKE_AND_CLOSE = "keep the message, and close without a word"


CLOSE, HANG, GIBBERISH, ENDLESS, TAKE_AND_CLOSE = Do
Action = str | Do | Callable[[str], Any]


@dataclass(frozen=True)
class Script:
    """How one connection goes."""

    actions: Mapping[str, Action] = field(default_factory=dict)
    offer: Sequence[str] = PLAIN_OFFER
    one_octet_at_a_time: bool = False
    slow: float = 0.0
    """Seconds before each reply."""
    withhold: bool = False
    """Withhold the replies to all that follows EHLO until a DATA or QUIT was read: a client that waits, waits
    in vain."""
    max_messages: int = 1_000_000
    """After so many messages, close without a word."""


@dataclass
class Received:
    """One message as it was sent: command lines, recipients that were accepted, content as the sender had
    it."""

    mail: str
    recipients: list[str]
    content: bytes
    connection: int


class Misbehaving:
    """The server. Connection n follows ``scripts[n]``, the last one for all that come after."""

    def __init__(self, *scripts: Script) -> None:
        self.scripts = scripts or (Script(),)
        self.received: list[Received] = []
        self.commands: list[list[str]] = []
        self.open = 0
        self.most_open = 0
        self.port = 0
        self.met: Counter[str] = Counter()
        """How often a script's own action was met, by state."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: list[bytes] = []

    @property
    def connections(self) -> int:
        """How many connections there were."""
        return len(self.commands)

    def contents(self, recipient: str) -> list[bytes]:
        """The contents that ``recipient`` was sent, in order."""
        return [one.content for one in self.received if recipient in one.recipients]

    async def start(self, port: int = 0) -> None:
        """Listen on ``port``, or any."""
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    async def behave(self, script: Script) -> None:
        """From now on every connection follows ``script``; those that are open are dropped."""
        self.scripts = (script,)
        self.met.clear()
        await self.drop()

    async def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        await self.drop()

    async def drop(self) -> None:
        """Drop every connection."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number = len(self.commands)
        self.commands.append([])
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        session = _Session(self, number, self.scripts[min(number, len(self.scripts) - 1)], reader, writer)
        try:
            await session.run()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client went away, or the test is over
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.transport.abort()


class _Closed(ConnectionError):
    """The script closes here."""


class _Session:
    def __init__(
        self,
        server: Misbehaving,
        number: int,
        script: Script,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.server = server
        self.number = number
        self.script = script
        self.reader = reader
        self.writer = writer
        self.withheld: list[bytes] = []
        self.mail = ""
        self.recipients: list[str] = []
        self.messages = 0

    async def run(self) -> None:
        await self.act("connect", "", "220 misbehaving.test ESMTP")
        while line := (await self.reader.readline()).decode("utf-8", "surrogateescape"):
            line = line.rstrip("\r\n")
            self.server.commands[self.number].append(line)
            verb = line.partition(" ")[0].upper()
            if verb in ("EHLO", "HELO"):
                offer = [f"250-{text}" for text in ("misbehaving.test", *self.script.offer)]
                offer[-1] = "250 " + offer[-1][4:]
                await self.act(
                    verb.lower(), line, "\r\n".join(offer) if verb == "EHLO" else "250 misbehaving.test"
                )
            elif verb == "MAIL":
                reply = await self.act("mail", line, "503 5.5.1 nested MAIL" if self.mail else "250 2.1.0 ok")
                if reply.startswith("2"):
                    self.mail = line
            elif verb == "RCPT":
                reply = await self.act("rcpt", line, "250 2.1.5 ok" if self.mail else "503 5.5.1 MAIL first")
                if reply.startswith("2"):
                    self.recipients.append(line.partition("<")[2].partition(">")[0])
            elif verb == "DATA":
                wanted = "354 go on" if self.recipients else "503 5.5.1 no recipients"
                if (await self.act("data", line, wanted)).startswith("354"):
                    await self.content()
            elif verb == "RSET":
                self.mail, self.recipients = "", []
                await self.act("rset", line, "250 2.0.0 ok")
            elif verb == "QUIT":
                await self.flush()
                await self.act("quit", line, "221 2.0.0 bye")
                return
            else:
                await self.say("500 5.5.2 what?")

    async def content(self) -> None:
        """Read the text line by line, unstuff it, and answer its end."""
        lines = []
        while (line := await self.reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        reply = await self.act("dot", self.recipients[0] if self.recipients else "", "250 2.0.0 taken")
        if reply.startswith("2") and self.recipients:
            self.server.received.append(Received(self.mail, self.recipients, b"".join(lines), self.number))
        if reply == "250 taken":
            raise _Closed
        self.mail, self.recipients = "", []
        self.messages += 1
        if self.messages >= self.script.max_messages:
            raise _Closed

    async def act(self, state: str, line: str, usual: str) -> str:
        """Do what the script says in this state; gives the reply that was said."""
        scripted = self.script.actions.get(state)
        action = scripted(line) if callable(scripted) and not isinstance(scripted, Do) else scripted
        if inspect.isawaitable(action):
            action = await action
        if action is None:
            action = usual
        else:
            self.server.met[state] += 1
        await asyncio.sleep(self.script.slow)
        if isinstance(action, str):
            await self.say(action, now=state in ("connect", "ehlo", "helo", "data"))
            if action.startswith("421"):
                raise _Closed
            return action
        if action is CLOSE:
            raise _Closed
        if action is TAKE_AND_CLOSE:
            return "250 taken"
        if action is HANG:
            while await self.reader.read(65536):
                pass
            raise _Closed
        self.writer.write(b"\x00\xffnonsense\r\n" if action is GIBBERISH else b"250-more\r\n")
        while action is ENDLESS:
            self.writer.write(b"250-and more, and more\r\n" * 1000)
            await self.writer.drain()
        return ""

    async def say(self, reply: str, now: bool = False) -> None:
        self.withheld.append(reply.encode() + b"\r\n")
        if now or not self.script.withhold:
            await self.flush()

    async def flush(self) -> None:
        data, self.withheld = b"".join(self.withheld), []
        step = 1 if self.script.one_octet_at_a_time else len(data) or 1
        for at in range(0, len(data), step):
            self.writer.write(data[at : at + step])
            await self.writer.drain()
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def misbehaving(*scripts: Script) -> AsyncIterator[Misbehaving]:
    """A listening server, dropped at the end."""
    server = Misbehaving(*scripts)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


class Standing:
    """A Misbehaving in a thread of its own; ``server`` holds what it saw."""

    def __init__(self, *scripts: Script) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.server = Misbehaving(*scripts)
        self._run(self.server.start())

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def behave(self, script: Script | None = None) -> None:
        """Follow ``script`` from now on; without one, do everything right."""
        self._run(self.server.behave(script or Script()))

    def go_down(self) -> None:
        """Listen no more, as a server that is switched off."""
        self._run(self.server.close())

    def come_up(self) -> None:
        """Listen again, on the same port."""
        self._run(self.server.start(self.server.port))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    def end(self) -> None:
        """Drop everything and end the thread."""
        self._run(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@contextlib.contextmanager
def standing(*scripts: Script) -> Iterator[Standing]:
    """A server in a thread of its own, ended with the block."""
    server = Standing(*scripts)
    try:
        yield server
    finally:
        server.end()
