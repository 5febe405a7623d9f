"""The queue as people see it and change it: which deliveries are meant, what they come to, and what is done to them.

A delivery is in the queue while it is queued, on hold, or has failed and nobody has dropped it. What came back is asked
for by its state, and can be sent again while its content is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from mailrouter.store.events import What
from mailrouter.store.ids import DeliveryId, MessageId, Milliseconds
from mailrouter.store.model import State

OPEN: tuple[State, ...] = ("queued", "held", "failed")
BACK: tuple[State, ...] = (*OPEN, "bounced")
"""What can be sent, at once or once more: of what came back, that of which the content is kept."""
Action = Literal["retry", "hold", "release", "drop"]
ACTIONS: tuple[Action, ...] = get_args(Action)
DONE: dict[Action, What] = {"hold": "held", "release": "released", "retry": "retried", "drop": "dropped"}
STEP = 200
"""Deliveries changed in one transaction: a few milliseconds."""
NewPath = Callable[[Sequence[str], DeliveryId], str]
"""Gives the return path of a new copy: the keys of its roles, its id; ``""`` where none of them is a role any more."""


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection of queued deliveries: all that fit every word said here.

    Addresses are compared without regard to case. Times are exclusive; ``until`` is the newest message meant.
    """

    messages: tuple[MessageId, ...] = ()
    role: str = ""
    recipient: str = ""
    sender: str = ""
    states: tuple[State, ...] = OPEN
    received_before: Milliseconds | None = None
    received_after: Milliseconds | None = None
    due_before: Milliseconds | None = None
    due_after: Milliseconds | None = None
    until: MessageId | None = None

    def __post_init__(self) -> None:
        if not self.states or not set(self.states) <= set(BACK):
            raise ValueError(f"states are some of {', '.join(BACK)}")

    @property
    def narrow(self) -> bool:
        """Whether anything but the state is said."""
        return replace(self, states=OPEN, until=None) != Selection()

    def data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Selection:
        """From ``data``. Raises ValueError, TypeError for what is none."""
        if not isinstance(data, dict):
            raise TypeError("a selection is an object")
        unknown = set(data) - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"a selection has no {', '.join(sorted(unknown))}")
        known = dict(data)
        for name in ("messages", "states"):
            if name in known:
                known[name] = tuple(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Summary:
    """The amount of what is queued: messages, deliveries by state, when the oldest came in, deliveries by recipient."""

    messages: int
    by_state: dict[State, int]
    oldest: Milliseconds | None
    by_recipient: list[tuple[str, int]]

    @property
    def deliveries(self) -> int:
        """Of all states."""
        return sum(self.by_state.values())
