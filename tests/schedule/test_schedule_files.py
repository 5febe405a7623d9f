"""What holds for every file that can be written, and for every slip in one: from the text to who is on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.config.files.role_file import role_written
from mailrouter.config.folder import files_of
from mailrouter.config.loading import configuration_of
from mailrouter.config.to_yaml import flow
from mailrouter.errors import ConfigurationError
from mailrouter.schedule.check.warnings import warnings
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.localtime import local_day, to_utc
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import day_range
from mailrouter.schedule.views.grid import days, month_of
from mailrouter.schedule.views.svg import month_picture
from tests.schedule.files import FIRST, YEARS, role_files
from tests.schedule.roles import ends_the_night
from tests.support.examples import examples

pytestmark = pytest.mark.slow

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def role_of_file(text: str) -> Role:
    """The role in a file; raises ConfigurationError."""
    (role,) = configuration_of(Path("config"), files_of("", "vp-hr", text), lambda: "mx.example.test").roles
    return role


@given(role_files(), st.lists(st.integers(0, YEARS * 366 * 1440 - 1), min_size=10, max_size=10))
@settings(max_examples=examples(12), suppress_health_check=SLOW)
def test_five_years_are_covered_minute_by_minute(text: str, minutes: list[int]) -> None:
    """Any valid file: each minute of five years once, neighbours differ, lookups agree, nobody who may not be is on."""
    role = role_of_file(text)
    roster = Roster(role)
    start, end = day_range(role, FIRST, FIRST + timedelta(days=YEARS * 366))
    spans = roster.timeline(start, end)
    assert (spans[0].start, spans[-1].end) == (start, end)
    assert all(
        a.end == b.start and a.start < a.end and (a.on, a.why) != (b.on, b.why) for a, b in pairwise(spans)
    )
    partners = {person.key: person for person in role.partners}
    for span in spans:
        day = local_day(span.start, role.time_zone)
        assert len(set(span.on)) == len(span.on)
        for key in set(span.on) & partners.keys():
            assert partners[key].is_partner_on(day)
        if (role.since and day < role.since) or (role.until and day > role.until):
            assert span.on == ()
    starts = [span.start for span in spans]
    for minute in minutes:
        moment = min(start + timedelta(minutes=minute), end - timedelta(minutes=1))
        place = next(n for n in range(len(starts) - 1, -1, -1) if starts[n] <= moment)
        duty = roster.duty(moment)
        assert tuple(person.key for person in duty.on) == spans[place].on
        assert {person.key for person in duty.on}.isdisjoint(
            away.person.key for away in duty.away if away.absence
        )


@given(role_files(), st.lists(st.integers(0, YEARS * 366 * 96 - 1), min_size=20, max_size=20))
@settings(max_examples=examples(20), suppress_health_check=SLOW)
def test_nobody_is_on_while_their_own_clock_shows_an_absence(text: str, quarters: list[int]) -> None:
    """An absence with a beginning and an end, in the person's own wall time: on in it only to end the night before."""
    role = role_of_file(text)
    roster = Roster(role)
    zones = {person.key: person.time_zone or role.time_zone for person in role.people}
    begin = [to_utc(a.start, zones[a.who]) + timedelta(hours=6) for a in role.absences]
    drawn = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * q) for q in quarters]
    for moment in (*begin, *drawn):
        on = {person.key for person in roster.duty(moment).on}
        for absence in role.absences:
            wall = moment.astimezone(zones[absence.who]).replace(tzinfo=None)
            if not absence.recurs and absence.start <= wall < absence.end and absence.who in on:
                assert ends_the_night(roster, absence, moment, zones[absence.who])


@given(role_files())
@settings(max_examples=examples(20), suppress_health_check=SLOW)
def test_what_is_in_force_written_out_is_the_same_role(text: str) -> None:
    """`print-config` loses nothing: its values, written into a file, give the very same schedule."""
    role = role_of_file(text)
    written = "".join(f"{name}: {flow(value)}\n" for name, value in role_written(role).items() if value)
    again = role_of_file(written)
    assert again == role


@given(role_files(), st.integers(0, YEARS * 366 - 40))
@settings(max_examples=examples(12), suppress_health_check=SLOW)
def test_whatever_is_shown_can_be_shown(text: str, ahead: int) -> None:
    """Oddities, tables and pictures of any valid file, on any day."""
    role, day = role_of_file(text), FIRST + timedelta(days=ahead)
    assert all(words and "\n" not in words for words in warnings(role, day))
    found = days(role, *month_of(day))
    assert found[0].date.day == 1
    assert month_picture(role, day).count("<title>") == len(found)


EDITS = st.tuples(
    st.integers(0, 10_000),
    st.integers(0, 9),
    st.sampled_from(
        [*"[]{}:,-?*&!|>'%@`#~\t\x00\u2028“–é \n", "25:00", "2026-13-01", "Mon-Wed", "yes", "every", "until"]
    ),
)


@given(role_files(), st.lists(EDITS, min_size=1, max_size=3))
@settings(max_examples=examples(100), suppress_health_check=SLOW)
def test_no_slip_makes_anything_but_an_error_message(text: str, edits: list[tuple[int, int, str]]) -> None:
    """A file with a few characters changed is a role that can be asked, or problems with places and words."""
    for at, length, instead in edits:
        text = text[: at % len(text)] + instead + text[at % len(text) + length :]
    try:
        role = role_of_file(text)
    except ConfigurationError as error:
        for problem in error.problems:
            assert problem.line >= 1
            assert problem.column >= 1
            assert problem.what
            assert "\n" not in str(problem)
    else:
        Roster(role).duty(datetime(2026, 6, 1, tzinfo=UTC))
        assert isinstance(warnings(role, FIRST), list)
