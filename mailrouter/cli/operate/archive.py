"""The file that ``backup`` makes and ``restore`` reads: a tar file with a manifest.

mailrouter-backup.json   what it is, where things belong, a SHA-256 of each file
store.db                 the store
mailrouter.key           the keys
config/…  templates/…    the configuration, and texts of its own if it names a folder for them
run/…                    what the service keeps beside the key: roles' files as they last were right, the addresses of
                         feeds, what was read of partners' calendars
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from mailrouter.errors import MailrouterError

MANIFEST = "mailrouter-backup.json"
STORE, KEY = "store.db", "mailrouter.key"
FOLDERS = ("config", "templates", "run")
FORM = 1
_MOST_MANIFEST = 4_000_000
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Manifest:
    """``places`` say where store, key folder and templates belong: as written, relative to the folder above the
    configuration. ``files`` are SHA-256 by name."""

    program: str
    made: str
    store_format: int
    places: Mapping[str, str]
    files: Mapping[str, str] = field(default_factory=dict)


def files_under(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every regular file in ``folder`` that people made, by its name inside."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place) / name
            if not name.startswith(".") and path.is_file():
                yield path.relative_to(folder).as_posix(), path


def write(target: BinaryIO, manifest: Manifest, contents: Mapping[str, Path], *, compress: bool) -> None:
    """Write the archive into ``target``, an empty file. Raises OSError."""
    hashes = {name: _sha256(path) for name, path in contents.items()}
    said = {
        "backup": FORM,
        "program": manifest.program,
        "made": manifest.made,
        "store_format": manifest.store_format,
        "places": dict(manifest.places),
        "files": hashes,
    }
    with tarfile.open(fileobj=target, mode="w:gz" if compress else "w") as archive:
        _add(archive, MANIFEST, json.dumps(said, indent=1).encode())
        for name, path in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = path.stat().st_size, 0o600
            with path.open("rb") as content:
                archive.addfile(info, content)


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(content), 0o600
    archive.addfile(info, io.BytesIO(content))


def unpack(source: Path, folder: Path) -> Manifest:
    """Write the archive's files into ``folder`` and check each of them. Raises MailrouterError, OSError.

    Nothing but what a backup holds is written, and nothing outside ``folder``.
    """
    try:
        with tarfile.open(source) as archive:
            first = archive.next()
            if first is None or first.name != MANIFEST or first.size > _MOST_MANIFEST:
                raise _no_backup(source)
            manifest = _manifest(source, _content(archive, first))
            found = set()
            while (member := archive.next()) is not None:
                if not member.isreg() or not _is_ours(member.name) or member.name not in manifest.files:
                    raise MailrouterError(f"{source} holds {member.name!r}, which no backup does.")
                if _extract(archive, member, folder / member.name) != manifest.files[member.name]:
                    raise MailrouterError(f"{source} is damaged: {member.name} is not what was backed up.")
                found.add(member.name)
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise MailrouterError(f"{source} is damaged, or no backup: {error}.") from error
    if missing := sorted(set(manifest.files) - found):
        raise MailrouterError(f"{source} is damaged: {missing[0]} is missing.")
    return manifest


def _no_backup(source: Path) -> MailrouterError:
    return MailrouterError(f"{source} is not a backup that `mailrouter backup` made.")


def _manifest(source: Path, content: bytes) -> Manifest:
    try:
        said: dict[str, Any] = json.loads(content)
        if said["backup"] != FORM:
            raise MailrouterError(
                f"{source} was made by mailrouter {said.get('program')}; this program can't read it."
            )
        places = {str(name): str(place) for name, place in said["places"].items()}
        files = {str(name): str(digest) for name, digest in said["files"].items()}
        if not {"store", "run_folder"} <= set(places) or STORE not in files or KEY not in files:
            raise _no_backup(source)
        return Manifest(str(said["program"]), str(said["made"]), int(said["store_format"]), places, files)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _no_backup(source) from error


def _is_ours(name: str) -> bool:
    path = PurePosixPath(name)
    if name in (STORE, KEY):
        return True
    return len(path.parts) > 1 and path.parts[0] in FOLDERS and not {"..", "."} & set(path.parts)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    return b"" if file is None else file.read()


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> str:
    """Gives the SHA-256 of what was written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    file = archive.extractfile(member)
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while file is not None and (block := file.read(_BLOCK)):
            digest.update(block)
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
