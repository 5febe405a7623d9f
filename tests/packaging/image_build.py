"""An image made by podman with runc, and a base for it made without a registry."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUITE = "bookworm"
"""The Debian release of the base: Python 3.11, as in the Dockerfile's default."""

# Where root may not raise limits, podman's own defaults can't be set.
LIMITS = ("--ulimit", "nofile=1024:4096", "--ulimit", "nproc=1000:4000")


class Failed(Exception):
    """The image does not do what it should; the text says what."""


def podman(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run podman with runc. Raises Failed with its last words if it fails and ``check`` is set."""
    done = subprocess.run(["podman", "--runtime", "runc", *arguments], capture_output=True, text=True)
    if check and done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise Failed(f"podman {arguments[0]} ended with {done.returncode}:\n{words}")
    return done


def which(name: str) -> str | None:
    """The program's path; root's folders are looked into, too."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def debootstrap(root: Path, *packages: str) -> None:
    """Make a minimal Debian with Python, and these packages, in ``root``. Raises Failed."""
    wanted = ",".join(("python3", "python3-venv", "ca-certificates", *packages))
    command = [which("debootstrap") or "", "--variant=minbase", f"--include={wanted}", SUITE, str(root)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        words = "\n".join(done.stdout.splitlines()[-10:])
        raise Failed(f"debootstrap ended with {done.returncode}:\n{words}\n{done.stderr}")


def make_base(folder: Path, name: str) -> None:
    """Import a minimal Debian with Python under this name. Raises Failed."""
    root = folder / "base"
    debootstrap(root)
    archive = folder / "base.tar"
    subprocess.run(["tar", "-C", str(root), "-cf", str(archive), "."], check=True)
    podman("import", "--quiet", str(archive), name)


def pip_here() -> dict[str, str]:
    """How pip finds packages on this machine: its settings from files and environment, the latter first."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    lines = [line.partition("=") for line in listed.splitlines() if "=" in line]
    lines.sort(key=lambda line: line[0].startswith(":env:"))
    settings = {name.rpartition(".")[2]: value.strip("'\"").replace("\\n", " ") for name, _, value in lines}
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        if os.environ.get(name):
            settings.setdefault("cert", os.environ[name])
    known = ("cert", "index-url", "extra-index-url", "find-links", "no-index", "proxy", "trusted-host")
    return {name: settings[name] for name in known if name in settings}


def local_folders(settings: dict[str, str]) -> list[str]:
    """What pip's settings name on this machine. An index's pages link to files beside it, so it comes with
    the folder that it is in."""
    text = " ".join(settings.values())
    indexes = [Path(found) for found in re.findall(r"file://(/\S+)", text)]
    named = [Path(found) for found in re.findall(r"(?:^|\s)(/\S+)", text)]
    named += [path.parent if len(path.parts) > 3 else path for path in indexes]
    return sorted({str(path) for path in named if path.exists()})


def lent_to_pip(folder: Path) -> dict[str, str]:
    """What pip elsewhere needs to find packages as it does here: paths of this machine, and where each goes there."""
    settings = pip_here()
    written = folder / "pip.conf"
    written.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    return {str(written): "/etc/pip.conf", **{path: path for path in local_folders(settings)}}


def build(folder: Path, base: str, name: str) -> None:
    """Build the checkout's image upon ``base`` under this name. Raises Failed."""
    lent = lent_to_pip(folder)
    volumes = [part for path, at in lent.items() for part in ("--volume", f"{path}:{at}:ro")]
    podman(
        *("build", "--network", "host", "--format", "docker", "--layers=false", "--force-rm", *LIMITS),
        *(*volumes, "--build-arg", f"BASE={base}", "--tag", name, str(ROOT)),
    )
