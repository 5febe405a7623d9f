"""The handoff: when it travels, and what its text says."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from mailrouter.routing.handoff import read_sections
from mailrouter.routing.partner.sections import Sections
from mailrouter.routing.wording import CurrentHandoff
from tests.routing.situations import (
    AWAY,
    HANDOFF,
    copy_for,
    mail,
    parsed,
    planned,
    role,
    situation,
    text_of,
)
from tests.support.pace import slowness

ANSWER = "In-Reply-To: <zero@example.test>"


@pytest.mark.parametrize(
    ("setting", "fields", "seen", "there"),
    [
        ("thread", [], 0, True),
        ("thread", [ANSWER], 0, True),
        ("thread", [ANSWER], 7, False),
        ("thread", [ANSWER], 6, True),
        ("always", [ANSWER], 7, True),
        ("new", [], 0, True),
        ("new", [ANSWER], 0, False),
        ("new", ["References: <zero@example.test>"], 0, False),
        ("never", [], 0, False),
    ],
)
def test_when_the_handoff_travels(setting: str, fields: list[str], seen: int, there: bool) -> None:
    """On a conversation's first mail and when it has changed; always; on first mails only; or never."""
    facts = situation(role(handoff=setting), handoff=HANDOFF, handoff_seen=seen)
    found = planned(mail(*fields), facts)
    assert {copy.handoffs for copy in found.copies} == {(7,) if there else ()}
    assert found.shown == ((("vp-hr", 7),) if there else ())
    assert any(
        reason.startswith("the handoff by Laurie, because" if there else "no handoff, because")
        for reason in found.reasons
    )


def test_without_a_handoff_there_is_none() -> None:
    """And the reason says so."""
    assert "no handoff, because there is none yet" in planned(mail(), situation(role())).reasons


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("2026-12-03T16:00", "Laurie, Thursday 3 December at 08:00 (today)\n"),
        ("2026-12-03T07:00", "Laurie, Wednesday 2 December at 23:00 (yesterday)\n"),
        (
            "2026-11-24T18:00",
            "Laurie, Tuesday 24 November at 10:00 (9 days ago)\n\n"
            "This handoff is 9 days old: please check before you rely on it.\n",
        ),
    ],
)
def test_the_lines_above_it_say_whose_it_is_and_how_old(written: str, words: str) -> None:
    """Author, date and age by the role's clocks, and a mark where it is stale."""
    handoff = CurrentHandoff(
        7, "Laurie", datetime.fromisoformat(written).replace(tzinfo=UTC), HANDOFF.body_size
    )
    raw = mail()
    copy = copy_for(planned(raw, situation(role(AWAY), handoff=handoff)), "laurie")
    *_, attached = parsed(copy.pieces, raw).iter_parts()
    assert text_of(attached).startswith("Handoff for VP Human Resources\n" + words + "\nDone:\n")


MARKDOWN = """\
Hi Elaine,

# Done
- budget sent to **Jim**
* [x] interview with Ms Ōe

## To do:
1. call Jürgen
2) Überweisung prüfen

**Watch out**
• the audit

### Other news
the printer is back
"""
PLAIN = """\
DONE: the budget
Left
  call Jim
Open the window before ten.
Watch: the audit
and the printer: it jams
"""
GERMAN = """\
Erledigt:
- Bericht für Frau Groß
Noch offen:
– Überweisung prüfen
Achtung
- Prüfung am Freitag
"""
UNDERLINED = "Done\n----\nbudget\n\nNext steps\n==========\ncall Jim\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Sections()),
        ("just a line", Sections(other=("just a line",))),
        (
            MARKDOWN,
            Sections(
                done=("budget sent to **Jim**", "interview with Ms Ōe"),
                left=("call Jürgen", "Überweisung prüfen"),
                watch=("the audit",),
                other=("Hi Elaine,", "Other news", "the printer is back"),
            ),
        ),
        (
            PLAIN,
            Sections(
                done=("the budget",),
                left=("call Jim", "Open the window before ten."),
                watch=("the audit", "and the printer: it jams"),
            ),
        ),
        (
            GERMAN,
            Sections(
                done=("Bericht für Frau Groß",), left=("Überweisung prüfen",), watch=("Prüfung am Freitag",)
            ),
        ),
        (UNDERLINED, Sections(done=("budget",), left=("call Jim",))),
        ("**Done:** a\n__Left__: b\r\n- Watch: the cat", Sections(done=("a",), left=("b", "Watch: the cat"))),
    ],
)
def test_sections_are_found_as_people_write_them(text: str, expected: Sections) -> None:
    """Markdown, plain headings, German ones; list marks are taken off, and no line is lost."""
    assert read_sections(text) == expected


def test_a_dash_within_a_line_is_no_list_mark() -> None:
    """Only what a line begins with is taken off."""
    assert read_sections("Left:\ncall Jane - urgent\n- a 2. b\n").left == ("call Jane - urgent", "a 2. b")


def test_a_long_line_takes_no_time() -> None:
    """Anybody can write in a partner's name, and is read for the question to the partner."""
    begun = time.process_time()
    read_sections("a" + " " * 190_000 + "b")
    assert time.process_time() - begun < 2 * slowness()
