"""Taking up changed files: what is logged, who is told of broken ones, and what goes on whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.config import Configuration
from mailrouter.config.last_good import read_good, serving
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.runtime.keys import Keys
from mailrouter.service.reload import Reloading, what_is_different
from mailrouter.service.tasks import Upkeep
from tests.intake.services import KEY, Service, service
from tests.routing.situations import templates
from tests.support.programs import mailrouter
from tests.support.relay import ROLE_FILE, write_configuration

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
LATER = milliseconds(MOMENT) * 2


def desk_of(configuration: Configuration) -> Desk:
    """With the shipped templates."""
    return Desk(configuration, templates(), Keys(KEY))


@asynccontextmanager
async def reloading(folder: Path) -> AsyncIterator[tuple[Reloading, Service, list[str]]]:
    """What a service has for it, without the service; the list grows with each wake."""
    now = serving(folder / "config")
    async with service(folder, desk_of(now.configuration), MOMENT) as running:
        woken: list[str] = []
        found = Reloading(now, running.context, running.store, desk_of, lambda: woken.append("awake"))
        await found.take_up(running.context.desk, now)
        await found.settle()
        yield found, running, woken


def write(folder: Path, text: str, role: str = "vp-hr") -> None:
    """A role's file."""
    (folder / "config" / "roles" / f"{role}.yaml").write_text(text)


async def test_what_is_different_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Day by day, for new and gone roles too; and a look without a change says nothing."""
    write_configuration(tmp_path)
    async with reloading(tmp_path) as (found, running, woken):
        await found.reload(asked=False)
        assert caplog.messages == ["the configuration was read"]
        write(tmp_path, ROLE_FILE + "swaps: [{date: 2026-12-04, partner: laurie}]\n")
        write(tmp_path, ROLE_FILE.replace("vp-hr@", "office@"), "office")
        await found.reload(asked=False)
        assert "office: a new role" in caplog.messages
        assert "vp-hr: Friday 4 December: elaine -> laurie" in caplog.messages
        duty = running.context.desk.rosters["vp-hr"].duty(datetime(2026, 12, 4, 18, tzinfo=UTC))
        assert [person.key for person in duty.on] == ["laurie"]
        (tmp_path / "config" / "roles" / "office.yaml").unlink()
        await found.reload()
        assert "office: this role is gone" in caplog.messages
        assert woken == []
        assert list(read_good(found.now.configuration.settings.run_folder)) == ["vp-hr"]


async def test_each_broken_text_is_told_once(tmp_path: Path) -> None:
    """To the partners and the operator; not again for the same text, but for another, and after it was mended."""
    write_configuration(tmp_path)
    broken = ROLE_FILE.replace("friday:", "fryday:")
    async with reloading(tmp_path) as (found, running, woken):
        for text, told in ((broken, 3), (broken, 0), (broken + "x: y\n", 3), (ROLE_FILE, 0), (broken, 3)):
            write(tmp_path, text)
            await found.reload()
            due = await running.store.claim(20, LATER)
            assert len(due) == told
            assert len(woken) == bool(told)
            woken.clear()
            for delivery in due:
                assert b"`fryday` is not known here" in delivery.pieces
            assert [d.kind for d in due] == ["notice", "notice", "alert"][:told]
            assert found.now.configuration.roles[0].rota == serving_rota(tmp_path)


@pytest.mark.parametrize(
    "absence",
    [
        "- {partner: elaine, from: 2026-12-01, until: 2026-12-03, note: knee, then canary}",
        "- {partner: elaine, from: 2026-12-01, until: 2026-12-03, note: *canary}",
        "- partner: elaine\n    from: 2026-12-01\n    note:canary",
    ],
)
async def test_what_an_absence_is_for_is_told_to_partners_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, absence: str
) -> None:
    """A note that is written wrongly is quoted by the error about it: not in the log, and not to the operator."""
    write_configuration(tmp_path)
    async with reloading(tmp_path) as (found, running, _):
        write(tmp_path, f"{ROLE_FILE}absences:\n  {absence}\n")
        await found.reload()
        due = await running.store.claim(20, LATER)
        assert [(d.kind, b"canary" in d.pieces) for d in due] == [("notice", True)] * 2 + [("alert", False)]
        (tmp_path / "config" / "mailrouter.yaml").write_text("hostnam: x\n")
        await found.reload()
        assert "the one before it stays in force" in caplog.text
        assert "something in this line is wrong" in caplog.text
        assert "canary" not in caplog.text


def test_a_start_that_is_refused_says_no_note_in_a_log(tmp_path: Path) -> None:
    """``serve`` has its errors where its log is."""
    config = write_configuration(tmp_path, role="absences:\n  - {partner: elaine, note: knee, canary}\n")
    done = mailrouter("serve", "--config", str(config))
    assert done.returncode == 1
    assert "vp-hr.yaml:15:" in done.stderr
    assert "canary" not in done.stderr + done.stdout
    assert "canary" in mailrouter("check", "--config", str(config)).stderr


def serving_rota(folder: Path) -> object:
    """Of the file as it was at first."""
    return serving(folder / "config", instead={"vp-hr": ROLE_FILE.encode()}).configuration.roles[0].rota


async def test_broken_settings_change_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """All that was in force stays so, also where a role's file is right and new."""
    write_configuration(tmp_path)
    async with reloading(tmp_path) as (found, running, _):
        before, desk = found.now, running.context.desk
        (tmp_path / "config" / "mailrouter.yaml").write_text("hostnam: x\n")
        write(tmp_path, ROLE_FILE + "note: always\n")
        await found.reload(asked=False)
        assert (found.now, running.context.desk) == (before, desk)
        assert "the one before it stays in force" in caplog.text


async def test_what_needs_a_restart_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By the settings' names."""
    write_configuration(tmp_path)
    async with reloading(tmp_path) as (found, _, _):
        file = tmp_path / "config" / "mailrouter.yaml"
        file.write_text(file.read_text().replace("mx.example.test", "mx2.example.test"))
        await found.reload(asked=False)
        assert "the configuration was read again; hostname: at a restart" in caplog.messages


def test_a_long_list_is_cut(tmp_path: Path) -> None:
    """Forty lines say enough, and one says what comes again each week."""
    write_configuration(tmp_path)
    old = serving(tmp_path / "config")
    monday = datetime(2026, 12, 7)
    away = "".join(
        f"  - {{partner: laurie, date: {monday + timedelta(weeks=week):%Y-%m-%d}, hours: 09:00-10:{week:02}}}\n"
        for week in range(45)
    )
    swapped = ROLE_FILE.replace("thursday: elaine", "thursday: laurie") + f"absences:\n{away}"
    new = serving(tmp_path / "config", instead={"vp-hr": swapped.encode()})
    lines = what_is_different(old, new, MOMENT)
    assert len(lines) == 41
    assert lines[0] == "vp-hr: each Thursday from 3 December on: elaine -> laurie"
    assert lines[1] == "vp-hr: Monday 7 December: laurie -> laurie 10:00-17:00"
    assert lines[-1] == "vp-hr: and 6 more"


async def test_upkeep_tells_what_ends_and_stops_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    """A fault in one thing that runs beside the mail takes nothing with it."""

    async def fails() -> None:
        raise ValueError("oh")

    ended = asyncio.Event()

    async def runs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    upkeep = Upkeep()
    upkeep.run(fails())
    upkeep.run(runs())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "has ended" in caplog.text
    assert not ended.is_set()
    await upkeep.stop()
    assert ended.is_set()


async def test_what_did_not_change_is_not_worked_out_again(tmp_path: Path) -> None:
    """A role that is the same keeps its roster and its handoff; a new one has its handoff from the store."""
    write_configuration(tmp_path)
    write(tmp_path, ROLE_FILE.replace("vp-hr@", "office@"), "office")
    now = serving(tmp_path / "config")
    async with service(tmp_path, desk_of(now.configuration), MOMENT) as running:

        def make(configuration: Configuration) -> Desk:
            known = running.context.desk.rosters
            return Desk(configuration, templates(), Keys(KEY), known=known)

        for key in ("office", "later"):
            await running.store.add_handoff(key, "laurie", LATER, "Left: one", b"Left: one")
        found = Reloading(now, running.context, running.store, make, lambda: None)
        await found.take_up(running.context.desk, now)
        before = running.context.desk
        write(tmp_path, ROLE_FILE + "note: never\n")
        write(tmp_path, ROLE_FILE.replace("vp-hr@", "later@"), "later")
        await found.reload()
        after = running.context.desk
        assert after is not before
        assert after.rosters["office"] is before.rosters["office"]
        assert after.rosters["vp-hr"] is not before.rosters["vp-hr"]
        assert after.handoffs["office"] is before.handoffs["office"]
        assert after.handoffs["later"].author == "laurie"
        assert set(after.handoffs) == {"office", "later"}
