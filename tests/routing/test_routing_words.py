"""What partners and senders read, word for word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.routing.people import people_facts
from mailrouter.routing.wording import Wording, age_words, tidy
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Role
from tests.routing.situations import (
    AWAY,
    BOTH_AWAY,
    EMERGENCY,
    STAND_IN,
    mail,
    planned,
    role,
    situation,
    templates,
)
from tests.schedule.roles import at
from tests.support.examples import examples

NOTES = [
    (AWAY, "2026-12-03 10:00", "Elaine is away until Friday 1 January and is back on Wednesday 6 January."
     "\nLaurie covers.\n\nLaurie is in now."),
    ("away elaine 2026-12-03", "2026-12-02 10:00", "Laurie is in now."),
    ("away laurie 2026-12-03",
     "2026-12-03 10:00",
     "Laurie is away today and is back on Monday 7 December.\n\n"
     "Elaine is in now."),
    ("away laurie 2026-11-30..2026-12-03", "2026-12-03 10:00",
     "Laurie is away today and is back on Monday 7 December.\n\nElaine is in now."),
    (BOTH_AWAY, "2026-12-03 10:00", "Laurie is away until Sunday 3 January and is back on Monday 4 January.\n"
     "Elaine is away until Friday 1 January and is back on Wednesday 6 January.\n\n"
     "Nobody is in right now. Laurie is next, on Monday 4 January at 09:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("weeks 2026-11-30 mon laurie, mon elaine; away elaine 2026-12-03; away laurie 2026-12-03",
     "2026-12-03 10:00",
     "Laurie and Elaine are away today and are back on Monday 7 December.\n\n"
     "Nobody is in right now. Laurie and Elaine are next, on Monday 7 December at\n09:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("away elaine 2026-12-01..2027-01-01 cover pat", "2026-12-03 10:00",
     "Elaine is away until Friday 1 January and is back on Wednesday 6 January.\nPat covers.\n\n"
     "Pat is in now."),
    ("away elaine 2026-12-03 13:00..2026-12-03 15:00", "2026-12-03 14:00",
     "Elaine is away today until 15:00.\n\n"
     "Nobody is in right now. Elaine is next, today at 15:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("away elaine 2026-12-03 13:00..2026-12-04 12:00", "2026-12-03 14:00",
     "Elaine is away until Friday 4 December at 12:00.\n\n"
     "Nobody is in right now. Elaine is next, on Friday 4 December at 12:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("rota mon laurie; away elaine 2026-11-30..2026-12-04", "2026-11-30 10:00",
     "Elaine is away until Friday 4 December.\n\nLaurie is in now."),
    ("rota mon elaine; away elaine 2026-11-30..2029-12-31", "2026-11-30 10:00",
     "Elaine is away until Monday 31 December 2029 and is back on Monday 7 January\n2030.\n\n"
     "Nobody is in right now.\nIf it can't wait: HR duty line, +1 650 555 0100."),
    ("holidays elaine DE BY", "2026-12-25 10:00",
     "Elaine is away today and is back on Wednesday 30 December.\n\n"
     "Nobody is in right now. Laurie is next, on Monday 28 December at 09:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("", "2026-12-02 12:30", "Laurie and Elaine are in now."),
    ("", "2026-12-02 20:30", "Nobody is in right now. Elaine is next, on Thursday 3 December at 09:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
    ("", "2026-12-03 07:30", "Nobody is in right now. Elaine is next, today at 09:00.\n"
     "If it can't wait: HR duty line, +1 650 555 0100."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "when", "expected"), NOTES)
def test_the_note_says_who_is_away_and_who_is_in(text: str, when: str, expected: str) -> None:
    """Names and dates, right in number, in short lines."""
    of = role(text, note="always", emergency=EMERGENCY)
    note = planned(mail(), situation(of, when)).copies[0].note
    first, blank, rest = note.split("\n", 2)
    assert first.startswith("VP Human Resources, ")
    assert (blank, rest) == ("", expected + "\n")


def test_a_note_never_tells_why() -> None:
    """An absence's own note stays in the file."""
    of = role(AWAY)
    of = replace(of, absences=tuple(replace(absence, note="skiing") for absence in of.absences))
    found = planned(mail(), situation(of))
    assert "skiing" not in repr(found)


@pytest.mark.parametrize(
    ("setting", "text", "there"),
    [("absence", AWAY, True), ("absence", "", False), ("always", "", True), ("never", AWAY, False)],
)
def test_when_copies_carry_a_note(setting: str, text: str, there: bool) -> None:
    """While somebody is away, always, or never."""
    found = planned(mail(), situation(role(text, note=setting)))
    assert bool(found.copies[0].note) == there
    assert any("note" in reason for reason in found.reasons)


def test_the_emergency_contact_stays_inside_where_somebody_outside_reads_along() -> None:
    """A note can be quoted to everybody in the thread, so it tells what the least of them may know."""
    of = role(BOTH_AWAY, emergency=EMERGENCY)
    for cc, there in (("bob@example.test", True), ("ann@outside.test", False)):
        note = planned(mail(f"Cc: {cc}"), situation(of)).copies[0].note
        assert ("HR duty line" in note) == there


ABSENCES = (
    *(AWAY, BOTH_AWAY, "away laurie 2026-12-03", "holidays US CA"),
    "away elaine 2026-12-02 13:00..2026-12-03 12:00 cover pat",
)


def _texts(of: Role, when: str) -> list[str]:
    duty, wording = Roster(of).duty(at(of, when)), Wording(templates())
    return [make(of, duty, inside) for make in (wording.note, wording.reply) for inside in (True, False)]


@settings(max_examples=examples(60))
@given(
    st.lists(
        st.sampled_from(ABSENCES),
        max_size=2,
        unique=True,
    ),
    st.sampled_from(["2026-12-02 12:30", "2026-12-03 10:00", "2026-12-25 11:00", "2027-01-02 09:00"]),
)
def test_every_text_is_tidy(clauses: list[str], when: str) -> None:
    """Short lines, no trailing blanks, no double blank lines, one line end last, whoever is away."""
    for text in _texts(role("; ".join(clauses), emergency=EMERGENCY), when):
        lines = text.split("\n")
        assert all(len(line) <= 76 and line == line.rstrip() for line in lines)
        assert "\n\n\n" not in text
        assert text.endswith("\n")
        assert text == text.lstrip()
        assert "  " not in text


def test_outsiders_facts_hold_no_names() -> None:
    """No template, shipped or a deployment's own, could tell what it is not told."""
    of = role(STAND_IN)
    duty = Roster(of).duty(at(of, "2026-12-03 10:00"))
    said = repr(people_facts(of, duty, inside=False, names=False))
    assert not any(name in said for name in ("Laurie", "Elaine", "Pat", "laurie", "elaine", "pat@"))


def test_texts_are_made_once_and_anew_when_their_facts_change() -> None:
    """The same stretch of the schedule gives the same text object; another day or role's another."""
    of, wording = role(AWAY), Wording(templates())
    roster = Roster(of)
    first = wording.note(of, roster.duty(at(of, "2026-12-03 10:00")), True)
    assert wording.note(of, roster.duty(at(of, "2026-12-03 10:30")), True) is first
    assert wording.note(of, roster.duty(at(of, "2026-12-04 10:00")), True) != first
    assert wording.note(of, roster.duty(at(of, "2026-12-03 10:00")), True) == first
    changed = replace(of, name="HR")
    assert wording.note(changed, roster.duty(at(of, "2026-12-03 10:00")), True).startswith("HR,")


def test_long_lines_of_a_template_are_folded() -> None:
    """A deployment's own template may run on."""
    text = tidy("one\n\n\n\n   \ntwo   \n  " + "word " * 40 + "\n" + "x" * 90)
    assert text.startswith("one\n\ntwo\n  word")
    assert max(map(len, text.split("\n")[:-2])) <= 76
    assert text.endswith("\n" + "x" * 90 + "\n")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2026-12-04", "today"),
        ("2026-12-03", "today"),
        ("2026-12-02", "yesterday"),
        ("2026-11-26", "7 days ago"),
    ],
)
def test_a_handoffs_age_in_words(written: str, words: str) -> None:
    """Today, yesterday, or so many days ago."""
    assert age_words(date.fromisoformat(written), date(2026, 12, 3)) == words
