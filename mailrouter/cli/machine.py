"""Problems of this machine with the settings: what isn't installed, where nothing can be written, what has no address."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate

from mailrouter.config import Configuration
from mailrouter.config.folder import SETTINGS_FILE
from mailrouter.config.settings import Destination
from mailrouter.errors import Problem
from mailrouter.web import listener

LOOK_UP_SECONDS = 5.0
"""So long a name server may take."""


def machine_problems(configuration: Configuration) -> Iterator[Problem]:
    """Problems and warnings that only a look at the machine tells; a problem keeps ``serve`` from doing its work."""
    settings = configuration.settings
    file = str(configuration.folder / SETTINGS_FILE)
    if settings.web is not None and (lacking := listener.missing()):
        yield Problem(file, 1, 1, *lacking)
    if settings.store.is_dir():
        yield Problem(
            file, 1, 1, f"store: {settings.store} is a folder", "name a file, as in sqlite:var/mailrouter.db"
        )
    for what, path in (("store", settings.store.parent), ("run_folder", settings.run_folder)):
        if (found := _unwritable(path)) is not None:
            hint = "run check as the service's user, as in  runuser -u mailrouter -- mailrouter check"
            yield Problem(file, 1, 1, f"{what}: this user can't write in {found}", hint, warning=True)
    if why := unreachable(settings.deliver):
        yield Problem(file, 1, 1, why, "see whether the name is right; mail waits until then", warning=True)


def _unwritable(path: os.PathLike[str]) -> str | None:
    """The folder for ``path``, if this user can't write there."""
    place = os.path.abspath(path)
    while not os.path.exists(place) and place != os.path.dirname(place):
        place = os.path.dirname(place)
    return None if os.path.isdir(place) and os.access(place, os.W_OK | os.X_OK) else place


def unreachable(deliver: Destination) -> str:
    """The reason why the next server's name leads nowhere, or ``""``; the server itself isn't asked."""
    if not deliver.host:
        return ""
    looking = ThreadPoolExecutor(1)
    try:
        # A thread, for the system's resolver may take half a minute and can't be told to be quicker.
        looking.submit(socket.getaddrinfo, deliver.host, deliver.port).result(LOOK_UP_SECONDS)
    except TooLate:
        return f"deliver: no name server said within {LOOK_UP_SECONDS:.0f} s where {deliver.host} is"
    except OSError as error:
        return f"deliver: {deliver.host} has no address here ({error.strerror or error})"
    finally:
        looking.shutdown(wait=False, cancel_futures=True)
    return ""
