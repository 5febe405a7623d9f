"""``make unit-test``: systemd/mailrouter.service under a systemd of its own, set up by the very lines of docs/deploy.md.

A small Debian made by debootstrap boots in namespaces of its own, without a network. Needs root; takes two minutes.
How pip finds packages here is lent to it. Where the kernel lets root make no user namespaces, the unit is tried
without ``PrivateUsers=``, and that is said.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.packaging.image import step
from tests.packaging.image_build import ROOT, Failed, debootstrap, lent_to_pip, which
from tests.support.documents import marked
from tests.support.relay import PARTNERS, ROLE, wait_until

LINES = marked("deploy.md")
ANSWERS = f"--yes --role {ROLE} --name 'VP Human Resources' --time-zone Europe/Berlin " + " ".join(
    f"--partner '{name.split('@')[0].title()} <{name}>'" for name in PARTNERS
)
UNIT = "mailrouter.service"
CONTENT = """
import smtplib
mail = "From: jane@example.test\\r\\nTo: {role}\\r\\nSubject: Budget\\r\\n\\r\\nHow is it going?\\r\\n"
smtplib.SMTP("127.0.0.1", 2525, timeout=20).sendmail("jane@example.test", ["{role}"], mail)
"""
BOOT = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
cd "$1"
mount -t tmpfs tmpfs run; mount -t tmpfs tmpfs tmp; mount -t proc proc proc; mount -t sysfs -o ro sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup; hierarchy=1
else
    mount -t tmpfs tmpfs sys/fs/cgroup; mkdir sys/fs/cgroup/systemd; hierarchy=0
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666; ln -s pts/ptmx dev/ptmx; mount -t tmpfs tmpfs dev/shm
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . /lib/systemd/systemd --system \
    --show-status=0 systemd.unified_cgroup_hierarchy=$hierarchy
"""


def missing() -> list[str]:
    """What this machine lacks, each with what to do about it."""
    wanted = ("debootstrap", "unshare", "nsenter")
    found = [f"{name}: apt-get install --no-install-recommends {name}" for name in wanted if not which(name)]
    return found if os.geteuid() == 0 else [*found, "root: sudo make unit-test"]


def installed(root: Path, folder: Path) -> str:
    """Follow the page up to its first ``systemctl``; gives the lines from there on. Raises Failed."""
    (root / "src").mkdir()
    copy = 'git -C "$0" ls-files -z | tar -C "$0" --null -T - -cf - | tar -C "$1" -xf -'
    subprocess.run(["sh", "-c", copy, str(ROOT), str(root / "src")], check=True)
    lent = lent_to_pip(folder)
    binds = "".join(
        f"mkdir -p '{root}{Path(at).parent}'; "
        + (f"mkdir -p '{root}{at}'; " if Path(path).is_dir() else f"touch '{root}{at}'; ")
        + f"mount --bind '{path}' '{root}{at}'; "
        for path, at in lent.items()
    )
    lines, systemctl, later = LINES["service-install"].partition("systemctl")
    lines = f"set -e\ncd /src\n{lines.replace('init /etc/mailrouter', f'init /etc/mailrouter {ANSWERS}')}"
    inside = f"cp /etc/resolv.conf '{root}/etc/'; exec chroot '{root}' sh -c \"$1\""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    ran(["unshare", "--mount", "sh", "-ec", f"mount --make-rprivate /; {binds}{inside}", "sh", lines], clean)
    return systemctl + later


def ran(command: list[str], environment: dict[str, str] | None = None) -> str:
    """Its output. Raises Failed with its last words."""
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        words = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
        raise Failed(f"{command[0]} ended with {done.returncode}:\n{words}")
    return done.stdout


class Machine:
    """The booted system. ``do`` runs a line in it."""

    def __init__(self, root: Path) -> None:
        self.process = subprocess.Popen(
            ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net",
             "sh", "-c", BOOT, "boot", str(root)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        wait_until(lambda: children.read_text().split(), 10, "the first process")
        self.first = children.read_text().split()[0]

    def do(self, line: str) -> str:
        """What it prints. Raises Failed where it ends with another code than 0."""
        enter = ["nsenter", "-t", self.first, "-p", "-m", "-u", "-i", "-n", "-r"]
        clean = {
            "PATH": "/opt/mailrouter/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
        }
        return ran([which("nsenter") or "", *enter[1:], "-w/", "sh", "-ec", f"cd /src\n{line}"], clean)

    def booted(self) -> bool:
        """Whether services are taken care of by now."""
        with contextlib.suppress(Failed):
            self.do("test -d /src && systemctl list-units >/dev/null")
            return True
        return False

    def told(self, name: str) -> str:
        """A property of the unit."""
        return self.do(f"systemctl show {UNIT} --property {name} --value").strip()

    def up(self, times: int) -> bool:
        """Whether the service runs, restarted that many times."""
        return self.told("ActiveState") == "active" and self.told("NRestarts") == str(times)

    def more(self, settings: str) -> None:
        """Add to the unit, as ``systemctl edit`` does."""
        folder = f"/etc/systemd/system/{UNIT}.d"
        self.do(
            f"mkdir -p {folder}; cat >> {folder}/override.conf <<'END'\n{settings}\nEND\nsystemctl daemon-reload"
        )

    def end(self) -> None:
        """Everything in it ends with it."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """It runs for the block."""
    machine = Machine(root)
    try:
        wait_until(machine.booted, 30, "systemd")
        yield machine
    except Failed as error:
        journal = machine.do(f"journalctl --unit {UNIT} --no-pager --lines 20")
        raise Failed(f"{error}\n{journal}") from error
    finally:
        machine.end()


def begin(machine: Machine, lines: str) -> None:
    """Enable and start the unit by the page's lines."""
    try:
        machine.do("systemd-run --quiet --wait --property PrivateUsers=yes /bin/true")
    except Failed:
        print("\n  (no user namespaces for root here: tried without PrivateUsers=)", end="", flush=True)
        machine.more("[Service]\nPrivateUsers=no")
    machine.do(lines)
    if not machine.up(0) or "smtp 127.0.0.1:2525" not in machine.told("StatusText"):
        raise Failed(machine.do(f"systemctl status {UNIT} --no-pager; true"))
    if "The service is running" not in machine.do(LINES["service-well"]):
        raise Failed("check --live does not find it")


def closed_up(machine: Machine) -> None:
    """No capability, no new privileges, a filter on system calls; the configuration can't be written."""
    status = machine.do(f"cat /proc/{machine.told('MainPID')}/status")
    found = dict(re.findall(r"^(CapEff|CapBnd|NoNewPrivs|Seccomp|Uid):\s+(\S+)", status, re.MULTILINE))
    uid = machine.do("id -u mailrouter").strip()
    wanted = {"CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2", "Uid": uid}
    if found != wanted:
        raise Failed(f"it runs with {found}")
    machine.do("! nsenter -t $(systemctl show -p MainPID --value mailrouter) -m touch /etc/mailrouter/probe")


def mail(machine: Machine) -> None:
    """In by SMTP; both copies lie in their Maildirs, for nobody else to read."""
    machine.do(f"python3 -c '{CONTENT.format(role=ROLE)}'")
    for partner in PARTNERS:
        found = f"find /var/lib/mailrouter/mail/{partner}/new -type f -user mailrouter -perm 0600"
        wait_until(lambda found=found: machine.do(found).strip(), 20, f"a copy for {partner}")


def changes(machine: Machine) -> None:
    """A reload; then a change by command, which needs the page's two further pieces."""
    machine.do(f"systemctl reload {UNIT}")
    if not machine.up(0):
        raise Failed("a reload ended it")
    machine.do("! mailrouter off elaine --from tomorrow --config /etc/mailrouter")
    machine.do(LINES["service-roles"])
    machine.more(LINES["service-write"])
    machine.do(f"systemctl restart {UNIT}")
    machine.do("mailrouter off elaine --from tomorrow --config /etc/mailrouter")
    machine.do("grep -q 'partner: elaine, from:' /etc/mailrouter/roles/*.yaml")


def restarts(machine: Machine) -> None:
    """It comes back when it is killed, and when it hangs (sooner than in the unit, for the test's sake)."""
    machine.do(f"systemctl kill -s KILL {UNIT}")
    wait_until(lambda: machine.up(1), 30, "the restart")
    machine.more("[Service]\nWatchdogSec=4")
    machine.do(f"systemctl restart {UNIT}; kill -STOP $(systemctl show -p MainPID --value {UNIT})")
    wait_until(lambda: machine.up(1), 60, "the watchdog")
    mail(machine)


def stop(machine: Machine) -> None:
    """In time, with 0, and with nothing left to deliver."""
    began = time.monotonic()
    machine.do(f"systemctl stop {UNIT}")
    if (took := time.monotonic() - began) > 11 or machine.told("Result") != "success":
        raise Failed(f"the stop took {took:.1f} s: {machine.told('Result')}")
    if "everything is delivered" not in machine.do(f"journalctl --unit {UNIT} --no-pager --lines 3"):
        raise Failed("it did not say that everything is delivered")


def main() -> int:
    """Run everything; 0 if the unit is right, 1 if not or if something is missing here."""
    if lacking := missing():
        print("make unit-test can't run here. It needs:", *lacking, sep="\n  ", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that it is cleaned up then, too
    later = ""
    try:
        with tempfile.TemporaryDirectory(prefix="mailrouter-unit-") as name:
            root = Path(name) / "root"
            step(
                "base: Debian with systemd, by debootstrap",
                lambda: debootstrap(root, "systemd", "systemd-sysv", "dbus"),
            )
            began = time.monotonic()
            later = installed(root, Path(name))
            print(
                f"  {'install, by the lines of docs/deploy.md':<62}{time.monotonic() - began:6.1f} s",
                flush=True,
            )
            with booted(root) as machine:
                step("start: it says that it is ready, check --live finds it", lambda: begin(machine, later))
                step("rights: no capability, filtered calls, nothing to write to", lambda: closed_up(machine))
                step("a mail in by SMTP, both partners' copies", lambda: mail(machine))
                step("reload; a change by command, where the page allows it", lambda: changes(machine))
                step("killed, then frozen: it comes back", lambda: restarts(machine))
                step("stop", lambda: stop(machine))
    except (Failed, TimeoutError, OSError, subprocess.CalledProcessError) as error:
        print(f"\n\nmake unit-test failed: {error}", file=sys.stderr)
        return 1
    print("The unit is right.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
