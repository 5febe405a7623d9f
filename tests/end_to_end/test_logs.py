"""The log as machines read it: one object a line, the queue id by itself, and nothing of what mails say."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_bounces import bounce, out_of_office, return_path
from tests.end_to_end.test_canary import mail
from tests.support.relay import PARTNERS, ROLE, Relay, wait_until, write_configuration
from tests.support.sending import queue_id, send
from tests.support.sink import Sink

LAURIE, ELAINE = PARTNERS
SERVE = ("mailrouter", "serve", "--verbose")


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
            subprocess.run(
                [sys.executable, "-m", "mailrouter", "queue", "hold", taken, "--config", str(config)],
                capture_output=True, check=False, timeout=60,
            )  # fmt: skip
        finally:
            running.stop()
        found = lines(running)
    text = running.log.read_text()
    assert [word for word in (subject, body, other) if word in text] == []
    assert {line["level"] for line in found} <= {"info", "warning", "error"}
    about = [line for line in found if line.get("queue_id") == taken]
    assert any("2 deliveries" in line["message"] for line in about)
    assert any("550 5.1.1" in line["message"] and ELAINE in line["message"] for line in about)
    for line in found:
        assert set(line) - {"queue_id", "traceback"} == {"time", "level", "logger", "message"}
        assert line["time"].endswith("Z")
        assert abs(datetime.fromisoformat(line["time"]) - datetime.now(UTC)) < timedelta(minutes=5)
        if taken in line["message"]:
            assert line["queue_id"] == taken
    # Those that were refused at the end of DATA have a queue id as well.
    assert len([line for line in found if "refused from" in line["message"] and line["queue_id"]]) == 2
