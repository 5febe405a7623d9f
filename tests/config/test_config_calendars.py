"""A partner's calendar in the role's file, and what IT says of calendars in the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.config.files.role_file import role_written
from mailrouter.config.to_yaml import flow
from mailrouter.config.values.errors import masked
from mailrouter.schedule.model import CalendarSource
from tests.config.files import ROLE, MakeFolder, ProblemsOf

SECRET = "https://calendar.example.com/ical/elaine%40example.com/private-0123456789abcdef/basic.ics"
ELAINE = "elaine@example.test}"


def role_with(lines: str) -> str:
    """The role's file with these lines in Elaine's calendar."""
    return ROLE.replace(ELAINE, f"elaine@example.test, calendar: {{{lines}}}}}")


def source(folder: Path) -> CalendarSource | None:
    """Elaine's calendar, as it was read."""
    return config.load(folder, fqdn=lambda: "mx.example.test").roles[0].person("elaine").calendar


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ("file: calendars/elaine.ics", CalendarSource(file="calendars/elaine.ics")),
        (f"url: {SECRET}", CalendarSource(url=SECRET)),
        (f"url: webcal{SECRET[5:]}", CalendarSource(url=SECRET)),
        (f"url: WebCal{SECRET[5:]}", CalendarSource(url=SECRET)),
        ("file: e.ics, absent_when: all-day", CalendarSource(file="e.ics", absent_when=("all-day",))),
        (
            "file: e.ics, absent_when: [busy, category Out of town], cover: Laurie",
            CalendarSource("e.ics", "", ("busy", "category Out of town"), "laurie"),
        ),
        ("file: e.ics, absent_when: title  Away", CalendarSource("e.ics", absent_when=("title Away",))),
    ],
)
def test_a_calendar_is_read(folder: MakeFolder, lines: str, found: CalendarSource) -> None:
    """As it is written, and as it is written back."""
    made = folder("", vp_hr=role_with(lines))
    assert source(made) == found
    role = config.load(made, fqdn=lambda: "mx.example.test").roles[0]
    again = folder("", vp_hr="".join(f"{key}: {flow(value)}\n" for key, value in role_written(role).items()))
    assert source(again) == found


@pytest.mark.parametrize(
    ("lines", "what", "hint"),
    [
        ("absent_when: busy", "the calendar is not named", "file: elaine.ics"),
        (f"file: e.ics, url: {SECRET}", "a file or a url, not both", "file: elaine.ics"),
        ("url: calendar.example.com/x", "not the address of a calendar", "https://…"),
        ("url: ftp://calendar.example.com/x", "not the address of a calendar", "https://…"),
        ('url: "https://calendar.example.com/a b"', "not the address of a calendar", "%20"),
        ('url: "https://[::1"', "not the address of a calendar", "https://…"),
        ('url: "https://e.example:x/"', "not the address of a calendar", "https://…"),
        ("url: https://elaine:pw@calendar.example.com/x", "logging in", "secret address"),
        ("file: e.ics, absent_when: bussy", "`bussy` is not known", "did you mean `busy`?"),
        ("file: e.ics, absent_when: category", "`category` needs a name", "category Vacation"),
        ("file: e.ics, cover: lauri", "lauri is not a partner", "did you mean `laurie`?"),
        ("file: e.ics, cover: elaine", "elaine can't cover for themselves", "another partner"),
        ("file: e.ics, absent: busy", "`absent` is not known", "absent_when"),
    ],
)
def test_what_is_wrong_is_told(problems_of: ProblemsOf, lines: str, what: str, hint: str) -> None:
    """In words, with what to do; and without the address, which is a secret."""
    problems = problems_of("", vp_hr=role_with(lines))
    assert any(what in problem.what and hint in problem.hint for problem in problems), problems
    assert not any("private-0123" in str(problem) + problem.source_line for problem in problems)


def test_a_stand_in_has_no_calendar(problems_of: ProblemsOf) -> None:
    """It would be read for days that nobody has asked about."""
    pat = "{name: Pat, email: p@example.com, calendar: {file: e.ics}}"
    absence = f"{{partner: elaine, from: 2026-12-21, until: 2026-12-22, cover: {pat}}}"
    (problem,) = problems_of("", vp_hr=f"{ROLE}absences: [{absence}]\n")
    assert "`calendar` is not known here" in problem.what


def test_the_address_of_a_calendar_is_masked() -> None:
    """In whatever is shown of a file; the columns stay what they were; other addresses stay readable."""
    line = f"    calendar: {{url: {SECRET}, cover: laurie}}"
    shown = masked(line)
    assert "private" not in shown
    assert len(shown) == len(line)
    assert shown.startswith("    calendar: {url: https://calendar.example.com/****")
    assert shown.endswith("****, cover: laurie}")
    assert (
        masked("calendar_url: https://mail.example.com/calendar")
        == "calendar_url: https://mail.example.com/calendar"
    )


def test_what_it_says_of_calendars(folder: MakeFolder, problems_of: ProblemsOf) -> None:
    """Names and addresses of hosts, and under what the feeds are reached."""
    text = "calendar_hosts: [Exchange.example.test, 10.0.0.25, '[fd00::1]']\ncalendar_url: https://m.example.test/c/\n"
    settings = config.load(folder(text, vp_hr=ROLE), fqdn=lambda: "mx.example.test").settings
    assert settings.calendar_hosts == {"exchange.example.test", "10.0.0.25", "fd00::1"}
    assert settings.calendar_url == "https://m.example.test/c"
    (host,) = problems_of("calendar_hosts: exchange.example.test:443\n", vp_hr=ROLE)
    assert "is not a host name" in host.what
    (url,) = problems_of("calendar_url: mail.example.test/calendar\n", vp_hr=ROLE)
    assert "is not a web address" in url.what
