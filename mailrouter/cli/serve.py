"""``mailrouter serve``."""

from __future__ import annotations

import argparse

from mailrouter import app, config
from mailrouter.cli import logs


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM; prints one line with ``ready`` and the addresses once mail is taken."""
    logs.begin(options.log_format or "text", options.verbose)
    app.run(
        options.config or config.default_folder(),
        lambda line: print(line, flush=True),
        lambda settings: logs.begin(options.log_format or settings.log_format, options.verbose),
        options.shadow,
    )
    return 0
