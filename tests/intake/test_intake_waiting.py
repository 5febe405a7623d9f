"""Mail that is decided while the store's answers are waited for: another mail may come in between."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from mailrouter.routing.wording import CurrentHandoff
from mailrouter.runtime.context import Context
from mailrouter.store.ids import message_id_of
from mailrouter.store.model import Handoff
from mailrouter.store.protocols import Reading, Store
from mailrouter.store.sqlite.store import SqliteStore
from tests.intake.services import desk, service
from tests.intake.test_intake_admission import explain
from tests.intake.test_intake_handing import HANDOFF, MOMENT, YES, handing, question, refused, trusting
from tests.intake.test_intake_recipients import returned
from tests.routing.situations import BOTH_AWAY, HANDOFF_TEXT, mail, role
from tests.schedule.roles import LAURIE
from tests.support.waiting import Waiting

PROOF = "Authentication-Results: mail.example.test; dmarc=pass"


async def test_a_store_that_has_to_be_waited_for_lets_others_go_on(tmp_path: Path) -> None:
    """What the other tests here stand on: an answer comes some turns later."""
    store = SqliteStore.open(tmp_path / "m.db")
    waiting = cast(Store, Waiting(store))
    asked = asyncio.ensure_future(waiting.reader.waiting())
    await asyncio.sleep(0)
    assert not asked.done()
    assert await asked == 0
    store.close()


async def test_two_answers_to_one_question_at_the_same_time_hand_over_once(tmp_path: Path) -> None:
    """Both find the question; the transaction takes one of them."""
    async with service(tmp_path, desk(role()), MOMENT, waiting=True) as running:
        assert (await running.send(handing(), HANDOFF)).startswith("250")
        back = question(running)
        running.offered.clear()
        said = await asyncio.gather(*(running.send(YES, back) for _ in range(2)), return_exceptions=True)
        assert sorted(map(refused, said)) == [False, True]
        assert len(running.offered) == 2
        assert len(await running.store.reader.handoffs("vp-hr", 5)) == 1


async def test_the_same_mail_twice_at_the_same_time_is_one_handoff(tmp_path: Path) -> None:
    """Neither finds the other's key before it is decided; both are taken, and one is worked on."""
    raw = handing(PROOF)
    async with service(tmp_path, trusting(), MOMENT, waiting=True) as running:
        said = await asyncio.gather(*(running.send(raw, HANDOFF, sender=LAURIE.email) for _ in range(2)))
        assert [reply[:3] for reply in said] == ["250", "250"]
        (stored,) = await running.store.reader.handoffs("vp-hr", 5)
        assert running.context.desk.handoffs["vp-hr"].version == stored.version
        assert [delivery.handoff for delivery in running.offered] == [stored.version] * 2


async def test_no_more_is_asked_than_the_hour_has_though_all_come_at_once(tmp_path: Path) -> None:
    """Each finds that nothing was asked yet."""
    async with service(tmp_path, desk(role()), MOMENT, waiting=True) as running:
        many = (running.send(handing(number=n), HANDOFF) for n in range(1, 6))
        said = await asyncio.gather(*many, return_exceptions=True)
        assert sorted(map(refused, said)) == [False, False, False, True, True]
        assert len(running.offered) == 3


async def test_a_sender_is_answered_once_and_a_conversation_has_the_handoff_once(tmp_path: Path) -> None:
    """Two mails at once, then an answer in the conversation of the first."""
    of = desk(role(BOTH_AWAY, reply_inside="nobody"))
    async with service(tmp_path, of, MOMENT, waiting=True) as running:
        version = await running.hand_over("vp-hr", HANDOFF_TEXT)
        await asyncio.gather(running.send(mail()), running.send(mail("Message-ID: <two@example.test>")))
        assert [delivery.kind for delivery in running.offered].count("reply") == 1
        assert {d.handoff for d in running.offered if d.kind == "copy"} == {version}
        running.offered.clear()
        later = mail("Message-ID: <three@example.test>", "In-Reply-To: <one@example.test>")
        assert (await running.send(later)).startswith("250")
        assert {d.handoff for d in running.offered} == {0}


@pytest.mark.parametrize("path", ["known", "gone"])
async def test_what_comes_back_is_tied_to_its_copy(tmp_path: Path, path: str) -> None:
    """Explain, which waits for nobody's turn, says the same."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT, waiting=True) as running:
        assert (await running.send(mail())).startswith("250")
        to = running.offered[0].reverse_path if path == "known" else returned(of, MOMENT - MOMENT, 4711)
        running.offered.clear()
        told = explain(of, running, mail(), to, sender="")
        said = await running.send(mail(), to, sender="")
        assert said.startswith("250" if path == "known" else "550 5.1.1")
        assert told.refused == ("" if path == "known" else said)
        if path == "known":
            entry = await running.store.reader.entry(message_id_of(said.rpartition(" ")[2]))
            assert entry is not None
            assert tuple(told.reasons) == entry.message.reasons


class Late:
    """A reader that gives the first of two answers after the second."""

    def __init__(self) -> None:
        self.second = asyncio.Event()
        self._asked = 0

    async def handoff(self, role: str) -> Handoff:
        """Versions 1 and 2."""
        self._asked += 1
        version = self._asked
        if version == 1:
            await self.second.wait()
        return Handoff(version, role, "Laurie", 1_796_200_000_000, "Left: one\n", b"Left: one\r\n")


async def test_the_newest_handoff_holds_though_an_older_one_is_told_later() -> None:
    """It holds as well where the configuration was read again meanwhile."""
    context, reader = Context(desk(role())), Late()
    first = asyncio.ensure_future(context.take_up_handoff(cast(Reading, reader), "vp-hr"))
    await asyncio.sleep(0)
    await context.take_up_handoff(cast(Reading, reader), "vp-hr")
    context.desk, before = desk(role()), context.desk
    context.desk.handoffs = dict(before.handoffs)
    reader.second.set()
    await first
    held: CurrentHandoff = context.desk.handoffs["vp-hr"]
    assert held.version == 2
