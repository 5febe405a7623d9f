"""The log as machines read it: one object a line, the queue id by itself, and nothing of what mails say."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_bounces import bounce, out_of_office, return_path
from tests.end_to_end.test_canary import mail
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, Relay, wait_until, write_configuration
from tests.support.sending import queue_id, send
from tests.support.sink import Sink

LAURIE, ELAINE = PARTNERS
SERVE = ("mailrouter", "serve")


def canary(where: str) -> str:
    """A word that stands nowhere else."""
    return f"canary{where}{secrets.token_hex(8)}"


def lines(running: Relay) -> list[dict[str, Any]]:
    """The log, each line of which is an object."""
    return [json.loads(line) for line in running.log.read_text().splitlines()]


@pytest.mark.parametrize("by", ["option", "setting"])
def test_every_line_is_an_object_and_names_its_message(tmp_path: Path, by: str) -> None:
    """Whatever happens to a mail (taken, refused by one mailbox, bounced, answered by a program, handed over by, looping,
    broken), its lines carry its queue id as a field, and no word of its subject or body."""
    subject, body, other = canary("subject"), canary("body"), canary("handoff")
    refused = {ELAINE: f"550 5.1.1 no such user wants {subject}", "busy@example.test": "451 4.2.0 later"}
    with Sink(refuse=refused) as sink:
        config = write_configuration(
            tmp_path,
            f"smtp://127.0.0.1:{sink.port}",
            settings="log: {format: json}\n" if by == "setting" else "",
        )
        words = SERVE if by == "setting" else (*SERVE, "--log-format", "json")
        running = Relay(config, words)
        try:
            plain = mail(f"From: jane@outside.test\nTo: {ROLE}\nSubject: {subject}", f"{body}\r\n")
            (reply,) = send(running.port, [("jane@outside.test", ROLE, plain)])
            taken = queue_id(reply)
            wait_until(lambda: len(sink.taken) >= 1, what="the copy")
            path = return_path(sink, LAURIE)
            copy = next(raw for _, to, raw in sink.taken if to == LAURIE)
            replies = send(
                running.port,
                [
                    ("jane@outside.test", ROLE, copy),
                    ("", path, bounce(path, LAURIE, plain, "550 5.7.1 refused")),
                    ("", path, out_of_office(path, LAURIE).replace(b"Budget", subject.encode())),
                    ("laurie@example.test", "vp-hr+handoff@example.test",
                     mail(f"From: {LAURIE}\nTo: vp-hr+handoff@example.test\nSubject: {subject}", f"Done: {other}\r\n")),
                    ("jane@outside.test", ROLE, plain.replace(b"\r\n\r\n", b"\nX: y\r\n\r\n", 1)),
                    ("jane@outside.test", "nobody@example.test", plain),
                ],
                connections=1,
            )  # fmt: skip
            assert [reply[:3] for reply in replies] == ["554", "250", "250", "250", "550", "550"]
            wait_until(lambda: "came back" in running.log.read_text(), what="the loop")
            wait_until(lambda: "550 5.1.1" in running.log.read_text(), what="the failure")
            os.kill(running.process.pid, signal.SIGHUP)
            wait_until(lambda: "read again" in running.log.read_text(), what="the reload")
            mailrouter("queue", "hold", taken, "--config", str(config))
        finally:
            running.stop()
        found = lines(running)
    text = running.log.read_text()
    assert [word for word in (subject, body, other) if word in text] == []
    assert {line["level"] for line in found} <= {"info", "warning", "error"}
    about = [line for line in found if line.get("queue_id") == taken]
    for line in found:
        assert line.keys() >= {"time", "level", "logger", "message"}
        assert line["time"].endswith("Z")
        assert abs(datetime.fromisoformat(line["time"]) - datetime.now(UTC)) < timedelta(minutes=5)
        if taken in line["message"]:
            assert line["queue_id"] == taken

    def of(event: str, *more: dict[str, Any]) -> list[dict[str, Any]]:
        return [line for line in more or found if line.get("event") == event]

    (accepted,) = of("accepted", *about)
    assert (accepted["client"], accepted["from"], accepted["to"]) == (
        "127.0.0.1",
        "jane@outside.test",
        [ROLE],
    )
    assert (accepted["deliveries"], accepted["role"], accepted["level"]) == (2, "vp-hr", "info")
    assert accepted["size"] > 100
    hop = f"smtp://127.0.0.1:{sink.port}"
    (delivered,) = [line for line in of("delivered", *about) if line["kind"] == "copy"]
    assert (delivered["to"], delivered["relay"], delivered["level"]) == (LAURIE, hop, "info")
    assert delivered["status"].startswith("250")
    assert delivered["attempts"] == 1
    assert 0 <= delivered["delay"] < 60
    (failed,) = [line for line in of("failed", *about) if line["kind"] == "copy"]
    assert (failed["to"], failed["dsn"], failed["level"]) == (ELAINE, "5.1.1", "error")
    assert failed["status"] == "550 5.1.1 (no such mailbox)"
    (bounced,) = of("bounced", *about)
    assert (bounced["to"], bounced["dsn"], bounced["level"]) == (LAURIE, "5.1.1", "warning")
    (returned,) = of("returned", *about)
    assert (returned["to"], returned["kind"]) == (LAURIE, "auto-reply")
    assert {line["kind"] for line in of("queued")} >= {"notice", "alert"}
    # Those that were refused at the end of DATA have a queue id as well.
    turned_away = of("refused")
    assert sorted(line["dsn"] for line in turned_away) == ["5.4.6", "5.6.11"]
    assert all(line["queue_id"] and line["client"] == "127.0.0.1" for line in turned_away)
    (stranger,) = of("recipient_refused")
    assert (stranger["to"], stranger["from"]) == ("nobody@example.test", "jane@outside.test")
    assert (stranger["status"], stranger["dsn"], stranger["level"]) == ("550 5.7.1", "5.7.1", "info")
    assert [len(of(name)) for name in ("started", "stopping", "stopped")] == [1, 1, 1]
    assert of("configuration_read")[-1]["roles"] == 1
    # No token by which we know a return path, in whatever line.
    assert path.partition("@")[0].rpartition("-")[2] not in text.lower()


def test_a_flood_of_refused_recipients_does_not_fill_the_disk(tmp_path: Path) -> None:
    """One client has sixty lines a minute; the counters have all of them."""
    with Sink() as sink:
        running = Relay(write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}"), SERVE)
        try:
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", running.port), timeout=30) as client:
                    commands = "".join(f"RCPT TO:<x{n}@other.test>\r\n" for n in range(19))
                    client.sendall(f"EHLO a.test\r\nMAIL FROM:<>\r\n{commands}QUIT\r\n".encode())
                    while client.recv(65536):
                        pass
        finally:
            running.stop()
    assert running.log.read_text().count(" recipient_refused ") == 60


def test_a_delivery_that_is_put_off_says_until_when(tmp_path: Path) -> None:
    """An ordinary event: nobody has to do anything about it."""
    with Sink(refuse={LAURIE: "451 4.2.0 later"}) as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        running = Relay(config, (*SERVE, "--log-format", "json"))
        try:
            plain = mail(f"From: jane@outside.test\nTo: {ROLE}\nSubject: x", "hello\r\n")
            send(running.port, [("jane@outside.test", ROLE, plain)])
            wait_until(lambda: '"deferred"' in running.log.read_text(), what="the first try")
        finally:
            running.stop()
    (deferred,) = [line for line in lines(running) if line.get("event") == "deferred"]
    assert (deferred["to"], deferred["dsn"], deferred["level"]) == (LAURIE, "4.2.0", "info")
    assert deferred["next_try"] > 0
