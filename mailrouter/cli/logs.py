"""The log of the service: a line of text each, or a JSON object a line for machines.

Whatever the form, what an unexpected error says of itself is left out: it may quote the mail it met. Its type and the
place in the code stand there.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
import time
import traceback
from datetime import UTC, datetime
from types import TracebackType

from mailrouter.config.settings import LogFormat
from mailrouter.errors import MailrouterError
from mailrouter.store.model import QueueId

_OWN_WORDS = (MailrouterError, OSError, sqlite3.Error)
"""Errors whose text is about files, sockets and the store, never about what a mail holds."""

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class Text(logging.Formatter):
    """``2026-12-03 10:00:00.123Z WARNING mailrouter.delivery …``: in UTC, as traces and backups are."""

    converter = time.gmtime  # type: ignore[assignment]  # typeshed has it take no moment
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatException(self, ei: ExcInfo) -> str:
        """Where the error came from and its type; its words only where they are known to be harmless."""
        return _traceback(ei)


class Json(logging.Formatter):
    """One object a line: ``time`` (UTC, ISO 8601), ``level``, ``logger``, ``message``, and where a line concerns a
    message its ``queue_id``; ``traceback`` after an unexpected error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC)
        said = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        arguments = record.args if isinstance(record.args, tuple) else ()
        if named := next((one for one in arguments if isinstance(one, QueueId)), None):
            said["queue_id"] = named
        if record.exc_info and record.exc_info[0] is not None:
            said["traceback"] = _traceback(record.exc_info)
        return json.dumps(said)


def _traceback(info: ExcInfo) -> str:
    kind, error, place = info
    if kind is None or error is None:
        return ""
    words = f": {error}" if isinstance(error, _OWN_WORDS) else ""
    return "".join(traceback.format_tb(place)) + f"{kind.__name__}{words}"


def begin(form: LogFormat, verbose: bool) -> None:
    """Log to standard error; only warnings and worse unless ``verbose``. Called again, it takes the other form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == "json" else Text())
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler], force=True)
    # aiosmtpd logs every line it reads, subjects and bodies too.
    logging.getLogger("mail").setLevel(logging.CRITICAL)
