"""The corpus of real messages beside the repository, and how the tests bring it to CRLF line ends."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mailrouter.message.head import Head
from mailrouter.message.scanner import Scanner
from mailrouter.message.shape import Shape

CORPUS = Path(__file__).resolve().parents[2].parent / "shared" / "corpus"
WHY_SKIPPED = "the corpus of real mail (../shared/corpus) is not there"


@dataclass(frozen=True)
class RealMail:
    """One message of the corpus, its line ends made CRLF, and what its source says of it."""

    file: str
    raw: bytes
    mail_from: str
    gate: str
    expected: str
    kind: str
    tags: frozenset[str]


def to_crlf(stored: bytes) -> bytes:
    """A CRLF, a lone CR and a lone LF each count as one line end; all become CRLF, as SMTP needs them."""
    return stored.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def real_mails() -> Iterator[RealMail]:
    """Every message of the manifest."""
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        for row in csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE):
            yield RealMail(
                file=row["file"],
                raw=to_crlf((CORPUS / row["file"]).read_bytes()),
                mail_from=row["mail_from"],
                gate=row["gate"],
                expected=row["expected_auto_reply"],
                kind=row["class"],
                tags=frozenset(row["tags"].split(",")),
            )


def scan(raw: bytes, block: int = 65_536) -> tuple[Head, Shape]:
    """A message read as the door reads it."""
    scanner = Scanner()
    for at in range(0, len(raw), block):
        scanner.feed(raw[at : at + block])
    shape = scanner.finish()
    return scanner.head, shape
