"""The fate of a mail: what the store says of it, and the files that lie in people's Maildirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from mailrouter.errors import StoreError
from mailrouter.store.ids import DeliveryId, MessageId, message_of
from mailrouter.store.model import Delivery, Message, QueueEntry
from mailrouter.store.opening import open_reader

_NAME = re.compile(r"\d+\.D([0-9a-f]+)\.")


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in somebody's Maildir, and its delivery."""

    delivery: Delivery
    raw: bytes


@dataclass(frozen=True, slots=True)
class Passage:
    """One mail that went through: its envelope and reasons, what was delivered, and what still waits.

    ``header`` is what the store still has of it: the header, where somebody may have to be told what became of it.
    """

    message: Message
    letters: tuple[Letter, ...]
    waiting: tuple[Delivery, ...]
    header: bytes = b""

    def to(self, recipient: str) -> tuple[Letter, ...]:
        """The letters that this recipient got, the copy first."""
        return tuple(letter for letter in self.letters if letter.delivery.recipient == recipient)


class Mailboxes:
    """The Maildirs below ``root``, watched for what is new; ``store`` is the relay's database."""

    def __init__(self, root: Path, store: Path) -> None:
        self._root = root
        self._reader = open_reader(store)
        self._told: set[MessageId] = set()

    def close(self) -> None:
        """Let go of the store."""
        self._reader.close()

    async def passed(self) -> list[Passage]:
        """Mails that went through since the last call, in order. Raises StoreError."""
        found: dict[MessageId, dict[int, Path]] = {}
        # Somebody who reads along with a mail program moves files from new to cur.
        for path in (*self._root.glob("*/new/*"), *self._root.glob("*/cur/*")):
            if named := _NAME.match(path.name):
                delivery = DeliveryId(int(named[1], 16))
                if message_of(delivery) not in self._told:
                    found.setdefault(message_of(delivery), {})[delivery] = path
        passages = []
        for message in sorted(found):
            entry = await self._reader.entry(message)
            if entry is not None and all(map(_was_tried, entry.deliveries)):
                self._told.add(message)
                passages.append(_passage(entry, found[message], await self._header(entry.message)))
        return passages

    async def _header(self, message: Message) -> bytes:
        try:
            return (await self._reader.chunk(message.id, 0))[: message.body_start]
        except StoreError:
            return b""


def _was_tried(delivery: Delivery) -> bool:
    return delivery.state != "queued" or delivery.attempts > 0


def _passage(entry: QueueEntry, files: dict[int, Path], header: bytes) -> Passage:
    letters, waiting = [], []
    for delivery in entry.deliveries:
        if delivery.state == "delivered" and delivery.id in files:
            letters.append(Letter(delivery, _read(files[delivery.id])))
        elif delivery.state in ("queued", "held", "failed"):
            waiting.append(delivery)
    return Passage(entry.message, tuple(letters), tuple(waiting), header)


def _read(path: Path) -> bytes:
    """The mail as it was sent: in a Maildir its lines end in LF."""
    try:
        return path.read_bytes().replace(b"\n", b"\r\n")
    except OSError:
        return b""  # opened, moved or deleted by its owner in this moment
