"""A real ``mailrouter serve`` in a process of its own, with a configuration written for the test."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.support import programs

ROLE = "vp-hr@example.test"
PARTNERS = ("laurie@example.test", "elaine@example.test")

SETTINGS = """\
hostname: mx.example.test
our_domains: [example.test]
postmaster: it@example.test
listen: {{smtp: "127.0.0.1:0"}}
deliver: {deliver}
store: sqlite:var/mailrouter.db
"""
ROLE_FILE = """\
role: vp-hr@example.test
name: VP Human Resources
time_zone: America/Los_Angeles
partners:
  laurie: {name: Laurie Cremona, email: laurie@example.test}
  elaine: {name: Elaine Miller, email: elaine@example.test}
rota:
  monday: laurie
  tuesday: laurie
  wednesday: [laurie 09:00-13:00, elaine 12:00-17:00]
  thursday: elaine
  friday: elaine
emergency: {name: HR duty line, phone: "+1 650 555 0100", tell: inside}
"""
BOTH_AWAY = """\
absences:
  - {partner: laurie, from: 2020-01-01, until: 2099-12-31}
  - {partner: elaine, from: 2020-01-01, until: 2099-12-31}
"""
ONE_AWAY = """\
absences:
  - {partner: elaine, from: 2020-01-01, until: 2099-12-31, note: skiing, cover: laurie}
"""


def write_configuration(
    folder: Path, deliver: str = "maildir:var/mail", role: str = "", settings: str = ""
) -> Path:
    """A configuration in ``folder``/config; ``role`` and ``settings`` are lines added to the two files."""
    config = folder / "config"
    (config / "roles").mkdir(parents=True, exist_ok=True)
    (config / "mailrouter.yaml").write_text(SETTINGS.format(deliver=deliver) + settings)
    (config / "roles" / "vp-hr.yaml").write_text(ROLE_FILE + role)
    return config


class Relay:
    """The process. ``port`` is where it listens; ``log`` holds what it wrote to standard error.

    ``fresh`` as in ``programs.start``.
    """

    def __init__(
        self, config: Path, program: Sequence[str] = ("mailrouter", "serve"), fresh: bool = False
    ) -> None:
        self.config = config
        self.log = config.parent / "serve.log"
        self._errors = self.log.open("ab")
        self.process = programs.start(
            *program,
            "--config",
            str(config),
            stderr=self._errors.fileno(),
            cwd=config.parent,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
            session=True,
            fresh=fresh,
        )
        try:
            self.port = self._wait_ready()
        except BaseException:
            self.kill()
            raise

    def _wait_ready(self) -> int:
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(30):
                raise TimeoutError("mailrouter serve did not get ready")
        line = self.process.stdout.readline().decode()
        if "ready" not in line:
            raise RuntimeError(f"mailrouter serve said {line!r}; its log: {self.log.read_text()[-2000:]}")
        return int(line.split("smtp ", 1)[1].split(",")[0].rsplit(":", 1)[1])

    def kill(self, group: bool = False) -> None:
        """``kill -9``, to the process or to its whole group."""
        if group:
            os.killpg(self.process.pid, signal.SIGKILL)
        else:
            self.process.kill()
        self.ended()

    def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        self.process.terminate()
        return self.ended()

    def ended(self) -> int:
        """Wait for the end that was asked for; gives the exit code."""
        code = self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self._errors.close()
        return code


@contextlib.contextmanager
def relay(config: Path, fresh: bool = False) -> Iterator[Relay]:
    """A running relay that is ended with the block; ``fresh`` as in ``programs.start``."""
    running = Relay(config, fresh=fresh)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        else:
            running.ended()


def maildir(folder: Path, recipient: str) -> list[bytes]:
    """What lies in a recipient's Maildir under ``folder``/var/mail, in the order of the file names; its lines end in
    CRLF here, as they were sent."""
    files = sorted((folder / "var" / "mail" / recipient / "new").glob("*"))
    return [path.read_bytes().replace(b"\n", b"\r\n") for path in files]


def wait_until(condition, seconds: float = 60.0, what: str = "it") -> None:  # type: ignore[no-untyped-def]
    """Return once ``condition()`` is true; other processes are at work, so there is nothing to wait on but time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen in {seconds:.0f} s")
        time.sleep(0.02)
