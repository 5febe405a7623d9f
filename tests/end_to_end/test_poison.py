"""A mail that ends the service, and mails that once held its loop: others are delivered, and the service starts again."""

from __future__ import annotations

import contextlib
import itertools
import smtplib
import sqlite3
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.test_canary import mail
from tests.support.examples import by_extent, chosen
from tests.support.misbehaving import Script, Standing, standing
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send

JANE, IT = "jane@outside.test", "it@example.test"
POISONED = ("tests.support.poisoned",)
ARRIVING = ("tests.support.poisoned", "arriving")
KILLS = by_extent(5, 10)


def innocent(number: int) -> tuple[str, str, bytes]:
    """A mail that does no harm."""
    return (JANE, ROLE, mail(f"From: {JANE}\nTo: {ROLE}\nSubject: {number}\nMessage-ID: <{number}@x.test>"))


POISON = (JANE, ROLE, mail(f"From: {JANE}\nTo: {ROLE}\nSubject: a\nX-Poison: yes\nMessage-ID: <p@x.test>"))


def got(hop: Standing, who: str) -> list[bytes]:
    """What arrived for this address."""
    return [one.content for one in list(hop.server.received) if who in one.recipients]


def starts(config: Path, program: tuple[str, ...], most: int = 6) -> tuple[Relay, int]:
    """Start until a start is still there after a second; gives it, and how many ended."""
    for ended in range(most):
        try:
            running = Relay(config, program)
        except RuntimeError:
            continue  # it ended before it was ready
        with contextlib.suppress(Exception):
            running.process.wait(1.5)
        if running.process.poll() is None:
            return running, ended
        running.ended()
    raise AssertionError(f"it ended at each of {most} starts")


@pytest.fixture
def hop() -> Iterator[Standing]:
    """A next server that takes everything."""
    with standing(Script()) as server:
        yield server


def test_a_mail_that_ends_the_service_is_put_on_hold(tmp_path: Path, hop: Standing) -> None:
    """After two ends; nobody else's mail is held, IT hears of it once, and it can be released."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.server.port}")
    # Accepted while nothing can be sent, so that all of it is due at one start.
    dead = write_configuration(tmp_path, f"smtp://127.0.0.1:{free_port()}")
    with relay(dead) as running:
        replies = send(running.port, [*map(innocent, range(5)), POISON, *map(innocent, range(5, 10))])
        assert all(reply.startswith("250") for reply in replies), replies
        poison = queue_id(replies[5])
        running.kill()
    write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.server.port}")
    running, ended = starts(config, POISONED)
    try:
        assert 2 <= ended <= 3
        wait_until(lambda: all(len(got(hop, who)) >= 10 for who in PARTNERS), what="the others' mail")
        wait_until(lambda: got(hop, IT), what="the alert")
        (alert,) = got(hop, IT)
        words = " ".join(alert.decode().split())
        assert f"mailrouter queue release {poison}" in words
        assert f"mailrouter queue show {poison}" in words
        assert JANE in words
        assert "127.0.0.1" in words
        for command in (("queue", "list"), ("queue", "show", poison), ("trace", poison)):
            shown = " ".join(mailrouter(*command, "--config", str(config)).stdout.split())
            assert "two unexpected ends" in shown, command
        with sqlite3.connect(f"file:{tmp_path}/var/mailrouter.db?mode=ro", uri=True) as database:
            states = database.execute("SELECT kind, state FROM delivery").fetchall()
        assert sorted(set(states)) == [("alert", "delivered"), ("copy", "delivered"), ("copy", "held")]
        assert states.count(("copy", "held")) == 2
        assert all(len({bytes(one) for one in got(hop, who)}) == 10 for who in PARTNERS)
    finally:
        running.stop()
    with relay(config):  # the service that was mended
        released = mailrouter("queue", "release", poison, "--config", str(config))
        assert released.returncode == 0, released.stderr
        wait_until(
            lambda: all(b"X-Poison" in b"".join(got(hop, who)) for who in PARTNERS), what="the released mail"
        )


def test_a_mail_that_ends_the_service_as_it_arrives_is_put_off(tmp_path: Path, hop: Standing) -> None:
    """Its sender keeps it; others' mail is taken, and IT hears of it once."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.server.port}")
    for _ in range(2):
        running = Relay(config, ARRIVING)
        with smtplib.SMTP("127.0.0.1", running.port, timeout=30) as client:
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.sendmail(POISON[0], POISON[1], POISON[2])
            client.close()
        running.ended()
    running = Relay(config, ARRIVING)
    try:
        replies = send(running.port, [POISON, innocent(1), POISON], connections=1)
        assert [reply[:3] for reply in replies] == ["451", "250", "451"]
        wait_until(lambda: all(got(hop, who) for who in PARTNERS), what="the other mail")
        wait_until(lambda: got(hop, IT), what="the alert")
        assert len(got(hop, IT)) == 1
        assert JANE in got(hop, IT)[0].decode()
    finally:
        running.stop()


def test_kills_without_a_culprit_hold_up_little(tmp_path: Path, hop: Standing) -> None:
    """Ends at random moments under load: what is on hold by them is released, and everything arrives."""
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{hop.server.port}")
    for n in range(KILLS):
        running = Relay(config)
        replies = send(running.port, [innocent(100 * n + k) for k in range(20)], connections=2)
        assert all(reply.startswith("250") for reply in replies)
        running.kill()
    with relay(config):
        mailrouter("queue", "release", "--all", "--config", str(config))
        wait_until(
            lambda: all(len(set(got(hop, who))) >= 20 * KILLS for who in PARTNERS),
            what="everything",
            seconds=120,
        )


WORST = {
    "comments": b"Content-Type: text/plain " + b"(a)" * 20_000 + b"\r\n",
    "parameters": b"Content-Type: text/plain" + b";\r\n a*0*=b" * 5_000 + b"\r\n",
}


def noops(port: int, seconds: float) -> tuple[list[float], float]:
    """How long each of many NOOPs waited for its answer; and how late this process itself was at most."""
    found, late = [], 0.0
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            began = time.monotonic()
            client.noop()
            found.append(time.monotonic() - began)
            slept = time.monotonic()
            time.sleep(0.03)  # a client that brings no mail may say some hundred commands
            late = max(late, time.monotonic() - slept - 0.03)
    return found, late


@pytest.mark.parametrize(
    ("which", "code"), chosen(list(itertools.product(WORST, ["451 4.7.1", "554 5.7.1"])), 0, 3)
)
def test_words_about_a_mail_that_is_hard_to_read_hold_nobody_up(
    tmp_path: Path, which: str, code: str
) -> None:
    """The answer is recorded at once, another session is answered meanwhile, and three starts after a kill are ready."""
    body = b"From: jane@outside.test\r\nSubject: hard\r\n" + WORST[which] + b"\r\nHello there\r\n"
    refusing = Script(
        {"dot": lambda recipient: f"{code} I found: Hello there you" if recipient in PARTNERS else None}
    )
    with standing(refusing) as server:
        settings = "retry: {first: 0.2 s, most: 0.3 s}\n"
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{server.server.port}", settings=settings)
        for n in range(3):
            running = Relay(config)
            try:
                if n == 0:
                    (reply,) = send(running.port, [(JANE, ROLE, body)])
                    assert reply.startswith("250")
                waits, late = noops(running.port, 1.5)
                # A machine that is busy makes single ones slow; what held the loop held it for seconds.
                assert max(waits) < 1.5 + 3 * late, f"{max(waits):.2f} s, and {late:.2f} s here"
                assert statistics.median(waits) < 0.2 + 3 * late
                wait_until(lambda: recorded(tmp_path, code), what="the outcome")
            finally:
                running.kill()


def recorded(folder: Path, code: str) -> bool:
    """Whether both copies' answers are in the store."""
    with sqlite3.connect(f"file:{folder}/var/mailrouter.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT last_reply FROM delivery WHERE kind = 'copy'").fetchall()
    return len(rows) == 2 and all(str(words).startswith(code) for (words,) in rows)
