"""The queue's commands on a real service and with none running: the same tests, the same words."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailrouter.errors import MailrouterError
from mailrouter.service.control import ask
from mailrouter.store.ids import delivery_of, message_id_of
from mailrouter.store.model import Outcome
from mailrouter.store.sqlite.reader import StoreReader
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.turns import drive
from tests.support.messages import T0
from tests.support.ports import free_port
from tests.support.programs import mailrouter
from tests.support.relay import PARTNERS, ROLE, Relay, relay, wait_until, write_configuration
from tests.support.sending import queue_id, send
from tests.support.sink import Sink

LAURIE, ELAINE = PARTNERS
CANARY = "canary-in-the-subject"


def mail(number: int) -> bytes:
    """A mail of Jane's."""
    fields = f"From: jane{number}@outside.test\r\nTo: {ROLE}\r\nMessage-ID: <{number}@outside.test>\r\n"
    return f"{fields}Subject: {CANARY}\r\n\r\nhello\r\n".encode()


@dataclass
class Queue:
    """Three messages, each with a copy for both, that can't be delivered; ``running`` is None where no service runs."""

    config: Path
    port: int
    ids: list[str]
    running: Relay | None

    def say(self, *words: str, columns: int = 80, code: int | None = 0) -> str:
        """What a command prints; ``code`` is its exit code, None for any."""
        environment = {"COLUMNS": str(columns), "SUDO_USER": "jim"}
        done = mailrouter(*words, "--config", str(self.config), env=environment)
        assert code in (None, done.returncode), done.stdout + done.stderr
        return done.stdout + done.stderr

    def states(self) -> dict[str, list[str]]:
        """Each message's states, from the store."""
        reader = StoreReader(self.config.parent / "var" / "mailrouter.db")
        try:
            entries = [drive(reader.entry(message_id_of(id_))) for id_ in self.ids]
            return {
                id_: [d.state for d in entry.deliveries]
                for id_, entry in zip(self.ids, entries, strict=True)
                if entry is not None
            }
        finally:
            reader.close()


@pytest.fixture(params=["a service runs", "no service runs"])
def queue(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Queue]:
    """The queue, with a service that can't deliver or after its end."""
    port = free_port()
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{port}")
    with relay(config) as running:
        mails = [(f"jane{n}@outside.test", ROLE, mail(n)) for n in range(3)]
        ids = [queue_id(reply) for reply in send(running.port, mails, connections=1)]
        wait_until(lambda: "can't be used" in running.log.read_text(), what="the first probe")
        if request.param == "a service runs":
            yield Queue(config, port, ids, running)
            return
    yield Queue(config, port, ids, None)


def test_messages_are_held_released_and_tried_again(queue: Queue) -> None:
    """By id, by filter, and all; what was done is said, by name, and can be looked up."""
    first, second, third = queue.ids
    said = queue.say("queue", "hold", first, second)
    assert said.splitlines()[0] == "4 deliveries of 2 messages were put on hold."
    assert f"  {first}  copy to {LAURIE}" in said
    assert queue.states() == {first: ["held"] * 2, second: ["held"] * 2, third: ["queued"] * 2}
    listed = json.loads(queue.say("queue", "list", "--state", "held", "--json"))
    assert [entry["id"] for entry in listed] == [first, second]
    assert {d["state"] for entry in listed for d in entry["deliveries"]} == {"held"}
    assert all(d["held_since"] and not d["next_attempt"] for entry in listed for d in entry["deliveries"])
    assert "1 delivery of 1 message was released." in queue.say(
        "queue", "release", first, "--to", LAURIE.upper()
    )
    assert queue.states()[first] == ["queued", "held"]
    assert "3 deliveries of 2 messages were released." in queue.say("queue", "release", "--role", ROLE)
    assert "2 deliveries of 1 message are to be tried" in queue.say(
        "queue", "retry", "--from", "JANE2@outside.test"
    )
    assert "6 deliveries of 3 messages are to be tried" in queue.say("queue", "retry", "--all")
    told = queue.say("trace", first)
    assert "put on hold by jim" in told
    assert "released by jim" in told
    assert CANARY not in told


def test_dropping_asks_first_and_tells_nobody(queue: Queue) -> None:
    """Without a terminal it wants --yes; then it says what was dropped, and no report is made."""
    first, second, third = queue.ids
    assert "say --yes" in queue.say("queue", "drop", first, code=2)
    assert queue.states()[first] == ["queued"] * 2
    said = queue.say("queue", "drop", first, "--yes")
    assert said.splitlines() == [
        "2 deliveries of 1 message were dropped.",
        f"  {first}  copy to {LAURIE}",
        f"  {first}  copy to {ELAINE}",
    ]
    assert queue.states() == {first: ["withdrawn"] * 2, second: ["queued"] * 2, third: ["queued"] * 2}
    assert f"There is no message {first}" not in queue.say("queue", "show", first)
    assert "dropped by jim" in queue.say("trace", first)


@pytest.mark.parametrize(("answer", "left"), [("y\n", "withdrawn"), ("\n", "queued"), ("no\n", "queued")])
def test_the_question_shows_what_would_go(queue: Queue, answer: str, left: str) -> None:
    """At a terminal: the messages, how many, that it is for good; only a yes drops."""
    first = queue.ids[0]
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mailrouter", "queue", "drop", first, "--config", str(queue.config)],
        stdin=slave, stdout=slave, stderr=slave, close_fds=True,
    )  # fmt: skip
    os.close(slave)
    said, answered, end = b"", False, time.monotonic() + 30
    while time.monotonic() < end:
        if not select.select([master], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if b"[y/N]" in said and not answered:
            os.write(master, answer.encode())
            answered = True
    os.close(master)
    assert process.wait(10) == (0 if left == "withdrawn" else 1)
    text = said.decode()
    assert first in text
    assert "1 message, 2 deliveries" in text
    assert "gone for good" in text
    assert queue.states()[first] == [left] * 2


def test_a_dropped_message_can_be_reported_to_its_sender(queue: Queue) -> None:
    """With --report the sender gets a bounce that names the role alone, once nobody else has the mail."""
    first = queue.ids[0]
    assert "report" not in queue.say("queue", "drop", first, "--to", ELAINE, "--yes", "--report")
    assert queue.states()[first] == ["queued", "withdrawn"]
    said = queue.say("queue", "drop", first, "--yes", "--report")
    assert "1 report to senders: queued." in said
    assert queue.states()[first] == ["withdrawn", "withdrawn", "queued"]
    with Sink(queue.port) as sink:
        if queue.running is not None:
            queue.say("queue", "retry", "--all", code=None)  # a probe may have been faster
            wait_until(lambda: len(sink.taken) >= 5, what="what waits")
        else:
            with relay(queue.config):
                wait_until(lambda: len(sink.taken) >= 5, what="what waits")
    (report,) = [content for _, to, content in sink.taken if to == "jane0@outside.test"]
    assert b"Status: 5.7.0" in report
    assert ROLE.encode() in report
    assert LAURIE.encode() not in report
    assert ELAINE.encode() not in report


def test_what_does_not_fit_changes_nothing(queue: Queue) -> None:
    """An id that is not there, filters that nothing fits, no filter at all: words, and exit codes that say so."""
    assert "needs queue ids or a filter" in queue.say("queue", "hold", code=2)
    assert "is not a queue id" in queue.say("queue", "hold", "a!b", code=2)
    assert "not a length of time" in queue.say("queue", "retry", "--older", "soon", code=2)
    assert "so nothing was changed" in queue.say("queue", "hold", "--role", "cfo", code=1)
    assert "so nothing was changed" in queue.say("queue", "release", "--older", "1 h", code=1)
    assert "There is nothing of xyz in the queue." in queue.say("queue", "hold", queue.ids[0], "xyz", code=1)
    assert queue.states()[queue.ids[0]] == ["held"] * 2
    assert "Nothing in the queue fits" in queue.say("queue", "list", "--newer", "0 s")
    assert json.loads(queue.say("queue", "hold", "--role", "cfo", "--json", code=1))["deliveries"] == 0


@pytest.mark.parametrize("columns", [80, 40])
def test_lists_and_traces_fit_the_window(queue: Queue, columns: int) -> None:
    """Everything is readable at 80 and 40 columns, without colour; the summary comes first."""
    queue.say("queue", "hold", queue.ids[0])
    for words in (
        ["queue", "list"],
        ["queue", "show", queue.ids[0]],
        ["trace", queue.ids[0]],
        ["trace", ROLE],
    ):
        said = queue.say(*words, columns=columns)
        assert [line for line in said.splitlines() if len(line) > columns] == []
        assert "\x1b" not in said
        assert CANARY not in said
    listed = " ".join(queue.say("queue", "list", columns=columns).split())
    assert listed.startswith("3 messages, 6 deliveries: 4 waiting, 2 on hold. The oldest came in ")
    assert f"3 to {ELAINE} 3 to {LAURIE}" in listed
    short = queue.say("queue", "list", "--limit", "1", columns=columns)
    assert queue.ids[0] in short
    assert queue.ids[1] not in short
    assert "… and 2 more messages" in short


def test_the_queue_can_be_seen_while_a_role_is_broken(queue: Queue) -> None:
    """A mistake in a partner's file keeps nobody from looking, holding and dropping."""
    role = queue.config / "roles" / "vp-hr.yaml"
    role.write_text(role.read_text().replace("friday:", "fryday:"))
    assert queue.ids[0] in queue.say("queue", "list", "--role", "vp-hr")
    assert "2 deliveries" in queue.say("queue", "hold", queue.ids[0])
    assert "put on hold by jim" in queue.say("trace", queue.ids[0])


def test_what_is_on_hold_is_not_delivered(tmp_path: Path) -> None:
    """The next server comes back: all but what is on hold arrives; released, that arrives too, once."""
    port = free_port()
    config = write_configuration(tmp_path, f"smtp://127.0.0.1:{port}")
    with relay(config) as running:
        mails = [(f"jane{n}@outside.test", ROLE, mail(n)) for n in range(30)]
        ids = [queue_id(reply) for reply in send(running.port, mails, connections=1)]
        queue = Queue(config, port, ids, running)
        queue.say("queue", "hold", *ids[:10])
        with Sink(port) as sink:
            queue.say("queue", "retry", "--all", code=None)  # a probe may have been faster
            wait_until(lambda: len(sink.taken) >= 40, what="the others")
            wait_until(lambda: queue.states()[ids[-1]] == ["delivered"] * 2, what="the last one")
            assert len(sink.taken) == 40
            assert [queue.states()[id_] for id_ in ids[:10]] == [["held", "held"]] * 10
            assert "20 deliveries of 10 messages were released." in queue.say("queue", "release", "--all")
            wait_until(lambda: len(sink.taken) >= 60, what="what was on hold")
            wait_until(lambda: queue.say("queue", "list").startswith("The queue is empty"), what="the end")
        assert len(sink.taken) == 60
        assert len({(to, content) for _, to, content in sink.taken}) == 60
        told = json.loads(queue.say("trace", ids[0], "--json"))
    assert [event["what"] for event in told["events"]] == ["held", "held", "released", "released"] + [
        "delivered"
    ] * 2


def test_what_failed_is_tried_again_by_hand(tmp_path: Path) -> None:
    """After a mailbox was mended: one command, and the copy that had failed arrives."""
    with Sink(refuse={ELAINE: "550 5.1.1 no such user"}) as sink:
        config = write_configuration(tmp_path, f"smtp://127.0.0.1:{sink.port}")
        with relay(config) as running:
            (reply,) = send(running.port, [("jane0@outside.test", ROLE, mail(0))])
            queue = Queue(config, sink.port, [queue_id(reply)], running)
            wait_until(lambda: "failed" in queue.states()[queue.ids[0]], what="the failure")
            told = queue.say("trace", queue.ids[0])
            assert f"copy to {ELAINE}: failed for good" in told
            assert "550 5.1.1 no such user" in told
            sink.refuse.clear()
            assert "1 delivery of 1 message is to be tried" in queue.say(
                "queue", "retry", "--state", "failed"
            )
            wait_until(lambda: [to for _, to, raw in sink.taken if to == ELAINE] == [ELAINE], what="the copy")


@pytest.mark.parametrize(
    "order",
    [{}, {"action": "burn"}, {"action": "drop", "selection": {"states": ["delivered"]}, "who": "x"},
     {"action": "drop", "selection": [], "who": "x"}, {"action": ["drop"], "selection": {}, "who": "x"}],
)  # fmt: skip
def test_odd_orders_get_words(tmp_path: Path, order: dict[str, Any]) -> None:
    """Whatever comes by the socket, nothing is changed and a sentence comes back."""
    config = write_configuration(tmp_path)
    with relay(config), pytest.raises(MailrouterError, match="nothing that can be done to the queue"):
        ask(config.parent / "var/run/mailrouter.sock", {"do": "queue", **order})


def test_a_message_id_finds_its_message(queue: Queue) -> None:
    """With its brackets the life is told at once; an address gives the list, newest first."""
    assert queue.say("trace", "<1@outside.test>").startswith(queue.ids[1])
    listed = queue.say("trace", ROLE)
    places = [listed.index(id_) for id_ in queue.ids]
    assert places == sorted(places, reverse=True)
    assert queue.ids[2] in queue.say("trace", "JANE2@outside.test")
    assert queue.ids[0] not in queue.say("trace", "JANE2@outside.test")
    assert "--limit 10 shows more" in queue.say("trace", LAURIE, "--limit", "1")
    assert "There is no message from, to or named" in queue.say("trace", "nobody@example.test", code=1)
    assert "is kept for 30 days" in queue.say("trace", "zzzz", code=1)
    data = json.loads(queue.say("trace", queue.ids[0], "--json"))
    assert (data["client"], data["message_id"], data["tls"]) == ("127.0.0.1", "<0@outside.test>", False)
    assert data["reasons"]


async def test_an_outcome_that_comes_late_is_told(tmp_path: Path) -> None:
    """A trace of what was tried three times: each attempt with its time, its words and its number."""
    config = write_configuration(tmp_path)
    with relay(config) as running:
        (reply,) = await asyncio.to_thread(send, running.port, [("jane0@outside.test", ROLE, mail(0))])
    number = message_id_of(queue_id(reply))
    store = SqliteStore.open(config.parent / "var" / "mailrouter.db")
    try:
        first = delivery_of(number, 0)
        await store.run(lambda c: c.execute("UPDATE delivery SET state = 'queued' WHERE id = ?", (first,)))
        for n in range(2):
            await store.settle([Outcome(first, "queued", f"451 4.2.{n} later", T0 + n * 1000, T0)])
        await store.settle([Outcome(first, "delivered", "250 2.0.0 ok", T0 + 2000)])
    finally:
        store.close()
    told = await asyncio.to_thread(Queue(config, 0, [queue_id(reply)], None).say, "trace", queue_id(reply))
    lines = [line.strip() for line in told.splitlines()]
    for moment, words in (
        ("2023-11-14 22:13:20 UTC", f"copy to {LAURIE}: not delivered yet"),
        ("2023-11-14 22:13:21 UTC", f"copy to {LAURIE}: not delivered yet, try 2"),
        ("2023-11-14 22:13:22 UTC", f"copy to {LAURIE}: delivered, try 3"),
    ):
        assert lines[lines.index(moment) + 1] == words
    assert lines[lines.index(f"copy to {LAURIE}: delivered, try 3") + 1] == "250 2.0.0 ok"
