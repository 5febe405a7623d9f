"""The hourly list of mails that nobody has and of which nobody was told one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from mailrouter.delivery.content import whole as whole_of
from mailrouter.moments import milliseconds
from mailrouter.service.lost_mail import list_lost
from mailrouter.store.model import Delivery, Outcome
from tests.intake.services import Service, desk, service
from tests.routing.situations import role
from tests.schedule.roles import at

OFFICE = role()
NOON = at(OFFICE, "2026-12-04 12:00")
MAIL = b"From: jane@example.test\r\nTo: vp-hr@example.test\r\nSubject: Secret\r\nMessage-ID: <%d@x>\r\n\r\nhello\r\n"


async def lose(running: Service, number: int, copies: int, moment: datetime) -> str:
    """Take a mail, of which so many copies fail; gives its queue id."""
    before = len(running.offered)
    assert (await running.send(MAIL % number)).startswith("250")
    made = [one for one in running.offered[before:] if one.kind == "copy"]
    assert len(made) == 2
    failed = [Outcome(one.id, "failed", "550 5.1.1 no", milliseconds(moment)) for one in made[:copies]]
    await running.store.settle(failed)
    return made[0].queue_id


async def whole(running: Service, delivery: Delivery) -> str:
    """A mail as it would leave."""
    return (await whole_of(running.store, delivery) or b"").decode()


async def listed(running: Service) -> list[str]:
    """What a look tells the operator."""
    before = milliseconds(running.context.now())
    if not await list_lost(running.context, running.store):
        return []
    due = await running.store.claim(100, before + 1)
    return [
        await whole(running, one)
        for one in due
        if one.kind == "alert" and "Nobody has" in await whole(running, one)
    ]


async def test_what_was_lost_is_listed_once_an_hour_over_restarts(tmp_path: Path) -> None:
    """The mails of which no copy is left, and no others; without a word of theirs; each once."""
    hour = timedelta(hours=1)
    async with service(tmp_path, desk(OFFICE), NOON) as running:
        assert await listed(running) == []
        lost = [await lose(running, n, 2, NOON + hour / 2) for n in range(3)]
        had = await lose(running, 3, 1, NOON + hour / 2)
        assert await listed(running) == []
    async with service(tmp_path, desk(OFFICE), NOON + hour) as running:
        (told,) = await listed(running)
        assert "Subject: Nobody has 3 mails" in told
        assert all(queue in told for queue in lost)
        assert had not in told
        assert "Secret" not in told
        assert await listed(running) == []
    async with service(tmp_path, desk(OFFICE), NOON + 2 * hour) as running:
        assert await listed(running) == []


async def test_a_clock_that_was_ahead_does_not_silence_the_list(tmp_path: Path) -> None:
    """A moment of the last list that lies in the future is begun anew from now."""
    async with service(tmp_path, desk(OFFICE), NOON + timedelta(days=400)) as running:
        assert await listed(running) == []
    async with service(tmp_path, desk(OFFICE), NOON) as running:
        assert await listed(running) == []
        lost = await lose(running, 1, 2, NOON + timedelta(minutes=1))
    async with service(tmp_path, desk(OFFICE), NOON + timedelta(hours=1)) as running:
        (told,) = await listed(running)
        assert lost in told
