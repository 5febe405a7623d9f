"""``mailrouter restore FILE``: what ``backup`` copied, back in its place."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import textwrap
from datetime import UTC, datetime
from pathlib import Path

from mailrouter import config
from mailrouter.cli.common import width
from mailrouter.cli.operate import archive
from mailrouter.cli.operate.archive import KEY, STORE
from mailrouter.cli.operate.queue_text import counted
from mailrouter.config.atomic_write import replacing
from mailrouter.errors import MailrouterError
from mailrouter.runtime.keys import NAME, keys_in
from mailrouter.store.opening import check_copy, files_beside, held


def restore(options: argparse.Namespace) -> int:
    """Put everything back; nothing that is there is written over: with ``--force`` it is set aside."""
    folder: Path = (options.config or config.default_folder()).absolute()
    try:
        said = _restore(options.file, folder, options.force)
    except OSError as error:
        place = error.filename or options.file
        raise MailrouterError(f"The backup can't be restored: {place}: {error.strerror or error}.") from error
    print("\n".join(textwrap.fill(line, width(), subsequent_indent="  ") for line in said))
    return 0


def _restore(source: Path, folder: Path, force: bool) -> list[str]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".mailrouter-restore-", dir=folder.parent) as name:
        unpacked = Path(name)
        manifest = archive.unpack(source, unpacked)
        copied = check_copy(unpacked / STORE)
        keys_in((unpacked / KEY).read_bytes(), Path(KEY))
        places = {name: folder.parent / place for name, place in manifest.places.items()}
        store = places["store"]
        with held(store):
            # A service that runs holds the store's lock; none can start meanwhile.
            moves = _moves(unpacked, folder, places)
            taken = [new for _, new in moves if new.exists()]
            taken += [log for log in files_beside(store) if log.exists()]
            if taken and not force:
                listed = ", ".join(map(str, taken))
                raise MailrouterError(
                    f"Nothing was changed, because this is there already: {listed}. --force sets it aside, under "
                    "names that end in the time of day."
                )
            stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
            said = []
            for old in taken:
                # A log keeps the name of its database, so that the two are still one store.
                log = next(
                    (log.name.removeprefix(store.name) for log in files_beside(store) if log == old), ""
                )
                aside = old.with_name(f"{old.name.removesuffix(log)}.before-restore-{stamp}{log}")
                os.replace(old, aside)
                said.append(f"{old} is now {aside.name}.")
            for old, new in moves:
                _move(old, new, private=old.is_relative_to(unpacked / "run"))
    said.append(
        f"Restored from {manifest.made}: {counted(copied.messages, 'message')}, "
        f"{counted(copied.waiting, 'delivery', 'deliveries')} still to do, the handoffs, the key and the configuration "
        f"in {folder}. What was delivered after the backup is delivered again."
    )
    said.append(f"Now: mailrouter check --config {folder}, then start the service.")
    return said


def _moves(unpacked: Path, folder: Path, places: dict[str, Path]) -> list[tuple[Path, Path]]:
    """The files to put back, with their places; of a configuration that is there and the same, nothing."""
    moves = [(unpacked / KEY, places["run_folder"] / NAME), (unpacked / STORE, places["store"])]
    whither = {"config": folder, "templates": places.get("templates"), "run": places["run_folder"]}
    for name, place in whither.items():
        if place is None or not (unpacked / name).exists():
            continue
        for inside, path in archive.files_under(unpacked / name):
            new = place / inside
            if not (new.is_file() and new.read_bytes() == path.read_bytes()):
                moves.append((path, new))
    return moves


def _move(old: Path, new: Path, private: bool = False) -> None:
    """Also from one disk to another: the file appears whole. A ``private`` one has its folder for itself."""
    new.parent.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    new.parent.mkdir(exist_ok=True, mode=0o700 if private else 0o750)
    mode = 0o640 if new.suffix in (".yaml", ".yml", ".j2") and not private else 0o600
    with old.open("rb") as content, replacing(new, mode) as file:
        shutil.copyfileobj(content, file)
