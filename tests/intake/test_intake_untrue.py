"""What is to be told of a mail is looked at again when it leaves: what is not true any more is withdrawn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest

from mailrouter.intake.feedback.failures import of_failure
from mailrouter.intake.feedback.incident import Answer
from mailrouter.intake.release.queue_actions import Order, steer
from mailrouter.intake.release.recheck import may_be_told, plan_anew
from mailrouter.moments import DAY_MS, HOUR_MS, milliseconds
from mailrouter.store.model import Delivery, Outcome
from mailrouter.store.selection import BACK, Selection
from mailrouter.turns import drive
from tests.intake.services import Service, desk, service
from tests.intake.test_intake_aftermath import MOMENT, copies, delivered, fails
from tests.routing.situations import role
from tests.support import faults

NOW = milliseconds(MOMENT)


def says(running: Service, told: Delivery) -> Literal["yes", "later", "never"]:
    """Whether it may leave."""
    return drive(may_be_told(running.store.reader, told, False, NOW))


async def both_failed(running: Service) -> tuple[dict[str, Delivery], list[Delivery]]:
    """Both copies fail; gives them, and everything that is told of it."""
    made = await copies(running)
    first = await fails(running, made["elaine"])
    second = await fails(running, made["laurie"])
    return made, [d for d in (*first, *second) if d.kind != "copy"]


async def retried(running: Service) -> None:
    """Somebody says that all is to be tried again."""
    running.store._in_hand.clear()
    await steer(running.store, Order("retry", Selection(states=BACK), "jim"), running.context.desk)
    running.store._in_hand.clear()


async def test_while_it_is_true_it_leaves(tmp_path: Path) -> None:
    """Both copies have failed: IT, the partner and the sender hear of it."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        _, told = await both_failed(running)
        assert {d.kind for d in told} >= {"alert", "report"}
        assert {says(running, d) for d in told} == {"yes"}


async def test_while_the_mail_is_tried_again_it_waits_and_then_it_is_withdrawn(tmp_path: Path) -> None:
    """After ``queue retry`` the copies go first, in whatever order they are tried; the trace says why it went."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        made, told = await both_failed(running)
        await retried(running)
        assert {says(running, d) for d in told} == {"later"}
        for copy in made.values():
            await delivered(running, copy)
        assert {says(running, d) for d in told} == {"never"}
        for one in told:
            await plan_anew(running.context, running.store, one, lambda: NOW)
        known = await running.store.reader.life(made["elaine"].message)
        assert known is not None
        ended = {event.delivery: event.words for event in known.events if event.what == "withdrawn"}
        assert set(ended) == {d.id for d in told}
        assert all("not true any more" in words for words in ended.values())


async def test_a_report_that_was_withdrawn_can_be_told_again(tmp_path: Path) -> None:
    """The mail arrived, and came back after all: the sender hears of it."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        made, told = await both_failed(running)
        await retried(running)
        for copy in made.values():
            await delivered(running, copy)
        for one in told:
            await plan_anew(running.context, running.store, one, lambda: NOW)
        full, now = "552 5.2.2 full", NOW + 1
        await running.store.report([Outcome(made["elaine"].id, "bounced", full, now)])
        last = made["laurie"]
        then = await of_failure(
            running.context.desk, running.store.reader, last, Answer("bounced", full), MOMENT
        )
        await running.store.report([Outcome(last.id, "bounced", full, now, consequences=then)])
        queued = await running.store.claim(100, now)
        assert [d.kind for d in queued].count("report") == 1


async def test_that_one_copy_did_not_arrive_is_true_of_that_one_alone(tmp_path: Path) -> None:
    """Elaine's copy arrives at the second try, while Laurie's has failed for good."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        made, told = await both_failed(running)
        await retried(running)
        await delivered(running, made["elaine"])
        await fails(running, made["laurie"])
        of_elaine = [d for d in told if d.claim == "failed" and d.about == made["elaine"].id]
        of_nobody = [d for d in told if d.claim == "nobody"]
        assert of_elaine
        assert {says(running, d) for d in (*of_elaine, *of_nobody)} == {"never"}


@pytest.mark.parametrize("keep", [0, DAY_MS])
async def test_what_came_back_is_sent_again_while_its_content_is_kept(tmp_path: Path, keep: int) -> None:
    """As a delivery of its own under another return path; without content there is nothing to send."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        running.store.keep_bounced = keep
        made = await copies(running)
        for copy in made.values():
            await delivered(running, copy)
        await running.store.report([Outcome(made["elaine"].id, "bounced", "552 5.2.2 full", NOW)])
        wanted = Selection(recipient="elaine@example.test", states=BACK)
        done = await steer(running.store, Order("retry", wanted, "jim"), running.context.desk)
        assert done.deliveries == (1 if keep else 0)
        entry = await running.store.reader.entry(made["elaine"].message)
        assert entry is not None
        again = [d for d in entry.deliveries if d.about == made["elaine"].id]
        assert len(again) == (1 if keep else 0)
        for one in again:
            assert (one.state, one.recipient, one.kind) == ("queued", "elaine@example.test", "copy")
            assert one.reverse_path != made["elaine"].reverse_path
            assert "+b-" in one.reverse_path
            assert await steer(running.store, Order("retry", wanted, "jim"), running.context.desk)
            content = await running.store.reader.chunk(one.message, 0)
            assert content.endswith(b"\r\n")


async def test_content_is_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    """Not before; what came back has its time from then on."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        store = running.store
        store.keep_bounced = HOUR_MS
        made = await copies(running)
        for copy in made.values():
            await delivered(running, copy)
        while await store.sweep():
            pass
        whole = len(await store.reader.chunk(made["elaine"].message, 0))
        store.keep_bounced = 0
        while await store.sweep():
            pass
        assert len(await store.reader.chunk(made["elaine"].message, 0)) < whole
        assert not store.reader.rows("SELECT 1 FROM kept")
        assert not store.reader.rows("SELECT 1 FROM delivery WHERE pieces <> x''")


@pytest.mark.skipif(bool(faults.no_mounts()), reason=faults.no_mounts() or "")
async def test_content_is_given_up_sooner_where_the_disk_gets_short(tmp_path: Path) -> None:
    """What waits is left alone; with room again, content has its time."""
    with faults.small_disk(tmp_path / "disk", 40) as folder:
        async with service(folder, desk(role()), MOMENT) as running:
            store = running.store
            store.keep_bounced = HOUR_MS
            made = await copies(running)
            for copy in made.values():
                await delivered(running, copy)
            waits = await copies(running)
            filler = faults.fill(folder)
            os.truncate(filler, filler.stat().st_size - (1 << 20))  # a fortieth of it is left
            whole = len(await store.reader.chunk(waits["elaine"].message, 0))
            while await store.sweep():
                pass
            assert len(await store.reader.chunk(made["elaine"].message, 0)) < whole
            assert len(await store.reader.chunk(waits["elaine"].message, 0)) == whole
            filler.unlink()
            for copy in waits.values():
                await delivered(running, copy)
            while await store.sweep():
                pass
            assert len(await store.reader.chunk(waits["elaine"].message, 0)) == whole


async def test_each_mail_that_nobody_has_is_told(tmp_path: Path) -> None:
    """Twelve mails lost to both: twelve alerts that name them, beside those about mailboxes."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        told: list[Delivery] = []
        for _ in range(12):
            _, found = await both_failed(running)
            told += found
        lost = {d.message for d in told if d.kind == "alert" and d.claim == "nobody"}
        assert len(lost) == 12
