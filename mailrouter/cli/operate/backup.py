"""``mailrouter backup FILE``: store, keys and configuration in one private file, while the service runs or not."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from mailrouter import __version__, config
from mailrouter.calendars import cache, feed_secret
from mailrouter.cli.common import width
from mailrouter.cli.operate import archive
from mailrouter.cli.operate.archive import KEY, STORE, Manifest
from mailrouter.cli.operate.queue_text import counted, size
from mailrouter.config import Settings
from mailrouter.config.atomic_write import replacing
from mailrouter.config.last_good import GOOD_FOLDER
from mailrouter.errors import MailrouterError, StoreError
from mailrouter.runtime.keys import NAME
from mailrouter.store.opening import copy_store


def backup(options: argparse.Namespace) -> int:
    """Make the file; what was accepted and not delivered at that moment is all in it."""
    folder: Path = options.config or config.default_folder()
    # A role's file may be broken just now: it is copied as it is.
    settings = config.settings_of(folder)
    target: Path = options.file
    if target.exists() and not options.force:
        raise MailrouterError(f"{target} is there already; --force writes over it.")
    try:
        said = _make(folder, settings, target)
    except OSError as error:
        raise MailrouterError(f"The backup {target} can't be made: {error.strerror or error}.") from error
    print(textwrap.fill(said, width()))
    return 0


def _make(folder: Path, settings: Settings, target: Path) -> str:
    with tempfile.TemporaryDirectory(prefix=".mailrouter-backup-", dir=target.absolute().parent) as name:
        copied = copy_store(settings.store, Path(name) / STORE)
        found = {KEY: settings.run_folder / NAME}
        # After the store: a key that was made meanwhile has the one before it beside it.
        if not found[KEY].exists():
            raise StoreError(
                f"There is no key file {found[KEY]}; it is made by the first `mailrouter serve`."
            )
        for inside, path in archive.files_under(folder):
            found[f"config/{inside}"] = path
        if settings.templates and not settings.templates.is_relative_to(folder.absolute()):
            for inside, path in archive.files_under(settings.templates):
                found[f"templates/{inside}"] = path
        for inside, path in _kept(settings.run_folder):
            found[f"run/{inside}"] = path
        contents = {STORE: Path(name) / STORE}
        # Copied first: a change by mail may write one of them at any moment, and it is to be whole.
        for inside, path in found.items():
            contents[inside] = Path(name) / "files" / inside
            contents[inside].parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, contents[inside])
        made = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(__version__, made, copied.format, _places(folder, settings))
        with replacing(target, share=False) as file:
            archive.write(file, manifest, contents, compress=target.name.endswith((".gz", ".tgz")))
    return (
        f"{target} ({size(target.stat().st_size)}) holds {counted(copied.messages, 'message')} "
        f"({counted(copied.waiting, 'delivery', 'deliveries')} still to do), the handoffs, the key and the "
        "configuration. Keep it as safe as mail."
    )


def _kept(run_folder: Path) -> Iterator[tuple[str, Path]]:
    """The service's records beside its key that its successor needs."""
    if (addresses := run_folder / feed_secret.FILE).exists():
        yield feed_secret.FILE, addresses
    for name in (GOOD_FOLDER, cache.FOLDER):
        for inside, path in archive.files_under(run_folder / name):
            yield f"{name}/{inside}", path


def _places(folder: Path, settings: Settings) -> dict[str, str]:
    base = folder.absolute().parent
    named = {"store": settings.store, "run_folder": settings.run_folder}
    if settings.templates:
        named["templates"] = settings.templates
    return {
        name: path.relative_to(base).as_posix() if path.is_relative_to(base) else str(path)
        for name, path in named.items()
    }
