"""`mailrouter schedule`, `who` and what `check` shows of the coming weeks."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.cli import main
from mailrouter.cli.setup.check import ahead, oddities
from mailrouter.schedule.rota import monday_of
from tests.config.files import MakeFolder
from tests.schedule.cases import BASE
from tests.schedule.roles import role_of

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(folder: MakeFolder, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command on the role of the table of cases: its exit code, its output, and what it says of errors."""
    folder("hostname: mx.example.test\n", vp_hr=BASE)

    def command(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out, err = capsys.readouterr()
        return code, out, err

    return command


def days_in(out: str) -> list[str]:
    return re.findall(r"^(\w{3} \d+ \w{3}) ", out, re.MULTILINE)


def test_a_week_is_that_of_its_day(run: Run) -> None:
    """From Monday to Sunday; days without hours have no line."""
    code, out, _ = run("schedule", "vp-hr", "--week", "2026-12-03")
    assert code == 0
    assert days_in(out) == ["Mon 30 Nov", "Tue 1 Dec", "Wed 2 Dec", "Thu 3 Dec", "Fri 4 Dec"]


def test_this_week_and_this_month_need_no_date(run: Run) -> None:
    """The bare options mean now."""
    for option in ("--week", "--month"):
        code, out, _ = run("schedule", "vp-hr", option)
        assert code == 0
        assert len(days_in(out)) >= 5


@pytest.mark.parametrize("month", ["2026-12", "2026-12-17"])
def test_a_month_is_whole(run: Run, month: str) -> None:
    """From its first day to its last."""
    _, out, _ = run("schedule", "vp-hr", "--month", month)
    assert (days_in(out)[0], days_in(out)[-1], len(days_in(out))) == ("Tue 1 Dec", "Thu 31 Dec", 23)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--week", "2026-12-03", "--month", "2026-12"),
            "--week and --month can't stand together; use one of them.",
        ),
        (("--month", "2026-12", "--to", "2026-12-03"), "--month and --from or --to can't stand together"),
        (("--week", "12/21/2026"), "--week: 12/21/2026 is not a date here; write it as 2026-12-21."),
        (("--month", "December"), "--month: December is not a month; write it as 2026-12."),
        (("--from", "2026-12-03", "--to", "2026-12-01"), "lies before --from"),
    ],
)
def test_what_cannot_be_meant_is_said(run: Run, options: tuple[str, ...], said: str) -> None:
    """Wrong use, in words that say what to do."""
    code, out, err = run("schedule", "vp-hr", *options)
    assert (code, out) == (2, "")
    assert said in " ".join(err.split())


def test_a_picture_goes_into_a_file_or_to_the_output(run: Run, tmp_path: Path) -> None:
    """Of the month that is asked for; a folder that isn't there is said."""
    where = tmp_path / "month.svg"
    code, out, _ = run("schedule", "vp-hr", "--month", "2026-12", "--svg", str(where))
    assert (code, out) == (0, f"{where}: December 2026 of VP Human Resources\n")
    title = ET.fromstring(where.read_text(encoding="utf-8")).findtext("{http://www.w3.org/2000/svg}title")
    assert title == "VP Human Resources, December 2026: who is in"
    code, out, _ = run("schedule", "vp-hr", "--from", "2026-12-20", "--svg", "-")
    assert (code, out) == (0, where.read_text(encoding="utf-8"))
    code, _, err = run("schedule", "vp-hr", "--svg", str(tmp_path / "none" / "x.svg"))
    assert code == 1
    assert "can't be written: No such file or directory" in " ".join(err.split())


def test_who_is_in_one_line_or_as_data(run: Run) -> None:
    """The same facts twice."""
    code, out, _ = run("who", "vp-hr", "--at", "2026-12-02 10:00")
    assert (code, out) == (0, "Laurie is in until 13:00; Elaine from 12:00.\n")
    _, out, _ = run("who", "vp-hr", "--at", "2026-12-02 10:00", "--json")
    found = json.loads(out)
    assert found["on"] == [{"who": "laurie", "name": "Laurie Cremona", "until": "2026-12-02T13:00:00-08:00"}]
    assert {"who": "elaine", "name": "Elaine Miller", "from": "2026-12-02T12:00:00-08:00"} in found["next"]
    assert found["away"] == []
    code, _, err = run("who", "hr")
    assert code == 2
    assert "hr is not a role here; the roles are: vp-hr." in " ".join(err.split())


def test_check_shows_the_next_four_weeks(run: Run) -> None:
    """A partner sees what they wrote, from this week's Monday on."""
    code, out, _ = run("check")
    assert code == 0
    table = out.partition("vp-hr, four weeks:\n")[2].splitlines()
    assert table[0].split() == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert len(table) == 6
    assert [line.split()[2:4] for line in table[1:5]] == [["Laurie", "Laurie"]] * 4


def test_of_many_roles_no_weeks_are_shown() -> None:
    """A thousand tables would bury the problems."""
    now = datetime(2026, 12, 1, tzinfo=UTC)
    assert len(list(ahead([role_of()] * 4, now, 80))) == 4
    (line,) = ahead([role_of()] * 5, now, 80)
    assert line == "`mailrouter schedule ROLE` shows who is in, role by role"
    first = next(iter(ahead([role_of()], now, 80))).splitlines()[2]
    assert first.startswith(f"{monday_of((now - timedelta(hours=8)).date()).day} Nov")


def test_the_oddities_of_many_roles_are_those_of_each() -> None:
    """Several processes find what one finds, in the order of the roles."""
    now = datetime(2026, 12, 1, 20, tzinfo=UTC)
    away = role_of("away elaine 2026-12-10..2026-12-11")
    roles = [replace(away if number % 3 else role_of(), key=f"role-{number}") for number in range(240)]
    found = oddities(roles, now)
    assert found == [pair for role in roles for pair in oddities([role], now)]
    assert len([texts for _, texts in found if len(texts) > 1]) == 160, (
        "beside the holidays that nobody named"
    )
