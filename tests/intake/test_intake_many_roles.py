"""Mail to many roles, or to one whom nobody looks after for years: others have their turn while it is decided."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.intake import resting
from tests.intake.services import desk, service
from tests.schedule.roles import role_of

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
NOBODY_FOR_YEARS = "away laurie 2020-01-01..2049-01-01; away elaine 2020-01-01..2049-01-01"
RAW = b"From: Jane <jane@example.test>\r\nTo: x\r\nSubject: hello\r\nMessage-ID: <1@x.test>\r\n\r\nHello\r\n"


async def turns_of_others(folder: Path, roles: int, tag: str = "") -> int:
    """How many turns somebody else has had until mail to so many roles was taken."""
    made = [
        replace(role_of(NOBODY_FOR_YEARS), key=f"r{n}", address=f"r{n}@example.test") for n in range(roles)
    ]
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with service(folder, desk(*made), MOMENT) as running:
        other = asyncio.create_task(others())
        reply = await running.send(RAW, *(f"r{n}{tag}@example.test" for n in range(roles)))
        other.cancel()
        assert reply.startswith("250")
    return turns


@pytest.mark.parametrize("tag", ["", "+anything", "+handoff", "+schedule"])
async def test_others_have_their_turn_between_the_roles_of_one_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str
) -> None:
    monkeypatch.setattr(resting, "TURN", 0.0)
    few = await turns_of_others(tmp_path / "few", 1, tag)
    many = await turns_of_others(tmp_path / "many", 3, tag)
    assert many > few + 2 * 400, "a rest for each day that is looked at, of each role"
