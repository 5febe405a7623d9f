"""``check --route`` and ``check --live``: what is tried, what is found, and that nobody gets anything."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mailrouter import config as configs
from mailrouter.cli.setup.check_route import look_at_route
from tests.support import postfix
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send
from tests.support.sink import Sink

BOXES = " ".join(f"{name}@example.test={name}/" for name in ("laurie", "elaine", "it"))
needs_postfix = pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT)


def checked(config: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of ``check`` with these options."""
    done = mailrouter("check", "--json", *more, "--config", str(config))
    return done.returncode, json.loads(done.stdout)


def wrong(data: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What was found to be wrong on the way."""
    return [one for one in data["route"] if not one["well"]]


@contextmanager
def beside_postfix(folder: Path, settings: Mapping[str, str]) -> Iterator[tuple[postfix.Postfix, Path]]:
    """A Postfix before and behind a running service."""
    port = free_port()
    basis = {
        "transport_maps": f"inline:{{ {{{ROLE} = smtp:[127.0.0.1]:{port}}} }}",
        "recipient_delimiter": "+",
        "virtual_mailbox_domains": "example.test",
        "virtual_mailbox_maps": f"inline:{{ {BOXES} {ROLE}=role/ }}",
    }
    with postfix.Postfix({**basis, **settings}) as server:
        config = write_configuration(folder, f"smtp://127.0.0.1:{server.port}")
        file = config / "mailrouter.yaml"
        file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
        with relay(config):
            yield server, config


@needs_postfix
def test_a_way_that_works_is_found_to_work(tmp_path: Path) -> None:
    """The probe comes in again and ends there: no mailbox has got anything, and nothing waits."""
    with beside_postfix(tmp_path, {}) as (server, config):
        code, data = checked(config, "--route")
        assert (code, wrong(data)) == (0, [])
        assert data["ok"] is True
        assert any("a probe came in again" in one["what"] for one in data["route"])
        said = mailrouter("check", "--route", "--config", str(config))
        assert "asking 127.0.0.1" in said.stderr
        assert "ok    laurie@example.test (vp-hr): taken" in said.stdout
        assert [server.mails(name) for name in ("laurie", "elaine", "it", "role")] == [[], [], [], []]
        assert "Nothing waits" in mailrouter("check", "--live", "--config", str(config)).stdout


@needs_postfix
@pytest.mark.parametrize(
    "settings",
    [
        {"recipient_delimiter": ""},
        {"transport_maps": ""},
    ],
    ids=["no recipient_delimiter", "no transport"],
)
def test_a_way_back_that_is_missing_is_found(tmp_path: Path, settings: dict[str, str]) -> None:
    """The finding says what to do for the servers that there are."""
    with beside_postfix(tmp_path, settings) as (_, config):
        found = [one for one in look_at_route(configs.load(config), wait=4.0) if not one.well]
    (one,) = found
    assert one.what.startswith("vp-hr: a probe to")
    assert "recipient_delimiter = +" in one.do
    assert "Exim" in one.do


def test_without_a_service_no_probe_is_sent(tmp_path: Path) -> None:
    """The next server is asked all the same."""
    with Sink() as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        code, data = checked(config, "--route")
        assert code == 1
        assert data["ok"] is False
        (one,) = wrong(data)
        assert "no service answers" in one["what"]
        assert sink.taken == []


def test_a_partner_without_a_mailbox_and_a_server_that_relays_nothing_are_found(tmp_path: Path) -> None:
    """Each with the server's answer and what to do."""
    refuse = {
        "elaine@example.test": "550 5.1.1 no such user",
        "somebody@example.com": "554 5.7.1 Relay access denied",
    }
    with Sink(refuse=refuse) as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        code, data = checked(config, "--route")
    found = {one["what"].partition(":")[0]: one for one in wrong(data)}
    assert code == 1
    assert "550 5.1.1" in found["elaine@example.test (vp-hr)"]["what"]
    assert "relay" in found["somebody outside"]["do"]
    assert all(one["do"] for one in wrong(data))


def test_a_next_server_that_speaks_lmtp_is_named(tmp_path: Path) -> None:
    """In ``check --route``, and by the running service in ``check --live``."""
    with lmtp_server() as port:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{port}")
        code, data = checked(config, "--route")
        with relay(config) as running:
            send(running.port, [("jane@outside.test", ROLE, b"Subject: x\r\n\r\nhello\r\n")])
            wait_until(lambda: "speaks LMTP" in running.log.read_text(), what="the log")
            live = mailrouter("check", "--live", "--config", str(config))
    assert "speaks LMTP" in " ".join(live.stdout.split())
    assert code == 1
    assert "speaks LMTP" in wrong(data)[0]["what"]


class Lmtp(socketserver.StreamRequestHandler):
    """A server that speaks LMTP alone."""

    def handle(self) -> None:
        """Answer each line until the client goes."""
        self.wfile.write(lmtp(b""))
        for line in self.rfile:
            self.wfile.write(lmtp(line))


@contextmanager
def lmtp_server() -> Iterator[int]:
    """The port of one that runs."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Lmtp) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def lmtp(line: bytes) -> bytes:
    """A server's answers as Dovecot's LMTP gives them."""
    name = line[:4].upper()
    if name == b"":
        return b"220 mail.example.test Dovecot ready.\r\n"
    if name == b"LHLO":
        return b"250-mail.example.test\r\n250 PIPELINING\r\n"
    return b"221 2.0.0 bye\r\n" if name == b"QUIT" else b"502 5.5.2 Unknown command\r\n"


def test_live_is_shown_though_a_roles_file_is_broken(tmp_path: Path) -> None:
    """The problem and the service's answer, as text and as JSON."""
    config = write_configuration(tmp_path)
    with relay(config) as running:
        (config / "roles" / "vp-hr.yaml").write_text("nonsense: 1\n")
        said = mailrouter("check", "--live", "--config", str(config))
        code, data = checked(config, "--live")
    assert said.returncode == code == 1
    assert "The service is running" in said.stdout
    assert f"takes mail at 127.0.0.1:{running.port}" in said.stdout
    assert "nonsense" in said.stderr
    assert data["ok"] is False
    assert data["live"]["listens_at"] == [f"127.0.0.1:{running.port}"]


def test_a_service_whose_socket_is_gone_is_told_from_none(tmp_path: Path) -> None:
    """The store's lock tells; in JSON ``ok`` is false in both cases, as the exit code is 1."""
    config = write_configuration(tmp_path)
    running = Relay(config)
    try:
        (configs.settings_of(config).run_folder / "mailrouter.sock").unlink()
        said = mailrouter("check", "--live", "--config", str(config))
        code, data = checked(config, "--live")
        assert f"A service is running (process {running.process.pid})" in " ".join(said.stdout.split())
        assert "restart it" in said.stdout
        assert (said.returncode, code, data["ok"]) == (1, 1, False)
        assert data["live"]["running"] is True
    finally:
        running.stop()
    said = mailrouter("check", "--live", "--config", str(config))
    code, data = checked(config, "--live")
    assert "No service is running" in said.stdout
    assert (code, data["ok"], data["live"]) == (1, False, {"running": False})
