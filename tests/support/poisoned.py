"""``mailrouter serve`` that is ended without a word by any mail with ``X-Poison: yes``, whenever it is about to be sent.
For tests alone: it stands for a mail that has the kernel or the watchdog kill the service.

python -m tests.support.poisoned [arriving] --config DIR
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from mailrouter.delivery import content
from mailrouter.intake import acceptor
from mailrouter.service import main

POISON = b"X-Poison: yes\r\n"
_whole, _decide = content.whole, acceptor.decide  # type: ignore[attr-defined]  # where it is called


def _end() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def _read(store: Any, delivery: Any) -> bytes | None:
    found = await _whole(store, delivery)
    if found and POISON in found:
        _end()
    return found


async def _decided(case: Any, mail: Any) -> Any:
    head = case.received.head
    if head is not None and head.raw_values("x-poison"):
        _end()
    return await _decide(case, mail)


if __name__ == "__main__":
    if "arriving" in sys.argv:
        acceptor.decide = _decided  # type: ignore[attr-defined]
    else:
        content.whole = _read
    main.run(Path(sys.argv[-1]), lambda line: print(line, flush=True))
