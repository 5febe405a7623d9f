"""The field's own load generator and sink, both from Postfix's package: smtp-source and smtp-sink."""

from __future__ import annotations

import io
import re
import subprocess
import threading
import time
from pathlib import Path

from tests.support.ports import free_port, wait_for_port

_COUNT = re.compile(rb"mesg=(\d+)")


class CountingSink:
    """smtp-sink on a port of its own; ``messages`` is its counter, drained all the time."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self.messages = 0
        # As root it asks for a user to become.
        self._process = subprocess.Popen(
            ["smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}", "2000"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()
        wait_for_port(self.port)

    def _drain(self) -> None:
        assert isinstance(self._process.stdout, io.BufferedReader)
        rest = b""
        while block := self._process.stdout.read1(65536):
            rest = (rest + block)[-200:]
            if found := _COUNT.findall(rest.rpartition(b"\r")[0]):
                self.messages = int(found[-1])

    def wait_for(self, messages: int, seconds: float = 120.0) -> None:
        """Return once the counter has reached ``messages``. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while self.messages < messages:
            if time.monotonic() > end:
                raise TimeoutError(
                    f"the sink has {self.messages} of {messages} messages after {seconds:.0f} s"
                )
            time.sleep(0.005)

    def __enter__(self) -> CountingSink:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()


def send(port: int, messages: int, size: int, connections: int, recipient: str) -> None:
    """Send ``messages`` of ``size`` octets with smtp-source, a connection for each as it does by default."""
    subprocess.run(
        ["smtp-source", "-s", str(connections), "-l", str(size), "-m", str(messages), "-f", "jane@outside.test",
         "-t", recipient, f"127.0.0.1:{port}"],
        check=True, timeout=600,
    )  # fmt: skip


def cpu_seconds(pid: int) -> float:
    """CPU time that a process and its threads have used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
