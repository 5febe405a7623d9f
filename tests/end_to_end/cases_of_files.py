"""Checks of the small cases: roles' files and partners' calendars."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.occurrences import absences_in
from mailrouter.config import load
from mailrouter.errors import ConfigurationError
from mailrouter.schedule.check.warnings import too_few_holidays
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.holidays import holiday
from mailrouter.schedule.model import Role
from tests.calendars.ics import BERLIN, END, START

Check = Callable[[Path, bytes], Awaitable[None]]


def loaded(place: Path, text: bytes) -> Role:
    """The role that a file says."""
    folder = place / "config"
    (folder / "roles").mkdir(parents=True)
    (folder / "mailrouter.yaml").write_text("hostname: mx.example.test\nour_domains: [example.test]\n")
    (folder / "roles" / "vp-hr.yaml").write_bytes(text)
    (role,) = load(folder).roles
    return role


def on_duty(*moments: tuple[str, str]) -> Check:
    """Who is in (``""``: nobody) at these wall times of the role."""

    async def check(place: Path, raw: bytes) -> None:
        role = loaded(place, raw)
        found = Roster(role)
        for moment, who in moments:
            local = datetime.fromisoformat(moment).replace(tzinfo=role.time_zone)
            on = found.duty(local.astimezone(UTC)).on
            assert " ".join(person.key for person in on) == who, moment

    return check


def problem(line: int, written: str) -> Check:
    """The file is refused with the line and what stands there."""

    async def check(place: Path, raw: bytes) -> None:
        with pytest.raises(ConfigurationError) as raised:
            loaded(place, raw)
        assert any(found.line == line and written in str(found) for found in raised.value.problems)

    return check


async def parts_are_asked_for(place: Path, raw: bytes) -> None:
    """Great Britain alone lacks Easter Monday and the bank holiday in August."""
    (told,) = too_few_holidays(loaded(place, raw), date(2026, 11, 28))
    assert "Easter Monday" in told
    assert "Bank Holiday (Monday 30 August 2027)" in told
    assert "SCT (Scotland)" in told


async def new_year_is_observed(place: Path, raw: bytes) -> None:
    """1 January 2028 is a Saturday: Ontario has the Monday after it."""
    role = loaded(place, raw)
    assert holiday(role.holidays, date(2028, 1, 3))


async def weeks_take_turns(place: Path, raw: bytes) -> None:
    """Nobody has two weeks in a row, though the year has 53."""
    role = loaded(place, raw)
    found = Roster(role)
    mondays = [datetime(2026, 12, 7, 10, tzinfo=role.time_zone) + timedelta(weeks=n) for n in range(8)]
    who = [found.duty(monday.astimezone(UTC)).on[0].key for monday in mondays]
    assert who == ["laurie", "elaine"] * 4


async def no_hour_is_lost(place: Path, raw: bytes) -> None:
    """Round the clock, one person is in at each quarter of an hour around both changes of the clocks."""
    role = loaded(place, raw)
    found = Roster(role)
    for change in (datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 11, 7, tzinfo=UTC)):
        for quarter in range(-96, 192):
            assert len(found.duty(change + quarter * timedelta(minutes=15)).on) == 1


async def both_are_away(place: Path, raw: bytes) -> None:
    """29 February 2028 is a last Tuesday as well."""
    role = loaded(place, raw)
    away = Roster(role).duty(datetime(2028, 2, 29, 10, tzinfo=role.time_zone).astimezone(UTC)).away
    assert {one.person.key for one in away} == {"laurie", "elaine"}


def absent(*times: str) -> Check:
    """The absences that a calendar gives somebody in Berlin, as ``2026-12-01 08:00+1:00`` in UTC."""

    async def check(place: Path, raw: bytes) -> None:
        found = absences_in(raw, Rule(("busy",), ""), BERLIN, START, END)
        shown = [f"{start:%Y-%m-%d %H:%M}+{end - start}".removesuffix(":00") for start, end in found.busy]
        assert shown == list(times)

    return check


CHECKS: dict[str, Check] = {
    "82": parts_are_asked_for,
    "87": new_year_is_observed,
    "88": on_duty(
        ("2027-03-26 08:45", "elaine"),
        ("2027-03-29 08:45", "laurie"),
        ("2027-03-29 08:15", ""),
        ("2027-10-29 17:15", "elaine"),
        ("2027-11-01 08:45", "laurie"),
        ("2027-11-01 17:45", ""),
    ),
    "90": weeks_take_turns,
    "91": no_hour_is_lost,
    "94": problem(10, "0000"),
    "95": problem(11, "2027-02-30"),
    "96": both_are_away,
    "97": problem(10, "1976"),
    "101": absent("2026-12-03 13:00+1:00", "2026-12-10 13:00+1:00", "2026-12-17 13:00+1:00"),
    "104": absent("2026-12-01 13:00+1:00"),
    "105": absent("2026-12-01 04:00+1:00", "2027-07-06 03:00+1:00"),
    "107": absent("2026-12-01 17:00+1:00"),
    "110": absent("2026-11-30 23:00+1 day, 0:00"),
    "111": absent("2026-11-30 13:00+1:00", "2026-12-02 13:00+1:00", "2026-12-04 09:00+1:00"),
}
