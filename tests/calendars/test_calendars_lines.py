"""The first look at a calendar: whether it is a whole one, and how large."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.calendars import limits
from mailrouter.calendars.lines import contents_of
from mailrouter.errors import CalendarError
from tests.calendars.ics import calendar

EVENT = "DTSTART:20261201T090000Z\nSUMMARY:Lunch"


def test_lines_end_as_they_may() -> None:
    """CRLF, LF, CR, a byte order mark, empty lines, and folds of spaces and tabs."""
    raw = calendar(EVENT).replace(b"DTSTART:2026", b"DTST\r\n ART:20\r\n\t26")
    for text in (raw, raw.replace(b"\r\n", b"\n"), raw.replace(b"\r\n", b"\r"), b"\xef\xbb\xbf" + raw):
        (event,) = contents_of(text).events
        assert event.dates == ["UID:0", "DTSTART:20261201T090000Z"]
        assert event.number == 3
    assert contents_of(raw.replace(b"\r\n", b"\r\n\r\n")).events[0].number == 5


def test_only_what_is_needed_is_kept() -> None:
    """No description, no alarm, no attachment of any size."""
    rest = "DESCRIPTION:secret\nATTACH;ENCODING=BASE64:" + "A" * 10**6
    alarm = "BEGIN:VALARM\nTRIGGER:-PT5M\nDTSTART:19700101T000000Z\nEND:VALARM"
    (event,) = contents_of(calendar(f"{EVENT}\n{rest}\n{alarm}")).events
    assert event.dates == ["UID:0", "DTSTART:20261201T090000Z"]
    assert event.signs == [("SUMMARY", ":Lunch")]


BROKEN = [
    (b"", "not an iCalendar file"),
    (b"<!DOCTYPE html><p>Please log in", "not an iCalendar file"),
    (b"\xff\xfeB\x00E\x00G\x00I\x00N\x00", "not an iCalendar file"),
    (b"BEGIN:VCARD\r\nEND:VCARD\r\n", "not an iCalendar file"),
    (calendar(EVENT)[:-20], "it is cut off"),
    (b"BEGIN:VCALENDAR\r\nEND:VEVENT\r\n", "line 2: an END"),
    (b"END:VCALENDAR\r\n", "line 1: an END"),
    (b"BEGIN:VCALENDAR\r\n" * 9, "line 9: it is nested deeper than 8"),
    (b" " * (limits.MAX_BYTES + 1), "larger than 16 MiB"),
    (b"A\n" * (limits.MAX_LINES + 1), "more than 1,000,000 lines"),
    (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 50_001, "more than 50000 events"),
    (b"BEGIN:VCALENDAR\n" + b"BEGIN:VTIMEZONE\nEND:VTIMEZONE\n" * 201, "more than 200 time zones"),
]


@pytest.mark.parametrize(("raw", "words"), BROKEN, ids=[words for _, words in BROKEN])
def test_what_is_no_whole_calendar_is_an_error(raw: bytes, words: str) -> None:
    """A part of a calendar would be a schedule with absences missing."""
    with pytest.raises(CalendarError, match=words):
        contents_of(raw)


@given(st.binary(max_size=400), st.integers(0, 200), st.integers(0, 50))
def test_no_octets_make_anything_but_an_error(noise: bytes, place: int, length: int) -> None:
    """Noise alone, and noise in place of a part of a calendar."""
    raw = calendar(EVENT)
    for text in (noise, raw[:place] + noise + raw[place + length :]):
        with contextlib.suppress(CalendarError):
            contents_of(text)
