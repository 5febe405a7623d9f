"""The line about a mailbox that mail has not been reaching: on whose copies, and where not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.routing.situations import AWAY, STAND_IN, copy_for, mail, parsed, planned, role, situation, text_of

SINCE = (("elaine", datetime(2026, 11, 24, 12, tzinfo=UTC)),)
LINE = "Mail to Elaine's mailbox has not been arriving since Tuesday 24 November;\nplease tell Elaine.\n"


def test_the_other_partner_reads_it_and_she_does_not() -> None:
    """A note of its own where nobody is away; Elaine's own copy stays as it came."""
    raw = mail()
    found = planned(raw, situation(role(copy_inside="hidden"), unreached=SINCE))
    laurie, elaine = copy_for(found, "laurie"), copy_for(found, "elaine")
    assert laurie.wrapped
    _, note = parsed(laurie.pieces, raw).iter_parts()
    assert text_of(note) == LINE
    assert not elaine.note
    assert not elaine.wrapped
    assert "the others read that Elaine's mailbox has been failing" in found.reasons


def test_it_stands_below_the_note_of_an_absence() -> None:
    """One part that says both."""
    raw = mail()
    found = planned(raw, situation(role(AWAY), unreached=SINCE))
    laurie, elaine = copy_for(found, "laurie"), copy_for(found, "elaine")
    assert laurie.note == elaine.note + "\n" + LINE
    assert "Elaine is away" in elaine.note


def test_on_the_twenty_fourth_of_another_year() -> None:
    """The year is said where it is not this one."""
    since = (("elaine", datetime(2025, 11, 24, 12, tzinfo=UTC)),)
    found = planned(mail(), situation(role(), unreached=since))
    assert "since Monday 24 November 2025; please" in " ".join(copy_for(found, "laurie").note.split())


@pytest.mark.parametrize(
    ("raw", "changes", "sender"),
    [
        (mail(), {"note": "never"}, "jane@example.test"),
        (mail(), {"forwarding": "untouched"}, "jane@example.test"),
        (mail("List-Id: <x.example.test>"), {}, "jane@example.test"),
        (mail(), {}, "laurie@example.test"),
    ],
)
def test_where_no_note_may_be_there_is_none(raw: bytes, changes: dict[str, str], sender: str) -> None:
    """Quiet mail, a partner's own mail, roles that want no notes."""
    found = planned(raw, situation(role(**changes), sender=sender, unreached=SINCE))
    assert not any("arriving" in copy.note for copy in found.copies)


def test_a_stand_in_does_not_hear_of_it() -> None:
    """Partners' mailboxes are partners' business."""
    since = (("laurie", SINCE[0][1]),)
    found = planned(mail(), situation(role(STAND_IN), unreached=since))
    assert "arriving" in copy_for(found, "elaine").note
    assert "arriving" not in copy_for(found, "pat").note
