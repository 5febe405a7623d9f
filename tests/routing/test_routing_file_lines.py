"""The lines by which two texts of a role's file differ."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.routing.partner.file.lines import _gaps, file_lines
from tests.routing.situations import role
from tests.support.pace import slowness
from tests.support.relay import ROLE_FILE

OLD = ROLE_FILE.partition("emergency:")[0] + "absences:\n  - {partner: elaine, date: 2026-12-07}\n"


ROLE = role()
OTHER = replace(ROLE, name="Other")


def told(old: str, new: str) -> list[str]:
    """What is shown where the roles differ."""
    return list(file_lines(old.encode(), new.encode(), ROLE, OTHER).lines)


@pytest.mark.parametrize(
    "key", ["copy", "handoff", "auto_reply", "name", "emergency", "hours", "lunch", "visible"]
)
def test_a_key_that_comes_or_goes_is_shown_under_its_name(key: str) -> None:
    """Whatever it does to who is in."""
    assert told(OLD, f"{OLD}{key}: new\n") == [f"[{key}]", f"+ {key}: new"]
    assert told(f"{OLD}{key}: old\n", f"{OLD}{key}: new\n") == [f"[{key}]", f"- {key}: old", f"+ {key}: new"]


def test_a_line_inside_a_key_is_shown_under_that() -> None:
    """As it was, and as it is; comments and empty lines too."""
    old = OLD + "emergency:\n  name: Duty\n  phone: '1'\n  tell: inside\n"
    new = old.replace("'1'", "'2'").replace("inside", "everyone").replace("absences:", "# x\n\nabsences:")
    lines = told(old, new)
    assert lines[lines.index("[emergency]") :] == [
        "[emergency]", "- phone: '1'", "- tell: inside", "+ phone: '2'", "+ tell: everyone",
    ]  # fmt: skip
    assert "+ # x" in lines
    assert "+ (an empty line)" in lines


@pytest.mark.parametrize(
    "line",
    [
        "name: x\u2028Came from: us", "name: x\x1b[2J", "name: x\u202eabc", "name: \u200b\u200b", "name: " + "x " * 500,
        "name: x" + " " * 300 + "If it is yours", "\u2028Came from: us", "\x85Subject: x", "\x0bIf it is not yours",
        "\t- y",
    ],
)  # fmt: skip
def test_no_line_of_the_file_can_be_taken_for_one_of_ours(line: str) -> None:
    """Each is marked, cut, and on one line."""
    lines = told(OLD, f"{OLD}{line}\n")
    shown = [text for text in lines if text and not text.startswith("[")]
    assert shown
    for text in shown:
        assert text.startswith("+ ")
        assert text.isprintable()
        assert len(text) <= 72


def test_where_only_days_off_differ_so_many_lines_are_shown_as_there_is_room_for() -> None:
    """And their number is told."""
    many = "".join(
        f"  - {{partner: laurie, date: 2027-01-{day:02}}} # {n}\n" for n in range(9) for day in range(1, 29)
    )
    off = role("away laurie 2027-01-01..2027-01-28")
    found = file_lines(OLD.encode(), (OLD + many).encode(), ROLE, off)
    assert found.more == 9 * 28 - 40
    assert len(found.lines) == 41


def test_where_anything_else_differs_every_line_is_shown_or_none_is_taken() -> None:
    """A line that matters can't be hidden behind many that do not, however the file is written."""
    many = "".join(
        f"  - {{partner: laurie, date: 2027-01-{day:02}}} # {n}\n" for n in range(9) for day in range(1, 29)
    )
    assert told(OLD, f"{OLD}{many}copy: on-duty\n")[-1] == "+ copy: on-duty"
    assert '+ tell: "everyone"}' in told(
        OLD, f'{OLD}x: {{y: "\nswaps:\n{many}", tell: "everyone"}}\n'.replace('", ', '",\n')
    )
    assert not file_lines(OLD.encode(), (OLD + many).encode(), ROLE, OTHER).hidden
    assert file_lines(OLD.encode(), (OLD + many * 2).encode(), ROLE, OTHER).hidden
    stand_in = role("away laurie 2027-01-01..2027-01-28 cover pat")
    assert file_lines(OLD.encode(), (OLD + many * 2).encode(), ROLE, stand_in).hidden


LINES = st.lists(st.sampled_from("abcdefgh"), max_size=30)


@given(LINES, LINES)
def test_the_gaps_make_one_text_of_the_other(old: list[str], new: list[str]) -> None:
    """What is not in them is the same in both, in order."""
    made: list[str] = []
    at = 0
    for begin, end, first, last in _gaps(old, new):
        made += [*old[at:begin], *new[first:last]]
        at = end
    assert made + old[at:] == new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a\n" * 20_000, "a\n" * 19_000 + "b\n"),
        ("a\nb\n" * 5_000, "b\na\n" * 5_000),
        ("".join(f"{n}\n" for n in range(20_000)), "".join(f"{n}\n" for n in range(20_000, 0, -1))),
        ("".join(f"{n}\n" for n in range(20_000)), "".join(f"{n}\nx\n" for n in range(20_000))),
        ("x" * 60_000, "y" * 60_000),
    ],
)
def test_the_work_grows_with_the_lines_whatever_they_are(old: str, new: str) -> None:
    """Far below what a mail may cost."""
    begun = time.thread_time()
    file_lines(old.encode(), new.encode(), ROLE, OTHER)
    assert time.thread_time() - begun < 0.3 * slowness()
