"""Errors that mailrouter raises on purpose.

MailrouterError
├── ConfigurationError    the configuration has problems; carries all of them
├── UsageError            a command was used wrongly
├── StoreError            the store can't be used
│   ├── StoreBusy         another process holds the store
│   ├── StoreFull         no room left on the store's disk
│   └── StoreChanged      a message is not any more as it was read
├── CalendarError         a partner's calendar can't be read
└── NoSuchRole            a name or address that is no role here
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


class MailrouterError(Exception):
    """The root: its text is a whole sentence for the person who reads it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a configuration file, with its place. Line and column count from 1."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    source_line: str = ""
    warning: bool = False

    def __str__(self) -> str:
        """``file:line:column: what is wrong; what was probably meant``."""
        place = f"{self.file}:{self.line}:{self.column}: "
        return (
            place
            + ("warning: " if self.warning else "")
            + self.what
            + (f"; {self.hint}" if self.hint else "")
        )

    def discreet(self) -> Problem:
        """For logs, and for whoever is no partner: without the line, and without words of one that holds a note."""
        if "note" not in self.source_line.casefold():
            return replace(self, source_line="")
        hint = "it may hold a note, which is for the partners, so it isn't shown here; `mailrouter check` shows it"
        return replace(self, what="something in this line is wrong", hint=hint, source_line="")


class ConfigurationError(MailrouterError):
    """The configuration can't be used; ``problems`` holds everything found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    def __reduce__(self) -> tuple[type[ConfigurationError], tuple[tuple[Problem, ...]]]:
        return type(self), (self.problems,)  # pickled with what it was made of, and not with its words

    def discreet(self) -> ConfigurationError:
        """The problems as a log may have them (see ``Problem.discreet``)."""
        return ConfigurationError([problem.discreet() for problem in self.problems])


class UsageError(MailrouterError):
    """A command was used wrongly (exit code 2)."""


class NoSuchRole(MailrouterError):
    """A role was named that is not configured."""


class StoreError(MailrouterError):
    """The store can't be used as it is."""


class StoreBusy(StoreError):
    """Another process holds the store's lock."""


class StoreFull(StoreError):
    """The disk or quota under the store is full; the same call may work later."""


class StoreChanged(StoreError):
    """The stored message has new deliveries, so nothing was written.

    What was to be written was worked out without them.
    """


class CalendarError(MailrouterError):
    """A calendar can't be read; its text goes on from "the calendar can't be read: …"."""
