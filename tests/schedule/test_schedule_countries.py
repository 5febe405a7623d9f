"""Countries by their zones, and countries named alone whose parts have holidays of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from mailrouter.schedule.check.warnings import no_holidays, too_few_holidays
from mailrouter.schedule.countries import country_of, days_of_parts
from mailrouter.schedule.model import HolidayRule
from tests.schedule.roles import role_of

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/London", "GB"),
        ("Europe/Berlin", "DE"),
        ("Europe/Vienna", "AT"),
        ("Europe/Zurich", "CH"),
        ("Europe/Paris", "FR"),
        ("Europe/Copenhagen", "DK"),
        ("America/Toronto", "CA"),
        ("America/Los_Angeles", "US"),
        ("Asia/Tokyo", "JP"),
        ("UTC", ""),
        ("Mars/Olympus", ""),
    ],
)
def test_a_zone_tells_its_country(zone: str, country: str) -> None:
    """By the tz database's own table, for countries whose holidays are known."""
    assert country_of(zone) == country


@pytest.mark.parametrize(
    ("zone", "country"), [("Europe/London", "GB"), ("Europe/Vienna", "AT"), ("UTC", "US")]
)
def test_the_country_that_is_suggested_is_the_roles_own(zone: str, country: str) -> None:
    """Not the United States to everybody."""
    (text,) = no_holidays(replace(role_of(), time_zone=ZoneInfo(zone)), TODAY)
    assert f"add holidays: {{country: {country}}}" in text


def test_great_britain_alone_lacks_days_that_its_nations_have() -> None:
    """Easter Monday and the bank holiday in August, with the nations to name."""
    role = replace(role_of(), holidays=HolidayRule("GB"))
    (text,) = too_few_holidays(role, TODAY)
    assert "Easter Monday" in text
    assert "Summer Bank Holiday" in text
    assert "subdivision: ENG}" in text
    assert "WLS (Wales)" in text


@pytest.mark.parametrize("subdivision", ["ENG", "SCT", "WLS", "NIR"])
def test_a_nation_that_is_named_is_enough(subdivision: str) -> None:
    """Nothing is said where the part is known."""
    role = replace(role_of(), holidays=HolidayRule("GB", subdivision))
    assert list(too_few_holidays(role, TODAY)) == []


ASKED = dict.fromkeys(["GB", "DE", "CA", "AU", "CH", "ES"], True) | dict.fromkeys(
    ["US", "AT", "FR", "NL", "IE", "JP"], False
)


@pytest.mark.parametrize(("country", "asked"), ASKED.items())
def test_only_a_country_whose_every_part_has_more_is_asked_about(country: str, asked: bool) -> None:
    """Where some part has the country's days alone, the file may be right."""
    assert bool(days_of_parts(country, TODAY)) == asked


def test_a_partners_own_country_is_asked_about_by_name() -> None:
    """Each rule by itself."""
    role = role_of()
    first, second = role.partners
    partners = (replace(first, holidays=HolidayRule("DE")), replace(second, holidays=HolidayRule("US")))
    (text,) = too_few_holidays(replace(role, partners=partners), TODAY)
    assert text.startswith("the holidays of Laurie are those that all of DE has")
