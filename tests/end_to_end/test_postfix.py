"""A real Postfix before mailrouter (transport map) and behind it (smarthost), mail sent with swaks."""

from __future__ import annotations

import email
import re
import shutil
import subprocess
from email import policy
from email.message import MIMEPart
from pathlib import Path

import pytest

from tests.support import postfix
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import BOTH_AWAY, ONE_AWAY, Relay, relay, wait_until, write_configuration

pytestmark = [
    pytest.mark.skipif(not postfix.available(), reason=postfix.WHY_ABSENT),
    pytest.mark.skipif(
        shutil.which("swaks") is None, reason="swaks is not installed (Debian: apt-get install swaks)"
    ),
]

BODY = "Hello,\n\nhow is the budget?\n.a line with a dot\n\n  Jane \n"


def _settings(relay_port: int) -> dict[str, str]:
    return {
        "transport_maps": f"inline:{{ {{vp-hr@example.test = smtp:[127.0.0.1]:{relay_port}}} }}",
        "virtual_mailbox_domains": "example.test, outside.test",
        "virtual_mailbox_maps": "inline:{ laurie@example.test=laurie/ elaine@example.test=elaine/"
        " vp-hr@example.test=role/ it@example.test=it/ jane@example.test=jane/ ann@outside.test=ann/ }",
    }


def _swaks(port: int, sender: str, *more: str) -> None:
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{port}", "--from", sender, "--to", "vp-hr@example.test",
         "--header", "Subject: Budget", "--body", BODY, "--silent", "2", *more],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _relay_between(folder: Path, role: str, **more: str) -> tuple[postfix.Postfix, Path]:
    port = free_port()
    server = postfix.Postfix(_settings(port) | more)
    config = write_configuration(folder, f"smtp://127.0.0.1:{server.port}", role)
    settings = config / "mailrouter.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    return server, config


def _text_of(part: MIMEPart) -> str:
    return str(part.get_content())


def _handoff(running: Relay) -> None:
    words = ("handoff", "set", "vp-hr", "--author", "laurie", "--config", str(running.config))
    done = mailrouter(*words, given="Done:\n- the budget\n\nLeft:\n- call Jim\n")
    assert done.returncode == 0, done.stderr


def test_mail_through_postfix_reaches_both_with_note_and_handoff(tmp_path: Path) -> None:
    """What enters Postfix for the role leaves it twice, once a partner, with note, handoff and the body intact."""
    server, config = _relay_between(tmp_path, ONE_AWAY)
    with server, relay(config) as running:
        _handoff(running)
        _swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("laurie") and server.mails("elaine"), what="both copies")
        for name in ("laurie", "elaine"):
            (raw,) = server.mails(name)
            message = email.message_from_bytes(raw, policy=policy.default)
            original, note, handoff = message.iter_parts()
            # A part without fields begins with its blank line; swaks ends the body with a line end more.
            part = b"\n" + raw.split(b"--" + str(message.get_boundary()).encode() + b"\n")[1]
            assert part.partition(b"\n\n")[2].rstrip(b"\n") == BODY.encode().rstrip(b"\n")
            assert "budget" in _text_of(original)
            assert "Elaine is away until" in _text_of(note)
            assert "Laurie covers" in _text_of(note)
            assert "skiing" not in raw.decode()
            assert handoff.get_content_disposition() == "attachment"
            assert "call Jim" in _text_of(handoff)
            assert "vp-hr@example.test" in message["Reply-To"]
            assert message["Mailrouter-You"] == ("off" if name == "elaine" else message["Mailrouter-You"])
        assert not server.mails("jane"), "somebody is in: nobody is answered"


def test_the_sender_is_answered_once_when_nobody_is_in(tmp_path: Path) -> None:
    """With both away, each sender gets one answer through Postfix however often they write, and both get all mail."""
    server, config = _relay_between(tmp_path, BOTH_AWAY)
    with server, relay(config):
        _swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("jane"), what="the answer inside")
        _swaks(server.port, "jane@example.test")
        _swaks(server.port, "ann@outside.test")
        wait_until(
            lambda: server.mails("ann") and len(server.mails("laurie")) == 3, what="the answer outside"
        )
        wait_until(lambda: len(server.mails("elaine")) == 3, what="all copies")
        (inside,), (outside,) = server.mails("jane"), server.mails("ann")
    for raw in (inside, outside):
        answer = email.message_from_bytes(raw, policy=policy.default)
        assert answer["Auto-Submitted"] == "auto-replied"
        assert answer["Subject"] == "Auto: Budget"
        assert re.search(rb"^Return-Path: <>", raw, re.MULTILINE)
    assert b"Laurie" in inside
    assert b"HR duty line" in inside
    assert b"Laurie" not in outside
    assert b"Elaine" not in outside
    assert b"555 0100" not in outside


def test_bounces_of_postfix_come_back_to_us_and_end_there(tmp_path: Path) -> None:
    """Mailboxes that Postfix has no use for bounce to the copies' return paths; the sender gets one report."""
    server, config = _relay_between(tmp_path, ONE_AWAY, recipient_delimiter="+")
    main = server.folder / "etc" / "main.cf"
    disabled = "".join(f" {{{who}@example.test = error:5.2.1 disabled}}" for who in ("laurie", "elaine"))
    main.write_text(
        main.read_text().replace("transport_maps = inline:{", f"transport_maps = inline:{{{disabled}")
    )
    with server, relay(config) as running:
        _handoff(running)
        _swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("jane"), what="the report")
        (raw,) = server.mails("jane")
        assert not server.mails("laurie") + server.mails("elaine") + server.mails("role")
        state = mailrouter("queue", "list", "--config", str(config)).stdout
    report = email.message_from_bytes(raw, policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report["Subject"] == "Undelivered: your mail to VP Human Resources"
    for private in (b"laurie", b"elaine", b"call Jim"):
        assert private not in raw.lower()
    assert b"Subject: Budget" in raw
    assert "it@example.test" not in state, "what IT was told was taken by Postfix"


def test_mail_to_a_partner_alone_is_none_of_ours(tmp_path: Path) -> None:
    """Mail to a partner's own address passes Postfix as ever."""
    server, config = _relay_between(tmp_path, "")
    with server, relay(config):
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{server.port}", "--from", "jane@example.test", "--to",
             "laurie@example.test", "--silent", "2"], capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0
        wait_until(lambda: server.mails("laurie"), what="the mail")
        (raw,) = server.mails("laurie")
    assert b"Mailrouter-" not in raw
