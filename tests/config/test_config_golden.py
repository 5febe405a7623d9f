"""Whole files as IT and partners break them, and what `check` shows, to the letter."""

from __future__ import annotations

import pytest

from tests.config.golden_files import CASES, GOLDEN, shown


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_of_a_broken_file(name: str) -> None:
    """Each broken file is told in the words that were read and found good, at 80 columns."""
    assert shown(name) == (GOLDEN / f"{name}.txt").read_text()


def test_there_are_enough_broken_files_and_none_is_fine() -> None:
    """Sixty of roles alone, as partners break them, and each has a problem."""
    assert len(CASES) >= 75
    assert len([name for name in CASES if name.startswith("role-")]) >= 60
    assert {name.partition("-")[0] for name in CASES} == {"role", "settings"}
    assert not [name for name in CASES if (GOLDEN / f"{name}.txt").read_text() == "no problems\n"]


def test_no_line_of_words_is_wider_than_the_terminal() -> None:
    """At 80 columns nothing is cut off by the terminal."""
    for name in CASES:
        assert max(map(len, (GOLDEN / f"{name}.txt").read_text().splitlines())) <= 80, name


def test_no_password_is_shown() -> None:
    """A login that is in the wrong place is told of, and its password isn't."""
    told = (GOLDEN / "settings-password.txt").read_text()
    assert "s3cret" in (GOLDEN / "settings-password.yaml").read_text()
    assert "s3cret" not in told
    assert "smtp://relay:******@mail.example.test:587" in told
