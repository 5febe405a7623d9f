"""``docs/calendars.md``: its examples load, its commands run, its bounds and numbers are those of the code."""

from __future__ import annotations

import re
from pathlib import Path

import icalendar
import pytest

from mailrouter import config
from mailrouter.calendars import limits
from mailrouter.config.files.calendar_file import NAMING, WORDS
from tests.calendars.test_calendars_libical import EXPECTED
from tests.support import programs
from tests.support.documents import marked, text
from tests.support.relay import ROLE_FILE, write_configuration

PAGE = "calendars.md"


def configured(folder: Path) -> Path:
    """A configuration with the page's partners and settings."""
    made = write_configuration(folder, settings=marked(PAGE)["settings"])
    role = re.sub(r"partners:\n(  .*\n)+", lambda _: marked(PAGE)["partner"], ROLE_FILE)
    (made / "roles" / "vp-hr.yaml").write_text(role)
    return made


def test_the_examples_are_right(tmp_path: Path) -> None:
    """The partner's calendar and IT's setting are read as the page says."""
    loaded = config.load(configured(tmp_path))
    source = loaded.roles[0].person("elaine").calendar
    assert source is not None
    assert source.absent_when == ("out-of-office", "category Vacation")
    assert source.cover == "laurie"
    assert loaded.settings.calendar_hosts == {"exchange.example.test"}


@pytest.mark.parametrize("name", ["file", "address"])
def test_the_commands_run(name: str, tmp_path: Path) -> None:
    """As they are printed, in the folder of the configuration; what they write is a calendar."""
    configured(tmp_path)
    for line in marked(PAGE)[name].splitlines():
        words, _, file = line.partition(" > ")
        done = programs.run(*words.split(), cwd=tmp_path)
        done.check_returncode()
        if file:
            assert icalendar.Calendar.from_ical(done.stdout).events
        else:
            assert re.fullmatch(r"/calendar/[a-z2-7]{32}\.ics\n", done.stdout)


def test_looking_at_calendars_runs(tmp_path: Path) -> None:
    """Before anything was read; reading fails here, since the address leads nowhere, and says so."""
    configured(tmp_path)
    first, second = marked(PAGE)["look"].splitlines()
    for line, code, said in ((first, 0, "has not been read yet"), (second, 1, "could not be read")):
        done = programs.run(*line.split(), cwd=tmp_path)
        assert (done.returncode, said in done.stdout) == (code, True), done
        assert "0b5e7a" not in done.stdout + done.stderr


def test_the_numbers_are_those_of_the_code() -> None:
    """Bounds, rules and libical's table."""
    page = text(PAGE)
    for words in (
        f"{limits.MAX_BYTES >> 20} MiB, {limits.MAX_LINES:,}",
        f"{limits.MAX_EVENTS:,}, {limits.MAX_ZONES}, {limits.MAX_DEPTH}",
        f"{limits.MAX_LINE >> 10} KiB, {limits.MAX_LINES_OF_EVENT:,}",
        f"{limits.MAX_TIMES_OF_EVENT:,}; {limits.MAX_TIMES:,}",
        f"| absences | {limits.MAX_ABSENCES:,} |",
        f"https, {limits.FETCH_SECONDS:.0f} seconds",
        f"{EXPECTED['agrees']} come out the",
    ):
        assert words in page, words
    assert (limits.EVENT_SECONDS, limits.CPU_SECONDS, limits.WALL_SECONDS) == (0.5, 10, 60)
    assert (limits.MAX_SLOW, limits.MAX_REDIRECTS) == (10, 3)
    for word in (*WORDS, *NAMING):
        assert f"| `{word}" in page
    table = [int(count) for count in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    assert sorted([*table, EXPECTED["agrees"]]) == sorted(EXPECTED.values())
