"""How log lines are written, above all those about errors nobody expected."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from mailrouter.cli.logs import Json, Text
from mailrouter.errors import StoreError
from mailrouter.store.model import QueueId, queue_id


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
    line = json.loads(Json().format(record("%d tries of %s\nto %s", 3, queue_id(123456789), "a@b.test")))
    assert line["queue_id"] == queue_id(123456789)
    assert line["message"] == f"3 tries of {queue_id(123456789)}\nto a@b.test"
    assert "queue_id" not in json.loads(Json().format(record("ready: %s", "x")))
    assert "queue_id" not in json.loads(Json().format(record("%(a)s", {"a": 1})))
    assert isinstance(queue_id(5), QueueId)


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
