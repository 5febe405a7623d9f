"""The container's files agree with each other and with the program; `make image-test` runs the image itself."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from mailrouter import config
from tests.packaging.installed import ROOT
from tests.support.relay import relay, write_configuration

DOCKERFILE = (ROOT / "Dockerfile").read_text()
DATA = Path("/var/lib/mailrouter")


def services() -> dict[str, Any]:
    """The services of docker-compose.yml."""
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])


def health_check() -> list[str]:
    """The image's health check as a list of arguments."""
    found = re.search(r"HEALTHCHECK [^\n]*\\\n\s+CMD (\[.*\])", DOCKERFILE)
    assert found is not None
    return list(json.loads(found[1]))


def probe(port: int) -> int:
    """The exit code of the image's health check, asked of another port."""
    _, *arguments = [part.replace("2525", str(port)) for part in health_check()]
    return subprocess.run([sys.executable, *arguments], capture_output=True).returncode


def test_the_health_check_tells_a_running_relay_from_none(tmp_path: Path) -> None:
    """It passes while the relay takes mail, and fails once it has stopped."""
    with relay(write_configuration(tmp_path)) as running:
        assert probe(running.port) == 0
    assert probe(running.port) != 0


def test_compose_and_image_ask_after_health_in_the_same_words() -> None:
    """There is one health check, written in two places."""
    assert services()["mailrouter"]["healthcheck"]["test"] == ["CMD", *health_check()]


def test_the_containers_settings_work_with_the_example_role(tmp_path: Path) -> None:
    """The mounted files pass check, listen where the image says, and keep everything in the volume."""
    folder = tmp_path / "mailrouter"
    folder.mkdir()
    for volume in services()["mailrouter"]["volumes"][:2]:
        source, target, mode = volume.split(":")
        assert mode == "ro"
        inside = folder / Path(target).relative_to("/etc/mailrouter")
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, inside)
    settings = config.load(folder).settings
    assert settings.listen_smtp == (("", 2525),)
    assert "EXPOSE 2525" in DOCKERFILE
    assert (settings.store.parent, settings.run_folder.parent) == (DATA, DATA)
    assert f'VOLUME ["{DATA}"]' in DOCKERFILE
    assert settings.deliver.host in services()


def test_every_service_runs_with_as_little_as_it_needs() -> None:
    """Read-only, without capabilities, without new privileges, reachable from this machine alone, health-checked."""
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        assert service["healthcheck"]["test"], name


def test_the_image_test_says_what_is_missing() -> None:
    """Where podman isn't there, it ends with 1 and says how to get it."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.packaging.image"],
        cwd=ROOT,
        env={**os.environ, "PATH": "/nonexistent"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "apt-get install --no-install-recommends podman" in done.stderr
