"""How log lines are written, above all those about errors nobody expected."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailrouter.cli.operate.logs import ForJournal, Json, Lines, Text, to_journal
from mailrouter.errors import StoreError
from mailrouter.events import EventRecord, Fields
from mailrouter.store.ids import MessageId, QueueId, queue_id


def record(words: str, *arguments: object, error: BaseException | None = None) -> logging.LogRecord:
    """A line, after ``error`` if there is one."""
    info = None
    if error is not None:
        try:
            raise error
        except BaseException:
            info = sys.exc_info()
    return logging.LogRecord("mailrouter.x", logging.WARNING, __file__, 1, words, arguments, info)


def test_a_line_about_a_message_has_its_id_by_itself() -> None:
    """The id is found whatever place it has among the words; a line about none has no such field."""
    line = json.loads(
        Json().format(record("%d tries of %s\nto %s", 3, queue_id(MessageId(123456789)), "a@b.test"))
    )
    assert line["queue_id"] == queue_id(MessageId(123456789))
    assert line["message"] == f"3 tries of {queue_id(MessageId(123456789))}\nto a@b.test"
    assert "queue_id" not in json.loads(Json().format(record("ready: %s", "x")))
    assert "queue_id" not in json.loads(Json().format(record("%(a)s", {"a": 1})))
    assert isinstance(queue_id(MessageId(5)), QueueId)


def test_times_are_utc() -> None:
    """In both forms, wherever the machine is."""
    line = record("x")
    line.created, line.msecs = 1_700_000_000.25, 250.0
    assert Text().format(line).startswith("2023-11-14 22:13:20.250Z WARNING mailrouter.x x")
    assert json.loads(Json().format(line))["time"] == "2023-11-14T22:13:20.250Z"


def test_a_line_is_one_line() -> None:
    """Whatever it says, and however the words end."""
    assert len(Json().format(record("a\nb\u2028c\x00%s", "\r\n")).splitlines()) == 1


@pytest.mark.parametrize("form", [Text(), Json()])
def test_an_unexpected_error_does_not_quote_mail(form: logging.Formatter) -> None:
    """Its type and place are told, its words are not; an error of ours, which speaks of files, is told whole."""
    said = form.format(record("it failed", error=ValueError("Subject: secret")))
    assert "secret" not in said
    assert "ValueError" in said
    assert "test_cli_logs.py" in said
    nested = KeyError("secret")
    nested.__cause__ = ValueError("Subject: secret")
    assert "secret" not in form.format(record("it failed", error=nested))
    assert "disk is full" in form.format(record("it failed", error=StoreError("The disk is full.")))
    assert "No such file" in form.format(record("x", error=FileNotFoundError(2, "No such file", "/x")))


def test_an_events_fields_are_fields() -> None:
    """In JSON each by itself, with the event's name and the queue id; as text on one line."""
    fields: Fields = {"to": ["a@b.test"], "delay": 0.25, "dsn": "2.0.0"}
    event = EventRecord("mailrouter.x", logging.INFO, "delivered", queue_id(MessageId(5)), fields, "")
    assert {"time", "message"} <= (made := json.loads(Json().format(event))).keys()
    assert made["event"] == "delivered"
    assert made["level"] == "info"
    assert (made["queue_id"], made["to"], made["delay"], made["dsn"]) == (
        queue_id(MessageId(5)),
        ["a@b.test"],
        0.25,
        "2.0.0",
    )
    line = Text().format(event)
    assert line.endswith(
        f"INFO mailrouter.x {queue_id(MessageId(5))}: delivered to=<a@b.test> delay=0.25 dsn=2.0.0"
    )


def test_the_journal_gets_the_priority_of_each_line() -> None:
    """Before each line of a traceback as well; the journal takes it away again."""
    form = ForJournal(Text())
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
    said = [form.format(EventRecord("mailrouter", level, "x", "", {}, ""))[:3] for level in levels]
    assert said == ["<7>", "<6>", "<4>", "<3>", "<2>"]
    whole = form.format(record("it failed", error=ValueError("x"))).splitlines()
    assert len(whole) > 2
    assert {line[:3] for line in whole} == {"<4>"}


def test_only_the_stream_that_the_journal_made_has_priorities(tmp_path: Path) -> None:
    """JOURNAL_STREAM is inherited by what a service starts: device and inode tell whether it is still this stream."""
    with (tmp_path / "a").open("w") as stream, (tmp_path / "b").open("w") as other:
        found = os.fstat(stream.fileno())
        environment = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert to_journal(stream, environment)
        assert not to_journal(other, environment)
        assert not to_journal(stream, {})


def test_a_start_that_fails_says_so_in_json(tmp_path: Path) -> None:
    """Where the log is JSON, each problem is an object with its file and line, and nothing else is printed."""
    config = tmp_path / "config"
    (config / "roles").mkdir(parents=True)
    (config / "mailrouter.yaml").write_text("log: {format: json}\nlisten: {smtp: 127.0.0.1:0}\nnonsense: 1\n")
    for more in ([], ["--log-format", "json"]):
        done = subprocess.run(
            [sys.executable, "-m", "mailrouter", "serve", "--config", str(config), *more],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 1
        if more:
            lines = [json.loads(line) for line in done.stderr.splitlines()]
            assert {line["event"] for line in lines} == {"start_failed"}
            assert any(line["line"] == 3 and "nonsense" in line["message"] for line in lines)


def test_no_start_ends_in_a_traceback(tmp_path: Path) -> None:
    """An error that nobody expected is one line with its type and place; ``--verbose`` shows the way to it."""
    program = (
        "import mailrouter.service.main as running, sys\n"
        "def broken(*_): raise KeyError('secret')\n"
        "running.run = broken\n"
        "from mailrouter.cli import main\n"
        f"sys.exit(main(['serve', '--config', {str(tmp_path)!r}, *sys.argv[1:]]))\n"
    )
    for more in ([], ["--verbose"]):
        command = [sys.executable, "-c", program, *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "start_failed error=KeyError place=" in done.stderr
        assert "secret" not in done.stderr
        assert ("File " in done.stderr) == bool(more)
        assert len(done.stderr.splitlines()) == 1 or more


class Stream(io.StringIO):
    """A stream that keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str, /) -> int:
        """Keep it."""
        self.writes.append(text)
        return len(text)


def lines(stream: Stream) -> logging.Logger:
    """A logger of its own that writes to ``stream`` as the service does."""
    logger = logging.Logger("mailrouter.tests")
    handler = Lines(stream)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    return logger


async def test_the_lines_of_one_turn_are_written_together() -> None:
    """In their order; nothing waits for longer than the turn."""
    stream = Stream()
    logger = lines(stream)
    logger.info("one")
    logger.info("two")
    assert stream.writes == []
    await asyncio.sleep(0)
    assert stream.writes == ["one\ntwo\n"]
    logger.info("three")
    await asyncio.sleep(0)
    assert stream.writes[1:] == ["three\n"]


async def test_a_warning_is_written_at_once_and_in_its_order() -> None:
    """What may be the last line before a crash is never held back."""
    stream = Stream()
    logger = lines(stream)
    logger.info("one")
    logger.warning("two")
    assert "".join(stream.writes) == "one\ntwo\n"
    await asyncio.to_thread(logger.info, "from a thread")
    assert stream.writes[-1] == "from a thread\n"


def test_outside_a_loop_a_line_is_written_at_once() -> None:
    """So do commands, and the service before it serves."""
    stream = Stream()
    lines(stream).info("one")
    assert stream.writes == ["one\n"]


def test_what_waits_is_written_when_the_handler_is_flushed_at_exit() -> None:
    """``logging`` does that at the end of the process (``logging.shutdown``)."""
    stream = Stream()
    logger = lines(stream)

    async def last_words() -> None:
        logger.info("the end")

    asyncio.run(last_words())
    logger.handlers[0].flush()
    assert "".join(stream.writes) == "the end\n"
