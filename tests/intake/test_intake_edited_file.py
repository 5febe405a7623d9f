"""An edited file in a partner's name: what the question and the notices show of it, and what a yes takes."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.intake.rescheduling import (
    COMMENTED,
    LAURIE,
    SCHEDULE,
    asked,
    file_of,
    folder_in,
    notices,
    running,
    text_of,
    with_file,
)

TEL = '"+1 650 555 0100"'


def forged(content: str, number: int = 1) -> bytes:
    """A file in Laurie's name that nothing proves."""
    return b"\r\n".join(
        line
        for line in with_file(content, number=number).split(b"\r\n")
        if b"Authentication-Results" not in line
    )


def address(question: EmailMessage) -> str:
    """Where a yes goes."""
    found: str = question["reply-to"].addresses[0].addr_spec
    return found


CHANGES = [
    (TEL, '"+1 900 666 6666"'),
    ("tell: inside", "tell: everyone"),
    ("name: HR duty line", "name: Call me"),
    ("name: VP Human Resources", "name: Somebody else"),
    ("# ours", "# mine"),
    ("emergency:", "copy: {outside: cc}\nemergency:"),
    ("emergency:", "handoff: never\nemergency:"),
    ("emergency:", "auto_reply: {inside: always, outside: always}\nemergency:"),
    ("emergency:", "already_addressed: skip\nemergency:"),
]


@pytest.mark.parametrize(("before", "after"), CHANGES, ids=str)
async def test_a_question_shows_every_line_that_a_file_would_change(
    tmp_path: Path, before: str, after: str
) -> None:
    """And the whole file is attached; with the yes, both are shown the same lines."""
    folder_in(tmp_path)
    edited = COMMENTED.replace(before, after)
    assert edited != COMMENTED
    lines = [
        *(
            f"- {' '.join(line.split())}"
            for line in COMMENTED.splitlines()
            if line not in edited.splitlines()
        ),
        *(
            f"+ {' '.join(line.split())}"
            for line in edited.splitlines()
            if line not in COMMENTED.splitlines()
        ),
    ]
    async with running(tmp_path) as found:
        await found.send(forged(edited), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        question = told["laurie"]
        assert file_of(tmp_path) == COMMENTED
        shown = text_of(question)
        for line in lines:
            assert line[:60] in shown
        assert "Who is in would stay as it is." in shown
        (part,) = question.iter_attachments()
        assert part.get_content().replace("\r\n", "\n") == edited
        await found.send(asked("yes", to=address(question), proven=False, number=2), address(question))
        assert file_of(tmp_path) == edited
        told = notices(found)
        assert set(told) == {"laurie", "elaine"}
        for notice in told.values():
            text = text_of(notice)
            assert "It makes no difference to who is in." in text
            for line in lines:
                assert line[:60] in text
        # And so has the way back.
        await found.send(asked("undo", number=3), SCHEDULE)
        assert file_of(tmp_path) == COMMENTED
        back = text_of(notices(found)["elaine"])
        for line in lines:
            assert {"-": "+", "+": "-"}[line[0]] + line[1:60] in back


async def test_a_question_says_who_would_be_in(tmp_path: Path) -> None:
    """Beside the lines."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(forged(COMMENTED.replace("friday: elaine", "friday: laurie")), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        assert "[rota]\n- friday: elaine\n+ friday: laurie\n" in text
        assert "Who would be in, and is now:\n\n  each Friday from 4 December on: Laurie (was:" in text


async def test_a_yes_takes_the_file_only_in_place_of_the_one_that_it_was_compared_with(
    tmp_path: Path,
) -> None:
    """What was changed meanwhile is not undone by it unseen."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(forged(COMMENTED.replace("friday: elaine", "friday: laurie")), SCHEDULE)
        back = address(notices(found)["laurie"])
        await found.send(asked("off tomorrow", number=2), SCHEDULE)
        now = file_of(tmp_path)
        assert now != COMMENTED
        notices(found)
        await found.send(asked("yes", to=back, proven=False, number=3), back)
        assert "was changed since you were asked" in " ".join(text_of(notices(found)["laurie"]).split())
        assert file_of(tmp_path) == now


@pytest.mark.parametrize(
    "broken",
    [COMMENTED.replace("friday:", "fryday:"), COMMENTED.replace("elaine@example.test", "eve@evil.test")],
)
async def test_what_was_not_shown_is_never_taken(tmp_path: Path, broken: str) -> None:
    """A file that can't be used when it is asked about."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(forged(broken), SCHEDULE)
        question = notices(found)["laurie"]
        assert "with mistakes in it. As it is, it would change nothing." in " ".join(
            text_of(question).split()
        )
        assert not list(question.iter_attachments())
        back = address(question)
        await found.send(asked("yes", to=back, proven=False, number=2), back)
        assert set(notices(found)) == {"laurie"}
        assert file_of(tmp_path) == COMMENTED


async def test_a_file_that_differs_in_more_than_people_read_is_not_asked_about(tmp_path: Path) -> None:
    """Nothing that matters is hidden behind it."""
    folder_in(tmp_path)
    many = "".join(f"# {number}\n" for number in range(500))
    async with running(tmp_path) as found:
        edited = COMMENTED.replace(TEL, '"+1 900 666 6666"') + many
        await found.send(with_file(edited), SCHEDULE)
        told = notices(found)
        assert set(told) == {"laurie"}
        assert "too many lines" in " ".join(text_of(told["laurie"]).split())
        assert file_of(tmp_path) == COMMENTED


@pytest.mark.parametrize(
    "line",
    [
        "# \u2028Came from: mail.example.test",
        "# \x85If it is not yours, answer yes.",
        "# \u202e\u200b\u2066Subject: x",
        "# " + "x" * 60 + " Came from: mail.example.test " * 9,
        "#\u2028\u2028Hello Laurie,",
    ],
)
async def test_a_file_can_not_write_lines_of_ours(tmp_path: Path, line: str) -> None:
    """Each of its lines is marked, and cut."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        await found.send(forged(COMMENTED + line + "\n"), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        lines = text.splitlines()
        assert sum(shown.startswith("Came from:") for shown in lines) == 1
        assert sum(shown.startswith("Subject:") for shown in lines) == 1
        assert sum(shown.startswith("If it is not yours") for shown in lines) == 1
        assert sum(shown.startswith("Hello") for shown in lines) == 1


async def test_words_in_a_question_are_marked(tmp_path: Path) -> None:
    """Each line, and what is folded of a long one."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        words = (
            "off tomorrow\n\n-- \nCame from: mail.example.test\n"
            + "x " * 30
            + "Came from: mail.example.test\n"
        )
        await found.send(asked(words, proven=False, sender=LAURIE), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        assert "It says:\n\n> off tomorrow\n" in text
        assert sum(line.startswith("Came from:") for line in text.splitlines()) == 1
