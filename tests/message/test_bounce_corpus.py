"""Real bounces, out-of-offices and complaints, by the labels of the projects that collected them.

The verdicts are compared with the labels, the sums are printed (``pytest -s``), and the shares below are what
was reached, less a little for the labels' own doubts: some warnings of a delay are labelled by its cause.
"""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict

import pytest

from mailrouter.message.dsn.bounce import MAX_READ, Bounce, read_bounce
from tests.message.real_mail import CORPUS, WHY_SKIPPED, RealMail, real_mails, scan

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CORPUS.is_dir(), reason=WHY_SKIPPED)]

_REASON = re.compile(r"\breason=([a-z]+)")
_NEVER_SENT = {"failed", "delayed"}
WANTED = {
    "bounce": _NEVER_SENT,
    "report/dsn": _NEVER_SENT,
    "auto-reply": {"auto-reply"},
    "feedback-loop": {"feedback"},
    "machine-report": {"other-report"},
}
BY_REASON = {"vacation": {"auto-reply"}, "feedback": {"feedback"}, "delivered": {"delivered"}}
LEAST = {"bounce": 0.99, "report/dsn": 1, "auto-reply": 1, "feedback-loop": 1, "machine-report": 1}


@pytest.fixture(scope="module")
def judged() -> list[tuple[RealMail, str, Bounce | None]]:
    """Every message with the label's reason and our verdict."""
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        rows = csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE)
        reasons = {row["file"]: "".join(_REASON.findall(row["evidence"])[:1]) for row in rows}
    found = []
    for mail in real_mails():
        head, shape = scan(mail.raw)
        verdict = read_bounce(head, shape, mail.raw[:MAX_READ], mail.mail_from or None)
        found.append((mail, reasons[mail.file], verdict))
    return found


def test_labelled_reports_get_the_right_verdict(judged: list[tuple[RealMail, str, Bounce | None]]) -> None:
    """At least 99 in 100 bounces and every other labelled report are told for what they are."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    right: Counter[str] = Counter()
    for mail, reason, bounce in judged:
        if mail.kind not in WANTED:
            continue
        kind = bounce.kind if bounce else "(none)"
        table[mail.kind][kind] += 1
        right[mail.kind] += kind in BY_REASON.get(reason, WANTED[mail.kind])
    for label, kinds in sorted(table.items()):
        said = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common())
        print(f"{label:15} {right[label]:4} of {kinds.total():4} right: {said}")
    assert table.keys() == WANTED.keys()
    for label, kinds in table.items():
        assert right[label] >= LEAST[label] * kinds.total(), label


def test_permanent_failures_are_seldom_called_delays(
    judged: list[tuple[RealMail, str, Bounce | None]],
) -> None:
    """Where the label names a cause other than time or network, 98 in 100 are failures."""
    kinds = [
        bounce.kind if bounce else None
        for mail, reason, bounce in judged
        if mail.kind == "bounce" and reason and reason not in (*BY_REASON, "expired", "networkerror")
    ]
    assert len(kinds) > 450
    assert kinds.count("failed") >= 0.98 * len(kinds)


def test_failures_name_a_status(judged: list[tuple[RealMail, str, Bounce | None]]) -> None:
    """Nine in ten failures say with which code; hardly any says nothing."""
    verdicts = [bounce for mail, _, bounce in judged if mail.kind == "bounce" and bounce]
    failed = [bounce for bounce in verdicts if bounce.kind == "failed"]
    coded = sum(bool(bounce.status) for bounce in failed)
    print(f"of {len(failed)} failures {coded} have a status code")
    assert coded >= 0.9 * len(failed)
    assert sum(bool(bounce.diagnostic) for bounce in failed) >= 0.99 * len(failed)


def test_few_unlabelled_mails_are_called_bounces(judged: list[tuple[RealMail, str, Bounce | None]]) -> None:
    """Of a thousand unlabelled messages at most 25 are called bounces; the collections hold about 15."""
    others = [bounce for mail, _, bounce in judged if not mail.kind]
    assert len(others) > 1_000
    assert sum(bounce is not None and bounce.kind in _NEVER_SENT for bounce in others) <= 25
    assert sum(bounce is None for bounce in others) > 800


def test_human_mail_is_no_report(judged: list[tuple[RealMail, str, Bounce | None]]) -> None:
    """Mail that a person wrote, which a bounce parser's authors keep as counter-examples, is nothing."""
    people = [
        verdict
        for mail, _, verdict in judged
        if mail.kind == "not-bounce" and "bounce" not in mail.mail_from and b"Return-Path: <>" not in mail.raw
    ]
    assert people
    assert people == [None] * len(people)
