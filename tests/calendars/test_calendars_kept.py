"""What is kept of a calendar, and how it comes into the schedule."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.calendars.cache import Kept, folder_of, keep, kept_of, with_kept
from mailrouter.calendars.check import calendar_oddities
from mailrouter.calendars.refresh import AFTER_FAILURE, EVERY, is_due, refresh
from mailrouter.config import Configuration, load
from mailrouter.schedule.calendar_absences import Interval, union, with_calendars, without
from mailrouter.schedule.check.warnings import warnings
from mailrouter.schedule.model import Absence, CalendarSource, Role
from mailrouter.schedule.timeline import timeline
from tests.calendars.ics import OOF, calendar
from tests.schedule.roles import role_of
from tests.support.relay import write_configuration

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MONDAY = (datetime(2026, 12, 7, 17, tzinfo=UTC), datetime(2026, 12, 7, 20, tzinfo=UTC))
"""9 to 12 in Los Angeles."""


def with_source(role: Role, cover: str | None = None) -> Role:
    """Laurie has a calendar."""
    source = CalendarSource(file="laurie.ics", cover=cover)
    return replace(role, partners=(replace(role.partners[0], calendar=source), *role.partners[1:]))


def test_absences_of_a_calendar_are_in_the_schedule() -> None:
    """With where they come from, and the cover that the calendar names."""
    role = with_calendars(with_source(role_of(), "elaine"), {"laurie": [MONDAY]})
    span = timeline(role, *MONDAY)[0]
    assert span.on == ("elaine",)
    assert span.why == "Laurie is away until Monday 7 December at 12:00, by their calendar; Elaine covers"
    assert role.absences[0] == Absence(
        "laurie",
        datetime(2026, 12, 7, 9),
        datetime(2026, 12, 7, 12),
        cover="elaine",
        from_day=False,
        until_day=False,
        source="calendar",
    )
    assert not with_calendars(role_of(), {"laurie": [MONDAY]}).absences, "she has none"


def test_the_files_absences_hold_alone() -> None:
    """Where the file has one, the calendar's is cut: neither its cover nor its end changes the file's."""
    role = with_source(role_of("away laurie 2026-12-07 10:00..2026-12-07 11:00"), "elaine")
    merged = with_calendars(role, {"laurie": [MONDAY]})
    assert [(a.source, a.start.hour, a.end.hour) for a in merged.absences] == [
        ("file", 10, 11),
        ("calendar", 9, 10),
        ("calendar", 11, 12),
    ]
    spans = timeline(merged, *MONDAY)
    assert [(span.on, "by their calendar" in span.why) for span in spans] == [
        (("elaine",), True),
        ((), True),
        (("elaine",), True),
    ]
    whole = with_source(role_of("away laurie 2026-12-01..2026-12-31"))
    assert with_calendars(whole, {"laurie": [MONDAY]}) == whole


def test_what_was_laid_in_is_replaced() -> None:
    """Reading a calendar again leaves nothing of the time before."""
    role = with_source(role_of(SKIING := "away laurie 2026-12-21..2026-12-24"))
    once = with_calendars(role, {"laurie": [MONDAY]})
    assert with_calendars(once, {"laurie": [MONDAY]}) == once
    assert with_calendars(once, {}) == role
    assert SKIING


def test_nobody_is_told_to_delete_what_is_not_in_the_file() -> None:
    """Absences of a calendar pass by themselves."""
    role = with_calendars(with_source(role_of()), {"laurie": [MONDAY]})
    assert not [words for words in warnings(role, date(2027, 1, 1)) if "deleted" in words]


MINUTES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6)


def moments(pairs: list[tuple[int, int]]) -> list[Interval]:
    """Intervals of some minutes, empty and turned round ones among them."""
    return [(NOW + timedelta(minutes=a), NOW + timedelta(minutes=b)) for a, b in pairs]


@given(MINUTES, MINUTES)
def test_intervals_are_sets_of_minutes(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """``union`` and ``without`` say of each minute what they should, in order and without touching."""

    def minutes(pairs: list[tuple[int, int]]) -> set[int]:
        return {minute for a, b in pairs for minute in range(a, b)}

    for found, want in (
        (union(moments(one)), minutes(one)),
        (without(moments(one), moments(other)), minutes(one) - minutes(other)),
    ):
        back = [((a - NOW) // timedelta(minutes=1), (b - NOW) // timedelta(minutes=1)) for a, b in found]
        assert minutes(back) == want
        assert all(before[1] < after[0] for before, after in pairwise(back))


def configured(
    folder: Path, lines: str = "calendar: {file: elaine.ics}", settings: str = ""
) -> Configuration:
    """A configuration in which Elaine has a calendar."""
    made = write_configuration(folder, settings=settings)
    role = made / "roles" / "vp-hr.yaml"
    text = role.read_text()
    role.write_text(text.replace("email: elaine@example.test}", f"email: elaine@example.test, {lines}}}"))
    return load(made)


OUT = calendar(f"DTSTART;VALUE=DATE:20261210\n{OOF}\nSUMMARY:Surgery")


async def test_the_last_good_reading_stays(tmp_path: Path) -> None:
    """A calendar that can't be read takes no absence with it; the failure is told, and when it was read last."""
    configuration = configured(tmp_path)
    role = configuration.roles[0]
    elaine = role.person("elaine")
    (tmp_path / "elaine.ics").write_bytes(OUT)
    first = await refresh(configuration, role, elaine, NOW)
    assert (first.read_at, first.changed_at, first.failure, len(first.busy)) == (NOW, NOW, "", 1)
    later = NOW + timedelta(hours=2)
    same = await refresh(configuration, role, elaine, later)
    assert (same.read_at, same.changed_at) == (later, NOW)
    (tmp_path / "elaine.ics").write_bytes(OUT[:-30])
    failed = await refresh(configuration, role, elaine, later + EVERY)
    assert failed.busy == first.busy
    assert "cut off" in failed.failure
    assert (failed.read_at, failed.tried_at) == (later, later + EVERY)
    assert with_kept(configuration).roles[0].absences[0].source == "calendar"
    (told,) = calendar_oddities(configuration, later + EVERY)
    assert told == (
        "vp-hr",
        "Elaine's calendar could not be read since Tuesday 1 December at 06:00: it is cut off: the last END is "
        "missing; what was read then stays in force",
    )


async def test_nothing_private_is_kept(tmp_path: Path) -> None:
    """No title, no address of the calendar; readable for the service alone."""
    configuration = configured(tmp_path, 'calendar: {url: "https://127.0.0.1/private-0123456789abcdef.ics"}')
    role = configuration.roles[0]
    await refresh(configuration, role, role.person("elaine"), NOW)
    configuration = configured(tmp_path)
    (tmp_path / "elaine.ics").write_bytes(OUT)
    await refresh(configuration, role, configuration.roles[0].person("elaine"), NOW)
    folder = folder_of(configuration)
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert not {"Surgery", "private", "127.0.0.1", "elaine.ics"} & set(path.read_text().split('"'))
        assert "Surgery" not in path.read_text()
        assert "private" not in path.read_text()


def test_another_calendar_begins_anew(tmp_path: Path) -> None:
    """Another address, file, rule, zone or person: what was kept is of another calendar."""
    configuration = configured(tmp_path)
    role, folder = configuration.roles[0], folder_of(configuration)
    elaine = role.person("elaine")
    kept = Kept(NOW, NOW, NOW, "", (MONDAY,), 3, ("one",))
    keep(folder, role, elaine, kept)
    assert kept_of(folder, role, elaine) == kept
    assert elaine.calendar is not None
    for other in (
        replace(elaine, calendar=replace(elaine.calendar, file="other.ics")),
        replace(elaine, calendar=replace(elaine.calendar, absent_when=("busy",))),
        replace(elaine, email="miller@example.test"),
    ):
        assert kept_of(folder, role, other) == Kept()
    covered = replace(elaine, calendar=replace(elaine.calendar, cover="laurie"))
    assert kept_of(folder, role, covered) == kept, "who covers is not in the calendar"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"of": 1}', '{"busy": [[1, "x"]]}', '{"tried": 1e99}', "\xff"]
)
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    """Mail goes on without the absences until the calendar is read again."""
    configuration = configured(tmp_path)
    role, folder = configuration.roles[0], folder_of(configuration)
    elaine = role.person("elaine")
    keep(folder, role, elaine, Kept(NOW, NOW, NOW, "", (MONDAY,), 3, ()))
    (path,) = folder.iterdir()
    good = json.loads(path.read_text())
    path.write_text(text, encoding="latin-1")
    assert kept_of(folder, role, elaine) == Kept()
    for name in ("tried", "busy", "left_out", "events"):
        path.write_text(json.dumps({**good, name: {"a": 10**30}}))
        assert not kept_of(folder, role, elaine).busy or name == "left_out"
    assert with_kept(configuration).roles[0].key == "vp-hr"


def test_when_a_calendar_is_due() -> None:
    """Once an hour; sooner after a failure; and where the clock was set back."""
    assert is_due(Kept(), NOW)
    good, bad = Kept(NOW, NOW, NOW), Kept(NOW, failure="x")
    assert not is_due(good, NOW + EVERY - timedelta(seconds=1))
    assert is_due(good, NOW + EVERY)
    assert not is_due(bad, NOW + AFTER_FAILURE - timedelta(seconds=1))
    assert is_due(bad, NOW + AFTER_FAILURE)
    assert is_due(good, NOW - timedelta(days=1))


def test_what_is_worth_a_look(tmp_path: Path) -> None:
    """Never read; not read for a day, though nothing failed; something left out."""
    configuration = configured(tmp_path)
    role, folder = configuration.roles[0], folder_of(configuration)
    elaine = role.person("elaine")
    assert "has not been read yet" in next(calendar_oddities(configuration, NOW))[1]
    keep(folder, role, elaine, Kept(NOW, NOW, NOW, "", (MONDAY,), 3, ("one", "two")))
    assert [words for _, words in calendar_oddities(configuration, NOW)] == [
        "Elaine's calendar: left out is one, and 1 more; `mailrouter calendars vp-hr` tells all"
    ]
    late = list(calendar_oddities(configuration, NOW + timedelta(days=2)))
    assert "has not been read since Tuesday 1 December at 04:00" in late[0][1]


def test_a_record_that_cant_be_written_leaves_nothing_half(tmp_path: Path) -> None:
    """No draft stays behind."""
    configuration = configured(tmp_path)
    role, folder = configuration.roles[0], folder_of(configuration)
    folder.mkdir(parents=True)
    (folder / "vp-hr--elaine.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        keep(folder, role, role.person("elaine"), Kept())
    assert os.listdir(folder) == ["vp-hr--elaine.json"]
