"""What the command line shows of a schedule, and what ``check`` finds odd in it."""
# ruff: noqa: E501 (a row of a table stays one line)

from __future__ import annotations

from datetime import date

import pytest

from mailrouter.cli.duty.schedule import as_json
from mailrouter.cli.tables import as_table
from mailrouter.schedule.check.warnings import warnings
from mailrouter.schedule.timeline import day_range, timeline
from tests.schedule.roles import at, role_of


def test_a_range_of_days_includes_its_last_day() -> None:
    """``--from D --to D`` is the one whole day D of the role's zone, 25 hours when the clocks go back."""
    start, end = day_range(role_of(), date(2026, 11, 1), date(2026, 11, 1))
    assert (end - start).total_seconds() == 25 * 3600
    assert start == at(role_of(), "2026-11-01 00:00")


def test_a_range_that_ends_before_it_begins_is_refused() -> None:
    """The days were probably written in the wrong order."""
    with pytest.raises(ValueError, match="2026-12-02, lies before the first, 2026-12-03"):
        day_range(role_of(), date(2026, 12, 3), date(2026, 12, 2))


def test_spans_as_data_have_the_offset_of_the_zone() -> None:
    """Each span has its bounds in ISO 8601, the keys of those on, and why; nobody is an empty list."""
    role = role_of("away elaine 2026-12-03..2026-12-03 cover pat")
    spans = timeline(role, *day_range(role, date(2026, 12, 3), date(2026, 12, 3)))
    assert as_json(spans, role) == [
        {
            "start": "2026-12-03T00:00:00-08:00",
            "end": "2026-12-03T09:00:00-08:00",
            "on": [],
            "why": "outside hours",
        },
        {
            "start": "2026-12-03T09:00:00-08:00",
            "end": "2026-12-03T17:00:00-08:00",
            "on": ["pat@example.test"],
            "why": "Elaine is away until Thursday 3 December; Pat covers",
        },
        {
            "start": "2026-12-03T17:00:00-08:00",
            "end": "2026-12-04T00:00:00-08:00",
            "on": [],
            "why": "outside hours",
        },
    ]


TABLE = """\
Mon 21 Dec  09:00–17:00  Laurie             by the rota
Tue 22 Dec  09:00–17:00  Laurie             by the rota
Wed 23 Dec  09:00–12:00  Laurie             by the rota
            12:00–13:00  Laurie and Elaine  by the rota
            13:00–17:00  Elaine             by the rota
Thu 24 Dec  09:00–17:00  Laurie             Elaine is away until Friday 1
                                            January; Laurie covers
Fri 25 Dec  09:00–17:00  nobody             holiday: Christmas Day
"""


def test_spans_as_a_table_fit_the_terminal() -> None:
    """A day is named once, hours outside the rota are left out, a long reason goes on below itself."""
    role = role_of("holidays US; away elaine 2026-12-24..2027-01-01 cover laurie")
    spans = timeline(role, *day_range(role, date(2026, 12, 21), date(2026, 12, 27)))
    table = as_table(spans, role, 76)
    assert table == TABLE.rstrip()
    assert max(map(len, table.splitlines())) <= 76


def test_a_night_stands_at_the_day_it_begins_on_and_longer_spans_are_cut_at_midnight() -> None:
    """A night shift is one line; days on end are a line each, up to 24:00."""
    role = role_of("rota mon laurie 22:00-06:00, tue elaine 22:00-24:00")
    spans = timeline(role, *day_range(role, date(2026, 11, 30), date(2026, 12, 1)))
    assert as_table(spans, role) == (
        "Mon 30 Nov  22:00–06:00  Laurie  by the rota\nTue 1 Dec   22:00–24:00  Elaine  by the rota"
    )
    week = ", ".join(f"{day} elaine 00:00-24:00" for day in ("mon", "tue", "wed"))
    away = role_of(f"rota {week}; away elaine 2026-11-30..2026-12-02 cover pat")
    spans = timeline(away, *day_range(away, date(2026, 11, 30), date(2026, 12, 2)))
    assert [line[:25] for line in as_table(spans, away, 120).splitlines()] == [
        "Mon 30 Nov  00:00–24:00  ",
        "Tue 1 Dec   00:00–24:00  ",
        "Wed 2 Dec   00:00–24:00  ",
    ]


def test_a_table_of_free_days_says_so() -> None:
    """An empty table would look like a fault."""
    role = role_of()
    spans = timeline(role, *day_range(role, date(2026, 12, 5), date(2026, 12, 6)))
    assert as_table(spans, role) == "nobody has hours on these days"


ODD = """
                                   |
holidays US                        |
away elaine 2026-12-10..2026-12-11 | nobody is on duty from Thursday 10 December to Friday 11 December, on 2 working days
away laurie 2026-12-08..2026-12-08 | nobody is on duty on Tuesday 8 December
away laurie 2026-12-28..2026-12-28 | nobody is on duty on Monday 28 December
away laurie 2026-12-29..2026-12-29 |
away elaine 2026-12-10..2026-12-11 cover pat |
away elaine 2026-11-02..2026-11-03 | the absence of Elaine until Tuesday 3 November has passed; it can be deleted
away elaine 2026-11-30..2026-11-30 | the absence of Elaine until Monday 30 November has passed; it can be deleted
away elaine 2027-02-01..2027-02-05; away laurie 2027-02-05..2027-02-12 | Laurie and Elaine are both away on Friday 5 February 2027
away elaine 2027-02-01..2027-02-05; away laurie 2027-02-04..2027-02-12 | Laurie and Elaine are both away from Thursday 4 February 2027 until Friday 5 February 2027
away elaine 2027-02-01..2027-02-05; away laurie 2027-02-06..2027-02-12 |
swap 2026-12-03 laurie for 2026-12-08 |
swap 2026-12-03 elaine             | the swap of Thursday 3 December has no effect: Elaine changes nothing on that day
swap 2026-12-03 laurie for 2026-12-10 | the swap of Thursday 3 December has no effect on Thursday 10 December: Laurie has nothing to give back
swap 2026-11-26 elaine             |
swap 2026-12-05 laurie             |
partners laurie; rota mon laurie; away laurie 2027-02-01..2027-02-02 |
"""


@pytest.mark.parametrize("row", ODD.strip("\n").splitlines(), ids=lambda row: row.split("|")[0].strip())
def test_what_is_odd_is_said_and_nothing_else(row: str) -> None:
    """On 1 December 2026, four weeks ahead: each oddity has its sentence, a sound schedule has none."""
    wrote, said = (cell.strip() for cell in row.split("|"))
    assert warnings(role_of(wrote), date(2026, 12, 1)) == [said] * bool(said)


def test_being_away_together_is_not_told_when_it_is_over() -> None:
    """Of two absences that have passed, only that they can be deleted is said."""
    role = role_of("away elaine 2026-11-02..2026-11-06; away laurie 2026-11-05..2026-11-09")
    assert warnings(role, date(2026, 12, 1)) == [
        "the absence of Elaine until Friday 6 November has passed; it can be deleted",
        "the absence of Laurie until Monday 9 November has passed; it can be deleted",
    ]
