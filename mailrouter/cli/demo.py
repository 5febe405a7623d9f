"""``mailrouter demo``: the relay, five mails and what became of them, with nothing to set up."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import logging
import os
import shlex
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mailrouter.cli.common import width
from mailrouter.cli.setup.system_zone import system_time_zone
from mailrouter.demo.paper import Paper
from mailrouter.demo.show import Screen, Show
from mailrouter.errors import MailrouterError, UsageError


def demo(options: argparse.Namespace) -> int:
    """Run until Ctrl-C, or with ``--once`` to the last mail; 0 then. Raises MailrouterError, UsageError."""
    if not 0 <= options.port <= 65535:
        raise UsageError(f"--port {options.port} is no port; they go from 1 to 65535.")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A mail may hold any letter; a terminal that has none for it is no reason to stop.
        sys.stdout.reconfigure(errors="replace")
    with asyncio.Runner() as runner:
        runner.run(_demo(options))
    return 0


async def _demo(options: argparse.Namespace) -> None:
    zone = system_time_zone(os.environ) or "UTC"
    with _folder(options.keep) as folder, _log_in(folder):
        show = Show(folder, zone, options.port, Screen(_paper, _say), _program())
        task = asyncio.create_task(show.run(options.once))
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # Only the first counts: after it everything is being put away.
            asyncio.get_running_loop().add_signal_handler(name, lambda: task.cancelling() or task.cancel())
        with contextlib.suppress(asyncio.CancelledError):
            await task
    _say(["", *_ending(folder, options.keep is not None)])


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A temporary folder for the demonstration, or the one to keep. Raises MailrouterError, UsageError."""
    try:
        if keep is None:
            folder = Path(tempfile.mkdtemp(prefix="mailrouter-demo-"))
        else:
            folder = keep.absolute()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise UsageError(f"{keep} is not empty; name a new folder for --keep.")
    except OSError as error:
        name = error.filename or keep or tempfile.gettempdir()
        raise MailrouterError(f"the folder {name} can't be made: {error.strerror or error}.") from error
    try:
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _log_in(folder: Path) -> Iterator[None]:
    """The relay's log goes into a file: the screen is for the mails."""
    file = logging.FileHandler(folder / "relay.log", encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(file)
    root.setLevel(logging.INFO)
    # aiosmtpd logs every line it reads, subjects and bodies too.
    logging.getLogger("mail").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        root.removeHandler(file)
        file.close()


def _ending(folder: Path, kept: bool) -> list[str]:
    paper = _paper()
    if not kept:
        return [
            *paper.prose(f"The demo has ended; its folder {folder} is removed."),
            *paper.prose("To keep one: --keep DIR."),
        ]
    command = [*map(shlex.quote, _program()), "serve", f"--config {shlex.quote(str(folder / 'config'))}"]
    return [
        *paper.prose("The demo has ended. Everything is kept in"),
        *paper.prose(str(folder)),
        *paper.prose("config/ holds the configuration, var/mail/ the mails. To go on with it:"),
        *paper.command(command, "  "),
    ]


def _program() -> Sequence[str]:
    """The words that started us, for commands to be pasted."""
    started = Path(sys.argv[0])
    if started.name == "mailrouter":
        # In full, since the other terminal may be in another folder.
        return (str(started.absolute()),) if os.sep in sys.argv[0] else ("mailrouter",)
    return (sys.executable, "-m", "mailrouter")


def _paper() -> Paper:
    """For the terminal as it is now: its width may change while the demo stays up."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Paper(width(), colour, "utf" in (sys.stdout.encoding or "").lower())


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)
