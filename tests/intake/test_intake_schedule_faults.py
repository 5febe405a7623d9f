"""Changes of the schedule when something fails: a file, the store, the process; all or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mailrouter.errors import StoreError
from mailrouter.moments import milliseconds
from tests.intake.rescheduling import (
    COMMENTED,
    ELAINE,
    LAURIE,
    MOMENT,
    OFF,
    SCHEDULE,
    asked,
    file_of,
    folder_in,
    notices,
    running,
    text_of,
)


async def test_a_file_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """To its author, with what IT can do; nothing is left half, and the mail isn't lost in a loop of tries."""
    folder_in(tmp_path)
    (tmp_path / "config" / "roles" / "vp-hr.yaml").chmod(0o444)
    async with running(tmp_path) as found:
        assert (await found.send(asked("off Monday"), SCHEDULE)).startswith("250")
        told = notices(found)
        assert set(told) == {"laurie"}
        assert "can't be written here" in text_of(told["laurie"])
        assert await found.store.reader.schedule_changes("vp-hr", 9) == []
    assert file_of(tmp_path) == COMMENTED
    assert [path.name for path in (tmp_path / "config" / "roles").iterdir()] == ["vp-hr.yaml"]


async def test_a_file_that_is_broken_already_is_told(tmp_path: Path) -> None:
    """With what is wrong in it: no change is put into what nobody can read."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        broken = COMMENTED.replace("friday:", "fryday:")
        (tmp_path / "config" / "roles" / "vp-hr.yaml").write_text(broken)
        await found.send(asked("off Monday"), SCHEDULE)
        text = text_of(notices(found)["laurie"])
        assert "The file has problems as it is" in text
        assert "fryday" in text
        assert file_of(tmp_path) == broken


async def test_two_at_once_are_both_done(tmp_path: Path) -> None:
    """One after the other: neither overwrites the other."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        both = (
            found.send(asked("off Monday", number=1), SCHEDULE),
            found.send(asked("off Friday", sender=ELAINE, number=2), SCHEDULE, sender=ELAINE),
        )
        assert all(reply.startswith("250") for reply in await asyncio.gather(*both))
        assert "{partner: laurie, from: 2026-12-07" in file_of(tmp_path)
        assert "{partner: elaine, from: 2026-12-04" in file_of(tmp_path)


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("when", ["before the commit", "behind it", "behind the rename"])
async def test_a_crash_at_any_moment_leaves_all_or_nothing(tmp_path: Path, when: str) -> None:
    """After a restart the change is whole, with what is told of it, once; or it has not happened, and the mail that
    comes again does it."""
    folder_in(tmp_path)
    mail = asked("off Monday, Elaine covers")
    async with running(tmp_path) as found:
        store = found.store
        real_accept, real_finish = store.accept, store.finish_change

        async def accept(*args):  # type: ignore[no-untyped-def]
            if when == "before the commit":
                raise Crash
            await real_accept(*args)
            raise Crash

        async def finish(change):  # type: ignore[no-untyped-def]
            raise Crash

        if when == "behind the rename":
            store.finish_change = finish  # type: ignore[method-assign]
        else:
            store.accept = accept  # type: ignore[method-assign]
        with pytest.raises(Crash):
            await found.send(mail, SCHEDULE)
        store.accept, store.finish_change = real_accept, real_finish  # type: ignore[method-assign]
        assert (file_of(tmp_path) == COMMENTED) == (when != "behind the rename")
    async with running(tmp_path) as found:
        wrote = await found.acceptor.files.recover(found.context.desk)
        assert wrote == (when == "behind it")
        assert (await found.send(mail, SCHEDULE)).startswith("250")
        assert file_of(tmp_path) == COMMENTED + "absences:\n" + OFF
        (change,) = await found.store.reader.schedule_changes("vp-hr", 9)
        assert change.state == "done"
        entry = await found.store.reader.entry(change.id)
        assert entry is not None
        assert [d.kind for d in entry.deliveries] == ["notice", "notice"]
        assert await found.store.reader.begun_schedule_changes() == []


@pytest.mark.parametrize("crashed", [True, False])
async def test_a_change_that_can_not_be_put_in_after_all_is_told_instead(
    tmp_path: Path, crashed: bool
) -> None:
    """Somebody wrote the file in the moment between commit and rename: their text stays, and what was to be told of
    the change is withdrawn."""
    folder_in(tmp_path)
    theirs = COMMENTED.replace("# the end", "# theirs")
    path = tmp_path / "config" / "roles" / "vp-hr.yaml"
    async with running(tmp_path) as found:
        real = found.store.accept

        async def accept(*args):  # type: ignore[no-untyped-def]
            queued = await real(*args)
            path.write_text(theirs)
            if crashed:
                raise Crash
            return queued

        found.store.accept = accept  # type: ignore[method-assign]
        if crashed:
            with pytest.raises(Crash):
                await found.send(asked("off Monday"), SCHEDULE)
        else:
            assert (await found.send(asked("off Monday"), SCHEDULE)).startswith("250")
            assert found.offered == []
        found.store.accept = real  # type: ignore[method-assign]
    async with running(tmp_path) as found:
        assert await found.acceptor.files.recover(found.context.desk) is False
        (change,) = await found.store.reader.schedule_changes("vp-hr", 9)
        assert change.state == "lost"
        entry = await found.store.reader.entry(change.id)
        assert entry is not None
        assert [d.state for d in entry.deliveries] == ["withdrawn", "withdrawn", "queued", "queued"]
        due = await found.store.claim(10, milliseconds(MOMENT) * 2)
        assert [delivery.recipient for delivery in due] == [LAURIE, ELAINE]
        assert b"could not be put into the file after all" in due[0].pieces
    assert file_of(tmp_path) == theirs


async def test_a_store_that_fails_leaves_no_draft(tmp_path: Path) -> None:
    """The mail is to come again."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:

        async def accept(*args):  # type: ignore[no-untyped-def]
            raise StoreError("No room.")

        found.store.accept = accept  # type: ignore[method-assign]
        with pytest.raises(StoreError):
            await found.send(asked("off Monday"), SCHEDULE)
    assert [path.name for path in (tmp_path / "config" / "roles").iterdir()] == ["vp-hr.yaml"]
