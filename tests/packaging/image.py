"""``make image-test``: the image, built and run for real with podman. Needs root; takes about a minute.

The base is the image that BASE names; without it a small Debian made by debootstrap, so that no registry is
needed. How pip finds packages here (its configuration, its CA bundle, local folders) is lent to the build.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.packaging.image_build import LIMITS, ROOT, SUITE, Failed, build, make_base, podman, which
from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, ROLE_FILE, wait_until

NAME = f"mailrouter-test-{os.getpid()}"
IMAGE, BASE = f"localhost/{NAME}", f"localhost/{NAME}-base"
LOCKED = (
    "--read-only",
    "--read-only-tmpfs=false",
    "--cap-drop",
    "all",
    "--security-opt",
    "no-new-privileges",
)
STOP_WITHIN = 5.0
"""Seconds from SIGTERM to the end of an idle relay."""
BODY = "How is it going?"

INSIDE = """
import importlib.util, json, pathlib, shutil, sys
import mailrouter.service.main, mailrouter.cli.serve, smtplib, uvloop
def writable(folder):
    try:
        pathlib.Path(folder, "probe").write_text("")
    except OSError:
        return False
    return True
status = dict(line.split(":", 1) for line in open("/proc/1/status"))
sources = pathlib.Path("/opt/mailrouter/lib").rglob("*.py")
compiled = {importlib.util.cache_from_source(str(path)) for path in sources}
specs = [getattr(module, "__spec__", None) for module in sys.modules.values()]
compiled |= {spec.cached for spec in specs if getattr(spec, "cached", None)}
tools = [tool for tool in ("gcc", "cc", "make") if shutil.which(tool)]
print(json.dumps({
    "uid": status["Uid"].split()[0],
    "capabilities": int(status["CapEff"], 16),
    "no new privileges": status["NoNewPrivs"].strip(),
    "writable": [name for name in ("/", "/etc/mailrouter", "/opt/mailrouter", "/tmp", "/run") if writable(name)],
    "build tools": tools + ["pip"] * bool(importlib.util.find_spec("pip")),
    "without bytecode": [path for path in sorted(compiled) if not pathlib.Path(path).exists()],
}))
"""
EXPECTED = {
    "uid": "10001",
    "capabilities": 0,
    "no new privileges": "1",
    "writable": [],
    "build tools": [],
    "without bytecode": [],
}


def missing(base: str | None) -> list[str]:
    """What this machine lacks, each with what to do about it."""
    wanted = ("podman", "runc") if base else ("podman", "runc", "debootstrap")
    found = [f"{name}: apt-get install --no-install-recommends {name}" for name in wanted if not which(name)]
    if os.geteuid() != 0:
        found.append("root: debootstrap and the container's limits need it; sudo make image-test")
    return found


def write_config(folder: Path) -> Path:
    """The settings that docker-compose.yml mounts, but with Maildirs to look into; and one role."""
    settings = (ROOT / "container" / "mailrouter.yaml").read_text()
    changed = re.sub(r"(?m)^deliver: .*$", "deliver: maildir:/var/lib/mailrouter/mail", settings)
    config = folder / "mailrouter"
    (config / "roles").mkdir(parents=True)
    (config / "mailrouter.yaml").write_text(changed)
    (config / "roles" / "vp-hr.yaml").write_text(ROLE_FILE + ONE_AWAY)
    for path in (config, *config.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return config


def start(config: Path) -> None:
    """Run the relay with nothing to write to but its volume, and wait for its ready line. Raises Failed."""
    podman(
        *("run", "--detach", "--name", NAME, *LOCKED, *LIMITS, "--publish", "127.0.0.1::2525"),
        *("--volume", f"{config}:/etc/mailrouter:ro", "--volume", f"{NAME}:/var/lib/mailrouter", IMAGE),
    )
    wait_ready(1)


def wait_ready(times: int) -> None:
    """Return once the relay has said so that many times. Raises Failed with its log."""
    try:
        wait_until(lambda: logs().count("mailrouter ready") >= times, 20)
    except TimeoutError:
        raise Failed(f"the relay did not get ready:\n{logs()}") from None


def logs() -> str:
    """What the relay has said so far."""
    done = podman("logs", NAME)
    return done.stdout + done.stderr


def send_and_read() -> None:
    """One mail in by SMTP, through the published port; both partners' copies as their Maildirs have them."""
    port = int(podman("port", NAME, "2525/tcp").stdout.strip().rpartition(":")[2])
    mail = f"From: jane@example.test\r\nTo: {ROLE}\r\nSubject: Budget\r\n\r\n{BODY}\r\n"
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.sendmail("jane@example.test", [ROLE], mail)
    volume = Path(podman("volume", "inspect", "--format", "{{.Mountpoint}}", NAME).stdout.strip())
    for partner in PARTNERS:
        new = volume / "mail" / partner / "new"
        wait_until(lambda new=new: any(new.glob("*")), 20, f"a copy for {partner}")
        (copy,) = new.glob("*")
        text = copy.read_text()
        for wanted in (BODY, "Elaine is away until", "Mailrouter-Role:"):
            if wanted not in text:
                raise Failed(f"{partner}'s copy lacks {wanted!r}:\n{text}")
        if copy.stat().st_mode & 0o077:
            raise Failed(f"{partner}'s copy can be read by others: {copy.stat().st_mode:o}")


def look_inside() -> None:
    """User, rights, what can be written, what tools and bytecode there are."""
    found = json.loads(podman("exec", NAME, "python", "-c", INSIDE).stdout)
    if wrong := {name: found[name] for name in EXPECTED if found[name] != EXPECTED[name]}:
        raise Failed(f"inside the container: {wrong}")
    check = podman("exec", NAME, "mailrouter", "check")
    if "vp-hr" not in check.stdout:
        raise Failed(f"mailrouter check said {check.stdout!r}")


def health() -> None:
    """The health check passes beside the running relay, and fails where there is none."""
    podman("healthcheck", "run", NAME)
    inspected = podman("image", "inspect", "--format", "{{json .HealthCheck}}", IMAGE).stdout
    command = json.loads(inspected)["Test"][1:]
    alone = podman(
        "run", "--rm", *LOCKED, *LIMITS, "--entrypoint", command[0], IMAGE, *command[1:], check=False
    )
    if "ConnectionRefusedError" not in alone.stderr:
        raise Failed(f"without a relay the health check said {alone.returncode}: {alone.stderr}")


def stop() -> None:
    """SIGTERM ends it cleanly and soon; the same volume serves the next start."""
    for times in (2, 3):
        began = time.monotonic()
        podman("stop", "--time", "30", NAME)
        took = time.monotonic() - began
        code = podman("inspect", "--format", "{{.State.ExitCode}}", NAME).stdout.strip()
        if code != "0" or took > STOP_WITHIN:
            raise Failed(f"SIGTERM: exit code {code} after {took:.1f} s\n{logs()}")
        if times == 2:
            podman("start", NAME)
            wait_ready(2)


@contextlib.contextmanager
def cleaned_up() -> Iterator[Path]:
    """A folder for the run; in the end it, the container, the volume and the images are gone."""
    with tempfile.TemporaryDirectory(prefix="mailrouter-image-") as folder:
        try:
            yield Path(folder)
        finally:
            podman("rm", "--force", "--volumes", NAME, check=False)
            podman("volume", "rm", "--force", NAME, check=False)
            podman("rmi", "--force", IMAGE, BASE, check=False)


def step(what: str, work: Callable[[], object]) -> None:
    """Do it, and say how long it took."""
    began = time.monotonic()
    print(f"  {what:<62}", end="", flush=True)
    work()
    print(f"{time.monotonic() - began:6.1f} s", flush=True)


def main() -> int:
    """Run everything; 0 if the image is right, 1 if not or if something is missing here."""
    base = os.environ.get("BASE")
    if lacking := missing(base):
        print("make image-test can't run here. It needs:", *lacking, sep="\n  ", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that it is cleaned up then, too
    try:
        with cleaned_up() as folder:
            if not base:
                step(f"base: Debian {SUITE} with Python, by debootstrap", lambda: make_base(folder, BASE))
            step("build", lambda: build(folder, base or BASE, IMAGE))
            step("start: read-only, no capabilities", lambda: start(write_config(folder)))
            step("a mail in by SMTP, both partners' copies with the note", send_and_read)
            step("inside: user, rights, nothing writable, no build tools", look_inside)
            step("health check, with a relay and without", health)
            step("SIGTERM, twice; the volume serves again", stop)
            size = int(podman("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
            under = int(podman("image", "inspect", "--format", "{{.Size}}", base or BASE).stdout)
            print(f"The image is right: {size / 1e6:.0f} MB, of which the base is {under / 1e6:.0f} MB.")
    except (Failed, TimeoutError, OSError, smtplib.SMTPException, subprocess.CalledProcessError) as error:
        print(f"\n\nmake image-test failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
