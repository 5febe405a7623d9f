"""A real relay before a next server that refuses it for a while: no mail is lost, and everybody hears of it."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support import programs
from tests.support.examples import chosen
from tests.support.misbehaving import Script, standing
from tests.support.relay import ONE_AWAY, PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send

JANE = "jane@outside.test"
QUICK = "retry: {first: 0.2 s, most: 1 s}\n"


def mail(n: int) -> bytes:
    """A plain mail."""
    return f"From: {JANE}\r\nTo: {ROLE}\r\nSubject: {n}\r\nMessage-ID: <{n}@o.test>\r\n\r\nhello\r\n".encode()


def mailrouter(running: Relay, *words: str) -> subprocess.CompletedProcess[str]:
    """A command beside the running relay."""
    return programs.mailrouter(*words, "--config", str(running.config), env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    ("state", "reply", "advice"),
    chosen(
        [
            ("mail", "530 5.7.0 Must issue a STARTTLS command first", "It demands TLS"),
            ("rcpt", "554 5.7.1 Relay access denied", "does not relay for us"),
            ("mail", "530 5.7.1 Authentication required", "It demands a login"),
        ],
        *range(2),
    ),
)
def test_an_hour_of_refusals_costs_no_mail_and_everybody_hears_of_it(
    tmp_path: Path, state: str, reply: str, advice: str
) -> None:
    """One mail comes, the service is killed, two more come; all wait, and then all arrive and IT has one mail."""
    with standing(Script({state: reply})) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", settings=QUICK)
        began = time.monotonic()
        with relay(config) as running:
            assert send(running.port, [(JANE, ROLE, mail(1))])[0].startswith("250 ")
            wait_until(lambda: hop.server.met[state] >= 2, what="a probe")
            running.process.kill()
        with relay(config) as running:
            for n in (2, 3):
                assert send(running.port, [(JANE, ROLE, mail(n))])[0].startswith("250 ")
            before = hop.server.met[state]
            wait_until(lambda: hop.server.met[state] > before, what="a probe after the start")
            looked = mailrouter(running, "check", "--live")
            assert looked.returncode == 1, looked.stdout
            assert reply[:9] in looked.stdout
            assert advice in looked.stdout
            listed = mailrouter(running, "queue", "list")
            assert "6 waiting" in listed.stdout, listed.stdout
            assert "failed" not in listed.stdout
            wait_until(lambda: time.monotonic() - began > 12, what="a trouble that lasts")
            hop.behave()
            mailrouter(running, "queue", "retry", "--all")
            for partner in PARTNERS:
                wait_until(lambda to=partner: len(hop.server.contents(to)) == 3, what="all mails")
            wait_until(lambda: len(hop.server.contents("it@example.test")) == 1, what="the mail to IT")
            told = hop.server.contents("it@example.test")[0].decode()
            assert "takes mail again" in told
            assert re.search(r"3 mails? waited|[123] mails? waited", told)
            assert reply[:9] in " ".join(told.split())
            assert mailrouter(running, "check", "--live").returncode == 0
            assert not hop.server.contents(JANE)
        assert " ERROR " in running.log.read_text() or "ERROR" in running.log.read_text()
        assert len(hop.server.received) == 7


@pytest.mark.parametrize("offered", [True, False], ids=["by SIZE", "at the end of the content"])
def test_the_first_mail_after_a_start_goes_untouched_where_the_changed_copy_is_too_large(
    tmp_path: Path, offered: bool
) -> None:
    """The server's SIZE is not known yet: the wrapped copy is refused, and an untouched one with a companion goes."""
    most = 21_000

    offer = ("PIPELINING", f"SIZE {most}") if offered else ("PIPELINING",)
    refused: set[str] = set()

    def once(recipient: str) -> str | None:
        if offered or recipient in refused:
            return None
        refused.add(recipient)
        return "552 5.3.4 Message size exceeds fixed limit"

    with standing(Script({"dot": once}, offer=offer)) as hop:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.port}", role=ONE_AWAY, settings=QUICK)
        text = tmp_path / "handoff.md"
        text.write_text("".join(f"- point {n} of the handoff, said at some length\n" for n in range(200)))
        with relay(config) as running:
            assert (
                mailrouter(running, "handoff", "set", "vp-hr", "--author", "elaine", str(text)).returncode
                == 0
            )
            body = "".join(f"line {n} of a mail that fits by itself\r\n" for n in range(400))
            assert send(running.port, [(JANE, ROLE, mail(1) + body.encode())])[0].startswith("250 ")
            for partner in PARTNERS:
                wait_until(lambda to=partner: len(hop.server.contents(to)) == 2, what="copy and companion")
                copy, beside = hop.server.contents(partner)
                if b"line 399" not in copy:
                    copy, beside = beside, copy
                assert copy.endswith(body.encode())
                assert b"point 199" in beside
                assert b"reached you" not in beside
            listed = mailrouter(running, "queue", "list").stdout
            assert "failed" not in listed, listed
            assert not hop.server.contents(JANE)
            assert not hop.server.contents("it@example.test")
