"""The shared corpus of real mail, where it is there: ``../shared/corpus`` beside the checkout."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "corpus"
WHY_ABSENT = "the corpus of real mail is not there (../shared/corpus beside the checkout)"

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True)
class CorpusMail:
    """One message: its bytes with every line end made CRLF, and what is known of it."""

    file: str
    kind: str
    raw: bytes
    mail_from: str | None
    must_stay_unanswered: bool
    tags: frozenset[str]


def available() -> bool:
    """Whether the corpus lies beside the checkout."""
    return (FOLDER / "manifest.tsv").exists()


def mails() -> list[CorpusMail]:
    """All of it. Line ends: CRLF, a lone CR and a lone LF each become one CRLF, since SMTP carries nothing else.

    ``mail_from`` is None where the corpus does not know it, ``""`` for the null reverse-path.
    """
    found = []
    with (FOLDER / "manifest.tsv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows, delimiter="\t"):
            sender = row["mail_from"].strip()
            found.append(
                CorpusMail(
                    row["file"],
                    row["class"],
                    _LINE_END.sub(b"\r\n", (FOLDER / row["file"]).read_bytes()),
                    None if not sender else "" if sender == "<>" else sender,
                    row["gate"] == "yes" and row["expected_auto_reply"] == "no-reply",
                    frozenset(row["tags"].split(",")),
                )
            )
    return found
