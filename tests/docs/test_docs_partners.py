"""The pages for partners: every example is loaded as it stands, and everything they say of who is in is looked up."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest

from mailrouter import config
from mailrouter.routing.wording import tidy
from mailrouter.runtime.templates import Templates
from mailrouter.schedule.changes.changes import change_for
from mailrouter.schedule.changes.edits import Edit, changed
from mailrouter.schedule.date_words import joined
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.language.lexer import Unclear
from mailrouter.schedule.language.requests_parser import requests_in
from mailrouter.schedule.model import Role
from mailrouter.schedule.views.diff import week_lines
from mailrouter.schedule.views.weekly import days_told, last_due
from tests.support.documents import marked, said_after, text, unmarked
from tests.support.programs import mailrouter

ONE_PAGE = "partners.md"
PAGES = (ONE_PAGE, "schedule.md", "by-mail.md")
BLOCKS = {name: block for page in PAGES for name, block in marked(page).items()}
SAID = {name: words for page in PAGES for name, words in said_after(page).items()}
WHOLE = BLOCKS["whole-file"]
BY_MAIL = {"most-said", "by-mail", "by-mail-later", "asked-back", "by-command", "weekly-mail"}
NOT_YAML = {"note", "handoff", "handoff-command", "complaints"} | BY_MAIL
EXAMPLES = sorted(BLOCKS.keys() - NOT_YAML - {"broken"})
_PART = re.compile(r"^\w+:.*?(?=^\w|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (\w+ \d+ \w+, \d\d:\d\d) \| (.*?) \|$", re.MULTILINE)


def with_example(name: str) -> str:
    """The whole file with an example put in as the page says: for the part of the same first word, or at the end."""
    role = WHOLE
    if name != "whole-file":
        for part in _PART.findall(BLOCKS[name]):
            word = part.partition(":")[0]
            old = next((old for old in _PART.findall(role) if old.startswith(f"{word}:")), None)
            role = role.replace(old, part) if old else role + part
    return role


def folder_with(folder: Path, role: str) -> Path:
    """A configuration that holds this role file."""
    (folder / "config" / "roles").mkdir(parents=True)
    (folder / "config" / "mailrouter.yaml").write_text("hostname: mx.example.test\n")
    (folder / "config" / "roles" / "vp-hr.yaml").write_text(role)
    return folder / "config"


def role_with(folder: Path, name: str) -> Role:
    """The role as the loader gives it."""
    (role,) = config.load(folder_with(folder, with_example(name))).roles
    return role


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_says_who_is_in(name: str, tmp_path: Path) -> None:
    """The loader takes the example, and at each moment of its table those and only those named are on duty."""
    role = role_with(tmp_path, name)
    roster = Roster(role)
    rows = _ROW.findall(SAID[name])
    assert len(rows) >= 2
    for moment, names in rows:
        when = datetime.strptime(f"{moment} 2026", "%A %d %B, %H:%M %Y").replace(tzinfo=role.time_zone)
        assert f"{when:%A}" == moment.split()[0], f"{moment} is another weekday in 2026"
        on = roster.duty(when).on
        assert (joined(person.first_name for person in on) or "nobody") == names, moment


def test_nothing_on_the_pages_is_left_untested() -> None:
    """Every fenced block has its mark and a name of its own, and every row about a moment belongs to an example."""
    assert [block for page in PAGES for block in unmarked(page)] == []
    assert len(BLOCKS) == sum(len(marked(page)) for page in PAGES)
    rows = sum(len(_ROW.findall(words)) for words in SAID.values())
    assert rows == sum(len(_ROW.findall(text(page))) for page in PAGES) >= 30


def test_one_page_is_one_page() -> None:
    """What somebody who never saw YAML is given fits on two sides of paper, and needs none of the others."""
    assert len(text(ONE_PAGE).splitlines()) <= 120
    assert {"handoff", "most-said", "whole-file", "not-as-usual"} == marked(ONE_PAGE).keys()


def test_the_complaints_are_what_check_says(tmp_path: Path) -> None:
    """The broken example gives these very lines, from ``check`` at 80 columns."""
    folder_with(tmp_path, with_example("broken"))
    done = subprocess.run(
        [sys.executable, "-m", "mailrouter", "check"],
        cwd=tmp_path, env={"COLUMNS": "80"}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert (done.stdout + done.stderr).strip() == BLOCKS["complaints"].strip()


def test_the_handoff_is_taken_by_the_command(tmp_path: Path) -> None:
    """The text is saved by the documented command, and comes back with its three parts."""
    folder = folder_with(tmp_path, WHOLE)
    file = tmp_path / "friday.txt"
    file.write_text(BLOCKS["handoff"])
    program, *words = BLOCKS["handoff-command"].split()
    assert program == "mailrouter"
    words = [str(file) if word == file.name else word for word in words]
    done = mailrouter(*words, "--config", str(folder))
    assert done.returncode == 0, done.stderr
    shown = mailrouter("handoff", "show", "vp-hr", "--config", str(folder)).stdout
    for line in BLOCKS["handoff"].split("\n"):
        assert line.removeprefix("- ").rstrip(":") in shown
    for word in ("Done", "Left", "Watch"):
        assert word in shown


def test_the_note_is_the_one_that_copies_carry(tmp_path: Path) -> None:
    """With Elaine away, `explain` shows a note with the sentences of the page."""
    folder = folder_with(tmp_path, with_example("away"))
    mail = tmp_path / "mail.eml"
    mail.write_text("From: jane@example.test\nTo: vp-hr@example.test\nSubject: Budget\n\nHello\n")
    done = mailrouter("explain", str(mail), "--at", "2026-12-22 09:00", "--raw", "--config", str(folder))
    assert done.returncode == 0, done.stderr
    assert BLOCKS["note"] in done.stdout
    assert "skiing" not in done.stdout


def test_where_a_plain_reply_goes(tmp_path: Path) -> None:
    """To the colleague and the role for mail from inside, or with a note; else the mail stays as it came."""
    folder = folder_with(tmp_path, with_example("away"))

    def reply_names_the_role(sender: str, moment: str) -> bool:
        mail = tmp_path / "mail.eml"
        mail.write_text(f"From: {sender}\nTo: vp-hr@example.test\nSubject: Budget\n\nHello\n")
        done = mailrouter("explain", str(mail), "--at", moment, "--raw", "--config", str(folder))
        head = done.stdout.partition("=== to laurie@example.test ===\n")[2].partition("\n\n")[0]
        assert "To: vp-hr@example.test" in head, done.stderr
        return bool(re.search(r"^Reply-To: .*(\n .*)*<vp-hr@example\.test>", head, re.MULTILINE))

    assert reply_names_the_role("jane@example.test", "2026-12-01 10:00")
    assert reply_names_the_role("ann@outside.test", "2026-12-22 10:00")
    assert not reply_names_the_role("ann@outside.test", "2026-12-01 10:00")


def _edits(role: Role, line: str, author: str, now: datetime) -> Sequence[Edit]:
    """What a line comes to; nothing where it is asked back."""
    try:
        return change_for(role, requests_in(line, "", role, author, now), now).edits
    except Unclear:
        return ()


def test_each_line_for_a_mail_is_understood_or_asked_back(tmp_path: Path) -> None:
    """As the page says, on a Thursday, by the partner who has the hours; and who covers is somebody else."""
    role = role_with(tmp_path, "whole-file")
    now = datetime(2026, 12, 3, 7)
    known = change_for(role, requests_in("off 21 Dec to 1 Jan, Elaine covers", "", role, "laurie", now), now)
    said = [*BLOCKS["most-said"].splitlines(), *BLOCKS["by-mail"].splitlines()]
    later = [*BLOCKS["by-mail-later"].splitlines()]
    for line in said:
        if line not in later:
            assert any(_edits(role, line, author, now) for author in ("laurie", "elaine")), line
    for line in later:
        (request,) = requests_in(line, "", role, "laurie", now)
        if line.startswith("cancel"):
            assert change_for(changed(role, known.edits), [request], now).edits
    for line in BLOCKS["asked-back"].splitlines():
        with pytest.raises(Unclear):
            change_for(role, requests_in(line, "", role, "laurie", now), now)


def test_the_commands_change_the_file_and_back(tmp_path: Path) -> None:
    """One after the other, as they stand; the days of the page are given years that are still to come."""
    folder = folder_with(tmp_path, WHOLE)
    file = folder / "roles" / "vp-hr.yaml"
    year = datetime.now().year + 1
    texts = [file.read_text()]
    said = BLOCKS["by-command"].replace("2027", str(year + 1)).replace("2026", str(year))
    for line in said.replace(" Dec", f" Dec {year}").splitlines():
        program, *words = shlex.split(line)
        assert program == "mailrouter"
        done = mailrouter(*words, "--config", str(folder))
        assert done.returncode == 0, done.stderr
        texts.append(file.read_text())
    assert f"from: {year}-12-21, until: {year + 1}-01-01, note: skiing, cover: laurie}}" in texts[1]
    assert "partner: laurie, for: " in texts[2]
    assert texts[3] == texts[1]


def test_the_weekly_mail_is_the_one_that_is_sent(tmp_path: Path) -> None:
    """On Friday 4 December at three."""
    role = role_with(tmp_path, "weekly")
    assert role.weekly is not None
    due = last_due(role.weekly, role.time_zone, datetime(2026, 12, 4, 15, tzinfo=role.time_zone))
    facts = {
        "role": role.name,
        "role_address": role.address,
        "lines": week_lines(role, *days_told(role.weekly, role.time_zone, due)),
        "zone": role.time_zone.key,
    }
    assert tidy(Templates().render("weekly", facts)) == BLOCKS["weekly-mail"]
