"""The feed: read back by an independent parser (icalendar), and by ourselves, it is the same schedule."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailrouter.calendars.absence_rule import Rule
from mailrouter.calendars.occurrences import absences_in
from mailrouter.schedule.calendar_absences import union
from mailrouter.schedule.ical.feed import OURS, feed
from mailrouter.schedule.ical.text import content_line, escaped
from mailrouter.schedule.ical.vtimezone import changes
from mailrouter.schedule.model import Role
from mailrouter.schedule.timeline import timeline
from tests.schedule.roles import role_of
from tests.schedule.test_schedule_properties import roles
from tests.support.examples import examples

START, END = datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2027, 1, 11, 8, tzinfo=UTC)
CHANGED = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)
SKIING = "away elaine 2026-12-21..2027-01-01 cover laurie"


def events(raw: bytes) -> dict[tuple[str, datetime | date], Any]:
    """The feed's events (``icalendar.Event``; of its properties' thirty types we know ours), by title and start."""
    return {(str(event["SUMMARY"]), event.start): event for event in icalendar.Calendar.from_ical(raw).events}


def wall(text: str, zone: str = "America/Los_Angeles") -> datetime:
    """A wall time of the role's zone."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def on_duty(role: Role, who: str, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """When the timeline has somebody on, joined."""
    return union((span.start, span.end) for span in timeline(role, start, end) if who in span.on)


def test_who_is_in_stands_in_the_feed() -> None:
    """Shifts in wall time with their zone; absences as whole days; nobody is made busy by them."""
    found = events(feed(role_of(SKIING), START, END, CHANGED))
    monday = found["Laurie", wall("2026-11-30 09:00")]
    assert monday.end == wall("2026-11-30 17:00")
    assert monday["DTSTART"].params["TZID"] == "America/Los_Angeles"
    assert monday["TRANSP"] == "TRANSPARENT"
    assert monday["DTSTAMP"].dt == CHANGED
    away = found["Elaine is away", date(2026, 12, 21)]
    assert away.end == date(2027, 1, 2)
    covered = found["Laurie", wall("2026-12-24 09:00")]
    assert covered["STATUS"] == "CONFIRMED"


def test_what_was_taken_out_is_cancelled_under_its_old_uid() -> None:
    """Whoever imported the feed before the absence was known finds the same UID again, cancelled."""
    before = events(feed(role_of(), START, END, CHANGED))
    after = events(feed(role_of(SKIING), START, END, CHANGED + timedelta(hours=1)))
    thursday = ("Elaine", wall("2026-12-24 09:00"))
    assert after[thursday]["UID"] == before[thursday]["UID"]
    assert (before[thursday]["STATUS"], after[thursday]["STATUS"]) == ("CONFIRMED", "CANCELLED")
    assert after[thursday]["SEQUENCE"] > before[thursday]["SEQUENCE"]
    assert after["Elaine", wall("2026-12-17 09:00")]["STATUS"] == "CONFIRMED"


def test_a_shift_keeps_its_uid() -> None:
    """The UID is the same in another range, at another time, after the end of the shift was changed."""
    one = events(feed(role_of(), START, END, CHANGED))
    two = events(
        feed(role_of("hours 09:00-16:00"), START + timedelta(days=5), END, CHANGED + timedelta(days=9))
    )
    for key in one.keys() & two.keys():
        assert one[key]["UID"] == two[key]["UID"]
    assert len(one.keys() & two.keys()) > 20
    uids = [event["UID"] for event in one.values()]
    assert len(uids) == len(set(uids))
    assert all(OURS.match(uid) for uid in uids)


def test_the_same_facts_give_the_same_bytes() -> None:
    """So a client that asks again can be told that nothing is new."""
    role = role_of(SKIING)
    assert feed(role, START, END, CHANGED) == feed(role, START, END, CHANGED)
    assert feed(role, START, END, CHANGED) != feed(role_of(), START, END, CHANGED)


def with_note(role: Role, note: str) -> Role:
    """The role with this note in all its absences."""
    return replace(role, absences=tuple(replace(absence, note=note) for absence in role.absences))


def test_notes_and_reasons_are_for_the_partner_alone() -> None:
    """The role's feed goes to colleagues: no note, no reason, no address, no telephone number."""
    role = with_note(role_of(f"{SKIING}; away laurie 2026-12-08..2026-12-08"), "at the clinic")
    colleagues = feed(role, START, END, CHANGED)
    for private in (b"clinic", b"by the rota", b"covers", b"laurie@", b"elaine@", b"650"):
        assert private not in colleagues
    own = events(feed(role, START, END, CHANGED, "elaine"))
    assert own["Away (VP Human Resources)", date(2026, 12, 21)]["DESCRIPTION"] == "at the clinic"
    assert ("Away (VP Human Resources)", date(2026, 12, 8)) not in own


def test_a_partners_feed_has_their_shifts() -> None:
    """Under the role's name, with the reason; nobody else's."""
    own = events(feed(role_of("swap 2026-12-03 laurie for 2026-12-08"), START, END, CHANGED, "laurie"))
    swapped = own["VP Human Resources", wall("2026-12-03 09:00")]
    assert swapped["DESCRIPTION"] == "swap: Laurie instead of Elaine"
    assert own["VP Human Resources", wall("2026-12-08 09:00")]["STATUS"] == "CANCELLED"
    assert ("VP Human Resources", wall("2026-12-04 09:00")) not in own
    with pytest.raises(KeyError):
        feed(role_of(), START, END, CHANGED, "nobody")


def test_day_and_night_is_cut_at_midnight() -> None:
    """A duty without a break is a day each, and the same days whatever the range; a night shift stays one."""
    always = role_of(
        "rota " + ", ".join(f"{d} laurie 00:00-24:00" for d in ("mon", "tue", "wed", "thu", "fri"))
    )
    whole = events(feed(always, START, END, CHANGED))
    later = events(feed(always, START + timedelta(days=2), END, CHANGED))
    assert ("Laurie", wall("2026-11-25 00:00")) in whole
    assert later.keys() < whole.keys()
    night = events(feed(role_of("rota mon laurie 22:00-06:00"), START, END, CHANGED))
    assert night["Laurie", wall("2026-11-30 22:00")].end == wall("2026-12-01 06:00")


def test_the_second_of_two_hours_is_told_in_utc() -> None:
    """A wall time that comes twice means the first (RFC 5545 §3.3.5), so what begins in the second is in UTC."""
    role = role_of("rota sat laurie 22:00-04:00; away laurie 2026-10-31 20:00..2026-11-01 01:30")
    raw = feed(role, datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC), CHANGED)
    assert b"DTSTART:20261101T093000Z\r\n" in raw  # 01:30 for the second time, in PST


@pytest.mark.slow
@pytest.mark.parametrize(
    "zone",
    [
        "America/Los_Angeles",
        "America/Sao_Paulo",
        "Europe/Berlin",
        "Europe/Dublin",
        "Africa/Casablanca",
        "Asia/Kolkata",
        "Asia/Tehran",
        "Australia/Lord_Howe",
        "Pacific/Auckland",
        "Pacific/Chatham",
        "Antarctica/Troll",
    ],
)
def test_the_vtimezone_alone_says_when(zone: str) -> None:
    """A parser that has never heard of the zone comes to the same moments by the VTIMEZONE, over all changes."""
    role = role_of(f"zone {zone}; hours 09:00-17:00")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    raw = feed(role, start, start + timedelta(days=500), CHANGED)
    unknown = raw.replace(zone.encode(), b"Nowhere/" + zone.encode())
    icalendar.use_zoneinfo()  # type: ignore[no-untyped-call]
    known, custom = (icalendar.Calendar.from_ical(each).events for each in (raw, unknown))
    assert {str(event.start.tzinfo) for event in custom if isinstance(event.start, datetime)} != {zone}
    one: Any
    other: Any
    for one, other in zip(known, custom, strict=True):
        assert (one.start.astimezone(UTC), one.end.astimezone(UTC)) == (
            other.start.astimezone(UTC),
            other.end.astimezone(UTC),
        )
    assert len(known) > 300


def test_the_changes_of_the_clocks_are_found() -> None:
    """To the second, Ramadan in Morocco and the skipped day of Samoa included."""
    year = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert list(changes(ZoneInfo("Europe/Berlin"), *year)) == [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
    ]
    assert len(list(changes(ZoneInfo("Africa/Casablanca"), *year))) == 2
    assert not list(changes(ZoneInfo("Asia/Kolkata"), *year))


@pytest.mark.parametrize("hours", ["00:00-24:00", "20:00-24:00"])
def test_an_end_in_the_hour_that_comes_twice(hours: str) -> None:
    """Havana's clocks go back at one o'clock, so a Saturday's 24:00 is told in UTC, and read as that very moment."""
    role = role_of(f"zone America/Havana; rota sat laurie {hours}")
    start = datetime(2026, 10, 31, 4, tzinfo=UTC)
    raw = feed(role, start, start + timedelta(days=2), CHANGED, "laurie")
    theirs = raw.replace(b"UID:mailrouter-", b"UID:another-")
    rule = Rule((f"title {role.name}",))
    read = absences_in(theirs, rule, role.time_zone, start, start + timedelta(days=2))
    assert [end for _, end in read.busy] == [datetime(2026, 11, 1, 5, tzinfo=UTC)]


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(roles())
def test_out_and_in_again_is_the_same_timeline(found: tuple[Role, datetime]) -> None:
    """Each partner's feed, read by our own import and by icalendar, has that partner's duty, minute for minute."""
    role, moment = found
    start, end = moment - timedelta(days=6), moment + timedelta(days=6)
    around = timedelta(days=2)
    for person in role.partners:
        raw = feed(role, start - around, end, CHANGED, person.key)
        want = on_duty(role, person.key, start, end)
        theirs = raw.replace(b"UID:mailrouter-", b"UID:another-")  # our own are never taken for absences
        read = absences_in(theirs, Rule((f"title {role.name}",)), role.time_zone, start, end)
        assert read.busy == want
        assert not read.left_out
        found_events: list[Any] = icalendar.Calendar.from_ical(raw).events
        parsed = union(
            (event.start.astimezone(UTC), event.end.astimezone(UTC))
            for event in found_events
            if event["SUMMARY"] == role.name and event["STATUS"] == "CONFIRMED"
        )
        assert union((max(a, start), min(b, end)) for a, b in parsed if a < end and b > start) == want


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_lines_are_folded_between_characters(text: str) -> None:
    """No line is over 75 octets, each is UTF-8 by itself, and unfolded it is what it was."""
    line = content_line("SUMMARY", escaped(text))
    assert line.endswith(b"\r\n")
    parts = line[:-2].split(b"\r\n")
    for part in parts:
        assert len(part) <= 75
        part.decode()
    assert all(part.startswith(b" ") for part in parts[1:])
    assert line[:-2].replace(b"\r\n ", b"").decode() == f"SUMMARY:{escaped(text)}"


@given(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.just("\n"), max_size=100)
)
def test_texts_come_back(text: str) -> None:
    """Commas, semicolons, backslashes and line breaks are read back as they were."""
    raw = b"BEGIN:VEVENT\r\n" + content_line("SUMMARY", escaped(text)) + b"END:VEVENT\r\n"
    assert str(icalendar.Event.from_ical(raw)["SUMMARY"]) == text


def test_every_line_is_a_content_line() -> None:
    """CRLF alone ends lines; no control characters; each line is NAME:value or goes on the one before."""
    role = replace(with_note(role_of(SKIING), "eins, zwei; drei\\vier " * 9), name="Größe; 名前\x07" * 12)
    for partner in (None, "elaine"):
        raw = feed(role, START, END, CHANGED, partner)
        assert raw.count(b"\n") == raw.count(b"\r") == raw.count(b"\r\n")
        for line in raw.removesuffix(b"\r\n").split(b"\r\n"):
            assert len(line) <= 75
            assert re.fullmatch(
                rb"[A-Z-]+(;[A-Z]+=[A-Za-z_/-]+)*:[^\x00-\x1f\x7f]*| [^\x00-\x1f\x7f]*", line
            ), line
        assert not icalendar.Calendar.from_ical(raw).errors
