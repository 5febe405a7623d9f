"""Mail to partners' addresses: read once, worked out elsewhere, and never lost where that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from mailrouter.schedule.model import Role
from mailrouter.worker.worker import CallsHere, WorkerBusy, WorkerFailed
from tests.intake.rescheduling import (
    COMMENTED,
    OFF,
    SCHEDULE,
    asked,
    file_of,
    folder_in,
    notices,
    running,
    text_of,
    with_file,
)
from tests.intake.services import desk, service
from tests.intake.test_intake_handing import FROM, HANDOFF, MOMENT, PROOF, handing, trusting
from tests.routing.situations import mail, role


class Calls(CallsHere):
    """Calls here that are counted, and may fail or be held up on the way."""

    def __init__(self, before: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.names: list[str] = []
        self.ahead: list[bool] = []
        self._before = before

    async def call(self, function: Any, *arguments: Any, ahead: bool = False) -> Any:
        self.names.append(function.__name__)
        self.ahead.append(ahead)
        if self._before is not None:
            await self._before(function.__name__)
        return await super().call(function, *arguments, ahead=ahead)


def failing(error: Exception, *names: str) -> Calls:
    """Calls of which those of these functions fail."""

    async def fail(name: str) -> None:
        if name in names:
            raise error

    return Calls(fail)


def ten_roles() -> list[Role]:
    """Ten roles of the same partners."""
    return [replace(role(), key=f"role-{n}", address=f"role-{n}@example.test") for n in range(10)]


async def test_a_mail_to_twenty_addresses_is_read_once(tmp_path: Path) -> None:
    """However many roles it is for, and whether it is to hand over or to change the schedule."""
    roles = ten_roles()
    recipients = [f"{one.key}+{tag}@example.test" for one in roles for tag in ("handoff", "schedule")]
    async with service(tmp_path, desk(*roles), MOMENT) as found:
        found.acceptor.calls = calls = Calls()
        body = b"off 7 December 2026\r\n"
        raw = mail(FROM, "To: all@example.test", "Message-ID: <1@example.test>", body=body)
        assert (await found.send(raw, *recipients)).startswith("250")
        assert calls.names == ["read_contents"]
        assert len([d for d in found.offered if d.kind == "notice"]) == 3, "no more questions for one mail"


async def test_ordinary_mail_asks_nothing_of_the_worker(tmp_path: Path) -> None:
    """Its process isn't even started."""
    async with service(tmp_path, desk(role()), MOMENT) as found:
        found.acceptor.calls = calls = Calls()
        assert (await found.send(mail(FROM))).startswith("250")
        assert calls.names == []


async def test_what_is_proven_comes_first(tmp_path: Path) -> None:
    """So that forged mail doesn't keep a partner's out."""
    async with service(tmp_path, trusting(), MOMENT) as found:
        found.acceptor.calls = calls = Calls()
        await found.send(handing(PROOF), HANDOFF)
        await found.send(handing(number=2), HANDOFF)
        assert calls.ahead == [True, False]


@pytest.mark.parametrize("to", [HANDOFF, SCHEDULE])
async def test_a_mail_that_can_not_be_read_is_mail_to_its_partners(tmp_path: Path, to: str) -> None:
    """Whole, with the reason, and neither to stand-ins nor to somebody who is no partner any more."""
    carmen = replace(
        role().partners[0], key="carmen", name="Carmen", email="carmen@example.test", until=date(2026, 11, 1)
    )
    ours = replace(role(), partners=(*role().partners, carmen))
    async with service(tmp_path, trusting(ours), MOMENT) as found:
        found.acceptor.calls = failing(WorkerFailed("it takes more than 5 seconds"), "read_contents")
        raw = handing(PROOF)
        assert (await found.send(raw, to)).startswith("250")
        copies = found.sent()
        assert set(copies) == {"laurie", "elaine"}
        assert all(copy.endswith(raw) for copy in copies.values())
        assert found.sent("notice") == {}
        assert await found.store.reader.handoff("vp-hr") is None
        entry = await found.store.reader.entry(found.offered[0].message)
        assert entry is not None
        assert "it takes more than 5 seconds" in " ".join(entry.message.reasons)


@pytest.mark.parametrize("function", ["read_contents", "edited_role"])
async def test_what_finds_the_line_full_comes_again(tmp_path: Path, function: str) -> None:
    """Nothing of it is kept, so the next attempt is a new one."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        found.acceptor.calls = failing(WorkerBusy("too much mail waits to be read"), function)
        assert (await found.send(asked("off 7 December 2026"), SCHEDULE)).startswith("451 4.3.2")
        assert found.offered == []
        assert file_of(tmp_path) == COMMENTED
        found.acceptor.calls = CallsHere()
        assert (await found.send(asked("off 7 December 2026"), SCHEDULE)).startswith("250")
        assert "2026-12-07" in file_of(tmp_path)


async def test_a_change_that_can_not_be_worked_out_is_mail_and_changes_nothing(tmp_path: Path) -> None:
    """The file stays, no draft is left beside it, and the lock is free."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        found.acceptor.calls = failing(WorkerFailed("it takes too much time or memory"), "replaced_role")
        edited = COMMENTED.replace("friday: elaine", "friday: laurie")
        assert (await found.send(with_file(edited), SCHEDULE)).startswith("250")
        assert set(found.sent()) == {"laurie", "elaine"}
        assert found.sent("notice") == {}
        assert file_of(tmp_path) == COMMENTED
        assert [path.name for path in (tmp_path / "config" / "roles").iterdir()] == ["vp-hr.yaml"]
        assert not found.acceptor.files.lock.locked()


async def test_reading_a_strangers_mail_holds_up_no_change(tmp_path: Path) -> None:
    """While a forged mail is read, a partner's changes the file."""
    folder_in(tmp_path)
    reading, over = asyncio.Event(), asyncio.Event()

    async def hold(name: str) -> None:
        if name == "read_contents" and not reading.is_set():
            reading.set()
            await over.wait()

    async with running(tmp_path) as found:
        found.acceptor.calls = Calls(hold)
        forged = asyncio.create_task(found.send(asked("off today", number=1, proven=False), SCHEDULE))
        await reading.wait()
        assert (await found.send(asked("off 7 December 2026", number=2), SCHEDULE)).startswith("250")
        assert "2026-12-07" in file_of(tmp_path)
        over.set()
        assert (await forged).startswith("250")


async def test_two_changes_at_once_are_both_in_the_file(tmp_path: Path) -> None:
    """Both were worked out from the same text; the second is worked out anew from what the first has made."""
    folder_in(tmp_path)
    both = asyncio.Barrier(2)

    async def meet(name: str) -> None:
        if name == "edited_role" and both.n_waiting < 2 and len(calls.names) <= 4:
            await both.wait()

    async with running(tmp_path) as found:
        found.acceptor.calls = calls = Calls(meet)
        said = await asyncio.gather(
            found.send(asked("off 7 December 2026", number=1), SCHEDULE),
            found.send(asked("off 8 December 2026", number=2), SCHEDULE),
        )
        assert [reply[:3] for reply in said] == ["250", "250"]
        assert "2026-12-07" in file_of(tmp_path)
        assert "2026-12-08" in file_of(tmp_path)
        assert calls.names.count("edited_role") == 3
        assert await found.store.reader.begun_schedule_changes() == []


async def test_a_file_that_is_edited_by_hand_meanwhile_keeps_both_changes(tmp_path: Path) -> None:
    """What was worked out from the text before is not used."""
    folder_in(tmp_path)
    file = tmp_path / "config" / "roles" / "vp-hr.yaml"

    async def by_hand(name: str) -> None:
        if calls.names == ["read_contents", "edited_role"]:
            file.write_text(COMMENTED + "swaps: []\n")

    async with running(tmp_path) as found:
        found.acceptor.calls = calls = Calls(by_hand)
        assert (await found.send(asked("off 7 December 2026"), SCHEDULE)).startswith("250")
        assert "swaps: []" in file_of(tmp_path)
        assert "2026-12-07" in file_of(tmp_path)


async def test_the_same_change_twice_at_once_happens_once(tmp_path: Path) -> None:
    """A mail server that did not hear the answer sends it again over another connection."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        raw = asked("off 7 December 2026")
        said = await asyncio.gather(*(found.send(raw, SCHEDULE) for _ in range(3)))
        assert [reply[:3] for reply in said] == ["250"] * 3
        assert file_of(tmp_path).count("2026-12-07") == OFF.count("2026-12-07")
        assert len([d for d in found.offered if d.kind == "notice"]) == 2


async def test_a_file_of_more_than_a_person_writes_is_refused_in_words(tmp_path: Path) -> None:
    """Before anything reads it as YAML."""
    folder_in(tmp_path)
    async with running(tmp_path) as found:
        found.acceptor.calls = calls = Calls()
        huge = (
            COMMENTED + "absences:\n" + "  - {partner: laurie, from: 2026-12-07, until: 2026-12-08}\n" * 2_000
        )
        await found.send(with_file(huge), SCHEDULE)
        assert "too large" in " ".join(text_of(notices(found)["laurie"]).split())
        assert calls.names == ["read_contents"]
