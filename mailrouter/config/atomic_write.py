"""A role's file replaced whole or not at all: a crash at any moment leaves the old text or the new one.

The new text is written beside the file, synced and renamed over it. So a reader never sees half of it; owner, group
and mode stay; a symbolic link stays one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from mailrouter.config.folder import ROLES_FOLDER
from mailrouter.errors import MailrouterError


class CannotWrite(MailrouterError):
    """The file can't be written here; the text says why and what IT can do. Nothing was changed."""


class ChangedMeanwhile(MailrouterError):
    """The file isn't as it was when the change was worked out; nothing was changed."""


def role_path(folder: Path, key: str) -> Path:
    """The file of a role, as ``mailrouter.config.folder`` finds it."""
    paths = [folder / ROLES_FOLDER / f"{key}{ending}" for ending in (".yaml", ".yml")]
    return next((path for path in paths if path.exists()), paths[0])


@dataclass(frozen=True, slots=True)
class FileDraft:
    """A new text that lies, synced, beside the file it is for."""

    path: Path
    target: Path
    draft: Path
    before: bytes

    def publish(self) -> None:
        """Put it in the file's place. Raises ChangedMeanwhile, CannotWrite."""
        try:
            if self.target.read_bytes() != self.before:
                raise ChangedMeanwhile(f"{self.path.name} was changed by somebody else in this moment.")
            os.replace(self.draft, self.target)
            sync_folder(self.target.parent)
        except OSError as error:
            raise _why_not(self.path, error) from error

    def discard(self) -> None:
        """Take it away again."""
        with contextlib.suppress(OSError):
            self.draft.unlink()


def draft(path: Path, before: bytes, after: bytes) -> FileDraft:
    """Write ``after`` beside ``path``, which has to hold ``before``. Raises ChangedMeanwhile, CannotWrite."""
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.new")
    try:
        known = target.stat()
        if not known.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if target.read_bytes() != before:
            raise ChangedMeanwhile(f"{path.name} was changed by somebody else in this moment.")
        with _synced(new, known, stat.S_IMODE(known.st_mode)) as file:
            file.write(after)
    except OSError as error:
        raise _why_not(path, error) from error
    return FileDraft(path, target, new, before)


def replace_private(path: Path, data: bytes) -> None:
    """Replace a private file (mode 0600, its folder's owner's) by ``data``. Raises OSError."""
    with replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o600, *, keep: bool = False, share: bool = True) -> Iterator[BinaryIO]:
    """New content for ``path``, put in place when the block succeeds. Raises OSError.

    With ``keep`` a file that is there by then stays, and the new content goes. What root writes is given to the
    folder's owner, or a service of that user could not read it; without ``share`` it stays root's.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.new")
    owner = path.parent.stat() if share and os.geteuid() == 0 else None
    with _synced(new, owner, mode) as file:
        yield file
    try:
        if keep:
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
        else:
            os.replace(new, path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    sync_folder(path.parent)


@contextlib.contextmanager
def _synced(path: Path, like: os.stat_result | None, mode: int) -> Iterator[BinaryIO]:
    """A new private file, synced at the end, removed on error. Its owner is that of ``like``."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()  # left by a crash
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            made = os.fstat(descriptor)
            if like and (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
                os.fchown(descriptor, like.st_uid, like.st_gid)
            os.fchmod(descriptor, mode)
            os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make ``folder`` and those above it that are missing; made by root, each is its parent's owner's. Raises OSError."""
    missing = [folder, *folder.parents]
    missing = missing[: next((n for n, place in enumerate(missing) if place.exists()), len(missing))]
    for place in reversed(missing):
        place.mkdir(mode=mode if place == folder else 0o777, exist_ok=True)
        give_to_owner_of(place.parent, place)


def give_to_owner_of(folder: Path, path: Path) -> None:
    """Give root's new file to its neighbour's user. The service could not read it otherwise."""
    if os.geteuid() == 0:
        wanted, found = folder.stat(), path.stat()
        if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid):
            os.chown(path, wanted.st_uid, wanted.st_gid)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk: a rename is durable after that. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _why_not(path: Path, error: OSError) -> CannotWrite:
    reason = error.strerror or str(error)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotWrite(
            f"The file {path.name} can't be written here ({reason}). IT can let the service write it and its "
            "folder, and keep its owner; or change the file by hand."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotWrite(f"There is no room left on the disk of {path.name}. IT can make some.")
    if error.errno == errno.ENOENT:
        return CannotWrite(f"The file {path.name} isn't where it was. IT can put it back.")
    return CannotWrite(f"The file {path.name} can't be written: {reason}. IT can look at the service's log.")
