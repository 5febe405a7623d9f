"""Who is in: in one line, four weeks at a glance, a table for a narrow screen, and a month as a picture."""

# ruff: noqa: E501 (a row of a table stays one line)
from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailrouter import config
from mailrouter.cli.tables import as_table, at_a_glance
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Person, Role, Rota
from mailrouter.schedule.timeline import day_range, timeline
from mailrouter.schedule.views.grid import days
from mailrouter.schedule.views.one_line import briefly
from mailrouter.schedule.views.svg import month_picture
from tests.schedule.roles import at, role_of, week_of

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"

BRIEFLY = """
                                            | 2026-12-02 10:00 | Laurie is in until 13:00; Elaine from 12:00.
                                            | 2026-12-02 12:30 | Laurie is in until 13:00; Elaine is in until 17:00.
                                            | 2026-12-02 18:00 | Nobody is in; Elaine from tomorrow 09:00.
                                            | 2026-12-05 10:00 | Nobody is in; Laurie from Monday 7 December 09:00.
rota tue laurie, tue elaine                 | 2026-12-01 10:00 | Laurie and Elaine are in until 17:00.
rota tue laurie 22:00-06:00                 | 2026-12-01 23:00 | Laurie is in until tomorrow 06:00.
rota tue laurie 09:00-24:00                 | 2026-12-01 23:00 | Laurie is in until 24:00.
away elaine 2026-12-21..2027-01-01 cover laurie | 2026-12-24 10:00 | Laurie is in until 17:00. Back: Elaine on Wednesday 6 January at 12:00 (Laurie covers).
away elaine 2026-12-10..2026-12-10          | 2026-12-10 10:00 | Nobody is in; Elaine from tomorrow 09:00.
away elaine 2026-12-10 12:00..2026-12-10 14:00 | 2026-12-10 13:00 | Nobody is in; Elaine from 14:00.
holidays US                                 | 2026-12-25 10:00 | Nobody is in; Laurie from Monday 28 December 09:00. Back: Elaine on Wednesday 30 December at 12:00.
"""


@pytest.mark.parametrize("row", BRIEFLY.strip("\n").splitlines())
def test_one_line_says_it_all(row: str) -> None:
    """Who is in until when, who comes next, and when somebody away is back, each said once."""
    wrote, moment, said = (cell.strip() for cell in row.split("|"))
    role = role_of(wrote)
    assert briefly(Roster(role), at(role, moment)) == said


GLANCE = """\
        Mon       Tue       Wed       Thu       Fri       Sat       Sun
30 Nov  Laurie    Laurie    Lau+Ela   Laurie*   Elaine    ·         ·
7 Dec   Laurie    Elaine*   Lau+Ela   Elaine    Elaine    ·         ·
14 Dec  Laurie    Laurie    Lau+Ela   NOBODY*   NOBODY*   ·         ·
21 Dec  Laurie    Laurie    Lau+Ela   Elaine    ·*        ·         ·
+ together, * not as the rota has it"""

NARROW = """\
        Mon Tue Wed Thu Fri Sat Sun
30 Nov  Lau Lau L+E L*  Ela ·   ·
7 Dec   Lau E*  L+E Ela Ela ·   ·
14 Dec  Lau Lau L+E !*  !*  ·   ·
21 Dec  Lau Lau L+E Ela ·*  ·   ·
L Laurie, E Elaine, + together, ! nobody
on a working day, * not as the rota has
it"""


def four_weeks() -> tuple[Role, list[object]]:
    role = role_of("holidays US; swap 2026-12-03 laurie for 2026-12-08; away elaine 2026-12-17..2026-12-18")
    return role, list(days(role, date(2026, 11, 30), date(2026, 12, 27)))


@pytest.mark.parametrize(("width", "shown"), [(80, GLANCE), (40, NARROW)])
def test_four_weeks_at_a_glance(width: int, shown: str) -> None:
    """A line a week, within 80 columns and within 40; letters and signs are explained below."""
    role, found = four_weeks()
    table = at_a_glance(found, role, width)  # type: ignore[arg-type]
    assert table == shown
    assert max(map(len, table.splitlines())) <= width


ANN, BOB, POE = (
    Person(name[0], name, f"{name[:2]}@example.test") for name in ("Ann Lee", "Bob Lee", "Ann Poe")
)


@pytest.mark.parametrize(("width", "cells"), [(80, "Bob AL+BL+AP AL+AP"), (40, "Bob 3 2")])
def test_no_name_is_cut_into_anothers(width: int, cells: str) -> None:
    """Two of one first name go by their initials; where there is no room for all, it is said how many are in."""
    ann, poe = replace(ANN, key="a"), replace(POE, key="c")
    role = replace(
        role_of("rota tue laurie"),
        partners=(ann, replace(BOB, key="b"), poe),
        rota=Rota((week_of("tue b, wed a, wed b, wed c, thu a, thu c"),)),
    )
    table = at_a_glance(days(role, date(2026, 11, 30), date(2026, 12, 6)), role, width)
    assert cells.split() == table.splitlines()[1].split()[3:6]
    assert "AP Ann Poe" in table or "3 so many are in" in table


def test_colour_adds_nothing_but_colour() -> None:
    """Without its codes the painted table is the plain one."""
    role, found = four_weeks()
    spans = timeline(role, *day_range(role, date(2026, 12, 14), date(2026, 12, 20)))
    for plain, painted in (
        (at_a_glance(found, role), at_a_glance(found, role, colour=True)),  # type: ignore[arg-type]
        (as_table(spans, role), as_table(spans, role, colour=True)),
    ):
        assert painted != plain
        assert re.sub(r"\x1b\[[0-9]+m", "", painted) == plain


def test_a_narrow_table_has_the_reason_below() -> None:
    """At 40 columns each day has a line of its own, and ``by the rota`` goes without saying."""
    role = role_of("away elaine 2026-12-10..2026-12-11 cover laurie")
    spans = timeline(role, *day_range(role, date(2026, 12, 9), date(2026, 12, 10)))
    table = as_table(spans, role, 40)
    assert table == (
        "Wed 9 Dec\n  09:00–12:00  Laurie\n  12:00–13:00  Laurie and Elaine\n  13:00–17:00  Elaine\n"
        "Thu 10 Dec\n  09:00–17:00  Laurie\n    Elaine is away until Friday 11\n    December; Laurie covers"
    )
    assert max(map(len, table.splitlines())) <= 40


def test_a_picture_can_be_read_without_being_seen() -> None:
    """It is XML with a title, a description and a line of words for each day, and names no other file."""
    role = role_of("holidays US; swap 2026-12-03 laurie for 2026-12-08; away elaine 2026-12-17..2026-12-18")
    made = month_picture(role, date(2026, 12, 9))
    picture = ET.fromstring(made)
    assert picture.get("role") == "img"
    assert picture.get("aria-labelledby") == "title about"
    assert picture.findtext(f"{SVG}title") == "VP Human Resources, December 2026: who is in"
    told = [title.text or "" for title in picture.iterfind(f".//{SVG}g/{SVG}title")]
    assert len(told) == 31
    assert told[1] == "Wednesday 2 December: Laurie 09:00–13:00, Elaine 12:00–17:00"
    assert told[2] == "Thursday 3 December: Laurie 09:00–17:00 (swap: Laurie instead of Elaine)"
    assert told[16] == "Thursday 17 December: nobody (Elaine is away until Friday 18 December)"
    assert told[24] == "Friday 25 December: nobody (holiday: Christmas Day)"
    about = picture.findtext(f"{SVG}desc") or ""
    assert set(about.splitlines()) <= set(told)
    assert not re.search(r"href|url\(|<script|<image", made)
    assert "prefers-color-scheme: dark" in made


def test_a_picture_says_in_letters_what_it_says_in_colour() -> None:
    """Each bar has the person's name in it, or a letter of it, and a working day without anybody says so."""
    role = role_of("away elaine 2026-12-17..2026-12-18")
    picture = ET.fromstring(month_picture(role, date(2026, 12, 1)))
    bars = [group for group in picture.iter(f"{SVG}g") if group.get("class") == "bar"]
    assert len(bars) > 20
    assert {bar.findtext(f"{SVG}text") for bar in bars} == {"Laurie", "Elaine"}
    assert [text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "alarm"] == [
        "nobody",
        "nobody",
    ]


def test_names_of_people_are_text_in_a_picture() -> None:
    """A name can't become markup."""
    role = role_of()
    odd = ET.fromstring(month_picture(Role(**{**_fields(role), "name": '<b>&"HR"</b>'}), date(2026, 12, 1)))
    assert (odd.findtext(f"{SVG}title") or "").startswith('<b>&"HR"</b>, December')


def _fields(role: Role) -> dict[str, Any]:
    return {name: getattr(role, name) for name in Role.__dataclass_fields__}


def test_the_picture_in_the_readme_is_of_the_example() -> None:
    """``docs/schedule.svg`` is what `mailrouter schedule vp-hr --month 2026-12 --svg docs/schedule.svg` writes."""
    (role,) = config.load(ROOT / "config").roles
    assert (ROOT / "docs" / "schedule.svg").read_text(encoding="utf-8") == month_picture(
        role, date(2026, 12, 1)
    )
    assert "docs/schedule.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
