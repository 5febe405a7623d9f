"""What a service works by while files break under it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter.config.last_good import Serving, keep_good, proposed, read_good, serving
from mailrouter.errors import ConfigurationError
from tests.config.files import ROLE, MakeFolder

OFFICE = ROLE.replace("vp-hr@", "office@")
SETTINGS = "hostname: mx.example.test\n"


def good(folder: MakeFolder) -> tuple[Path, Serving]:
    """Two roles that were right once, and are remembered."""
    made = folder(SETTINGS, vp_hr=ROLE, office=OFFICE)
    now = serving(made, starting=True)
    keep_good(now)
    return made, now


def test_files_that_are_right_are_in_force(folder: MakeFolder) -> None:
    """With their texts, which are kept where nobody else may read them."""
    _, now = good(folder)
    assert now.broken == ()
    assert now.texts == {"vp-hr": ROLE.encode(), "office": OFFICE.encode()}
    run = now.configuration.settings.run_folder
    assert read_good(run) == now.texts
    assert (run / "good" / "vp-hr.yaml").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text", ["role: [", "", "\xff", ROLE.replace("monday", "moonday"), ROLE.replace("time_zone", "timezone")]
)
@pytest.mark.parametrize("starting", [True, False])
def test_a_broken_file_holds_nobody_back(folder: MakeFolder, text: str, starting: bool) -> None:
    """What it said before stays, at a start too; the other role takes what is new."""
    made, before = good(folder)
    folder(SETTINGS, vp_hr=text.encode("latin-1"), office=OFFICE.replace("VP Human Resources", "Office"))
    now = serving(made, starting=starting)
    assert now.role("vp-hr") == before.role("vp-hr")
    assert now.role("office").name == "Office"
    (broken,) = now.broken
    assert (broken.key, broken.kept, broken.text) == ("vp-hr", True, text.encode("latin-1"))
    assert broken.problems
    assert now.texts["vp-hr"] == ROLE.encode()
    keep_good(now)
    assert read_good(now.configuration.settings.run_folder)["vp-hr"] == ROLE.encode()


def test_one_that_was_never_right_is_left_out_or_refused(folder: MakeFolder) -> None:
    """A start refuses it, with its problems; a running service goes on without it."""
    made, _ = good(folder)
    folder(SETTINGS, new="role: [")
    with pytest.raises(ConfigurationError, match=r"new\.yaml"):
        serving(made, starting=True)
    now = serving(made)
    assert [role.key for role in now.configuration.roles] == ["office", "vp-hr"]
    assert [(b.key, b.kept) for b in now.broken] == [("new", False)]


def test_an_address_that_is_taken_does_not_stop_its_owner(folder: MakeFolder) -> None:
    """The role that is blamed for it may be the one that had it all along: the one that changed goes back."""
    made, before = good(folder)
    folder(SETTINGS, office=OFFICE + "aliases: [vp-hr@example.test]\n")
    now = serving(made)
    assert now.role("vp-hr") == before.role("vp-hr")
    assert now.role("office") == before.role("office")
    assert "office" in [broken.key for broken in now.broken]


def test_a_file_that_is_gone_is_a_role_that_is_gone(folder: MakeFolder) -> None:
    """It was taken away on purpose; what it said is forgotten."""
    made, _ = good(folder)
    (made / "roles" / "office.yaml").unlink()
    now = serving(made)
    assert [role.key for role in now.configuration.roles] == ["vp-hr"]
    keep_good(now)
    assert list(read_good(now.configuration.settings.run_folder)) == ["vp-hr"]


def test_broken_settings_are_not_gone_round(folder: MakeFolder) -> None:
    """They are everybody's."""
    made, _ = good(folder)
    folder("hostnam: x\n", vp_hr="role: [")
    with pytest.raises(ConfigurationError):
        serving(made)


def test_a_proposed_text_is_judged_by_the_loader(folder: MakeFolder) -> None:
    """With all its problems, also those with another role; another broken file is no hindrance."""
    made, _ = good(folder)
    folder(SETTINGS, office="role: [")
    assert (
        proposed(made, "vp-hr", ROLE.replace("VP Human Resources", "HR").encode(), "h").role("vp-hr").name
        == "HR"
    )
    with pytest.raises(ConfigurationError, match="moonday"):
        proposed(made, "vp-hr", ROLE.replace("monday", "moonday").encode(), "h")
    folder(SETTINGS, office=OFFICE)
    with pytest.raises(ConfigurationError, match="already"):
        proposed(made, "vp-hr", ROLE.replace("vp-hr@", "office@").encode(), "h")
    assert (made / "roles" / "vp-hr.yaml").read_text() == ROLE


def test_the_weekly_mail_to_the_role_itself_is_a_problem(folder: MakeFolder) -> None:
    """It would come back."""
    made = folder(SETTINGS, vp_hr=ROLE + "weekly_mail: {to: [sue@example.test, VP-HR@example.test]}\n")
    with pytest.raises(ConfigurationError, match="is the role's own address"):
        serving(made, starting=True)


def test_the_weekly_mail_as_it_is_written(folder: MakeFolder) -> None:
    """One address or several; Friday at three unless it is said."""
    made = folder(SETTINGS, vp_hr=ROLE + "weekly_mail: {to: sue@example.test}\n")
    weekly = serving(made).role("vp-hr").weekly
    assert weekly is not None
    assert (weekly.to, weekly.weekday, weekly.minute) == (("sue@example.test",), 4, 900)
    folder(SETTINGS, vp_hr=ROLE + "weekly_mail: {to: [a@x.test, b@x.test, a@x.test], on: Mon, at: 08:30}\n")
    weekly = serving(made).role("vp-hr").weekly
    assert weekly is not None
    assert (weekly.to, weekly.weekday, weekly.minute) == (("a@x.test", "b@x.test"), 0, 510)
    for wrong in (
        "{to: []}",
        "{to: sue}",
        "{to: a@x.test, on: frday}",
        "{to: a@x.test, at: 24:00}",
        "{on: friday}",
    ):
        folder(SETTINGS, vp_hr=ROLE + f"weekly_mail: {wrong}\n")
        with pytest.raises(ConfigurationError, match=r"vp-hr\.yaml"):
            serving(made, starting=True)
