"""The log of the service: a line of text each, or a JSON object a line for machines.

Whatever the form, what an unexpected error says of itself is left out: it may quote the mail it met. Its type and the
place in the code stand there.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TextIO

from mailrouter import events
from mailrouter.config.settings import LogFormat
from mailrouter.errors import MailrouterError
from mailrouter.store.ids import QueueId

_OWN_WORDS = (MailrouterError, OSError)
"""Errors whose text is about files, sockets and the store, never about what a mail holds."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Text(logging.Formatter):
    """``2026-12-03 10:00:00.123Z WARNING mailrouter.delivery …``: in UTC, as traces and backups are."""

    converter = time.gmtime  # type: ignore[assignment]  # typeshed has it take no moment
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._second, self._written = 0, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """The moment; what a second is written as is worked out once for it."""
        second = int(record.created)
        if second != self._second:
            self._second, self._written = second, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        return f"{self._written}.{int(record.msecs):03d}Z"

    def format(self, record: logging.LogRecord) -> str:
        """The line, with a traceback behind it where there is one. An event's is made here, for it is half its cost."""
        if isinstance(record, events.EventRecord) and not record.exc_info:
            return self._line(record, events.text(record))
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line without what follows it; an event with its fields."""
        said = events.text(record) if isinstance(record, events.EventRecord) else record.message
        return self._line(record, said)

    def _line(self, record: logging.LogRecord, said: str) -> str:
        return f"{self.formatTime(record)} {record.levelname} {record.name} {said}"

    def usesTime(self) -> bool:
        """False: ``formatMessage`` asks for the moment itself."""
        return False

    def formatException(self, ei: ExcInfo) -> str:
        """The error's place and type; its words only where they are known to be harmless."""
        return _traceback(ei)


class Json(logging.Formatter):
    """One object a line: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``; for an event its name in
    ``event`` and its fields; where a line concerns a message its ``queue_id``; after an unexpected error a
    ``traceback``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        said: dict[str, object] = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if isinstance(record, events.EventRecord):
            said |= {"event": record.event, "message": record.words or events.text(record)}
            said |= {"queue_id": str(record.queue_id)} if record.queue_id else {}
            said |= record.fields
        else:
            said["message"] = record.getMessage()
            arguments = record.args if isinstance(record.args, tuple) else ()
            if named := next((one for one in arguments if isinstance(one, QueueId)), None):
                said["queue_id"] = named
        if record.exc_info and record.exc_info[0] is not None:
            said["traceback"] = _traceback(record.exc_info)
        return json.dumps(said)


class Lines(logging.StreamHandler[TextIO]):
    """Lines for a stream: those of one turn of the event loop are written together, a warning at once.

    Each write lets go of the interpreter's lock, and has to wait for the store's thread to give it back. Written one by
    one, the three lines of a message cost more by that than by all the work of making them.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._waiting: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take the line; an error is told as the library does."""
        try:
            self._waiting.append(self.format(record) + "\n")
            if record.levelno >= logging.WARNING or not self._later():
                self.flush()
        except Exception:
            self.handleError(record)

    def _later(self) -> bool:
        """Have the lines written in the next turn; False outside a loop."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if len(self._waiting) == 1:
            loop.call_soon(self.flush)
        return True

    def flush(self) -> None:
        """Write what waits."""
        with self.lock or contextlib.nullcontext():
            lines, self._waiting = self._waiting, []
            if lines:
                self.stream.write("".join(lines))
            super().flush()


class ForJournal(logging.Formatter):
    """A formatter that puts each line's priority before it (sd-daemon(3)).

    ``journalctl -p`` selects by it; the lines are those of ``form``.
    """

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """The line, or the lines of a traceback."""
        priority = next((number for least, number in _PRIORITIES if record.levelno >= least), 7)
        return "\n".join(f"<{priority}>{line}" for line in self._form.format(record).splitlines())


_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def to_journal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether ``stream`` is connected with the systemd journal. ``JOURNAL_STREAM`` says so (systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environment.get("JOURNAL_STREAM", "") == f"{found.st_dev}:{found.st_ino}"


def _traceback(info: ExcInfo) -> str:
    kind, error, place = info
    if kind is None or error is None:
        return ""
    words = f": {error}" if isinstance(error, _OWN_WORDS) else ""
    return "".join(traceback.format_tb(place)) + f"{kind.__name__}{words}"


def begin(form: LogFormat, verbose: bool) -> None:
    """Log to standard error: what happens to each mail, and what is wrong. Called again, it takes the other form."""
    handler = Lines(sys.stderr)
    written = Json() if form == "json" else Text()
    handler.setFormatter(ForJournal(written) if to_journal(sys.stderr) else written)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mailrouter").setLevel(logging.DEBUG if verbose else logging.INFO)
    # What no line shows need not be found out for each (measured: a fifth of its cost).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # aiosmtpd logs every line it reads, subjects and bodies too.
    logging.getLogger("mail").setLevel(logging.CRITICAL)
