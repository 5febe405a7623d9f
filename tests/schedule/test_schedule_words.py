"""How dates, names and holidays are said."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from mailrouter.schedule import date_words
from mailrouter.schedule.holidays import holiday, known_country
from mailrouter.schedule.model import HolidayRule
from tests.schedule.roles import at, role_of

TODAY = date(2026, 12, 3)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 12, 2), "Wednesday 2 December"),
        (date(2027, 1, 1), "Friday 1 January"),
        (date(2027, 5, 31), "Monday 31 May"),
        (date(2027, 6, 1), "Tuesday 1 June 2027"),
        (date(2026, 6, 6), "Saturday 6 June"),
        (date(2025, 6, 6), "Friday 6 June 2025"),
    ],
)
def test_a_day_within_half_a_year_is_said_without_its_year(day: date, said: str) -> None:
    """Before or after, over New Year as well; beyond, another year is named."""
    assert date_words.near_date_words(day, TODAY) == said


def test_a_moment_is_said_by_the_clocks_of_the_role() -> None:
    """The hour is that of the role's zone, and so is the day."""
    role = role_of("zone Europe/Berlin")
    moment = at(role, "2026-12-04 23:30Z")
    assert date_words.moment_words(moment, role.time_zone, TODAY) == "Saturday 5 December at 00:30"


@pytest.mark.parametrize(("minute", "said"), [(0, "00:00"), (545, "09:05"), (1440, "24:00"), (1800, "06:00")])
def test_minutes_are_said_as_a_clock(minute: int, said: str) -> None:
    """The end of a day is 24:00, minutes beyond are of the next morning."""
    assert date_words.clock_words(minute) == said


def test_names_are_joined_as_in_a_sentence() -> None:
    """Commas, and one *and*; nothing for nobody."""
    assert [date_words.joined(["Ann", "Ben", "Cleo"][:n]) for n in range(4)] == [
        "",
        "Ann",
        "Ann and Ben",
        "Ann, Ben and Cleo",
    ]


def test_people_of_the_same_first_name_are_called_by_both() -> None:
    """First names do, until two share one."""
    role = role_of()
    assert date_words.called(role) == {"laurie": "Laurie", "elaine": "Elaine"}
    other = replace(role.partners[1], name="Laurie Miller")
    twins = replace(role, partners=(role.partners[0], other))
    assert date_words.called(twins) == {"laurie": "Laurie Cremona", "elaine": "Laurie Miller"}


def test_holidays_are_named_in_english_where_the_names_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names don't follow the language of the machine."""
    monkeypatch.setenv("LANGUAGE", "de_DE")
    assert holiday(HolidayRule("DE", "BY"), date(2031, 1, 6)) == "Epiphany"
    assert holiday(HolidayRule("DE"), date(2031, 1, 6)) is None


def test_an_observed_holiday_of_the_next_year_counts_in_this_one() -> None:
    """New Year's Day of 2028 is a Saturday: it is observed on the last Friday of 2027."""
    assert holiday(HolidayRule("US"), date(2027, 12, 31)) == "New Year's Day (observed)"


def test_days_can_be_added_and_taken_out_by_hand() -> None:
    """A day of the firm's own is a holiday, and one it works on is none."""
    rule = HolidayRule("US", None, ((date(2026, 12, 24), "Founder's Day"),), (date(2026, 12, 25),))
    assert holiday(rule, date(2026, 12, 24)) == "Founder's Day"
    assert holiday(rule, date(2026, 12, 25)) is None


@pytest.mark.parametrize(
    "place", [("US", None), ("US", "CA"), ("US", "California"), ("UK", None), ("GB", "ENG")]
)
def test_places_with_known_holidays_pass(place: tuple[str, str | None]) -> None:
    """Codes, the library's aliases and the subdivisions' names are all understood, and give holidays."""
    assert known_country(*place) is None
    assert holiday(HolidayRule(*place), date(2026, 12, 25)) is not None


@pytest.mark.parametrize(
    ("place", "hint"),
    [
        (("us", None), "did you mean US?"),
        (("Germany", None), "did you mean DE?"),
        (("united kingdom", None), "did you mean GB?"),
        (("Swizerland", None), "did you mean CH?"),
        (("XX", None), "write its ISO 3166 code"),
        (("US", "Californa"), "did you mean CA?"),
        (("DE", "by"), "did you mean BY?"),
        (("CH", "XX"), "known are AG, AI"),
        (("SG", "01"), "leave '01' out"),
    ],
)
def test_an_unknown_place_is_answered_with_what_was_probably_meant(
    place: tuple[str, str | None], hint: str
) -> None:
    """The answer names what was written and what to write instead."""
    answer = known_country(*place)
    assert answer is not None
    assert hint in answer
    assert repr(place[1] or place[0]) in answer


def test_a_date_in_a_table_is_short() -> None:
    """No year and no leading zero: the table is read beside a calendar."""
    assert date_words.short_date(TODAY) == "Thu 3 Dec"
