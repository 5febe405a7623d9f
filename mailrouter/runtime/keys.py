"""The relay's secrets: one file, made on first start, private; and its rotation.

A file of an older version is one key, 32 random octets. After the first rotation it is text:

    mailrouter keys 1
    current HEX
    memory HEX
    earlier HEX until 2026-12-17T10:00:00Z
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailrouter.config.atomic_write import make_folder, replace_private, replacing
from mailrouter.errors import StoreError
from mailrouter.moments import DAY_MS, iso_utc, milliseconds
from mailrouter.store.ids import Milliseconds
from mailrouter.trust.tokens import VALID_DAYS

log = logging.getLogger("mailrouter.keys")

KEY_SIZE = 32
NAME = "mailrouter.key"
"""The file's name in the run folder."""
OVERLAP_MS: Milliseconds = (VALID_DAYS + 1) * DAY_MS
"""So long after a rotation the key before it is taken: the life of a return path, the longest of all that it made."""
_HEAD = b"mailrouter keys 1\n"


@dataclass(frozen=True, slots=True)
class Keys:
    """``current`` makes tokens and marks. What an ``earlier`` one made is taken until its moment (milliseconds).

    ``memory`` hashes what the store remembers of people. It opens nothing, so it stays when the key is rotated: with
    another one, everybody would be told everything again.
    """

    current: bytes
    memory: bytes = b""
    earlier: tuple[tuple[bytes, Milliseconds], ...] = ()

    def __post_init__(self) -> None:
        if not self.memory:
            object.__setattr__(self, "memory", self.current)

    def accepted(self, at: Milliseconds) -> list[bytes]:
        """All keys good at this moment, the current one first."""
        return [self.current, *(key for key, until in self.earlier if until > at)]


def read_keys(path: Path) -> Keys:
    """Read the relay's keys, made on first use (mode 0600). Raises StoreError.

    A key that is there is never replaced: with another one, no mail that went out would be known as ours. A file that
    others may read is made private, and the log says so.
    """
    try:
        make_folder(path.parent)
        if not path.exists():
            # Another process may make one in this moment: then its key is the one.
            with replacing(path, keep=True) as file:
                file.write(os.urandom(KEY_SIZE))
        _make_private(path)
        content = path.read_bytes()
    except OSError as error:
        raise StoreError(f"The key file {path} can't be used: {error.strerror}.") from error
    return keys_in(content, path)


def keys_in(content: bytes, path: Path) -> Keys:
    """The keys that a key file holds; ``path`` is for the error. Raises StoreError."""
    damaged = StoreError(f"The key file {path} is damaged; restore it, or remove it to have a new one made.")
    if not content.startswith(_HEAD):
        if len(content) < KEY_SIZE:
            raise damaged
        return Keys(content)
    try:
        lines = [line.split(" ") for line in content[len(_HEAD) :].decode("ascii").splitlines()]
        named = {line[0]: bytes.fromhex(line[1]) for line in lines if line[0] != "earlier"}
        earlier = tuple((bytes.fromhex(line[1]), _moment(line[3])) for line in lines if line[0] == "earlier")
        keys = Keys(named["current"], named["memory"], earlier)
    except (ValueError, KeyError, IndexError) as error:
        raise damaged from error
    if any(len(key) < KEY_SIZE for key in (keys.current, keys.memory, *(key for key, _ in earlier))):
        raise damaged
    return keys


def rotate(path: Path, now: Milliseconds) -> Keys:
    """Make a new key the current one; the file appears whole or stays as it was. Raises StoreError."""
    old = read_keys(path)
    earlier = [(old.current, now + OVERLAP_MS), *((key, until) for key, until in old.earlier if until > now)]
    new = Keys(os.urandom(KEY_SIZE), old.memory, tuple(earlier))
    lines = [f"current {new.current.hex()}", f"memory {new.memory.hex()}"]
    lines += [f"earlier {key.hex()} until {moment_written(until)}" for key, until in new.earlier]
    try:
        replace_private(path, _HEAD + "".join(f"{line}\n" for line in lines).encode())
    except OSError as error:
        raise StoreError(f"The key file {path} can't be written: {error.strerror}.") from error
    return new


def moment_written(at: Milliseconds) -> str:
    """In UTC, ISO 8601, to the second."""
    return iso_utc(at).replace("+00:00", "Z")


def _moment(text: str) -> Milliseconds:
    return milliseconds(datetime.fromisoformat(text))


def _make_private(path: Path) -> None:
    mode = path.stat().st_mode & 0o777
    if not mode & 0o077:
        return
    try:
        path.chmod(0o600)
    except OSError as error:
        raise StoreError(
            f"The key file {path} can be read by others (mode {mode:04o}), and that can't be mended: "
            f"{error.strerror}. Have its owner run: chmod 600 {path}"
        ) from error
    log.warning(
        "the key file %s could be read by others (mode %04o); it is private now. If anybody may have read it, "
        "have a new key made: mailrouter rotate-key",
        path,
        mode,
    )
