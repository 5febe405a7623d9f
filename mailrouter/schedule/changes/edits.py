"""Single changes of a role's schedule, and the role with them made. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time

from mailrouter.schedule.model import Absence, Role, Swap
from mailrouter.schedule.nights import Nights


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
    """An absence that ends at ``end`` (a wall time, not included). ``by_day``: a midnight is the beginning of a day."""

    absence: Absence
    end: datetime
    by_day: bool = True

    @property
    def ended(self) -> Absence:
        """The absence as it is then."""
        return replace(self.absence, end=self.end, until_day=self.by_day and self.end.time() == time.min)


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
            case EndAbsence(absence):
                absences[absences.index(absence)] = edit.ended
            case AddSwap(swap):
                swaps.append(swap)
            case DropSwap(swap):
                swaps.remove(swap)
    return replace(role, absences=tuple(absences), swaps=tuple(swaps))


def same_schedule(one: Role, other: Role) -> bool:
    """Whether two roles differ at most in how absences are written.

    In a role that works by day, a day's beginning is its midnight.
    """
    return _plain(one) == _plain(other)


def _plain(role: Role) -> Role:
    if Nights(role).any:
        return role
    return replace(role, absences=tuple(replace(a, from_day=True, until_day=True) for a in role.absences))
