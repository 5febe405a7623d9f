"""The lines of ``docs/deploy.md`` for Postfix, given to a real one with nothing but ports and folders changed."""

from __future__ import annotations

import email
import os
import re
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import postfix
from tests.support.correspondence import has_swaks, swaks
from tests.support.documents import marked
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import Relay, relay, wait_until, write_configuration
from tests.support.sink import Sink

pytestmark = [
    pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT),
    pytest.mark.skipif(not has_swaks(), reason="swaks is not installed (Debian: apt-get install swaks)"),
]

LINES = marked("deploy.md")
MAILBOXES = "laurie@{0}    laurie/\nelaine@{0}    elaine/\n"
VIRTUAL = {
    "virtual_mailbox_domains": "example.test",
    "virtual_mailbox_maps": "texthash:/etc/postfix/vmailbox",
}
VIRTUAL_TABLE = {"vmailbox": MAILBOXES.format("example.test") + LINES["postfix-known-virtual"]}


def _settings(block: str) -> dict[str, str]:
    """The ``name = value`` lines of a block for main.cf."""
    lines = [line for line in LINES[block].splitlines() if not line.startswith("#")]
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def _servers(folder: Path, settings: dict[str, str], tables: dict[str, str]) -> tuple[postfix.Postfix, Path]:
    """Postfix before and behind by the documented lines, with these besides; and a configuration."""
    port = free_port()
    server = postfix.Postfix({**_settings("postfix-before"), **_settings("postfix-behind"), **settings})
    etc = server.folder / "etc"
    main_cf = etc / "main.cf"
    main_cf.write_text(main_cf.read_text().replace("/etc/postfix", str(etc)))
    tables = {"mailrouter": LINES["postfix-table"].replace("2525", str(port)), **tables}
    for name, text in tables.items():
        (etc / name).write_text(text)
    deliver = LINES["behind"].replace("127.0.0.1:25", f"127.0.0.1:{server.port}")
    config = write_configuration(folder, deliver.partition("deliver: ")[2].strip())
    file = config / "mailrouter.yaml"
    file.write_text(file.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    return server, config


def _refuses_unknown(server: postfix.Postfix) -> bool:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=30) as client:
        client.ehlo()
        client.mail("jane@outside.test")
        known, unknown = client.rcpt("vp-hr@example.test")[0], client.rcpt("nobody-here@example.test")[0]
    return known == 250 and unknown == 550


def _write_twice(server: postfix.Postfix) -> None:
    """To the role, and to a sub-address of it."""
    swaks(server.port, "jane@outside.test")
    swaks(server.port, "jane@outside.test", "vp-hr+budget@example.test")


def test_a_role_in_a_virtual_mailbox_domain(tmp_path: Path) -> None:
    """With the role in the table of mailboxes, both partners get mail to it and to its sub-addresses."""
    server, config = _servers(tmp_path, VIRTUAL, VIRTUAL_TABLE)
    with server, relay(config):
        assert _refuses_unknown(server)
        _write_twice(server)
        wait_until(lambda: len(server.mails("laurie")) == len(server.mails("elaine")) == 2, what="4 copies")
        assert server.mails("vp-hr") == []
        assert "to=<vp-hr+budget@example.test>, relay=127.0.0.1" in server.log.read_text()


def test_a_role_in_a_local_domain(tmp_path: Path) -> None:
    """Where the domain is in mydestination, the role needs no account: the documented list is enough."""
    settings = {
        "mydestination": "example.test",
        "alias_maps": "inline:{ {laurie = laurie@home.test} {elaine = elaine@home.test} }",
        "virtual_mailbox_domains": "home.test",
        "virtual_mailbox_maps": "texthash:/etc/postfix/vmailbox",
        **_settings("postfix-known-local"),
    }
    server, config = _servers(tmp_path, settings, {"vmailbox": MAILBOXES.format("home.test")})
    with server, relay(config):
        assert _refuses_unknown(server)
        _write_twice(server)
        wait_until(lambda: len(server.mails("laurie")) == len(server.mails("elaine")) == 2, what="4 copies")


def test_a_role_in_a_relay_domain(tmp_path: Path) -> None:
    """Where mailboxes are on another server, the role's mail comes here and only the copies go there."""
    with Sink() as other_server:
        settings = {
            "relay_domains": "example.test",
            "relay_transport": f"smtp:[127.0.0.1]:{other_server.port}",
            **_settings("postfix-known-relay"),
        }
        server, config = _servers(tmp_path, settings, {"relay_recipients": MAILBOXES.format("example.test")})
        with server, relay(config):
            assert _refuses_unknown(server)
            _write_twice(server)
            wait_until(lambda: len(other_server.taken) == 4, what="4 copies")
        taken = sorted(recipient for _, recipient, _ in other_server.taken)
        assert taken == ["elaine@example.test"] * 2 + ["laurie@example.test"] * 2


def test_a_partner_who_forwards_to_the_role_makes_no_loop(tmp_path: Path) -> None:
    """A copy that comes round again is refused with 554 5.4.6, and the other partner has the mail once."""
    circle = {"virtual_alias_maps": "inline:{ {elaine@example.test = vp-hr@example.test} }"}
    server, config = _servers(tmp_path, {**VIRTUAL, **circle}, VIRTUAL_TABLE)
    with server, relay(config):
        swaks(server.port, "jane@outside.test")
        wait_until(lambda: "554 5.4.6" in server.log.read_text(), what="the refusal")
        wait_until(lambda: server.mails("laurie"), what="the copy")
        subjects = [email.message_from_bytes(raw)["Subject"] for raw in server.mails("laurie")]
    assert subjects.count("Budget") == 1


def test_the_way_out_brings_mail_to_both_without_mailrouter(tmp_path: Path) -> None:
    """The three documented commands, typed as they stand, and both get mail as it is, with mailrouter off."""
    server, config = _servers(tmp_path, VIRTUAL, VIRTUAL_TABLE)
    etc = str(server.folder / "etc")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with server:
        done = subprocess.run(
            ["bash", "-euc", LINES["postfix-way-out"].replace("/etc/postfix", etc)],
            cwd=config.parent, env={**os.environ, "MAIL_CONFIG": etc, "PATH": path},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

        def taken() -> bool:
            # Processes from before the reload may still take a mail or two, and leave them in the queue.
            swaks(server.port, "jane@outside.test")
            return bool(server.mails("laurie"))

        wait_until(taken, what="mail past mailrouter")
        wait_until(lambda: server.mails("elaine"), what="the other's mail")
        for name in ("laurie", "elaine"):
            assert b"Mailrouter-" not in server.mails(name)[0]
        assert server.mails("vp-hr") == []


def test_a_trial_on_blind_copies(tmp_path: Path) -> None:
    """With the documented map the role's mailbox gets its mail as ever, and the trial takes note of a blind copy."""
    tables = {
        "mailrouter": LINES["postfix-trial-table"],
        "mailrouter-trial": LINES["postfix-trial-bcc"],
        **VIRTUAL_TABLE,
    }
    server, config = _servers(tmp_path, {**VIRTUAL, **_settings("postfix-trial")}, tables)
    table = server.folder / "etc" / "mailrouter"
    port = re.findall(
        r":([0-9]+)$", (config / "mailrouter.yaml").read_text().split("smtp: ")[1].split('"')[1]
    )[0]
    table.write_text(table.read_text().replace("2525", port))
    with server:
        running = Relay(config, ("mailrouter", "serve", "--shadow"))
        try:
            for _ in range(3):
                swaks(server.port, "jane@example.test")
            wait_until(lambda: len(server.mails("vp-hr")) == 3, what="the role's own mail")
            wait_until(lambda: "6  copies" in _trial_report(config), what="the notes of the trial")
            assert not server.mails("laurie") + server.mails("elaine") + server.mails("jane")
        finally:
            running.stop()


def _trial_report(config: Path) -> str:
    return mailrouter("shadow", "report", "--config", str(config)).stdout
