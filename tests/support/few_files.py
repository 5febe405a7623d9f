"""``mailrouter serve`` in a process that may open 300 files and no more."""

from __future__ import annotations

import resource
import sys

from mailrouter.cli import main

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (300, 300))
    sys.exit(main(["serve", *sys.argv[1:]]))
