"""A trial: blind copies of real mail, taken beside the mail server, and nothing delivered."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.test_canary import mail, views
from tests.support.programs import mailrouter
from tests.support.relay import ONE_AWAY, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import send
from tests.support.sink import Sink

JANE = "jane@outside.test"
MAIL = mail(f"From: Jane <{JANE}>\nTo: {ROLE}\nSubject: Budget\nMessage-ID: <1@outside.test>")


@contextlib.contextmanager
def trial(config: Path) -> Iterator[Relay]:
    """A running ``serve --shadow``, ended with the block."""
    running = Relay(config, ("mailrouter", "serve", "--shadow"))
    try:
        yield running
    finally:
        running.stop()


def report(config: Path, *words: str, columns: int = 80) -> str:
    """What ``shadow report`` prints."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        done = mailrouter("shadow", "report", *words, "--config", str(config))
    assert done.returncode == 0, done.stderr
    return done.stdout


def told(config: Path) -> dict:  # type: ignore[type-arg]
    """The report as data."""
    return json.loads(report(config, "--json"))  # type: ignore[no-any-return]


def test_a_trial_delivers_nothing_and_tells_what_it_would_have_done(tmp_path: Path) -> None:
    """The plan of each mail is recorded: copies, handoff, reply, reasons; nothing reaches the next hop."""
    canary = "canary" + secrets.token_hex(12)
    with Sink() as sink:
        where = f"smtp://127.0.0.1:{sink.port}"
        config = write_configuration(tmp_path, where, ONE_AWAY + "auto_reply: always\n")
        settings = config / "mailrouter.yaml"
        live = settings.read_text()
        settings.write_text(live.replace("mailrouter.db", "mailrouter.shadow.db"))
        done = mailrouter(
            "handoff", "set", "vp-hr", "--author", "laurie", "--config", str(config),
            given=f"Done:\n- {canary}\n\nLeft:\n- more\n",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        settings.write_text(live)
        with trial(config) as running:
            replies = send(
                running.port,
                [
                    (JANE, "vp-hr+shadow@example.test", MAIL),
                    (JANE, "vp-hr+shadow@example.test", MAIL.replace(b"<1@", b"<2@")),
                    ("laurie@example.test", ROLE, MAIL.replace(JANE.encode(), b"laurie@example.test")),
                ],
                connections=1,
            )
            assert all(reply.startswith("250") for reply in replies), replies
            wait_until(lambda: told(config)["mails"] == 3, what="three mails")
            running.process.send_signal(signal.SIGHUP)
            assert send(running.port, [(JANE, ROLE, MAIL)])[0].startswith("250")
            found = told(config)
            assert not (tmp_path / "var/mailrouter.db").exists()
            assert not (tmp_path / "var/run/good").exists(), (
                "a service beside it may go back on what lies there"
            )
        assert sink.taken == []
    role = found["roles"]["vp-hr"]
    assert (found["mails"], role["mails"], role["senders"], role["reply"]) == (4, 4, 2, 1)
    assert role["copies"] == {"elaine@example.test": 4, "laurie@example.test": 3}
    assert role["handoffs"] > 0
    assert any("Elaine is away" in reason for reason in role["reasons"])
    assert found["newest"][1]["would_send"][0]["recipient"] == "elaine@example.test"
    text = report(config) + report(config, found["newest"][0]["id"]) + report(config, columns=40)
    for secret in (canary, "Budget", "Hello"):
        assert secret not in views((text + json.dumps(found)).encode()).decode()
        assert secret not in (tmp_path / "serve.log").read_text()
    assert "Nothing was delivered" in " ".join(text.split())
    assert max(map(len, report(config, columns=40).splitlines())) <= 40
    assert max(map(len, report(config).splitlines())) <= 80


def test_nothing_that_comes_to_a_trial_is_refused(tmp_path: Path) -> None:
    """A blind copy that came back would reach whoever wrote the mail: what would be refused is taken and noted."""
    config = write_configuration(tmp_path, settings="max_size: 64 KiB\n")
    looping = mail(f"From: {JANE}\nTo: {ROLE}\nSubject: x" + "\nReceived: by x" * 120)
    with trial(config) as running:
        bad = [
            (JANE, ROLE, MAIL[:-2] + b"a\nb\r\n"),
            (JANE, ROLE, looping),
            (JANE, "somebody@example.test", MAIL),
            (JANE, "vp-hr+b-aaaa@example.test", MAIL),
            (JANE, ROLE, MAIL + b"x" * 70 * 1024 + b"\r\n"),
        ]
        with smtplib.SMTP("127.0.0.1", running.port, timeout=30) as client:
            for sender, to, content in bad:
                client.ehlo()
                assert client.mail(sender)[0] == client.rcpt(to)[0] == 250
                client.putcmd("data")
                assert client.getreply()[0] == 354
                client.send(content + b".\r\n")  # as it is: the library would mend what is wrong with it
                assert client.getreply()[0] == 250
        found = told(config)
    assert found["mails"] == len(bad)
    codes = sorted(reply[:9] for reply, n in found["would_refuse"].items() for _ in range(n))
    assert codes == ["550 5.1.1", "550 5.6.11"[:9], "550 5.7.1", "552 5.3.4", "554 5.4.6"]
    assert "would be refused" in report(config)


def test_a_trial_runs_beside_the_service(tmp_path: Path) -> None:
    """Store and socket are its own, so a newer version can be tried beside the one that delivers."""
    config = write_configuration(tmp_path)
    with relay(config) as live:
        with trial(config) as running:
            assert send(running.port, [(JANE, ROLE, MAIL)])[0].startswith("250")
        assert send(live.port, [(JANE, ROLE, MAIL)])[0].startswith("250")
        wait_until(lambda: len(list((tmp_path / "var/mail").rglob("new/*"))) == 2, what="two copies")
    assert told(config)["mails"] == 1


def test_what_the_report_says_where_there_is_nothing(tmp_path: Path) -> None:
    """No trial, no mail, no such message: each in words, with the exit code of its kind."""
    config = write_configuration(tmp_path)
    none = mailrouter("shadow", "report", "--config", str(config))
    assert (none.returncode, none.stdout) == (1, "")
    assert "`mailrouter serve --shadow` begins one" in none.stderr
    with trial(config):
        assert report(config) == "No mail has come to the trial yet; nothing was delivered.\n"
    for wrong in ("zzz", "UNKNOWN!"):
        missing = mailrouter("shadow", "report", wrong, "--config", str(config))
        assert (missing.returncode, missing.stdout) == (1, "")
        assert f"There is no message {wrong}" in missing.stderr
    assert mailrouter("shadow", "report", "--newest", "-1", "--config", str(config)).returncode == 2
