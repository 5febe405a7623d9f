"""What is wrong, where, and in which words."""

from __future__ import annotations

import pytest

from mailrouter import config
from mailrouter.errors import ConfigurationError
from tests.config.broken import ADDED_TO_A_ROLE, REPLACED_IN_A_ROLE, SETTINGS
from tests.config.files import ROLE, MakeFolder, ProblemsOf

ROLE_FILE, SETTINGS_FILE = "config/roles/vp-hr.yaml", "config/mailrouter.yaml"


def told(problems: object, file: str) -> list[str]:
    """The problems as text, without the file's name."""
    assert isinstance(problems, tuple)
    assert {p.file for p in problems} == {file}
    return [str(p).removeprefix(f"{file}:") for p in problems]


@pytest.mark.parametrize("added", ADDED_TO_A_ROLE)
def test_a_broken_line_in_a_role(problems_of: ProblemsOf, added: str) -> None:
    """A line that can't be used is told with its place, what is wrong and what to do."""
    assert told(problems_of(vp_hr=ROLE + added), ROLE_FILE) == ADDED_TO_A_ROLE[added]


@pytest.mark.parametrize(("part", "instead"), REPLACED_IN_A_ROLE)
def test_a_broken_part_of_a_role(problems_of: ProblemsOf, part: str, instead: str) -> None:
    """A needed part that is broken or missing is told with its place, what is wrong and what to do."""
    role = ROLE.replace(part, instead) if part else instead
    assert told(problems_of(vp_hr=role), ROLE_FILE) == REPLACED_IN_A_ROLE[part, instead]


@pytest.mark.parametrize("typed", SETTINGS)
def test_a_broken_setting(problems_of: ProblemsOf, typed: str) -> None:
    """A setting that can't be used is told with its place, what is wrong and what to do."""
    assert told(problems_of(typed), SETTINGS_FILE) == SETTINGS[typed]


def test_all_problems_of_all_files_come_at_once(problems_of: ProblemsOf) -> None:
    """One bad line in each file, and one between two files, are four problems of one error, in order."""
    other = ROLE.replace("laurie@", "lars@").replace("elaine@", "eva@").replace("monday", "mnday")
    found = problems_of("hostnam: x\n", vp_hr=ROLE + "hours: 9\nnote: x\n", coo=other)
    assert [(p.file, p.line, p.column) for p in found] == [
        (SETTINGS_FILE, 1, 1),
        ("config/roles/coo.yaml", 8, 3),
        (ROLE_FILE, 1, 7),
        (ROLE_FILE, 9, 8),
        (ROLE_FILE, 10, 7),
    ]
    assert found[3].source_line == "hours: 9"


def test_two_roles_with_one_address(problems_of: ProblemsOf) -> None:
    """An address can be one role's only, whatever its case, and the other place is named."""
    other = ROLE.replace("laurie@", "lars@").replace("elaine@", "eva@").replace("vp-hr@", "coo@")
    (found,) = problems_of(vp_hr=ROLE, coo=other + "aliases: [VP-HR@example.test]\n")
    assert found.what == "vp-hr@example.test is an address of the role coo already"
    assert found.hint == "the first is at config/roles/coo.yaml:9; keep one"


def test_roles_in_a_circle(problems_of: ProblemsOf) -> None:
    """Roles that are each other's partners are refused, once, at the address that closes the circle."""
    roles = {
        key: ROLE.replace("vp-hr@", f"{key}@").replace("laurie@", f"{following}+x@")
        for key, following in {"a": "b", "b": "c", "c": "a", "d": "a"}.items()
    }
    (found,) = problems_of(**roles)
    assert (found.file, found.line, found.column) == ("config/roles/c.yaml", 5, 41)
    assert found.what == "these roles are each other's partners: a → b → c → a"


def test_a_missing_folder_is_told(problems_of: ProblemsOf) -> None:
    """Without mailrouter.yaml nothing starts with defaults by accident."""
    (found,) = problems_of(None)
    assert str(found) == (
        "config/mailrouter.yaml:1:1: this file is missing; "
        "make it; it may be empty, since every setting has a default"
    )


def test_a_folder_without_roles_is_told(folder: MakeFolder) -> None:
    """Without a role nothing would ever be accepted, so the service doesn't start."""
    with pytest.raises(ConfigurationError, match="config/roles:1:1: there is no role here"):
        config.load(folder(""))


def test_a_file_that_names_no_role_is_told(folder: MakeFolder, problems_of: ProblemsOf) -> None:
    """A file whose name is no short name is a problem; so are two files for one role."""
    made = folder("")
    (made / "roles" / "VP HR.yaml").write_text(ROLE)
    (made / "roles" / "vp-hr.yml").write_text(ROLE)
    assert [p.what for p in problems_of("", vp_hr=ROLE)] == [
        "`VP HR` can't be a role's short name",
        "the role vp-hr has a second file",
    ]


def test_what_cannot_be_read_is_told(folder: MakeFolder, problems_of: ProblemsOf) -> None:
    """A folder in a file's place and files that are no UTF-8 text are problems, not tracebacks."""
    made = folder("")
    (made / "roles" / "dir.yaml").mkdir()
    found = problems_of(
        "", latin=ROLE.encode() + "note: caf\u00e9".encode("latin-1"), wide=ROLE.encode("utf-16")
    )
    assert [str(p) for p in found] == [
        "config/roles/dir.yaml:1:1: this is not a file",
        "config/roles/latin.yaml:9:10: not UTF-8 text; save it as UTF-8",
        "config/roles/wide.yaml:1:1: the file is not text in UTF-8 but in UTF-16; save it as UTF-8",
    ]
