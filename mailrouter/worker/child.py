"""The worker process: ``python -m mailrouter.worker.child``. Requests come in on standard input, answers go out.

It has little memory, little processor time for each request, and nothing to write to. A request that takes too long
ends the process, whatever it is doing, by a signal that nothing in Python has to handle. It ends with its service:
when standard input ends, and on Linux by a signal from the kernel if the service is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import math
import os
import pickle
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from mailrouter.errors import MailrouterError
from mailrouter.worker import limits
from mailrouter.worker.frames import LENGTH, framed

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Answer requests until there are no more. Arguments: the service's process, and the modules that requests need;
    these are loaded before the first, so that its time is its own."""
    parent = int(sys.argv[1])
    _end_with(parent)
    # What is printed by mistake must not be taken for an answer.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal ends the service, and that ends this
    for name in sys.argv[2:]:
        importlib.import_module(name)
    gc.freeze()  # what was loaded stays: collecting garbage need not look at it again
    _limit()
    _send(out, b"")  # ready
    while (data := _next(requests)) is not None:
        _begin_request()
        answer, last = _answer(data)
        _send(out, answer)
        _end_request()
        if last:
            return


def _next(requests: BinaryIO) -> bytes | None:
    head = requests.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    data = requests.read(length)
    return data if len(data) == length else None


def _answer(data: bytes) -> tuple[bytes, bool]:
    """The answer; and whether it is the last, since memory ran short."""
    try:
        function, arguments = pickle.loads(data)
        answer = _pickled("value", function(*arguments))
    except MailrouterError as error:
        answer = _pickled("raised", error)
    except MemoryError:
        return _pickled("last", "it needs too much memory"), True
    except RecursionError:
        answer = _pickled("failed", "it is nested too deeply")
    except Exception as error:
        answer = _pickled("failed", type(error).__name__)  # its words might be a stranger's
    if len(answer) > limits.MAX_ANSWER:
        answer = _pickled("failed", "its answer is too large")
    return answer, False


def _pickled(kind: str, value: Any) -> bytes:
    return pickle.dumps((kind, value), pickle.HIGHEST_PROTOCOL)


def _send(out: BinaryIO, answer: bytes) -> None:
    out.write(framed(answer))
    out.flush()


def _begin_request() -> None:
    """From here on the clock and the processor's time run out: both signals end the process by themselves."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = math.ceil(used.ru_utime + used.ru_stime) + limits.CPU_SECONDS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (until, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.setitimer(signal.ITIMER_REAL, limits.CALL_SECONDS + 1)


def _end_request() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


def _end_with(parent: int) -> None:
    """Have the kernel end this process if the service is killed; where it can't, standard input ends then."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(0)  # it was killed before we came so far


def _limit() -> None:
    """From here on little can be used up. What isn't allowed (systemd may have shut setrlimit) is passed over."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900")
    with contextlib.suppress(OSError):
        os.nice(5)
    for kind, most in (
        (resource.RLIMIT_AS, limits.MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (most, most))


if __name__ == "__main__":
    main()
