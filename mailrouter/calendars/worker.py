"""The process that reads one calendar: ``python -m mailrouter.calendars.worker``, JSON in, JSON out.

It has little memory, little processor time, a low priority and nothing to write to; whoever started it ends it after
a minute. So whatever a calendar holds costs that process alone.

In: ``{"file" | "url", "hosts", "absent_when", "email", "zone", "start", "end"}``, moments in seconds since 1970.
Out: ``{"busy": [[start, end]], "events", "left_out"}`` or ``{"failure": words}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any
from zoneinfo import ZoneInfo

from mailrouter.calendars import limits
from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.fetch import from_file, from_url
from mailrouter.calendars.occurrences import TooSlow, absences_in
from mailrouter.errors import CalendarError
from mailrouter.extras import installing


class OutOfTime(BaseException):
    """The whole calendar took too long, or its server did."""


def main() -> None:
    """Do what the request on standard input asks, and end."""
    request = json.load(sys.stdin)
    _limit()
    try:
        answer = answer_to(request)
    except CalendarError as error:
        answer = {"failure": str(error)}
    except ImportError:
        answer = {"failure": f"this needs what is not installed; {installing('calendars')}"}
    except OutOfTime as late:
        answer = {"failure": str(late)}
    except MemoryError:
        answer = {"failure": f"it needs more than {limits.MEMORY >> 20} MiB of memory"}
    except Exception as error:
        answer = {"failure": f"it can't be read ({type(error).__name__})"}
    json.dump(answer, sys.stdout)


def answer_to(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to one request. Raises CalendarError, OutOfTime, ImportError."""
    if request.get("url"):
        with _at_most(limits.FETCH_SECONDS):
            data = from_url(request["url"], frozenset(request["hosts"]))
    else:
        data = from_file(Path(request["file"]))
    found = absences_in(
        data,
        Rule(tuple(request["absent_when"]), request["email"]),
        ZoneInfo(request["zone"]),
        datetime.fromtimestamp(request["start"], UTC),
        datetime.fromtimestamp(request["end"], UTC),
        event_guard,
    )
    return {
        "busy": [[int(start.timestamp()), int(end.timestamp())] for start, end in found.busy],
        "events": found.events,
        "left_out": found.left_out,
    }


def _limit() -> None:
    """From here on little can be used up. What isn't allowed (systemd may have shut setrlimit) is passed over.

    The processor's time has a timer as well, which is always allowed; and where memory is short, this goes first.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
    with contextlib.suppress(OSError):
        os.nice(10)
    for kind, soft, hard in (
        (resource.RLIMIT_AS, limits.MEMORY, limits.MEMORY),
        (resource.RLIMIT_CPU, limits.CPU_SECONDS + 2, limits.CPU_SECONDS + 4),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (soft, hard))
    signal.signal(signal.SIGPROF, _out_of_cpu)
    signal.setitimer(signal.ITIMER_PROF, limits.CPU_SECONDS)


def _out_of_cpu(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime(f"it takes more than {limits.CPU_SECONDS} seconds of work")


@contextlib.contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise OutOfTime(f"it was not there within {seconds:.0f} seconds")

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@contextlib.contextmanager
def event_guard() -> Iterator[None]:
    """Half a second of processor time for the work within; needs the main thread. Raises TooSlow."""

    def slow(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, slow)
    signal.setitimer(signal.ITIMER_VIRTUAL, limits.EVENT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


if __name__ == "__main__":
    main()
