"""``mailrouter serve``."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from mailrouter import config, events
from mailrouter.cli.operate import logs
from mailrouter.config.settings import LogFormat
from mailrouter.errors import ConfigurationError, MailrouterError
from mailrouter.service import main

log = logging.getLogger("mailrouter")


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM; prints one line with ``ready`` and the addresses once mail is taken.

    What keeps it from starting is told in words, in JSON where the log is, and never by a traceback alone.
    """
    folder = options.config or config.default_folder()
    form = options.log_format or _configured_form(folder)
    logs.begin(form, options.verbose)
    try:
        main.run(
            folder,
            lambda line: print(line, flush=True),
            lambda settings: logs.begin(options.log_format or settings.log_format, options.verbose),
            options.shadow,
        )
    except ConfigurationError as error:
        if form == "json":
            return _told(error.discreet())
        if sys.stderr.isatty():
            raise
        raise error.discreet() from None  # what it says goes into a log
    except MailrouterError as error:
        if form == "json":
            return _failed(str(error))
        raise
    except OSError as error:
        return _failed(f"mailrouter can't go on: {error}", error, options.verbose)
    except Exception as error:
        # Its words may quote what they met: its type and place are enough to look for it.
        words = f"mailrouter can't go on: {type(error).__name__} at {events.place_of(error)}, which nobody expected"
        hint = "" if options.verbose else "; with --verbose it shows how it came there"
        return _failed(words + hint, error, options.verbose)
    return 0


def _configured_form(folder: Path) -> LogFormat:
    """The form of the log that the settings ask for; text where they can't be read."""
    try:
        return config.settings_of(folder).log_format
    except (MailrouterError, OSError):
        return "text"


def _told(error: ConfigurationError) -> int:
    for problem in error.problems:
        fields: events.Fields = {"file": problem.file, "line": problem.line, "column": problem.column}
        words = f"{problem.what}{'; ' + problem.hint if problem.hint else ''}"
        _failed(words, fields=fields)
    return 1


def _failed(
    words: str,
    error: BaseException | None = None,
    verbose: bool = False,
    fields: events.Fields | None = None,
) -> int:
    said: dict[str, events.Value] = dict(fields or {})
    if error is not None:
        said |= {"error": type(error).__name__, "place": events.place_of(error)}
    events.tell_error(log, "start_failed", said, words, error if verbose else None)
    return 1
