"""A real Postfix of our own: its configuration, queue and ports in one folder, on loopback, ended by its own command."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.support.ports import free_port, wait_for_port

WHY_ABSENT = (
    "Postfix is not installed (Debian: apt-get install postfix), or we are not root, which its master needs"
)

_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
flush unix n - n 1000? 0 flush
scache unix - - n - 1 scache
showq unix n - n - - showq
postlog unix-dgram n - n - 1 postlogd
"""


def available() -> bool:
    """Whether a Postfix can be started here."""
    return shutil.which("postfix") is not None and os.geteuid() == 0


class Postfix:
    """One instance. Use as a context manager; ``port`` is where it takes mail."""

    def __init__(self, settings: Mapping[str, str], port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mailrouter-postfix-"))
        self.folder.chmod(0o755)
        self.log = self.folder / "mail.log"
        self.mailboxes = self.folder / "mailboxes"
        for name in ("etc", "queue", "data", "mailboxes"):
            (self.folder / name).mkdir()
        for name in ("data", "mailboxes"):
            shutil.chown(self.folder / name, "postfix", "postfix")
        main = {
            "compatibility_level": "3.6",
            "queue_directory": str(self.folder / "queue"),
            "data_directory": str(self.folder / "data"),
            "maillog_file": str(self.log),
            "maillog_file_prefixes": str(self.folder.parent),
            "myhostname": "postfix.example.test",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "smtp_tls_security_level": "none",
            "smtpd_tls_security_level": "none",
            "smtp_host_lookup": "native",
            "disable_dns_lookups": "yes",
            "alias_maps": "",
            "alias_database": "",
            "biff": "no",
            "smtputf8_enable": "yes",
            "virtual_mailbox_base": str(self.mailboxes),
            "virtual_uid_maps": "static:" + _id("-u"),
            "virtual_gid_maps": "static:" + _id("-g"),
            **settings,
        }
        self._settings = main
        self._write_settings()
        (self.folder / "etc" / "master.cf").write_text(_MASTER.format(port=self.port))
        for name in ("dynamicmaps.cf", "postfix-files"):
            if (source := Path("/etc/postfix") / name).exists():
                shutil.copy(source, self.folder / "etc" / name)

    def _command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["postfix", "-c", str(self.folder / "etc"), *words],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def __enter__(self) -> Postfix:
        done = self._command("start")
        if done.returncode:
            raise RuntimeError(f"postfix start failed: {done.stdout}{done.stderr}")
        wait_for_port(self.port)
        return self

    def __exit__(self, *_: object) -> None:
        self._command("stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def set(self, settings: Mapping[str, str]) -> None:
        """Change settings, and have them used."""
        self._settings |= settings
        self._write_settings()
        # Not reload: a session that is open would go by the settings that it began with.
        self.stop()
        self.start()
        wait_for_port(self.port)

    def _write_settings(self) -> None:
        # Each setting once: of one that stands twice postlogd warns in its own log, and when that socket's queue is
        # full it waits for itself, for ever, and every other process for it.
        lines = (f"{name} = {value}\n" for name, value in self._settings.items())
        (self.folder / "etc" / "main.cf").write_text("".join(lines))

    def stop(self) -> None:
        """Listen no more."""
        self._command("stop")

    def start(self) -> None:
        """Listen again."""
        self.__enter__()

    def flush(self) -> None:
        """Have it try again at once what waits there."""
        subprocess.run(["postqueue", "-c", str(self.folder / "etc"), "-f"], timeout=30, check=False)

    def mails(self, mailbox: str) -> list[bytes]:
        """What was delivered to a virtual mailbox, oldest first, with LF line ends as Postfix stores them."""
        return [path.read_bytes() for path in sorted((self.mailboxes / mailbox / "new").glob("*"))]


def _id(flag: str) -> str:
    return subprocess.run(["id", flag, "postfix"], capture_output=True, text=True, check=True).stdout.strip()
