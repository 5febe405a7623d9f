"""The Maildir transport: one Maildir a recipient, under one folder. The default, so that a first try needs no
server.

A file is written to ``tmp``, synced, then renamed into ``new``, and the folder is synced: it is there whole
or not at all. Its name is made from the delivery's id, so a repeat after a crash replaces the file instead of
doubling it. Lines end in LF, as Maildir has them since qmail: readers such as mutt show the CR of a CRLF.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from mailrouter.config.atomic_write import sync_folder
from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery

log = logging.getLogger("mailrouter.delivery")

Stream = Callable[[Delivery], "AsyncIterator[bytes]"]
WORKERS = 4
GATHER = 256 * 1024
"""Octets gathered in memory before they are written."""
_SAFE = re.compile(r"[^A-Za-z0-9@._+=-]")


def folder_name(recipient: str) -> str:
    """The folder of a recipient: the address in lower case, with nothing that a file system could stumble
    on."""
    name = _SAFE.sub(lambda match: f"%{ord(match[0]):02X}", recipient.lower())
    if len(name) > 200:
        name = f"{name[:160]}%{hashlib.sha256(name.encode()).hexdigest()[:32]}"
    return "%2E" + name[1:] if name.startswith(".") else name or "%"


class MaildirTransport:
    """Delivers into ``root/RECIPIENT/{tmp,new,cur}``."""

    def __init__(
        self,
        root: Path,
        hostname: str,
        dispatcher: Dispatcher,
        stream: Stream,
        check: Callable[[Delivery], Awaitable[bool]],
    ) -> None:
        self.name = f"maildir:{root}"
        self.max_size: int | None = None
        self.trouble = self.advice = ""
        self.refuses = False
        self.troubled_at = 0
        self._root = root
        self._hostname = _SAFE.sub("_", hostname)
        self._dispatcher = dispatcher
        self._stream = stream
        self._check = check
        self._workers: set[asyncio.Task[None]] = set()
        self._busy = 0
        self._ending = False
        self._made: set[Path] = set()

    def paused(self) -> bool:
        """Never: a folder that can't be written is each delivery's own fault."""
        return False

    def wake(self) -> None:
        """Start up to a few writers."""
        while not self._ending and self._busy < min(WORKERS, self._dispatcher.waiting):
            self._busy += 1
            task = asyncio.get_running_loop().create_task(self._work())
            self._workers.add(task)
            task.add_done_callback(self._workers.discard)

    async def _work(self) -> None:
        try:
            await self._write_all()
        finally:
            self._busy -= 1

    async def _write_all(self) -> None:
        while not self._ending and (delivery := self._dispatcher.take()) is not None:
            try:
                if not await self._check(delivery):
                    continue
                reply = await self._deliver(delivery)
            except OSError as error:
                # Whatever the file system says is for the operator to mend: temporary.
                reply = Reply(451, f"4.3.0 The mailbox can't be written: {error.strerror}")
            except Exception as error:
                log.exception("%s could not be written", delivery.queue_id)
                reply = Reply(451, f"4.3.0 {type(error).__name__}")
            self._dispatcher.settle(delivery, reply)

    async def _deliver(self, delivery: Delivery) -> Reply:
        mailbox = self._root / folder_name(delivery.recipient)
        name = f"{delivery.created_at // 1000}.D{delivery.id:x}.{self._hostname}"
        file = mailbox / "tmp" / name
        # RFC 5321 §4.4: the server that makes final delivery puts the reverse-path first.
        blocks = [f"Return-Path: <{delivery.reverse_path}>\nDelivered-To: {delivery.recipient}\n".encode()]
        held = len(blocks[0])
        begun = False
        try:
            if mailbox not in self._made or not mailbox.exists():
                await asyncio.to_thread(_make, mailbox)
                self._made.add(mailbox)
            async for block in in_lines_of_unix(self._stream(delivery)):
                blocks.append(block)
                held += len(block)
                if held > GATHER:
                    await asyncio.to_thread(_write, file, blocks, begun)
                    blocks, held, begun = [], 0, True
            await asyncio.to_thread(_finish, file, blocks, begun, mailbox / "new" / name)
        except BaseException:
            self._made.discard(mailbox)  # a folder may be gone: it is made again at the next try
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
            raise
        return Reply(250, f"2.0.0 in {mailbox.name}/new")

    async def close(self, grace: float) -> None:
        """Let the files under way be finished."""
        self._ending = True
        if self._workers:
            _, late = await asyncio.wait(set(self._workers), timeout=grace)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=1)


async def in_lines_of_unix(blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The octets with LF for CRLF, even across blocks. A lone CR stays (the door takes none)."""
    held = b""
    async for block in blocks:
        block = held + block if held else block
        held = b"\r" if block.endswith(b"\r") else b""
        yield (block[:-1] if held else block).replace(b"\r\n", b"\n")
    if held:
        yield held


# Each of these runs in a thread and closes what it opens: a cancelled delivery can't close a file under its
# writer.


def _make(mailbox: Path) -> None:
    mailbox.parent.parent.mkdir(parents=True, exist_ok=True)
    # Each by itself: a parent made on the way would get the umask's mode, and its names are addresses.
    for folder in (mailbox.parent, mailbox, mailbox / "tmp", mailbox / "new", mailbox / "cur"):
        folder.mkdir(mode=0o700, exist_ok=True)
    for folder in (mailbox, mailbox.parent):
        sync_folder(folder)


def _write(file: Path, blocks: list[bytes], more: bool, last: bool = False) -> None:
    """Write ``blocks``, behind what is there where there is ``more``; make it durable where it is the
    ``last``."""
    flags = os.O_WRONLY | os.O_CLOEXEC | (os.O_APPEND if more else os.O_CREAT | os.O_TRUNC)
    with open(os.open(file, flags, 0o600), "wb", buffering=0) as opened:
        data = memoryview(b"".join(blocks))
        while data:
            data = data[opened.write(data) :]
        if last:
            os.fsync(opened.fileno())


def _finish(file: Path, blocks: list[bytes], more: bool, place: Path) -> None:
    _write(file, blocks, more, last=True)
    os.rename(file, place)
    sync_folder(place.parent)
