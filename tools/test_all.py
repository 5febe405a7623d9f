"""``make test-all [WHAT=quick]``: run a target of the Makefile under each Python that is supported and found.

Each Python gets a virtual environment of its own under ``.venvs/``. Where one is not found, that is said and no failure;
where none is found, or the target fails under one, the exit code is 1.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
PROJECT = Path(__file__).resolve().parents[1]


def usable(version: str) -> bool:
    """Whether ``python<version>`` is on the path, starts, and is that version.

    A version manager leaves programs of that name that start nothing.
    """
    asked = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [f"python{version}", "-c", asked], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def run(project: Path, version: str, target: str) -> bool:
    """Whether ``make <target>`` passes in the environment of this version, which is made where it is missing."""
    words = ["make", target, f"VENV=.venvs/{version}", f"PYTHON=python{version}"]
    return subprocess.run(words, cwd=project, check=False).returncode == 0


def main(words: list[str], project: Path = PROJECT) -> int:
    """``TARGET``; prints a line for each version when all have run."""
    target = words[0]
    lines, passed, failed = [], 0, 0
    for version in VERSIONS:
        if not usable(version):
            lines.append(f"{version}  absent: no python{version} with venv on the path")
            continue
        print(f"== Python {version}: make {target}", flush=True)
        begun = time.monotonic()
        good = run(project, version, target)
        passed, failed = passed + good, failed + (not good)
        lines.append(f"{version}  {'passed' if good else 'FAILED'} in {time.monotonic() - begun:.0f} s")
    print("\n".join(["", *lines]))
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or ["test"]))
