"""The table of schedule cases: plain text files in ``tests/schedule/cases`` that a partner can read.

``== title``, then the lines of a role's file (indented), then one line a moment:

    Thu 2026-12-03 10:00 | who is on | why

A moment is a wall time of the role's zone, ``… again`` the second of two that are the same, ``…Z`` UTC. After a change
of words, ``python -m tests.schedule.cases`` writes the reasons anew (never who is on): read them before they are kept.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from mailrouter.config.configuration import Configuration
from mailrouter.config.folder import files_of
from mailrouter.config.loading import configuration_of
from mailrouter.schedule.date_words import called, joined
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Role
from tests.schedule.roles import at

FOLDER = Path(__file__).parent / "cases"
BASE = (FOLDER / "base.yaml").read_text(encoding="utf-8")
_PART = re.compile(r"^\w+:.*?(?=^\w|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^(?:(\w{3}) )?(\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?:Z| again)?) \| ([^|]+?) \|(?: (.*))?$")


@dataclass(frozen=True)
class Case:
    """One row: the role's file, the moment, who is on and why; ``place`` says where it stands."""

    place: str
    title: str
    yaml: str
    weekday: str | None
    moment: str
    who: str
    why: str


def cases() -> list[Case]:
    """All rows of all files."""
    return [case for path in sorted(FOLDER.glob("*.txt")) for case in _of(path)]


def _of(path: Path) -> Iterator[Case]:
    title, yaml, rows = "", "", False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("== "):
            title, yaml, rows = line[3:], "", False
        elif line.startswith("    ") and not rows:
            yaml += line + "\n"
        elif row := _ROW.match(line):
            rows = True
            weekday, moment, who, why = row.groups()
            yield Case(
                f"{path.name}:{number}",
                title,
                with_parts(textwrap.dedent(yaml)),
                weekday,
                moment,
                who,
                why or "",
            )
        elif line.strip() and title:
            raise ValueError(f"{path.name}:{number}: {line}")


def with_parts(parts: str) -> str:
    """The base file with these parts in place of those of the same first word, or at the end."""
    text = BASE
    for part in _PART.findall(parts):
        word = part.partition(":")[0]
        old = next((old for old in _PART.findall(text) if old.startswith(f"{word}:")), None)
        text = text.replace(old, part) if old else text + part
    return text


@lru_cache(maxsize=512)
def role_of_text(text: str) -> Role:
    """The role that the loader makes of a file."""
    files = files_of("", "vp-hr", text)
    configuration: Configuration = configuration_of(Path("config"), files, lambda: "mx.example.test")
    (role,) = configuration.roles
    return role


def found(case: Case) -> tuple[str, str]:
    """Who is on at the moment of a case, and why, by the program."""
    role = role_of_text(case.yaml)
    roster, moment = Roster(role), at(role, case.moment)
    (span,) = roster.timeline(moment, moment + timedelta(seconds=1))
    names = called(role)
    on = roster.duty(moment).on
    assert tuple(person.key for person in on) == span.on
    return joined(names[key] for key in span.on) or "nobody", span.why


def weekday_of(case: Case) -> str:
    """``Thu`` for the date that stands in the row."""
    return f"{datetime.fromisoformat(case.moment[:10]):%a}"


if __name__ == "__main__":
    for path in FOLDER.glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for case in _of(path):
            number = int(case.place.rpartition(":")[2]) - 1
            head = lines[number].split(" | ")[0]
            lines[number] = f"{head} | {case.who} | {found(case)[1]}"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
