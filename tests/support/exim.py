"""A real Exim daemon of our own: configuration, spool, log and Maildirs in one folder, on loopback, ended by us.

Debian's package of Exim would remove Postfix, so ``.ci/run`` unpacks it into ``.peers/`` instead; an Exim that
is installed as usual is found, too.
"""

from __future__ import annotations

import functools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from tests.support.ports import free_port, wait_for_port

WHY_ABSENT = (
    "Exim is not here, or its user Debian-exim is not: .ci/run unpacks Debian's exim4-daemon-light into "
    ".peers/ (to install it would remove Postfix)"
)
PEERS = Path(__file__).parents[2] / ".peers"

_CONFIGURATION = """\
primary_hostname = exim.example.test
exim_path = {binary}
exim_user = {user}
exim_group = {group}
deliver_drop_privilege
spool_directory = {folder}/spool
log_file_path = {folder}/log/%s
pid_file_path = {folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
host_lookup =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = acl_recipient
domainlist local_domains = example.test
{main}
begin acl
acl_recipient:
  require verify = recipient
  accept hosts = +relay_from_hosts
  accept domains = +local_domains
  deny message = relay not permitted

begin routers
{routers}
mailboxes:
  driver = accept
  domains = example.test : outside.test
  local_parts = laurie : elaine : jane : ann
  transport = maildirs

begin transports
{transports}
maildirs:
  driver = appendfile
  directory = {folder}/mailboxes/$local_part_data
  maildir_format
  create_directory
  return_path_add
  envelope_to_add

begin retry
* * F,1h,1m
"""


@functools.cache
def binary() -> str | None:
    """Where an Exim is that runs here, or None."""
    found = [PEERS / "usr/sbin/exim4", shutil.which("exim4"), shutil.which("exim")]
    for path in (str(path) for path in found if path is not None and Path(path).exists()):
        # Without its libraries, or the user it was built for, it ends at once.
        done = subprocess.run([path, "-C", "/dev/null", "-bV"], capture_output=True, timeout=30, check=False)
        if done.returncode == 0:
            return path
    return None


class Exim:
    """One instance, as root in the guise of the user Exim was built for, else as ourselves.

    ``main``, ``routers`` and ``transports`` are lines of those parts of its configuration. Use as a context
    manager; ``port`` is where it takes mail.
    """

    def __init__(self, main: str, routers: str, transports: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="mailrouter-exim-"))
        self.folder.chmod(0o755)
        self.mailboxes = self.folder / "mailboxes"
        self._user = pwd.getpwnam("Debian-exim") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        for name in ("spool", "log", "mailboxes"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, self._user.pw_uid, self._user.pw_gid)
        self.configuration = self.folder / "exim.conf"
        self.configuration.write_text(
            _CONFIGURATION.format(
                binary=binary(),
                user=self._user.pw_uid,
                group=self._user.pw_gid,
                folder=self.folder,
                port=self.port,
                main=main,
                routers=routers,
                transports=transports,
            )
        )

    def __enter__(self) -> Exim:
        with (self.folder / "console").open("wb") as console:
            self._process = subprocess.Popen(
                [str(binary()), "-C", str(self.configuration), "-bdf", "-q1m"],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                user=self._user.pw_uid,
                group=self._user.pw_gid,
                extra_groups=[] if os.geteuid() == 0 else None,
            )
        try:
            wait_for_port(self.port)
        except TimeoutError:
            told = (self.folder / "console").read_text() + self.log()
            self.__exit__()
            raise RuntimeError(f"Exim did not start: {told}") from None
        return self

    def __exit__(self, *_: object) -> None:
        # The group is ours alone: deliveries under way are processes of their own.
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        """What its main log and panic log hold so far."""
        return "".join(path.read_text() for path in sorted((self.folder / "log").glob("*")))

    def mails(self, mailbox: str) -> list[bytes]:
        """What was delivered to a mailbox, oldest first, with LF line ends as Exim stores them."""
        return [path.read_bytes() for path in sorted((self.mailboxes / mailbox / "new").glob("*"))]
