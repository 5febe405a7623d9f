"""A message that stays inside: of what the next server says about it, codes alone are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.retry import outcome
from mailrouter.moments import DAY_MS
from mailrouter.smtp.replies import Reply
from mailrouter.store.ids import DeliveryId, delivery_of
from mailrouter.store.model import Consequence, Delivery, Outcome
from mailrouter.store.sqlite.store import SqliteStore
from tests.support.messages import SMALL, T0, put

WORDS = "ZEBRA-QUARTZ"


@pytest.mark.parametrize("code", [250, 421, 450, 550, 552])
@pytest.mark.parametrize("stage", ["mail", "rcpt", "data", "dot"])
def test_no_word_of_a_server_becomes_part_of_an_outcome(code: int, stage: str) -> None:
    """At whatever stage, taken, put off or refused."""
    delivery = Delivery(
        DeliveryId(1024), "copy", ("r",), "a@x.test", "p@x.test", b"", 1, inside=True, created_at=T0
    )
    reply = Reply(code, f"{code // 100}.7.1 {WORDS}", stage=stage)
    for of, kept in ((delivery, reply.codes), (replace(delivery, inside=False), str(reply))):
        assert outcome(of, reply, T0, 0.0, Retry()).reply == kept
    # One that speaks of nobody is marked as telling nothing of a mailbox; its words are the server's all the same.
    unmarked = outcome(delivery, reply._replace(own=True), T0, 0.0, Retry())
    assert WORDS not in unmarked.reply
    assert WORDS not in reply._replace(own=True).brief
    late = outcome(delivery, reply, T0 + 10 * DAY_MS, 0.0, Retry())
    assert WORDS not in late.reply


async def test_one_copy_that_stays_inside_keeps_its_whole_message_there(tmp_path: Path) -> None:
    """What comes with it, what it brings about later, and what takes its place."""
    store = SqliteStore.open(tmp_path / "m.db")
    try:
        queued = await put(store, SMALL, ("a@x.test", "b@x.test"), T0, inside="b@x.test")
        assert [d.inside for d in queued] == [True, True]
        a, b = queued
        alert = replace(a, id=delivery_of(a.message, 0), kind="alert", recipient="it@x.test", inside=False)
        await store.settle([Outcome(a.id, "failed", "550", T0, consequences=(Consequence(alert),))])
        fresh = replace(b, id=DeliveryId(b.id + 5), recipient="c@x.test", inside=False)
        await store.replace_delivery(b, [fresh], T0)
        found = await store.reader.deliveries([a.id, b.id, DeliveryId(b.id + 1), fresh.id])
        assert [d.recipient for d in found] == ["a@x.test", "b@x.test", "it@x.test", "c@x.test"]
        assert all(d.inside for d in found)
        other = await put(store, SMALL, ("a@x.test",), T0)
        assert [d.inside for d in other] == [False]
    finally:
        store.close()
