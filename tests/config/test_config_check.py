"""What `mailrouter check` shows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter import config
from mailrouter.cli import main
from mailrouter.cli.setup.check import render, summary
from mailrouter.errors import Problem
from mailrouter.web import listener
from tests.config.files import ROLE, MakeFolder

WRONG = Problem(
    "config/roles/vp-hr.yaml", 12, 14, "25:00 is not a time", "write it as 09:00-17:00", "hours: 09:00-25:00"
)


def test_a_problem_is_shown_with_its_line_and_a_mark() -> None:
    """The mark stands under the place; a narrow terminal wraps the words only."""
    assert render([WRONG, WRONG], 60) == "\n\n".join(
        [
            "config/roles/vp-hr.yaml:12:14: 25:00 is not a time; write it\n"
            "  as 09:00-17:00\n"
            "    hours: 09:00-25:00\n"
            "                 ^"
        ]
        * 2
    )


def test_pages_that_can_not_be_served_are_told_before_the_start(
    folder: MakeFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `web:` and without what it needs, check says no and how to install it; with it, where the pages are."""
    made = folder("web: 127.0.0.1:8080\n", **{"vp-hr": ROLE})
    assert main(["check", "--config", str(made)]) == 0
    assert "metrics and health at 127.0.0.1:8080" in capsys.readouterr().out
    monkeypatch.setattr(listener, "NEEDED", ("not_there_at_all",))
    assert main(["check", "--config", str(made)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    # The interpreter that runs, and the folder that it was installed from.
    assert f"{sys.executable} -m pip install '" in said
    assert "[web]'" in said


def test_holidays_that_nobody_named_are_asked_for(
    folder: MakeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under "worth a look", with the remedy; with the remedy taken, nothing is said."""
    for added, asked in (("", 1), ("holidays: none\n", 0)):
        made = folder("", **{"vp-hr": ROLE + added})
        assert main(["check", "--config", str(made)]) == 0
        assert capsys.readouterr().out.count("no public holidays are named") == asked


def test_wrapped_copies_for_a_mailbox_outside_are_warned_of(
    folder: MakeFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under "worth a look", with the partner's name and the remedy; without `wrap`, nothing is said."""
    outside = ROLE.replace("laurie@example.test", "laurie@partner.test")
    for added, asked in (("forwarding: wrap\n", 1), ("", 0)):
        made = folder("", **{"vp-hr": outside + added})
        assert main(["check", "--config", str(made)]) == 0
        said = " ".join(capsys.readouterr().out.split())
        assert said.count("Laurie's mailbox (laurie@partner.test) is outside") == asked
        assert said.count("Write `forwarding: auto`") == asked


def test_a_warning_says_that_it_is_one() -> None:
    """Without a line there is no mark."""
    warning = Problem("f", 1, 1, "this file is not read", warning=True)
    assert render([warning], 80) == "f: warning: this file is not read"


def test_colour_changes_nothing_but_colour() -> None:
    """The text without its codes is the plain text."""
    coloured = render([WRONG], 60, colour=True)
    assert coloured.startswith("\x1b[31mconfig/roles/vp-hr.yaml:12:14:\x1b[0m ")
    for code in ("\x1b[31m", "\x1b[1m", "\x1b[0m"):
        coloured = coloured.replace(code, "")
    assert coloured == render([WRONG], 60)


@pytest.mark.parametrize(
    ("source", "column", "mark"),
    [("\tx: y", 2, 1), ("名前: x", 5, 6), ("\x1b[31mx: y", 6, 5), ("e\u0301: y", 5, 4)],
)
def test_the_mark_stands_right_under_odd_characters(source: str, column: int, mark: int) -> None:
    """Tabs, wide characters and escape codes neither move the mark nor reach the terminal."""
    *_, line, pointer = render([Problem("f", 1, column, "x", "", source)], 80).splitlines()
    assert pointer == " " * (4 + mark) + "^"
    assert "\x1b" not in line
    assert "\t" not in line


@given(st.integers(1, 300), st.integers(1, 300), st.integers(40, 120))
def test_a_long_line_is_cut_around_the_place(length: int, column: int, width: int) -> None:
    """However long the line, what is shown fits and the mark points at the character."""
    source = "a" * (min(column, length) - 1) + "X" + "a" * (length - min(column, length))
    *_, line, pointer = render([Problem("f", 1, min(column, length), "x", "", source)], width).splitlines()
    assert len(line) <= width
    assert line[len(pointer) - 1] == "X"


@pytest.mark.parametrize("width", [40, 80])
def test_the_summary_fits_the_terminal(folder: MakeFolder, width: int) -> None:
    """But for a path or an address that is longer by itself."""
    made = folder("deliver: smtp://[::1]:26\n", vp_hr=ROLE + "aliases: hr@example.test\n")
    lines = summary(config.load(made, fqdn=lambda: "mx.example.test"), width).splitlines()
    assert [line for line in lines if len(line) > width and " " in line.strip()] == []


def test_the_summary_says_who_and_where(folder: MakeFolder) -> None:
    """Roles, partners, the door and the destination, in a few lines."""
    made = folder(
        "deliver: smtp://[::1]:26\nlisten: {smtp: ':25'}\n", vp_hr=ROLE + "aliases: hr@example.test\n"
    )
    assert summary(config.load(made, fqdn=lambda: "mx.example.test"), 200).splitlines() == [
        "config: 1 role, no problems",
        "  vp-hr: VP Human Resources <vp-hr@example.test> (also hr@example.test), America/Los_Angeles",
        "    laurie: Laurie Cremona <laurie@example.test>",
        "    elaine: Elaine Miller <elaine@example.test>",
        "mail comes in at port 25 of every interface as mx.example.test",
        "copies go to smtp://[::1]:26",
        f"mail waits in {Path.cwd() / 'var/mailrouter.db'}",
    ]
