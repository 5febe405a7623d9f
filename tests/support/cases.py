"""The shared small cases from public bug reports, where they are there: ``../shared/cases/mail`` beside the checkout."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "cases" / "mail"
WHY_ABSENT = "the cases from bug reports are not there (../shared/cases beside the checkout)"


@dataclass(frozen=True)
class Case:
    """One input and what is right of it, in words."""

    file: str
    expected: str

    @property
    def number(self) -> str:
        """The number that its name begins with."""
        return self.file.partition("-")[0]

    @property
    def raw(self) -> bytes:
        """Its octets; of a mail every line end is CRLF."""
        found = (FOLDER / "inputs" / self.file).read_bytes()
        return re.sub(rb"\r\n|\n", b"\r\n", found) if self.file.endswith(".eml") else found


def cases() -> list[Case]:
    """All of them, none where they are absent."""
    if not (FOLDER / "expected.tsv").exists():
        return []
    with (FOLDER / "expected.tsv").open(encoding="utf-8", newline="") as rows:
        return [Case(row["file"], row["expected"]) for row in csv.DictReader(rows, delimiter="\t")]
