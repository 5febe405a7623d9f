"""mailrouter as somebody gets it: built, and installed into an environment of its own outside the checkout."""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def build(source: Path, into: Path, *targets: str) -> None:
    """Build ``wheel``, ``sdist`` or both from ``source``."""
    options = [part for target in targets for part in ("--target", target)]
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into), *options]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def required(names: Sequence[str]) -> set[str]:
    """The distributions that these need to run, and those need: what pip would install here."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found or (wanted.marker and not wanted.marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        waiting += [Requirement(text) for text in distribution(name).requires or ()]
    return found


class Installed:
    """A virtual environment with the wheel, and with what the wheel declares to need, no more.

    The dependencies are linked from the environment that runs the tests, so nothing is fetched.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        venv.create(folder, with_pip=False, symlinks=True)
        self.bin = folder / "bin"
        command = [sys.executable, "-m", "pip", "--python", str(self.bin / "python"), "install", "--quiet"]
        subprocess.run([*command, "--no-index", "--no-deps", str(wheel)], check=True)
        (self.site,) = folder.glob("lib/python*/site-packages")
        self.package = self.site / "mailrouter"
        metadata = next(self.site.glob("mailrouter-*.dist-info")) / "METADATA"
        declared = [
            line.removeprefix("Requires-Dist: ")
            for line in metadata.read_text().split("\n\n", 1)[0].splitlines()
            if line.startswith("Requires-Dist: ")
        ]
        for name in required(declared):
            self._link(name)

    def _link(self, name: str) -> None:
        made = distribution(name)
        for top in {path.parts[0] for path in made.files or () if path.parts[0] not in ("..", "__pycache__")}:
            link = self.site / top
            if not link.exists():
                link.symlink_to(Path(str(made.locate_file(top))).resolve())

    def run(self, folder: Path, *arguments: str, code: int = 0) -> str:
        """A command of this environment, run in ``folder``; gives what it printed."""
        done = subprocess.run(
            [str(self.bin / arguments[0]), *arguments[1:]],
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def serving(self, folder: Path) -> Iterator[int]:
        """``mailrouter serve`` in ``folder``, with its config/; gives its port, and ends it by SIGTERM."""
        log = (folder / "serve.log").open("w+")
        process = subprocess.Popen(
            [str(self.bin / "mailrouter"), "serve"],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        with log, process.stdout:
            try:
                with selectors.DefaultSelector() as selector:
                    selector.register(process.stdout, selectors.EVENT_READ)
                    assert selector.select(30), "it did not get ready"
                line = process.stdout.readline()
                log.seek(0)
                assert "ready" in line, line + log.read()
                yield int(line.split("smtp ", 1)[1].split(",")[0].rsplit(":", 1)[1])
                process.terminate()
                assert process.wait(20) == 0
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait(20)


def environment() -> dict[str, str]:
    """The tests' environment without what would let Python look elsewhere, the system's time zones among it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**own, "PYTHONTZPATH": ""}
