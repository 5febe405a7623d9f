"""``mailrouter serve``."""

from __future__ import annotations

import argparse
import sys

from mailrouter import config, running
from mailrouter.cli import logs
from mailrouter.errors import ConfigurationError


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM; prints one line with ``ready`` and the addresses once mail is taken."""
    logs.begin(options.log_format or "text", options.verbose)
    try:
        running.run(
            options.config or config.default_folder(),
            lambda line: print(line, flush=True),
            lambda settings: logs.begin(options.log_format or settings.log_format, options.verbose),
            options.shadow,
        )
    except ConfigurationError as error:
        if sys.stderr.isatty():
            raise
        raise error.discreet() from None  # what it says goes into a log
    return 0
