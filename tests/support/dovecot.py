"""A real Dovecot of our own: LMTP on loopback, mailboxes with quotas in one folder, ended by its own command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.ports import free_port, wait_for_port

WHY_ABSENT = (
    "Dovecot is not installed (Debian: apt-get install dovecot-core dovecot-lmtpd), or we are not root, "
    "which it needs"
)

_CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = lmtp
listen = 127.0.0.1
ssl = no
auth_username_format = %Ln
mail_location = maildir:{folder}/mail/%n
mail_plugins = quota
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = passwd-file
  args = {folder}/users
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
plugin {{
  quota = maildir:User quota
  quota_rule = *:storage=10M
  quota_grace = 0
}}
"""


def available() -> bool:
    """Whether a Dovecot can be started here."""
    return all(map(shutil.which, ("dovecot", "doveconf"))) and _lmtp() and os.geteuid() == 0


def _lmtp() -> bool:
    return Path("/usr/lib/dovecot/lmtp").exists()


class Dovecot:
    """One instance. Use as a context manager; ``port`` is where it takes mail by LMTP."""

    def __init__(self, users: Sequence[str]) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mailrouter-dovecot-"))
        self.folder.chmod(0o755)
        (self.folder / "mail").mkdir()
        self.users = list(users)
        self._full: set[str] = set()
        self._configuration = self.folder / "dovecot.conf"
        self._configuration.write_text(_CONFIGURATION.format(folder=self.folder, port=self.port))
        shutil.chown(self.folder / "mail", "mail", "mail")
        self._write_users()

    def _write_users(self) -> None:
        uid, gid = (_id(flag) for flag in ("-u", "-g"))
        lines = [
            f"{name}:{{PLAIN}}x:{uid}:{gid}::{self.folder}/mail/{name}::"
            f"userdb_quota_rule=*:storage={'1K' if name in self._full else '10M'}"
            for name in self.users
        ]
        new = self.folder / "users.new"
        new.write_text("\n".join(lines) + "\n")
        new.chmod(0o644)
        new.rename(self.folder / "users")

    def fill(self, name: str) -> None:
        """From now on a mailbox is full."""
        self._full.add(name)
        self.reload()

    def empty(self, name: str) -> None:
        """There is room in a mailbox again."""
        self._full.discard(name)
        self.reload()

    def remove(self, name: str) -> None:
        """The user is no more."""
        self.users.remove(name)
        self.reload()

    def reload(self) -> None:
        """Work by the users as they are now."""
        self._write_users()
        self._run("doveadm", "-c", str(self._configuration), "reload")

    @staticmethod
    def _run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    def start(self) -> None:
        """Listen."""
        # Its master keeps the pipes that it is given, so it gets none.
        done = subprocess.run(
            ["dovecot", "-c", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=30,
            check=False,
        )
        if done.returncode:
            log = self.folder / "dovecot.log"
            raise RuntimeError(f"dovecot did not start: {log.read_text() if log.exists() else 'no log'}")
        wait_for_port(self.port)

    def stop(self) -> None:
        """Listen no more."""
        self._run("doveadm", "-c", str(self._configuration), "stop")

    def __enter__(self) -> Dovecot:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mails(self, name: str) -> list[bytes]:
        """What lies in a mailbox, oldest first."""
        found = [p for part in ("new", "cur") for p in (self.folder / "mail" / name / part).glob("*")]
        return [path.read_bytes() for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]


def _id(flag: str) -> str:
    return subprocess.run(["id", flag, "mail"], capture_output=True, text=True, check=True).stdout.strip()
