"""Single changes of a role's schedule, and the role with them made. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from mailrouter.schedule.model import Absence, Role, Swap


@dataclass(frozen=True, slots=True)
class AddAbsence:
    """A new absence, last in the list."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class DropAbsence:
    """An absence that goes."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class EndAbsence:
    """An absence that ends at ``end`` (a wall time, not included)."""

    absence: Absence
    end: datetime


@dataclass(frozen=True, slots=True)
class AddSwap:
    """A new swap, last in the list."""

    swap: Swap


@dataclass(frozen=True, slots=True)
class DropSwap:
    """A swap that goes."""

    swap: Swap


Edit = AddAbsence | DropAbsence | EndAbsence | AddSwap | DropSwap


def changed(role: Role, edits: Sequence[Edit]) -> Role:
    """The role with these edits made."""
    absences, swaps = list(role.absences), list(role.swaps)
    for edit in edits:
        match edit:
            case AddAbsence(absence):
                absences.append(absence)
            case DropAbsence(absence):
                absences.remove(absence)
            case EndAbsence(absence, end):
                whole = absence.whole_days and end.time() == time.min
                absences[absences.index(absence)] = replace(absence, end=end, whole_days=whole)
            case AddSwap(swap):
                swaps.append(swap)
            case DropSwap(swap):
                swaps.remove(swap)
    return replace(role, absences=tuple(absences), swaps=tuple(swaps))


def same_schedule(one: Role, other: Role) -> bool:
    """Whether two roles are the same but for how an absence's days were written."""
    return _plain(one) == _plain(other)


def _plain(role: Role) -> Role:
    return replace(role, absences=tuple(replace(a, whole_days=True) for a in role.absences))
