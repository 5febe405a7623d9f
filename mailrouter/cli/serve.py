"""``mailrouter serve``."""

from __future__ import annotations

import argparse
import logging

from mailrouter import app, config


def serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM; prints one line with ``ready`` and the addresses once mail is taken."""
    logging.basicConfig(
        level=logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # aiosmtpd logs every line it reads, subjects and bodies too.
    logging.getLogger("mail").setLevel(logging.CRITICAL)
    app.run(options.config or config.default_folder(), lambda line: print(line, flush=True), options.shadow)
    return 0
