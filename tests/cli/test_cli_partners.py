"""Who is meant by a partner's name on the command line: the same in every command."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from mailrouter.cli import main
from tests.config.files import ROLE, MakeFolder

Run = Callable[..., tuple[int, str, str]]
NAMES = ["LC", "lc", "Laurie Cremona", "laurie", "LAURIE@example.test", " Laurie  Cremona "]
TODAY = date.today()
TUESDAY = (TODAY + timedelta(days=8 + (0 - TODAY.weekday()) % 7)).isoformat()
"""One that is not today, with hours of Elaine's."""
COMMANDS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "handoff set": lambda name: ("handoff", "set", "vp-hr", "left.txt", "--author", name, "--json"),
    "off": lambda name: ("off", name, "--from", TUESDAY, "--json"),
    "off --cover": lambda name: ("off", "elaine", "--from", TUESDAY, "--cover", name, "--json"),
    "swap": lambda name: ("swap", name, TUESDAY, "--json"),
    "schedule --partner": lambda name: ("schedule", "vp-hr", "--ical", "--partner", name),
    "calendar-address": lambda name: ("calendar-address", "vp-hr", "--partner", name),
}
"""Each command that takes a partner's name, for a name."""


@pytest.fixture
def run(folder: MakeFolder, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs a command where Laurie's short name is written in capitals: its code, its output, its errors."""
    written = ROLE.replace("laurie: {name", "LC: {name").replace(
        "monday: laurie", "monday: LC\n  tuesday: elaine"
    )
    folder("hostname: mx.example.test\n", vp_hr=written)
    Path("left.txt").write_text("Left:\n- call Jim\n")

    def command(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out, err = capfd.readouterr()
        return code, out, " ".join(err.split())

    return command


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_partner_is_known_by_every_name(run: Run, command: str, name: str) -> None:
    """By short name, name, first name and address, whatever their case."""
    code, out, err = run(*COMMANDS[command](name))
    assert (code, err if command != "calendar-address" else "") == (0, "")
    if command == "handoff set":
        assert json.loads(out)["author"] == "Laurie"
    elif command.startswith("off"):
        assert "Laurie" in json.loads(out)["what"]
    else:
        assert out == run(*COMMANDS[command]("LC"))[1] or command == "swap"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_is_nobodys_is_told_with_those_there_are(run: Run, command: str) -> None:
    """As wrong use; nothing is changed."""
    code, out, err = run(*COMMANDS[command]("ben"))
    assert (code, out) == (2, "")
    assert "ben is not a partner" in err
    assert "LC, elaine" in err


@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_two_have_is_not_guessed(folder: MakeFolder, run: Run, command: str) -> None:
    """The short names tell them apart; a short name that is another's first name is the short name."""
    text = Path("config/roles/vp-hr.yaml").read_text()
    Path("config/roles/vp-hr.yaml").write_text(text.replace("Elaine Miller", "Laurie Miller"))
    code, out, err = run(*COMMANDS[command]("Laurie"))
    assert (code, out) == (2, "")
    assert "Laurie may be one of these partners of vp-hr: LC, elaine. Use the short name." in err
