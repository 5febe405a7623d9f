"""The parts of a running service that monitoring looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mailrouter.delivery.dispatch import Dispatcher
from mailrouter.runtime.context import Desk
from mailrouter.smtp.handler import Traffic
from mailrouter.store.protocols import Store


class NextHop(Protocol):
    """The destination of copies; ``trouble`` is what keeps them from it, in words, ``advice`` what there is to do;
    ``refuses``: it answers, and will not mend by itself.
    """

    name: str
    trouble: str
    advice: str
    refuses: bool


class Open(Protocol):
    """The open sessions, with their octets ``held`` in memory."""

    held: int

    def __len__(self) -> int:
        """The number of open sessions."""


@dataclass(frozen=True, slots=True)
class Watched:
    """``desk`` gives the one in force: it is replaced when the configuration is read again."""

    store: Store
    dispatcher: Dispatcher
    next_hop: NextHop
    traffic: Traffic
    sessions: Open
    desk: Callable[[], Desk]
    configuration_errors: Callable[[], int] = lambda: 0
    unreadable: Callable[[], str] = lambda: ""
    """Why the configuration can't be read as a whole, ``""`` where it can."""
