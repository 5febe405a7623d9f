"""Mail in a partner's name that would take long to read, through a real service: nobody else's mail waits for it."""

from __future__ import annotations

import os
import smtplib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.test_handoff_mail import LAURIE, PROOF, TRUSTING, got, running
from tests.support.relay import PARTNERS, ROLE_FILE, Relay, relay, wait_until, write_configuration
from tests.support.sink import Sink

TAGS = ("handoff", "schedule")
FILE = "role: a\npartners: b\nrota: c\n"


def single(body: str, *fields: str) -> bytes:
    """A text in Laurie's name."""
    lines = [*fields, f"From: {LAURIE}", "To: vp-hr+schedule@example.test, vp-hr+handoff@example.test"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body.replace("\n", "\r\n").encode()


def quoted_printable(body: str) -> bytes:
    """The same in lines that every server lets through."""
    soft = "=\n".join(body[at : at + 70] for at in range(0, len(body), 70))
    return single(soft, "MIME-Version: 1.0", "Content-Transfer-Encoding: quoted-printable")


HOSTILE = {
    "an attribution": single("schrieb " * 12_500 + "\n> quoted\n"),
    "an attribution in soft breaks": quoted_printable("schrieb " * 170_000 + "x") + b"\r\n> quoted\r\n",
    "a greeting": single("hi a" + "!" * 100_000 + "x b c d e f\n"),
    "a subject": single("\n", "Subject: off today." + " " * 60_000 + "x"),
    "a heading": single("Done" + " " * 500_000 + "x\n"),
    "signatures": single("--\n" * 190_000),
    "quoted pages": single("<blockquote>,\n" * 42_000, "Content-Type: text/html"),
    "a file": single(FILE + "- x\n" * 24_000),
    "keys": single(FILE + "".join(f"absence{n}: x\n" for n in range(5_000))),
    "brackets": single(FILE + "[" * 90_000),
    "aliases": single(FILE + "a: &a [x]\n" + "b: [*a, *a, *a]\n" * 5_000),
}


@contextmanager
def ten_roles(folder: Path) -> Iterator[tuple[Relay, Sink]]:
    """A relay for ten roles."""
    with Sink() as sink:
        config = write_configuration(folder, f"smtp://127.0.0.1:{sink.port}", settings=TRUSTING)
        for n in range(9):
            text = ROLE_FILE.replace("vp-hr@", f"role-{n}@")
            (config / "roles" / f"role-{n}.yaml").write_text(text)
        with relay(config) as service:
            yield service, sink


class Waiting:
    """How long the answer to NOOP takes in a session of its own, while the block runs. ``longest`` is in seconds."""

    def __init__(self, port: int) -> None:
        self.longest = 0.0
        self._over = threading.Event()
        self._client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        self._thread = threading.Thread(target=self._ask)

    def _ask(self) -> None:
        asked = 0
        while not self._over.wait(0.01):
            began = time.monotonic()
            self._client.noop()
            self.longest = max(self.longest, time.monotonic() - began)
            asked += 1
            if asked % 50 == 0:  # a session with nothing but NOOP isn't a mail server's
                self._client.close()
                self._client.connect("127.0.0.1", self._client_port)

    def __enter__(self) -> Waiting:
        assert self._client.sock is not None
        self._client_port = self._client.sock.getpeername()[1]
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()


def send(service: Relay, raw: bytes, recipients: list[str]) -> tuple[int, bytes]:
    """The answer to DATA."""
    with smtplib.SMTP("127.0.0.1", service.port, timeout=120) as client:
        client.ehlo("client.example.test")
        client.mail("somebody@elsewhere.test")
        for recipient in recipients:
            assert client.rcpt(recipient)[0] == 250
        return client.data(raw)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_nobody_waits_while_a_hostile_mail_is_read(tmp_path: Path) -> None:
    """Each goes to both addresses of ten roles, and is answered; another session never waits for it."""
    with ten_roles(tmp_path) as (service, _):
        roles = ["vp-hr", *(f"role-{n}" for n in range(9))]
        recipients = [f"{role}+{tag}@example.test" for role in roles for tag in TAGS]
        with Waiting(service.port) as quiet:
            time.sleep(1)
        for name, raw in HOSTILE.items():
            with Waiting(service.port) as busy:
                code, words = send(service, raw, recipients)
            assert code in (250, 450), (name, words)
            assert busy.longest < 0.25 + 5 * quiet.longest, name


def test_a_proven_file_of_nonsense_is_answered_and_nobody_waits(tmp_path: Path) -> None:
    """A partner's own mail, with everything wrong that a file can have."""
    with running(tmp_path, TRUSTING) as (service, sink):
        with Waiting(service.port) as quiet:
            time.sleep(1)
        for number, name in enumerate(("keys", "brackets", "aliases", "a file")):
            raw = HOSTILE[name].replace(b"\r\n\r\n", f"\r\nMessage-ID: <{number}@x.test>\r\n\r\n".encode(), 1)
            with Waiting(service.port) as busy:
                assert (
                    send(service, PROOF.encode() + b"\r\n" + raw, ["vp-hr+schedule@example.test"])[0] == 250
                )
            assert busy.longest < 0.25 + 5 * quiet.longest, name
        wait_until(lambda: len(got(sink, LAURIE)) == 4)
        assert all("Schedule" in str(told["subject"]) for told in got(sink, LAURIE))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_reading_process_ends_with_its_service(tmp_path: Path, how: str) -> None:
    """It is started by the first mail to a partners' address, and outlives neither SIGTERM nor SIGKILL."""
    config = write_configuration(tmp_path)
    with relay(config) as service:
        pid = service.process.pid
        assert children(pid) == []
        assert send(service, b"Subject: hello\r\n\r\nHello.\r\n", ["vp-hr@example.test"])[0] == 250
        assert children(pid) == []
        raw = single("Done:\n- x\n", "Message-ID: <1@example.test>")
        assert send(service, raw, ["vp-hr+handoff@example.test"])[0] == 250
        (reader,) = children(pid)
        os.kill(reader, 0)
        if how == "stop":
            assert service.stop() == 0
        else:
            service.kill()
        wait_until(lambda: not Path(f"/proc/{reader}").exists(), 20, "the end of the reading process")


def test_a_handoff_after_its_reader_was_killed_is_taken(tmp_path: Path) -> None:
    """Where memory is short the kernel ends that process first."""
    with running(tmp_path, TRUSTING) as (service, sink):
        for number in (1, 2):
            raw = single("Done:\n- x\n", PROOF, f"Message-ID: <{number}@example.test>")
            assert send(service, raw, ["vp-hr+handoff@example.test"])[0] == 250
            for reader in children(service.process.pid):
                os.kill(reader, 9)
        for partner in PARTNERS:
            wait_until(lambda partner=partner: len(got(sink, partner)) == 2)
