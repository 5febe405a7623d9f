"""All pages: lines that fit a window, links that lead somewhere, and commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.documents import DOCS, marked, text
from tests.support.programs import mailrouter

PAGES = [
    *(
        "deploy.md",
        "partners.md",
        "by-mail.md",
        "schedule.md",
        "glossary.md",
        "monitoring.md",
        "reliability.md",
    ),
    "calendars.md",
]


def anchors(page: Path) -> set[str]:
    """The names that the page's headings can be linked by."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_lines_fit_into_100_columns(page: str) -> None:
    """No line is longer, but for rows of tables that can't be broken."""
    long = [line for line in text(page).splitlines() if len(line) > 100 and not line.startswith("|")]
    assert long == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every link inside the project names a file that is there and a heading that it has."""
    for target in re.findall(r"\]\(([^)]+)\)", text(page)):
        file, _, anchor = target.partition("#")
        linked = DOCS / file if file else DOCS / page
        assert linked.is_file(), target
        assert not anchor or anchor in anchors(linked), target


def test_every_command_on_the_pages_exists() -> None:
    """Each `mailrouter COMMAND` that a page names is one that the program knows."""
    code = [code for page in PAGES for code in re.findall(r"```.*?```|`[^`]+`", text(page), re.DOTALL)]
    named = {command for words in code for command in re.findall(r"mailrouter ([a-z][a-z-]+)", words)}
    assert {"serve", "check", "init", "export-aliases", "schedule", "handoff", "explain"} <= named
    for command in sorted(named):
        assert mailrouter(command, "--help").returncode == 0, command


def test_each_block_for_a_real_server_is_used() -> None:
    """A block marked as tested on the page about deployment stands in a test that gives it to a real server."""
    tests = Path(__file__).parents[1]
    served = ("test_exim.py", "test_deploy_postfix.py", "test_deploy_service.py")
    files = [*(tests / "end_to_end" / name for name in served), tests / "packaging" / "unit.py"]
    words = "".join(path.read_text("utf-8") for path in files)
    assert [name for name in marked("deploy.md") if f'"{name}"' not in words] == []
