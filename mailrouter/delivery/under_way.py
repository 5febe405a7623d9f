"""The journal of what is under way, which outlives the process. It tells what the process was working on when it ended.

A file of fixed size beside the store, mapped into memory, without any sync: it is to survive ``kill -9``, the watchdog's
or the kernel's, not a power cut. An order in it costs one write into memory. A stop in order empties it.

At a start, what was under way at the end before is *suspect*. A suspect that is under way at the very next end too is
*blamed*: nothing else is likely to be, since suspects are tried alone (``delivery/suspects.py``).
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import mmap
import os
import struct
from pathlib import Path

log = logging.getLogger("mailrouter.delivery")

_MAGIC = b"mrUnder1"
# PyDLL, for ``os.write`` lets go of the interpreter's lock and has to wait for the store's thread to give it back: the
# dozen calls of a message took a tenth of its time.
_libc = ctypes.PyDLL(None, use_errno=True)
_write, _read = _libc.write, _libc.read
_write.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t)
_read.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
_write.restype = _read.restype = ctypes.c_ssize_t
_WORD = struct.Struct("<Q")
_FREE = _WORD.pack(0)
_SLOTS = 256
_SUSPECTS_AT, _DELIVERIES_AT, _INCOMING_AT = 64, 64 + 8 * 2 * _SLOTS, 64 + 8 * 3 * _SLOTS
SIZE = _INCOMING_AT + 8 * _SLOTS
_INCOMING = 1 << 63
"""Set in the keys of messages that arrive, and never in a delivery's id."""


def incoming_key(header: bytes) -> int:
    """The key of a message that arrives: the same each time that its sender tries again."""
    digest = hashlib.blake2b(header[:65536], digest_size=8).digest()
    return int.from_bytes(digest, "little") | _INCOMING


class _Memory:
    """Words in memory, perhaps of a file. Faults of that file end no process.

    Where a mapped page can't be had (the file was cut off, the disk fails), a program that touches it is ended by
    SIGBUS. So nothing here touches it: the kernel copies into it, out of a pipe, and reports a fault as EFAULT.
    """

    def __init__(self, mapped: mmap.mmap | None) -> None:
        self._octets = (ctypes.c_char * SIZE).from_buffer(mapped) if mapped is not None else None
        if self._octets is not None:
            self._at = ctypes.addressof(self._octets)
            self._out, self._in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def write(self, at: int, data: bytes) -> None:
        """Never raises; after a fault nothing is written any more."""
        if self._octets is None:
            return
        size = len(data)
        if _write(self._in, data, size) == size and _read(self._out, self._at + at, size) == size:
            return
        why = os.strerror(ctypes.get_errno())
        log.error("what is under way can't be kept any more, until the next start: %s", why)
        self._close()

    def _close(self) -> None:
        self._octets = None
        os.close(self._in)
        os.close(self._out)

    def __del__(self) -> None:
        if self._octets is not None:
            self._close()


class _Slots:
    """Slots of one kind. What is begun where none is free is not noted."""

    def __init__(self, memory: _Memory, at: int) -> None:
        self._memory = memory
        self._free = [at + 8 * n for n in reversed(range(_SLOTS))]
        self._place: dict[int, int] = {}

    def begin(self, key: int) -> None:
        if self._free and key not in self._place:
            place = self._place[key] = self._free.pop()
            self._memory.write(place, _WORD.pack(key))

    def end(self, key: int) -> None:
        place = self._place.pop(key, None)
        if place is not None:
            self._memory.write(place, _FREE)
            self._free.append(place)


class UnderWay:
    """The journal. Nothing in it ever raises: without a file it is kept in memory alone, and nobody is blamed.

    ``suspects`` and ``blamed`` are keys: ids of deliveries, oldest message first, or ``incoming_key``s.
    """

    def __init__(
        self, mapped: mmap.mmap | None = None, found: bytes = b"", identity: bytes = bytes(8)
    ) -> None:
        """``mapped`` is the file, and ``found`` what it holds; none for memory alone."""
        self._memory = _Memory(mapped)
        before = set(_words(found, _SUSPECTS_AT, 2 * _SLOTS))
        last = set(_words(found, _DELIVERIES_AT, 2 * _SLOTS))
        self.blamed = tuple(sorted(before & last))
        self.suspects = tuple(sorted((before | last) - set(self.blamed)))
        self._left = dict.fromkeys((*self.blamed, *self.suspects)[: 2 * _SLOTS])
        self._memory.write(
            0, (_MAGIC + identity + bytes(_SUSPECTS_AT - 16) + self._suspects()).ljust(SIZE, b"\0")
        )
        self._deliveries = _Slots(self._memory, _DELIVERIES_AT)
        self._incoming = _Slots(self._memory, _INCOMING_AT)

    @classmethod
    def open(cls, store: Path) -> UnderWay:
        """The journal of the store at ``store``. What is damaged, or another store's, is not believed."""
        path = Path(f"{store}-under-way")
        try:
            file = os.stat(store)
            identity = hashlib.blake2b(f"{file.st_dev} {file.st_ino}".encode(), digest_size=8).digest()
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(path, flags, 0o600)
            try:
                os.fchmod(descriptor, 0o600)
                found = os.pread(descriptor, SIZE + 1, 0)
                begins = _MAGIC + identity
                if not (len(found) == SIZE and found.startswith(begins)):
                    if found:
                        log.warning("%s is damaged, or of another store: nothing in it is believed", path)
                    found = begins.ljust(SIZE, b"\0")
                os.ftruncate(descriptor, SIZE)
                # Written, so that each page has its place on the disk: one without is a fault no program survives.
                if os.pwrite(descriptor, found, 0) != SIZE:
                    raise OSError("no room is left")
                return cls(mmap.mmap(descriptor, SIZE), found, identity)
            finally:
                os.close(descriptor)
        except (OSError, ValueError, AttributeError) as error:  # the last where the system has no such calls
            log.warning("what is under way can't be kept in %s: %s", path, error)
            return cls()

    def begin(self, delivery: int) -> None:
        """A delivery is in the transport's hands."""
        self._deliveries.begin(delivery)

    def end(self, delivery: int) -> None:
        """Note the end of a delivery, by which nothing ended."""
        self._deliveries.end(delivery)
        if self._left:
            self.cleared(delivery)

    def untried(self, delivery: int) -> None:
        """Note that a delivery was given back untouched."""
        self._deliveries.end(delivery)

    def begin_incoming(self, key: int) -> None:
        """A message that arrives is being worked on."""
        self._incoming.begin(key)

    def end_incoming(self, key: int) -> None:
        """Note the end of an arriving message, by which nothing ended."""
        self._incoming.end(key)
        if self._left:
            self.cleared(key)

    def cleared(self, key: int) -> None:
        """No suspect any more."""
        if key in self._left:
            del self._left[key]
            self._memory.write(_SUSPECTS_AT, self._suspects())

    def empty(self) -> None:
        """The process ends in order: nobody is suspect."""
        self._left = {}
        self._memory.write(_SUSPECTS_AT, bytes(SIZE - _SUSPECTS_AT))

    def _suspects(self) -> bytes:
        return b"".join(map(_WORD.pack, self._left)).ljust(_DELIVERIES_AT - _SUSPECTS_AT, b"\0")


def _words(found: bytes, at: int, number: int) -> list[int]:
    return [word for (word,) in _WORD.iter_unpack(found[at : at + 8 * number]) if word]


def is_incoming(key: int) -> bool:
    """Whether a key is that of a message that was arriving."""
    return bool(key & _INCOMING)
