"""``mailrouter serve``, ended at the n-th COMMIT of its store. For tests alone: the product knows nothing of it.

python -m tests.torture.launcher before|during|after N --config DIR
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from mailrouter.service import main as running

_open = sqlite3.connect
_chosen = argparse.Namespace()
_commits = 0


class _Doomed(sqlite3.Connection):
    """The writer's connection. Readers never commit."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        global _commits
        if statement != "COMMIT":
            return super().execute(statement, *values)
        _commits += 1
        if _commits != _chosen.number:
            return super().execute(statement)
        if _chosen.where == "before":
            os._exit(1)
        if _chosen.where == "during":
            # SQLite lets other threads run while it writes and syncs.
            threading.Thread(target=_kill_soon, daemon=True).start()
            return super().execute(statement)
        super().execute(statement)
        os._exit(1)


def _kill_soon() -> None:
    time.sleep(random.uniform(0, 0.003))
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Serve until that commit."""
    options = argparse.ArgumentParser()
    options.add_argument("where", choices=["before", "during", "after"])
    options.add_argument("number", type=int)
    options.add_argument("--config", type=Path, required=True)
    options.parse_args(namespace=_chosen)
    sqlite3.connect = lambda *words, **names: _open(*words, factory=_Doomed, **names)  # type: ignore[assignment]
    running.run(_chosen.config, lambda line: print(line, flush=True))


if __name__ == "__main__":
    main()
