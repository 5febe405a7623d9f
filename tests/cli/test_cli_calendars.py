"""The commands about calendars, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import icalendar
import pytest

from mailrouter.cli import main
from tests.calendars.ics import OOF, calendar
from tests.config.files import ROLE, MakeFolder

ELAINE = "  elaine: {name: Elaine Miller, email: elaine@example.test}"
WITH_CALENDAR = ROLE.replace(ELAINE, ELAINE.replace("}", ", calendar: {file: e.ics, cover: laurie}}"))
OUT = f"DTSTART;VALUE=DATE:20261210\nDTEND;VALUE=DATE:20261212\n{OOF}\nSUMMARY:Surgery"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def with_calendar(folder: MakeFolder) -> Path:
    """A configuration in the working folder in which Elaine has a calendar, with one absence and a bad event."""
    made = folder(
        "hostname: mx.example.test\n", vp_hr=WITH_CALENDAR.replace("monday: laurie", "thursday: elaine")
    )
    Path("e.ics").write_bytes(calendar(OUT, f"DTSTART:20261201T090000Z\nRRULE:FREQ=SECONDLY\n{OOF}"))
    return made


def test_calendars_are_read_and_told(with_calendar: Path, capsys: Capture) -> None:
    """Before the first reading, reading, and after it; then the schedule has the absence."""
    assert main(["calendars"]) == 0
    assert capsys.readouterr().out == "vp-hr: Elaine's calendar: has not been read yet\n"
    assert main(["calendars", "vp-hr", "--refresh"]) == 0
    said = capsys.readouterr().out
    assert "1 absence in 2 events\n" in said.replace("\n    ", " ")
    assert "  left out: the event in line 10: it recurs more often than daily\n" in said
    assert "Surgery" not in said
    assert main(["schedule", "vp-hr", "--from", "2026-12-10", "--to", "2026-12-10"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Laurie Elaine is away until Friday 11 December, by their calendar; Laurie covers" in said
    assert main(["calendars", "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["absences"] == [["2026-12-10T08:00:00+00:00", "2026-12-12T08:00:00+00:00"]]
    assert told["failure"] is None


def test_a_calendar_that_cant_be_read_is_told(with_calendar: Path, capsys: Capture) -> None:
    """Exit code 1; `check` says it as well, and what stays in force."""
    main(["calendars", "--refresh"])
    Path("e.ics").unlink()
    capsys.readouterr()
    assert main(["calendars", "--refresh"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "it could not be read:" in said
    assert "No such file or directory; what was read before stays in force" in said
    assert main(["check"]) == 0
    assert "Elaine's calendar could not be read since" in " ".join(capsys.readouterr().out.split())


def test_without_calendars(folder: MakeFolder, capsys: Capture) -> None:
    """It is said that there are none."""
    folder("", vp_hr=ROLE)
    assert main(["calendars", "--refresh"]) == 0
    assert capsys.readouterr().out == "no partner has a calendar of their own here\n"
    assert main(["calendars", "other"]) == 2


def test_the_address_of_a_feed(folder: MakeFolder, capsys: Capture) -> None:
    """The way alone, or the whole where calendar_url is set; --new gives another, for that feed alone."""
    folder("", vp_hr=ROLE)
    assert main(["calendar-address", "vp-hr"]) == 0
    way, hint = capsys.readouterr()
    assert "calendar_url in mailrouter.yaml" in hint
    folder("calendar_url: https://mail.example.test/calendar/\n", vp_hr=ROLE)
    main(["calendar-address", "vp-hr@example.test"])
    first = capsys.readouterr().out
    assert first == f"https://mail.example.test{way}"
    main(["calendar-address", "vp-hr", "--partner", "ELAINE"])
    elaine = capsys.readouterr().out
    main(["calendar-address", "vp-hr", "--new"])
    new, told = capsys.readouterr()
    assert told == "The address before is out of use.\n"
    main(["calendar-address", "vp-hr"])
    assert capsys.readouterr().out == new != first
    main(["calendar-address", "vp-hr", "--partner", "elaine"])
    assert capsys.readouterr().out == elaine
    assert main(["calendar-address", "vp-hr", "--partner", "nobody"]) == 2
    assert "its partners are: laurie, elaine" in capsys.readouterr().err


def test_the_schedule_as_a_file(folder: MakeFolder, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """On standard output, octet for octet: everybody's for half a year, a partner's for some days."""
    folder("", vp_hr=ROLE)
    assert main(["schedule", "vp-hr", "--ical"]) == 0
    events = icalendar.Calendar.from_ical(capfdbinary.readouterr().out).events
    assert {str(event["SUMMARY"]) for event in events} == {"Laurie"}
    assert len(events) == 30
    days = ["--from", "2026-12-07", "--to", "2026-12-14"]
    assert main(["schedule", "vp-hr", "--ical", "--partner", "laurie", *days]) == 0
    raw = capfdbinary.readouterr().out
    assert raw.count(b"BEGIN:VEVENT\r\n") == 2
    assert b"SUMMARY:VP Human Resources\r\n" in raw
    assert main(["schedule", "vp-hr", "--partner", "laurie"]) == 2
    assert main(["schedule", "vp-hr", "--ical", "--from", "2026-12-07", "--to", "2026-12-01"]) == 2
