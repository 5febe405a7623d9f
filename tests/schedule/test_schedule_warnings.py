"""What `check` says of a file that is right and odd all the same, on Tuesday 1 December 2026."""

from __future__ import annotations

import textwrap
from datetime import date

import pytest

from mailrouter.schedule.check.warnings import no_holidays, warnings
from tests.schedule.cases import role_of_text, with_parts

TODAY = date(2026, 12, 1)

ODD = {
    "nothing is odd": ("", []),
    "a rota with a hole at noon": (
        """
        rota:
          monday: laurie
          wednesday: [laurie 09:00-12:00, elaine 13:00-17:00]
        """,
        [
            "the rota has nobody on Wednesdays from 12:00 to 13:00, within the role's hours; "
            "next on Wednesday 2 December"
        ],
    ),
    "a rota that begins late and ends early": (
        """
        rota:
          monday: [laurie, elaine]
          friday: [laurie 09:30-13:00, elaine 13:00-16:00]
        """,
        [
            "the rota has nobody on Fridays from 09:00 to 09:30, within the role's hours; next on Friday 4 December",
            "the rota has nobody on Fridays from 16:00 to 17:00, within the role's hours; next on Friday 4 December",
        ],
    ),
    "a hole behind midnight is told by the day that it is on": (
        """
        hours: 22:00-06:00
        rota:
          monday: elaine
          wednesday: laurie 22:00-02:00
        """,
        [
            "the rota has nobody on Thursdays from 02:00 to 06:00, within the role's hours; next on Thursday 3 December"
        ],
    ),
    "lunch is no hole": ("lunch: 12:00-13:00", []),
    "a hole that is the lunch break": (
        """
        lunch: 12:00-13:00
        rota:
          monday: laurie
          wednesday: [laurie 09:00-12:00, elaine 13:00-17:00]
        """,
        [],
    ),
    "a dentist is no fault of the rota": (
        "absences: [{partner: laurie, date: 2026-12-08, hours: 13:00-15:00}]",
        [],
    ),
    "a partner whose hours in another zone leave a hole": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test}
          elaine: {name: Elaine Miller, email: elaine@example.test, time_zone: America/New_York}
        rota:
          monday: laurie
          thursday: elaine 09:00-17:00
        """,
        [
            "the rota has nobody on Thursdays from 14:00 to 17:00, within the role's hours; next on Thursday 3 December"
        ],
    ),
    "a day on which both are away again and again": (
        """
        absences:
          - {partner: laurie, every: last wednesday}
          - {partner: elaine, from: 2026-12-01, until: further notice}
        """,
        [
            "nobody is on duty from Thursday 3 December to Friday 4 December, on 2 working days",
            "nobody is on duty from Thursday 10 December to Friday 11 December, on 2 working days",
            "nobody is on duty from Thursday 17 December to Friday 18 December, on 2 working days",
            "nobody is on duty from Thursday 24 December to Friday 25 December, on 2 working days",
            "Laurie and Elaine are both away on Wednesday 30 December",
            "Laurie and Elaine are both away on Wednesday 27 January 2027",
            "Laurie and Elaine are both away on Wednesday 24 February 2027",
            "Laurie and Elaine are both away at once 10 more times within a year",
        ],
    ),
    "both away until further notice": (
        """
        absences:
          - {partner: laurie, from: 2027-03-01, until: further notice}
          - {partner: elaine, from: 2027-04-01, until: further notice}
        """,
        ["Laurie and Elaine are both away from Thursday 1 April 2027 until further notice"],
    ),
    "nobody, from the fourth week on into the next year": (
        """
        absences:
          - {partner: laurie, from: 2026-12-21, until: 2027-01-08}
          - {partner: elaine, from: 2026-12-19, until: 2027-01-12}
        """,
        [
            "nobody is on duty from Monday 21 December to Friday 8 January 2027, on 15 working days",
            "Laurie and Elaine are both away from Monday 21 December until Friday 8 January 2027",
        ],
    ),
    "nobody, without an end": (
        """
        absences:
          - {partner: laurie, from: 2026-12-21, until: further notice}
          - {partner: elaine, from: 2026-12-21, until: further notice}
        """,
        [
            "nobody is on duty from Monday 21 December, for a year and beyond",
            "Laurie and Elaine are both away from Monday 21 December until further notice",
        ],
    ),
    "a holiday on a Saturday": (
        "holidays: {country: US, also: {2026-12-26: Boxing Day}, never: [2026-12-28]}",
        [
            "the holiday on Saturday 26 December (Boxing Day) hits nobody: the rota has nobody there",
            "Monday 28 December stands under `never`, but is no holiday in US",
        ],
    ),
    "a holiday of somebody who doesn't work then": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test, holidays: {country: US, also: [2026-12-17]}}
          elaine: {name: Elaine Miller, email: elaine@example.test}
        """,
        ["the holiday of Laurie on Thursday 17 December (a day off) hits nobody: the rota has nobody there"],
    ),
    "an emergency contact that is the role": (
        "emergency: {name: HR duty line, email: vp-hr@example.test}",
        ["the emergency contact HR duty line can't be reached: vp-hr@example.test is the role itself"],
    ),
    "many absences that have passed": (
        "absences: ["
        + ", ".join(f"{{partner: elaine, date: 2026-11-{day:02}}}" for day in range(2, 8))
        + "]",
        [
            "the absence of Elaine until Monday 2 November has passed; it can be deleted",
            "the absence of Elaine until Tuesday 3 November has passed; it can be deleted",
            "the absence of Elaine until Wednesday 4 November has passed; it can be deleted",
            "3 more absences have passed; they can be deleted",
        ],
    ),
    "what comes round has not passed": ("absences: [{partner: elaine, every: first monday}]", []),
    "somebody leaves, nobody follows": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test}
          elaine: {name: Elaine Miller, email: elaine@example.test, until: 2026-12-22}
        """,
        [
            "Elaine is a partner until Tuesday 22 December, and nobody follows in the rota",
        ],
    ),
    "somebody leaves and is followed": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test}
          elaine: {name: Elaine Miller, email: elaine@example.test, until: 2026-12-22}
          dana: {name: Dana Ortiz, email: dana@example.test, from: 2026-12-23, follows: elaine}
        """,
        [],
    ),
    "a role that will have no partner": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test, until: 2026-12-31}
        rota: {monday: laurie}
        """,
        [
            "from Friday 1 January 2027 nobody is a partner, and mail to the role has to wait: "
            "name a partner, or move an `until`"
        ],
    ),
    "a successor of somebody who stays": (
        """
        partners:
          laurie: {name: Laurie Cremona, email: laurie@example.test}
          elaine: {name: Elaine Miller, email: elaine@example.test}
          dana: {name: Dana Ortiz, email: dana@example.test, follows: elaine}
        """,
        ["Dana follows Elaine, who has no `until` and so never makes room"],
    ),
    "a partner without hours": (
        "rota: {monday: laurie, tuesday: laurie}",
        ["Elaine has no hours in the rota"],
    ),
    "an arrangement that ends": ("until: 2026-12-18", ["the arrangement ends on Friday 18 December"]),
    "an arrangement that has ended": (
        "until: 2026-11-30",
        ["the arrangement ended on Monday 30 November; the partners still get the mail"],
    ),
    "a swap of an afternoon that nobody had": (
        "swaps: [{date: 2026-12-03, partner: elaine, hours: 13:00-17:00}]",
        ["the swap of Thursday 3 December has no effect: Elaine changes nothing on that day"],
    ),
    "half a day given back that wasn't there": (
        "swaps: [{date: 2026-12-03, partner: laurie, for: 2026-12-08 18:00-20:00}]",
        [
            "the swap of Thursday 3 December has no effect on Tuesday 8 December: Laurie has nothing to give back"
        ],
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_is_said_and_nothing_else(name: str) -> None:
    """Each oddity has its sentence, and a sound file has none."""
    parts, said = ODD[name]
    assert (
        warnings(role_of_text(with_parts(textwrap.dedent(parts).strip() + "\n" if parts else "")), TODAY)
        == said
    )


_ELAINE = "elaine: {name: Elaine Miller, email: elaine@example.test"
HOLIDAYS = {
    "": "no public holidays are named; add holidays: {country: US}, or holidays: none",
    "holidays: {country: US}": "",
    "holidays: none": "",
    f"partners:\n  laurie: {{name: L, email: l@example.test, holidays: none}}\n  {_ELAINE}}}": (
        "no public holidays are named for Elaine; add holidays: {country: US}, or holidays: none"
    ),
    "partners:\n  laurie: {name: L, email: l@example.test, holidays: {country: DE}}\n"
    f"  {_ELAINE}, until: 2026-11-30}}": "",
}


@pytest.mark.parametrize("parts", HOLIDAYS)
def test_holidays_that_nobody_named_are_asked_for_once(parts: str) -> None:
    """Unless they are named, are none on purpose, or are missing only for somebody who has left."""
    role = role_of_text(with_parts(parts + "\n" if parts else ""))
    assert list(no_holidays(role, TODAY)) == ([HOLIDAYS[parts]] if HOLIDAYS[parts] else [])


NIGHTS = """
hours: 22:00-06:00
rota:
  monday: laurie 22:00-06:00
  tuesday: elaine 22:00-06:00
"""
NIGHTLY = {
    "a night with nobody": (
        "absences: [{partner: elaine, date: 2026-12-08}, {partner: laurie, date: 2026-12-08}]",
        TODAY,
        [
            "nobody is on duty on Tuesday 8 December, the night of 8 to 9 December",
            "Laurie and Elaine are both away on Tuesday 8 December, the night of 8 to 9 December",
        ],
    ),
    "nights with nobody, and both away": (
        "absences: [{partner: elaine, from: 2026-12-07, until: 2026-12-08},"
        " {partner: laurie, from: 2026-12-07, until: 2026-12-08}]",
        TODAY,
        [
            "nobody is on duty from Monday 7 December to Tuesday 8 December, to the end of the night of 8 to 9 December, "
            "on 2 working days",
            "Laurie and Elaine are both away from Monday 7 December until Tuesday 8 December, to the end of the night of "
            "8 to 9 December",
        ],
    ),
    "an absence whose last night runs": (
        "absences: [{partner: laurie, date: 2026-11-30, cover: elaine}]",
        TODAY,
        [],
    ),
    "an absence whose last night is over": (
        "absences: [{partner: laurie, date: 2026-11-30, cover: elaine}]",
        date(2026, 12, 2),
        [
            "the absence of Laurie until Monday 30 November, to the end of the night of 30 November to 1 December, has "
            "passed; it can be deleted"
        ],
    ),
}


@pytest.mark.parametrize(("parts", "today", "said"), NIGHTLY.values(), ids=NIGHTLY)
def test_nights_are_named_and_are_not_over_before_their_end(parts: str, today: date, said: list[str]) -> None:
    """By the two days that each is on."""
    assert warnings(role_of_text(with_parts(f"{NIGHTS}{parts}")), today) == said
