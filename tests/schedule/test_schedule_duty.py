"""What a mail that arrives at a moment needs to know: who is away, back when, who is next, and the gaps."""
# ruff: noqa: E501 (a row of a table stays one line)

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from mailrouter.schedule.duty import Away, Duty, Gap, Roster
from mailrouter.schedule.model import BEGINNING, FOREVER, Absence, Every, Role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE, PAT, at, role_of

SKIING = "holidays US CA; away elaine 2026-12-21..2027-01-01 cover laurie"


def duty_of(wrote: str, moment: str) -> tuple[Role, Duty]:
    """The role of these clauses, and its duty at the moment."""
    role = role_of(wrote)
    return role, Roster(role).duty(at(role, moment))


def test_an_absence_is_told_with_its_bounds_and_its_cover() -> None:
    """Away has the absence, its first and last moment, its last day and who covers."""
    role, duty = duty_of(SKIING, "2026-12-24 10:00")
    (away,) = duty.away
    assert (away.person, away.absence, away.holiday) == (ELAINE, role.absences[0], None)
    assert (away.since, away.until) == (at(role, "2026-12-21 00:00"), at(role, "2027-01-02 00:00"))
    assert away.last_day == date(2027, 1, 1)
    assert away.cover == (LAURIE,)


def test_back_is_the_first_shift_after_the_absence() -> None:
    """Elaine's absence ends on a Friday; she is back on Wednesday at noon, when her next shift begins."""
    role, duty = duty_of(SKIING, "2026-12-24 10:00")
    assert duty.away[0].back == at(role, "2027-01-06 12:00")


def test_back_may_be_in_the_middle_of_a_shift() -> None:
    """After an absence of hours, back is its end if the rota has the person on then."""
    role, duty = duty_of("away elaine 2026-12-03 13:00..2026-12-03 15:00", "2026-12-03 14:00")
    assert duty.away[0].back == at(role, "2026-12-03 15:00")


def test_back_after_an_absence_minds_the_next_absence() -> None:
    """Two absences with a free weekend between are two stretches, but back is after the second."""
    role, duty = duty_of(
        "away elaine 2026-12-03..2026-12-04; away elaine 2026-12-07..2026-12-11", "2026-12-03 10:00"
    )
    assert duty.away[0].last_day == date(2026, 12, 4)
    assert duty.away[0].back == at(role, "2026-12-16 12:00")


def test_back_is_none_for_somebody_without_further_shifts() -> None:
    """A partner with no hours in the next 400 days is not promised back."""
    _, duty = duty_of("rota mon laurie; away elaine 2026-12-03..2026-12-04", "2026-12-03 10:00")
    assert duty.away[0].back is None


@pytest.mark.parametrize("second", ["2026-12-05..2026-12-08", "2026-12-02..2026-12-08"])
def test_absences_that_touch_or_overlap_are_one_stretch(second: str) -> None:
    """The last day told is that of the whole stretch, the absence the one that holds the moment."""
    role, duty = duty_of(f"away elaine 2026-12-03..2026-12-04; away elaine {second}", "2026-12-04 10:00")
    (away,) = duty.away
    assert away.absence in role.absences
    assert away.last_day == date(2026, 12, 8)
    assert away.until == at(role, "2026-12-09 00:00")


def test_a_cover_who_is_absent_too_is_not_named() -> None:
    """Nobody is told to turn to somebody who is away as well; the stand-in stays named."""
    wrote = "away elaine 2026-12-03..2026-12-03 cover laurie; away elaine 2026-12-03..2026-12-03 cover pat"
    _, duty = duty_of(wrote + "; away laurie 2026-12-03..2026-12-03", "2026-12-03 10:00")
    assert {away.person.key: away.cover for away in duty.away} == {"laurie": (), "elaine": (PAT,)}
    assert duty.on == (PAT,)


def test_an_absence_holds_outside_hours_too() -> None:
    """Somebody on leave is away in the evening and at the weekend as well."""
    _, duty = duty_of(SKIING, "2026-12-26 23:00")
    assert [away.person for away in duty.away] == [ELAINE]


def test_a_holiday_makes_away_those_who_would_have_worked() -> None:
    """On Christmas Day, a Friday, Elaine is away for the day, Laurie just doesn't work on Fridays."""
    role, duty = duty_of("holidays US", "2026-12-25 20:00")
    midnight, following = at(role, "2026-12-25 00:00"), at(role, "2026-12-26 00:00")
    back = at(role, "2026-12-30 12:00")
    assert duty.away == (
        Away(ELAINE, None, "Christmas Day", midnight, following, date(2026, 12, 25), back, ()),
    )
    assert not duty.working_day


def test_who_works_on_their_holiday_by_a_swap_is_not_away() -> None:
    """A swap onto a holiday stands above the holiday."""
    _, duty = duty_of("holidays US; swap 2026-12-25 elaine", "2026-12-25 10:00")
    assert (duty.on, duty.away) == ((ELAINE,), ())


def test_next_on_is_the_next_duty_that_begins() -> None:
    """For somebody on duty that is the one after the present; every partner is listed, in the role's order."""
    role, duty = duty_of("partners laurie elaine carmen", "2026-12-01 10:00")
    assert duty.next_on == (
        (LAURIE, at(role, "2026-12-02 09:00")),
        (ELAINE, at(role, "2026-12-02 12:00")),
        (CARMEN, None),
    )


def test_next_on_does_not_begin_at_midnight_within_a_duty() -> None:
    """A night shift that goes on over midnight is one duty."""
    role, duty = duty_of("rota mon laurie 22:00-06:00, tue laurie 22:00-06:00", "2026-11-30 23:00")
    assert duty.next_on[0] == (LAURIE, at(role, "2026-12-01 22:00"))


GAPS = """
evening before a working day with somebody       |               | 2026-12-01 18:00 | none
a weekend before a working day with somebody     |               | 2026-12-05 12:00 | none
Elaine's day and the next, nobody covers         | away elaine 2026-12-03..2026-12-04 | 2026-12-03 10:00 | 2026-12-02 17:00..2026-12-07 09:00
the evening before them: all next day is without | away elaine 2026-12-03..2026-12-04 | 2026-12-02 18:00 | 2026-12-02 17:00..2026-12-07 09:00
her last day: somebody is there on Monday        | away elaine 2026-12-03..2026-12-04 | 2026-12-04 10:00 | none
Laurie is on for the rest of the day             | away elaine 2026-12-02..2026-12-04 | 2026-12-02 08:00 | none
a stand-in covers                                | away elaine 2026-12-03..2026-12-04 cover pat | 2026-12-03 10:00 | none
one day without, the next with                   | away elaine 2026-12-03..2026-12-03 | 2026-12-03 10:00 | none
a holiday is no working day                      | holidays US; away laurie 2026-12-28..2026-12-28 | 2026-12-25 10:00 | 2026-12-24 17:00..2026-12-29 09:00
a holiday, then a working day with somebody      | holidays US   | 2026-12-25 10:00 | none
Laurie comes later today                         | rota tue laurie 12:00-17:00, wed elaine; away elaine 2026-12-02..2026-12-02 | 2026-12-01 08:00 | none
"""


@pytest.mark.parametrize("row", GAPS.strip().splitlines(), ids=lambda row: row.split("|")[0].strip())
def test_a_gap_is_the_rest_of_today_and_all_of_the_next_working_day(row: str) -> None:
    """It spans from the last duty to the next, and there is none while somebody is in soon enough."""
    _, wrote, moment, bounds = (cell.strip() for cell in row.split("|"))
    role, duty = duty_of(wrote, moment)
    if bounds == "none":
        assert duty.gap is None
    else:
        start, end = bounds.split("..")
        assert duty.gap == Gap(at(role, start), at(role, end))


def test_a_gap_may_have_no_end() -> None:
    """Where nobody has hours at all, the gap is open, and the same whenever it is asked for."""
    role, duty = duty_of("rota mon laurie; away laurie 2025-01-01..2030-01-01", "2027-06-01 10:00")
    assert duty.gap is not None
    assert duty.gap.end is None
    assert Roster(role).duty(at(role, "2027-08-09 10:00")).gap == duty.gap


@pytest.mark.parametrize(("day", "is_one"), [("24", True), ("25", False), ("26", False), ("28", True)])
def test_a_working_day_has_hours_and_is_not_everybodys_holiday(day: str, is_one: bool) -> None:
    """Absences make no difference to what is a working day of the role."""
    _, duty = duty_of(SKIING, f"2026-12-{day} 06:00")
    assert duty.working_day is is_one


def test_a_roster_answers_for_any_zone_of_the_question() -> None:
    """The moment may come with any zone and is given back in UTC."""
    role = role_of()
    moment = at(role, "2026-12-03 10:00")
    assert Roster(role).duty(moment.astimezone(role.time_zone)) == Roster(role).duty(moment)
    assert Roster(role).duty(moment.astimezone(role.time_zone)).moment.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    """Guessing which moment is meant would be wrong somewhere."""
    with pytest.raises(ValueError, match="no time zone"):
        Roster(role_of()).duty(datetime(2026, 12, 3, 10))


@pytest.mark.parametrize("hours", [None, (0, 24 * 60)])
def test_all_of_every_day_is_away_until_its_end(hours: tuple[int, int] | None) -> None:
    """It is one absence like any other, and worked out as one; day by day it would cost seconds."""
    role = role_of()
    first, last = datetime(2026, 12, 1), datetime(2027, 3, 1)
    daily = Absence("elaine", first, last, every=Every(tuple(range(7))), hours=hours)
    plain = Absence("elaine", first, last)
    moment = datetime(2026, 12, 3, 20, tzinfo=UTC)
    found, known = (Roster(replace(role, absences=(a,))).duty(moment) for a in (daily, plain))
    assert found == known
    assert found.away[0].last_day == date(2027, 2, 28)
    always = replace(daily, start=BEGINNING, end=FOREVER)
    (away,) = Roster(replace(role, absences=(always,))).duty(moment).away
    assert away.open_ended
    assert away.back is None
