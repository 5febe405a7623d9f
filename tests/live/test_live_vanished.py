"""A role's file that is missing: its mail is put off for an hour, or until somebody says that it is meant to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailrouter.config.last_good import read_good, serving
from mailrouter.service import vanished
from tests.live.test_live_reloading import LATER, reloading, write
from tests.support.relay import ROLE_FILE, relay, write_configuration
from tests.support.sending import send

OFFICE = ROLE_FILE.replace("vp-hr@", "office@").replace("VP Human Resources", "Office")


def two_roles(folder: Path) -> Path:
    write_configuration(folder)
    write(folder, OFFICE, "office")
    return folder / "config" / "roles" / "office.yaml"


async def test_mail_of_a_role_whose_file_is_missing_is_put_off_and_the_operator_told_once(
    tmp_path: Path,
) -> None:
    office = two_roles(tmp_path)
    async with reloading(tmp_path) as (found, running, woken):
        text = office.read_bytes()
        office.unlink()
        for _ in range(3):
            await found.reload(asked=False)
        assert running.acceptor.recipient("office@example.test") == (
            "450 4.3.5 Mail for this address can't be taken at the moment; please try again later"
        )
        assert running.acceptor.recipient("vp-hr@example.test") is None
        (alert,) = await running.store.claim(20, LATER)
        assert (alert.kind, alert.recipient) == ("alert", "it@example.test")
        assert woken == ["awake"]
        office.write_bytes(text)
        await found.reload(asked=False)
        assert running.acceptor.recipient("office@example.test") is None
        office.unlink()
        await found.reload(asked=False)
        assert len(await running.store.claim(20, LATER)) == 1  # another time, another mail


async def test_a_missing_file_holds_up_no_other_change(tmp_path: Path) -> None:
    office = two_roles(tmp_path)
    async with reloading(tmp_path) as (found, running, _):
        office.unlink()
        write(tmp_path, ROLE_FILE.replace("VP Human Resources", "People"))
        await found.reload(asked=False)
        assert found.now.role("vp-hr").name == "People"
        assert found.now.vanished == {"office"}
        write(tmp_path, ROLE_FILE.replace("friday:", "fryday:"))
        await found.reload(asked=False)
        assert [broken.key for broken in found.now.broken] == ["vp-hr"]
        assert (running.acceptor.recipient("office@example.test") or "").startswith("450")


async def test_a_reload_that_was_asked_for_takes_the_file_as_gone(tmp_path: Path) -> None:
    office = two_roles(tmp_path)
    async with reloading(tmp_path) as (found, running, _):
        office.unlink()
        await found.reload(asked=False)
        await found.reload()
        assert (running.acceptor.recipient("office@example.test") or "").startswith("550")
        assert list(read_good(found.now.configuration.settings.run_folder)) == ["vp-hr"]


async def test_the_role_is_gone_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = two_roles(tmp_path)
    async with reloading(tmp_path) as (found, running, _):
        office.unlink()
        await found.reload(asked=False)
        monkeypatch.setattr(vanished, "KEPT_SECONDS", 0.0)
        await found.reload(asked=False)
        assert (running.acceptor.recipient("office@example.test") or "").startswith("550")


async def test_a_renamed_file_is_a_renamed_role(tmp_path: Path) -> None:
    """Its address is taken by the new name, so nothing has vanished."""
    office = two_roles(tmp_path)
    async with reloading(tmp_path) as (found, running, woken):
        office.rename(office.with_name("front.yaml"))
        await found.reload(asked=False)
        assert running.acceptor.recipient("office@example.test") is None
        assert {role.key for role in found.now.configuration.roles} == {"front", "vp-hr"}
        assert woken == []


async def test_a_file_that_is_missing_at_the_start_is_missed_as_well(tmp_path: Path) -> None:
    office = two_roles(tmp_path)
    async with reloading(tmp_path):
        pass
    office.unlink()
    now = serving(tmp_path / "config", starting=True)
    assert now.vanished == {"office"}
    assert serving(tmp_path / "config").vanished == frozenset()


def test_a_running_service_puts_off_and_goes_on(tmp_path: Path) -> None:
    office = two_roles(tmp_path)
    with relay(tmp_path / "config") as running:
        mail = ("jane@example.test", "office@example.test", b"Subject: x\r\n\r\nHello\r\n")
        text = office.read_bytes()
        office.unlink()
        replies = []
        while not (replies := send(running.port, [mail]))[0].startswith("450"):
            assert replies[0].startswith("250"), replies  # it is seen within a second
        office.write_bytes(text)
        while not (replies := send(running.port, [mail]))[0].startswith("250"):
            assert replies[0].startswith("450"), replies
