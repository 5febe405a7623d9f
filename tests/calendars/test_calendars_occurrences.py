"""When absences are: zones, days, recurrences and their exceptions, as calendars write them."""

from __future__ import annotations

import pytest

from mailrouter.calendars import limits
from mailrouter.errors import CalendarError
from tests.calendars.ics import found, told

CUSTOM = """\
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0300
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0200
TZOFFSETTO:+0300
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE"""
SERIES = "UID:s\nDTSTART;TZID=Europe/Berlin:20261130T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=3"

# What the event says; when the absence is, in UTC; the calendar is that of somebody in Berlin (UTC+1 in winter).
TABLE = [
    ("DTSTART:20261201T090000Z\nDTEND:20261201T110000Z", ["2026-12-01 09:00+2:00"]),
    ("DTSTART:20261201T090000\nDTEND:20261201T110000", ["2026-12-01 08:00+2:00"]),
    ("DTSTART;TZID=America/Los_Angeles:20261201T090000\nDURATION:PT2H", ["2026-12-01 17:00+2:00"]),
    ('DTSTART;TZID="Pacific Standard Time":20261201T090000\nDURATION:PT2H', ["2026-12-01 17:00+2:00"]),
    ("DTSTART;TZID=/vendor.example/Europe/Athens:20261201T090000\nDURATION:PT2H", ["2026-12-01 07:00+2:00"]),
    ("DTSTART;TZID=Customized Time Zone:20261201T090000\nDURATION:PT2H", ["2026-12-01 07:00+2:00"]),
    ("DTSTART;TZID=Customized Time Zone:20270701T090000\nDURATION:PT2H", ["2027-07-01 06:00+2:00"]),
    ("DTSTART;TZID=Unheard of:20261201T090000\nDURATION:PT2H", ["2026-12-01 08:00+2:00"]),
    ("DTSTART;VALUE=DATE:20261207\nDTEND;VALUE=DATE:20261209", ["2026-12-06 23:00+2 days, 0:00"]),
    ("DTSTART;VALUE=DATE:20261207", ["2026-12-06 23:00+1 day, 0:00"]),
    ("DTSTART;VALUE=DATE:20261207\nDTEND;VALUE=DATE:20261207", ["2026-12-06 23:00+1 day, 0:00"]),
    ("DTSTART;VALUE=DATE:20270328\nDURATION:P1D", ["2027-03-27 23:00+23:00"]),
    ("DTSTART:20261201T090000Z", []),
    (
        "DTSTART:20261201T110000Z\nDTEND:20261201T090000Z",
        ["2026-12-01 09:00+2:00"],
    ),  # meant the other way round
    ("DTSTART:20261031T220000Z\nDTEND:20261101T040000Z", ["2026-11-01 00:00+4:00"]),
    ("DTSTART:20200101T000000Z\nDTEND:20200102T000000Z", []),
    ("DTSTART:20200101T000000Z\nDTEND:20261101T030000Z", ["2026-11-01 00:00+3:00"]),
    ("DTSTART:20300101T000000Z\nDTEND:20300102T000000Z", []),
    (
        "DTSTART;TZID=Europe/Berlin:20270326T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=4",
        ["2027-03-26 08:00+1:00", "2027-03-27 08:00+1:00", "2027-03-28 07:00+1:00", "2027-03-29 07:00+1:00"],
    ),
    (
        "DTSTART;VALUE=DATE:20261207\nRRULE:FREQ=WEEKLY;UNTIL=20261221;BYDAY=MO, FR",
        [
            *("2026-12-06 23:00+1 day, 0:00", "2026-12-10 23:00+1 day, 0:00", "2026-12-13 23:00+1 day, 0:00"),
            *("2026-12-17 23:00+1 day, 0:00", "2026-12-20 23:00+1 day, 0:00"),
        ],
    ),
    (
        f"{SERIES}\nEXDATE;TZID=Europe/Berlin:20261207T090000",
        ["2026-11-30 08:00+1:00", "2026-12-14 08:00+1:00"],
    ),
    (f"{SERIES}\nEXDATE:20261207T080000Z", ["2026-11-30 08:00+1:00", "2026-12-14 08:00+1:00"]),
    (
        "DTSTART:20261201T090000Z\nDURATION:PT1H\nRDATE:20261203T090000Z,20261204T100000Z",
        ["2026-12-01 09:00+1:00", "2026-12-03 09:00+1:00", "2026-12-04 10:00+1:00"],
    ),
    (
        "DTSTART:20261201T090000Z\nDURATION:PT1H\nRDATE;VALUE=PERIOD:20261203T090000Z/PT3H",
        ["2026-12-01 09:00+1:00", "2026-12-03 09:00+3:00"],
    ),
]


@pytest.mark.parametrize(("event", "when"), TABLE)
def test_an_event_is_when_it_says(event: str, when: list[str]) -> None:
    """One event alone; the custom zone is two hours before UTC, three in summer."""
    assert told(event, zones=CUSTOM) == when


def test_exceptions_of_a_series_take_the_place_of_what_they_name() -> None:
    """One moved, one cancelled: RECURRENCE-ID, whatever order the file has."""
    moved = "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20261207T090000\nDTSTART:20261208T120000Z\nDURATION:PT2H"
    off = "UID:s\nRECURRENCE-ID:20261214T080000Z\nDTSTART:20261214T080000Z\nDURATION:PT1H\nSTATUS:CANCELLED"
    assert told(moved, SERIES, off) == ["2026-11-30 08:00+1:00", "2026-12-08 12:00+2:00"]


def test_an_exception_may_be_the_only_absence_of_a_series() -> None:
    """Out of office at one meeting of many; and free at one of many that are not."""
    oof = "UID:s\nRECURRENCE-ID:20261207T080000Z\nDTSTART:20261207T080000Z\nDURATION:PT1H\nX-MICROSOFT-CDO-BUSYSTATUS:OOF"
    assert told(SERIES, oof, rule=("out-of-office",)) == ["2026-12-07 08:00+1:00"]
    free = oof.replace("OOF", "FREE")
    assert told(SERIES, free) == ["2026-11-30 08:00+1:00", "2026-12-14 08:00+1:00"]


def test_this_and_future() -> None:
    """RANGE=THISANDFUTURE moves what is still to come (RFC 5545 §3.2.13)."""
    later = (
        "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261207T080000Z\nDTSTART:20261207T100000Z\nDURATION:PT1H"
    )
    assert told(SERIES, later) == ["2026-11-30 08:00+1:00", "2026-12-07 10:00+1:00", "2026-12-14 10:00+1:00"]


def test_overlaps_are_one_absence() -> None:
    """What touches or overlaps is one; what comes twice is no more."""
    one, two = "DTSTART:20261201T090000Z\nDURATION:PT1H", "DTSTART:20261201T100000Z\nDURATION:PT3H"
    assert told(two, one, one) == ["2026-12-01 09:00+4:00"]


LEFT_OUT = [
    ("DTSTART:20261201T090000Z\nRRULE:FREQ=SECONDLY", "it recurs more often than daily"),
    ("DTSTART:20261201T090000Z\nRRULE:FREQ=DAILY;BYSECOND=0,1", "it recurs more often than daily"),
    ("DTSTART:20261201T090000Z\nRRULE:COUNT=3", "its recurrence rule has no FREQ"),
    ("DTSTART:20261201T090000Z\nRRULE:FREQ=DAILY;INTERVAL=0", "its INTERVAL is no number from 1 on"),
    ("DTSTART:20261201T090000Z\nRRULE:RSCALE=HEBREW;FREQ=YEARLY", "another calendar than the Gregorian"),
    ("DTSTART:20261201T090000Z\nRRULE:FREQ=DAILY;" + "X" * 3000, "its recurrence rule is too long"),
    ("DTSTART:20261201T090000Z\nEXRULE:FREQ=DAILY", "it has an EXRULE"),
    ("DTEND:20261201T090000Z", "it has no DTSTART"),
    ("DTSTART:20261201T090000Z\nDTSTART:20261202T090000Z", "2 DTSTART lines in place of one"),
    ("DTSTART:20261301T090000Z", "one of its dates, times or rules can't be read"),
    ("DTSTART:20261201T090000Z\nRDATE:" + "20261201T090000Z," * 5000, "its RDATE is longer than 64 KiB"),
    (
        "DTSTART:20261201T090000Z\n" + "EXDATE:20261201T090000Z\n" * 2100 + "SEQUENCE:1",
        "more than 2000 lines",
    ),
]


@pytest.mark.parametrize(("event", "words"), LEFT_OUT, ids=[words for _, words in LEFT_OUT])
def test_an_event_that_cant_be_used_is_left_out_and_told(event: str, words: str) -> None:
    """With its line; the others of the calendar are read."""
    good = "DTSTART:20261205T090000Z\nDURATION:PT1H"
    when, why = told(good, event)
    assert when == "2026-12-05 09:00+1:00"
    assert words in why
    assert why.startswith("the event in line 8: ")


def test_no_endless_list_of_what_was_left_out() -> None:
    """Twenty are told, and that there are more."""
    read = found(*["DTSTART:20261201T090000Z\nRRULE:FREQ=SECONDLY"] * 50)
    assert len(read.left_out) == limits.MAX_LEFT_OUT + 1
    assert read.left_out[-1] == "and more"


def test_a_zone_that_would_be_expanded_for_ever_is_left_out() -> None:
    """Its events are read in the owner's zone, and that is said."""
    fine = CUSTOM.replace("FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3", "FREQ=MINUTELY")
    when, why = told("DTSTART;TZID=Customized Time Zone:20261201T090000\nDURATION:PT2H", zones=fine)[::1]
    assert when == "2026-12-01 08:00+2:00"
    assert "time zone 'Customized Time Zone' can't be used" in why


def test_too_many_absences_are_an_error() -> None:
    """Rather than a schedule of some of them."""
    events = [f"DTSTART:2026{11 + i // 1500:02}{1 + i // 60 % 25:02}T{i % 24:02}{i // 24 % 60:02}00Z\nDURATION:PT1S"
              for i in range(2500)]  # fmt: skip
    with pytest.raises(CalendarError, match="more than 1000 separate absences"):
        found(*events)
