"""Calendars made to do harm: each costs its own process a bounded time, and mail nothing."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.calendars import limits
from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.occurrences import Found, absences_in
from mailrouter.calendars.refresh import read
from mailrouter.calendars.worker import event_guard
from mailrouter.errors import CalendarError
from tests.calendars.ics import BERLIN, END, START, calendar
from tests.calendars.requests import request
from tests.calendars.suites import NEEDED, files
from tests.support.examples import examples

AT = "DTSTART:20261124T000000Z\nDURATION:PT1H"
SLOW = "it takes too long to work out"
HOSTILE = {
    "every second": (f"{AT}\nRRULE:FREQ=SECONDLY", "more often than daily"),
    "every second by BYSECOND": (
        f"{AT}\nRRULE:FREQ=DAILY;BYSECOND={','.join(map(str, range(60)))}",
        "more often than daily",
    ),
    "daily since the year 1": ("DTSTART:00010101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY", SLOW),
    "never": (f"{AT}\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", SLOW),
    "an interval of nothing": (f"{AT}\nRRULE:FREQ=DAILY;INTERVAL=0", "no number from 1 on"),
    "as long as can be": ("DTSTART:20200101T000000Z\nDURATION:P9999W\nRRULE:FREQ=DAILY", "can't be read"),
    "longer than can be": ("DTSTART:20200101T000000Z\nDURATION:P99999999999W", "can't be read"),
    "the end of time": ("DTSTART:99991231T000000Z\nDURATION:P2D\nRRULE:FREQ=DAILY", "can't be read"),
}
"""An event, and what is said of it."""


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_event_is_left_out(tmp_path: Path, name: str) -> None:
    """And the others of its calendar are read."""
    event, words = HOSTILE[name]
    (tmp_path / "c.ics").write_bytes(calendar(event, "DTSTART:20261205T090000Z\nDURATION:PT1H"))
    answer = await read(request(tmp_path / "c.ics"))
    # A busy machine may have no time left for it before it is known to be unreadable.
    assert words in answer["left_out"][0] or SLOW in answer["left_out"][0], answer
    assert len(answer["left_out"]) == 1
    assert answer["busy"] == [[1796461200, 1796464800]]


def many(event: str, count: int) -> bytes:
    """A calendar of the same event many times, each with a UID of its own."""
    return calendar(*[f"UID:{number}\n{event}" for number in range(count)])


WHOLE = {
    "a hundred that never come": (
        many(f"{AT}\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", 100),
        "more than 10 of its events take too long",
    ),
    "a hundred since 1600": (many("DTSTART:16000101T000000Z\nRRULE:FREQ=DAILY", 100), "take too long"),
    "a thousand every day": (many(f"{AT}\nRRULE:FREQ=DAILY", 1000), "more than 20000 absences"),
    "nested without end": (b"BEGIN:A\r\n" * 10**6, "nested deeper"),
    "lines without end": (b"A\r" * 8_000_000, "1,000,000 lines"),
    "one line": (b"BEGIN:VCALENDAR\r\nX:" + b"A" * 16_000_000, "it is cut off"),
    "one fold after another": (b"BEGIN:VCALENDAR\r\nX:A\r\n" + b" A\r\n" * 900_000, "it is cut off"),
    "too large": (b"A" * (limits.MAX_BYTES + 10), "larger than 16 MiB"),
}
"""A calendar, and the failure."""


def measured(file: Path) -> tuple[dict[str, Any], float, int]:
    """The answer for one calendar, the seconds of processor time it cost, and the octets of memory at most."""
    answer = asyncio.run(read(request(file), 120))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return answer, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024


@pytest.mark.parametrize("name", WHOLE)
def test_a_hostile_calendar_fails_in_bounded_time(tmp_path: Path, name: str) -> None:
    """With words; within the processor time that a calendar has, and less memory than it may have.

    It is read from a new, small process: a child's largest memory counts that of the one it was begun by.
    """
    raw, words = WHOLE[name]
    (tmp_path / "c.ics").write_bytes(raw)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        answer, seconds, octets = alone.submit(measured, tmp_path / "c.ics").result()
    # How far it comes until one of two limits is met depends on the machine.
    assert words in answer["failure"] or "seconds of work" in answer["failure"], answer["failure"]
    assert seconds < limits.CPU_SECONDS + 5
    assert 0 < octets < limits.MEMORY
    print(f"{name}: {seconds:.1f} s of processor time, {octets >> 20} MB at most")


def children() -> set[str]:
    """The processes that this one has begun: one that has ended and was not waited for counts."""
    return {
        child for tasks in Path("/proc/self/task").glob("*/children") for child in tasks.read_text().split()
    }


async def test_a_process_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """Whatever it does; none is left behind."""
    before = children()
    (tmp_path / "c.ics").write_bytes(WHOLE["a hundred that never come"][0])
    assert "not read within 1 seconds" in (await read(request(tmp_path / "c.ics"), 1.0))["failure"]
    assert children() <= before


async def test_reading_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    """As when the service stops."""
    before = children()
    (tmp_path / "c.ics").write_bytes(WHOLE["a hundred that never come"][0])
    reading = asyncio.create_task(read(request(tmp_path / "c.ics")))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert children() <= before


async def test_the_loop_goes_on_meanwhile(tmp_path: Path) -> None:
    """While a hostile calendar is read for two seconds, the loop is never held up for long.

    The bound is wide, since the machine may be busy; alone it is some milliseconds (printed).
    """
    (tmp_path / "c.ics").write_bytes(WHOLE["a hundred that never come"][0])
    reading = asyncio.create_task(read(request(tmp_path / "c.ics"), 2.0))
    longest = 0.0
    while not reading.done():
        began = time.perf_counter()
        await asyncio.sleep(0)
        longest = max(longest, time.perf_counter() - began)
    print(f"the loop was held up for {longest * 1000:.1f} ms at most")
    assert "not read within" in reading.result()["failure"]
    assert longest < 1.0


@NEEDED
def test_every_calendar_of_the_suites_is_read_or_refused() -> None:
    """Those of icalendar, ical.js, ical4j, libical and recurring_ical_events, fuzz files among them, in two years:
    nothing but absences, or an error in words; each within the time that its events have."""
    counts = {"read": 0, "with something left out": 0, "refused": 0, "files": 0}
    slowest, total = (0.0, ""), time.process_time()
    for path in files():
        raw = path.read_bytes()
        counts["files"] += 1
        for year in (2008, 2020):
            start = datetime(year, 1, 1, tzinfo=UTC)
            began = time.process_time()
            try:
                found = absences_in(
                    raw, Rule(("busy",)), BERLIN, start, start + timedelta(days=427), event_guard
                )
                counts["read"] += 1
                counts["with something left out"] += bool(found.left_out)
                assert all(a < b for a, b in found.busy)
                assert all(start <= a for a, _ in found.busy)
            except CalendarError:
                counts["refused"] += 1
            slowest = max(slowest, (time.process_time() - began, path.name))
    total = time.process_time() - total
    print(f"{counts}; {total:.1f} s in all, at most {slowest[0]:.2f} s ({slowest[1]})")
    assert counts["files"] > 500
    assert counts["read"] > 700
    assert slowest[0] < 10


WORDS = [
    "FREQ=DAILY",
    "FREQ=YEARLY",
    "BYDAY=-5SU",
    "BYSETPOS=-1",
    "COUNT=99999999999",
    "UNTIL=1",
    "BYWEEKNO=53",
    "WKST",
]
VALUES = st.one_of(
    st.sampled_from(
        ["20261201", "20261201T090000Z", "20261201T250000", "00000000", "99991231T235959Z", "P1D", "-PT9H"]
    ),
    st.lists(st.sampled_from(WORDS), max_size=4).map(";".join),
    st.text(max_size=20),
)
NAMES = st.sampled_from(
    "DTSTART DTSTART;VALUE=DATE DTSTART;TZID=X DTEND;TZID=':' DTEND DURATION RRULE RDATE RDATE;VALUE=PERIOD EXDATE "
    "RECURRENCE-ID RECURRENCE-ID;RANGE=THISANDFUTURE UID SEQUENCE TZID STATUS TRANSP CATEGORIES SUMMARY ATTENDEE "
    "TZOFFSETTO TZOFFSETFROM BEGIN END X-A".replace("'", '"').split()
)
LINES = st.lists(st.builds(lambda name, value: f"{name}:{value}", NAMES, VALUES), max_size=8)
PARTS = st.tuples(st.sampled_from(["VEVENT", "VTIMEZONE", "VALARM", "VCALENDAR", "STANDARD"]), LINES)


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PARTS, max_size=4), st.booleans())
def test_no_calendar_makes_anything_but_an_error(parts: list[tuple[str, list[str]]], right: bool) -> None:
    """Whatever lines it has: absences within the window, or a CalendarError."""
    lines = ["BEGIN:VCALENDAR"]
    for name, within in parts:
        lines += [f"BEGIN:{name}", *(["DTSTART:20261201T090000Z"] if right else []), *within, f"END:{name}"]
    raw = "\r\n".join([*lines, "END:VCALENDAR", ""]).encode("utf-8", "surrogatepass")
    with contextlib.suppress(CalendarError):
        found = absences_in(raw, Rule(("busy", "title x"), "a@b"), BERLIN, START, END, event_guard)
        assert isinstance(found, Found)
        assert all(START <= a < b <= END for a, b in found.busy)
