"""The requests that can be made of a schedule, however worded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from mailrouter.schedule.language.spans import Said
from mailrouter.schedule.model import Minute

Hours = tuple[Minute, Minute]
"""A part of a day, in minutes of it."""


@dataclass(frozen=True, slots=True)
class Off:
    """``who`` (a partner's key) is away for these stretches; ``cover`` is a partner's key or None."""

    who: str
    spans: tuple[Said, ...]
    cover: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Swapping:
    """``who`` and ``other`` change places on ``day``.

    On ``back``, if it is said, the other way round; in these hours of each.
    """

    who: str
    other: str
    day: date
    back: date | None = None
    hours: Hours | None = None
    back_hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Back:
    """``who`` is back from ``day``, at ``minute`` or from its beginning."""

    who: str
    day: date
    minute: int | None = None


@dataclass(frozen=True, slots=True)
class Cancel:
    """An entry of the schedule is to go.

    It stands for exactly these stretches, or is the only one that there is; ``what`` says which, if it is said.
    """

    who: str
    spans: tuple[Said, ...]
    what: Literal["absence", "swap", ""] = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A request without anything to say about it."""

    what: Literal["undo", "send file", "week", "help"]


@dataclass(frozen=True, slots=True)
class Works:
    """``who`` works on ``day`` instead of everyone there, whoever that is; see ``model.Swap``. With ``instead`` (a
    partner's key) only if that is who would be there."""

    who: str
    day: date
    back: date | None = None
    hours: Hours | None = None
    instead: str | None = None


Request = Off | Swapping | Back | Cancel | Works | Plain
