"""A real Exim before mailrouter and behind it, with the very lines of ``docs/deploy.md``; mail sent with swaks."""

from __future__ import annotations

import email
import re
from email import policy
from pathlib import Path

import pytest

from tests.support import exim
from tests.support.correspondence import assert_copy, has_swaks, set_handoff, swaks
from tests.support.documents import marked
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import BOTH_AWAY, ONE_AWAY, Relay, relay, wait_until, write_configuration
from tests.support.sending import send
from tests.support.sink import Sink

pytestmark = [
    pytest.mark.skipif(exim.binary() is None, reason=exim.WHY_ABSENT),
    pytest.mark.skipif(not has_swaks(), reason="swaks is not installed (Debian: apt-get install swaks)"),
]

LINES = marked("deploy.md")


def _servers(folder: Path, role: str, first_router: str = "") -> tuple[exim.Exim, Path]:
    """Exim before and behind, by the documented lines with nothing but the ports changed; and a configuration."""
    port = free_port()
    server = exim.Exim(
        main=LINES["exim-behind"],
        routers=first_router + LINES["exim-router"],
        transports=LINES["exim-transport"].replace("2525", str(port)),
    )
    deliver = LINES["behind"].replace("127.0.0.1:25", f"127.0.0.1:{server.port}")
    config = write_configuration(folder, deliver.partition("deliver: ")[2].strip(), role)
    settings = config / "mailrouter.yaml"
    settings.write_text(settings.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    return server, config


def test_mail_through_exim_reaches_both_with_note_and_handoff(tmp_path: Path) -> None:
    """What enters Exim for the role leaves it twice, once a partner, with note, handoff and the body intact."""
    server, config = _servers(tmp_path, ONE_AWAY)
    with server, relay(config) as running:
        set_handoff(running.config)
        swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("laurie") and server.mails("elaine"), what="both copies")
        (laurie,), (elaine,) = server.mails("laurie"), server.mails("elaine")
        assert not server.mails("jane"), "somebody is in: nobody is answered"
    assert_copy(laurie)
    assert assert_copy(elaine)["Mailrouter-You"] == "off"


def test_the_sender_is_answered_once_when_nobody_is_in(tmp_path: Path) -> None:
    """With both away, a sender inside or outside gets one answer through Exim, from the empty return path."""
    server, config = _servers(tmp_path, BOTH_AWAY)
    with server, relay(config):
        swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("jane"), what="the answer inside")
        swaks(server.port, "jane@example.test")
        swaks(server.port, "ann@outside.test")
        wait_until(
            lambda: server.mails("ann") and len(server.mails("laurie")) == len(server.mails("elaine")) == 3,
            what="the answer outside, and all copies",
        )
        (inside,), (outside,) = server.mails("jane"), server.mails("ann")
    for raw in (inside, outside):
        answer = email.message_from_bytes(raw, policy=policy.default)
        assert answer["Auto-Submitted"] == "auto-replied"
        assert answer["Subject"] == "Auto: Budget"
        assert re.search(rb"^Return-path: <>", raw, re.MULTILINE)
    assert b"Laurie" in inside
    assert b"Laurie" not in outside
    assert b"Elaine" not in outside


def test_a_sub_address_comes_through_whole(tmp_path: Path) -> None:
    """Exim hands ``vp-hr+budget@`` over as it was written, and both partners get the mail."""
    server, config = _servers(tmp_path, "")
    with server:
        with relay(config) as running:
            swaks(server.port, "jane@example.test", "vp-hr+budget@example.test")
            wait_until(lambda: server.mails("laurie") and server.mails("elaine"), what="both copies")
            port = running.port
        with Sink(port) as sink:
            swaks(server.port, "jane@example.test", "vp-hr+b-token@example.test")
            wait_until(lambda: sink.taken, what="what Exim sends here")
    ((sender, recipient, _),) = sink.taken
    assert (sender, recipient) == ("jane@example.test", "vp-hr+b-token@example.test")


def test_many_mails_at_once_each_come_out_twice(tmp_path: Path) -> None:
    """Exim refuses clients that talk too early and queues what comes late in a connection: neither holds us up."""
    server, config = _servers(tmp_path, "")
    mails = [
        (f"jane{n}@example.test", "vp-hr@example.test", b"Subject: %d\r\n\r\nHello\r\n" % n)
        for n in range(30)
    ]
    with server, relay(config) as running:
        # Past Exim, so that copies go out as fast as they can.
        assert all(reply.startswith("250") for reply in send(running.port, mails))
        wait_until(lambda: len(server.mails("laurie")) == len(server.mails("elaine")) == 30, what="60 copies")
        assert "synchronization error" not in server.log()
        subjects = {email.message_from_bytes(raw)["Subject"] for raw in server.mails("laurie")}
    assert subjects == {str(n) for n in range(30)}


def test_the_way_out_brings_mail_to_both_without_mailrouter(tmp_path: Path) -> None:
    """With the documented router and the exported aliases both get the mail as it is, and nothing listens for us."""
    aliases = "/etc/exim4/mailrouter-aliases"
    command = LINES["exim-way-out-command"].split()
    server, config = _servers(tmp_path, "", LINES["exim-way-out"].replace(aliases, "{aliases}"))
    assert command[0] == "mailrouter"
    assert command[-2:] == [">", aliases]
    done = mailrouter(*command[1:-2], "--config", str(config))
    assert done.returncode == 0, done.stderr
    here = server.folder / "aliases"
    here.write_text(done.stdout)
    server.configuration.write_text(server.configuration.read_text().replace("{aliases}", str(here)))
    with server:
        swaks(server.port, "jane@example.test")
        swaks(server.port, "jane@example.test", "vp-hr+budget@example.test")
        wait_until(lambda: len(server.mails("laurie")) == len(server.mails("elaine")) == 2, what="both mails")
        assert all(b"Mailrouter-" not in raw for raw in server.mails("laurie"))


GONE = """\
gone:
  driver = redirect
  domains = example.test
  local_parts = laurie : elaine
  allow_fail
  no_verify
  data = :fail: the mailbox of $local_part is closed
"""


def test_bounces_of_exim_come_back_to_us_and_end_there(tmp_path: Path) -> None:
    """Copies that Exim takes and can't deliver come back; the sender gets one report, which names the role alone."""
    server, config = _servers(tmp_path, ONE_AWAY, GONE)
    with server, relay(config) as running:
        set_handoff(running.config)
        swaks(server.port, "jane@example.test")
        wait_until(lambda: server.mails("jane"), what="the report")
        (raw,) = server.mails("jane")
        assert not server.mails("laurie") + server.mails("elaine")
    report = email.message_from_bytes(raw, policy=policy.default)
    assert report.get_content_type() == "multipart/report"
    assert report["Subject"] == "Undelivered: your mail to VP Human Resources"
    for private in (b"laurie", b"elaine", b"call jim", b"closed"):
        assert private not in raw.lower()


def test_blind_copies_of_exim_for_a_trial(tmp_path: Path) -> None:
    """With the documented router the role's mail goes its way as ever, and the trial takes note of it."""
    trial = LINES["exim-trial"]
    as_today = "today:\n  driver = redirect\n  local_parts = vp-hr\n  data = laurie@example.test\n"
    server, config = _servers(tmp_path, "", trial + as_today)
    with server:
        running = Relay(config, ("mailrouter", "serve", "--shadow"))
        try:
            swaks(server.port, "jane@example.test")
            wait_until(lambda: server.mails("laurie"), what="the mail")
            wait_until(lambda: "2 copies" in _trial_report(config), what="the note of the trial")
            assert len(server.mails("laurie")) == 1
            assert not server.mails("elaine")
        finally:
            running.stop()


def _trial_report(config: Path) -> str:
    return mailrouter("shadow", "report", "--config", str(config)).stdout
