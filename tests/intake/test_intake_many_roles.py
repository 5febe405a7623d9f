"""Mail to many roles, or to one whom nobody looks after for years: others have their turn while it is decided."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.intake import resting
from tests.intake.services import Service, desk, service
from tests.schedule.roles import role_of

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
NOBODY_FOR_YEARS = "away laurie 2020-01-01..2049-01-01; away elaine 2020-01-01..2049-01-01"
RAW = b"From: Jane <jane@example.test>\r\nTo: x\r\nSubject: hello\r\nMessage-ID: <1@x.test>\r\n\r\nHello\r\n"


async def turns_of_others(running: Service, raw: bytes, *recipients: str) -> int:
    """How many turns somebody else has had until this mail was taken."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    reply = await running.send(raw, *recipients, sender="")
    other.cancel()
    assert reply.startswith("250")
    return turns


async def turns_for_roles(folder: Path, roles: int, tag: str) -> int:
    """The same for mail to so many roles that nobody looks after."""
    made = [
        replace(role_of(NOBODY_FOR_YEARS), key=f"r{n}", address=f"r{n}@example.test") for n in range(roles)
    ]
    async with service(folder, desk(*made), MOMENT) as running:
        return await turns_of_others(running, RAW, *(f"r{n}{tag}@example.test" for n in range(roles)))


@pytest.mark.parametrize("tag", ["", "+anything", "+handoff", "+schedule"])
async def test_others_have_their_turn_between_the_roles_of_one_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    monkeypatch.setattr(resting, "TURN", 0.0)
    few = min(
        [await turns_for_roles(tmp_path / f"few{n}", 1, tag) for n in range(3)]
    )  # the store may take long
    many = await turns_for_roles(tmp_path / "many", 3, tag)
    assert many > few + 2 * 400, "a rest for each day that is looked at, of each role"


async def test_others_have_their_turn_while_one_report_comes_to_many_return_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them has something to look up, to record and to tell."""
    monkeypatch.setattr(resting, "TURN", 0.0)
    async with service(tmp_path, desk(role_of()), MOMENT) as running:
        for number in range(15):
            await running.send(RAW.replace(b"<1@", f"<{number}@".encode()))
        paths = [row.reverse_path for row in running.offered if row.kind == "copy"]
        assert len(set(paths)) == 30
        report = b"From: MAILER-DAEMON@x.test\r\nSubject: failure notice\r\n\r\n550 5.1.1 Mailbox unknown\r\n"
        one = min(
            [await turns_of_others(running, report, path) for path in paths[:3]]
        )  # the store may take long
        many = await turns_of_others(running, report, *paths)
        # Two for each: where it leads, and what follows. The waits for the store vary by some turns.
        assert many > one + 2 * 29 - 20, (one, many)
