"""Which mailboxes fail, since when, and when that is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailrouter.intake.feedback.failures import of_lasting
from mailrouter.intake.feedback.outcomes import learn
from mailrouter.message.pieces import decode, render
from mailrouter.moments import DAY_MS, HOUR_MS, milliseconds
from mailrouter.runtime.mailbox_health import Mailboxes
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import FailingMailbox, Kind, Outcome, State
from mailrouter.store.sqlite.store import SqliteStore
from tests.intake.services import desk, service
from tests.routing.situations import AWAY, CANARY, HANDOFF_TEXT, mail, role
from tests.schedule import roles
from tests.support.messages import deliveries_of

ELAINE = "elaine@example.test"
T0 = 1_796_000_000_000
MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
NOW = milliseconds(MOMENT)


def test_a_mailbox_fails_lastingly_after_a_day() -> None:
    """From the first refusal on, whatever its case; a day between two refusals, and nothing that arrived."""
    boxes = Mailboxes()
    boxes.failed("Elaine@Example.test", T0, "450 4.2.2 full")
    assert boxes.lasting(ELAINE, T0 + 2 * DAY_MS) is None, "one refusal says little"
    assert not boxes.failed(ELAINE, T0 + DAY_MS - 1, "450 4.2.2 full").lasting
    found = boxes.failed(ELAINE, T0 + DAY_MS, "450 4.2.2 full")
    assert found.lasting
    assert boxes.lasting(ELAINE, T0 + DAY_MS) == found
    assert (found.since, found.words) == (T0, "450 4.2.2 full")
    boxes.arrived("ELAINE@example.test", T0 + DAY_MS + 1)
    assert len(boxes) == 0
    assert boxes.all_lasting(T0 + DAY_MS + 1) == []


def test_what_comes_back_is_not_mended_by_being_taken() -> None:
    """The next server takes everything; only an hour without a bounce, or the mailbox's own answer, says it works."""
    boxes = Mailboxes()
    for day in range(3):
        boxes.arrived(ELAINE, T0 + day * DAY_MS - 60_000)
        boxes.failed(ELAINE, T0 + day * DAY_MS, "5.1.1", returned=True)
    now = T0 + 2 * DAY_MS + 1
    boxes.arrived(ELAINE, now)
    assert boxes.lasting(ELAINE, now + HOUR_MS - 1) is not None
    assert boxes.lasting(ELAINE, now + HOUR_MS) is None
    again = boxes.failed(ELAINE, now + HOUR_MS, "5.1.1", returned=True)
    assert again.since == now + HOUR_MS, "a new trouble begins anew"
    boxes.arrived(ELAINE, now + HOUR_MS + 1, certain=True)
    assert len(boxes) == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(["refused", "bounced", "taken", "answered"]), st.integers(1, 2 * DAY_MS))
    )
)
def test_memory_and_store_agree(events: list[tuple[str, int]]) -> None:
    """What was told to be kept gives, after any history, the same mailboxes since the same moments."""
    kept: dict[str, FailingMailbox] = {}

    def forget(mailbox: str) -> None:
        del kept[mailbox]

    boxes = Mailboxes((), lambda found: kept.update({found.mailbox: found}), forget)
    at = T0
    for what, later in events:
        at += later
        if what in ("refused", "bounced"):
            boxes.failed(ELAINE, at, "no", returned=what == "bounced")
        else:
            boxes.arrived(ELAINE, at, certain=what == "answered")
        again = Mailboxes(kept.values())
        assert len(again) == len(boxes)
        assert [one.since for one in again.all_lasting(at)] == [one.since for one in boxes.all_lasting(at)]


async def test_it_is_kept_over_a_restart(tmp_path: Path) -> None:
    """The store gives back what it was told, and forgets."""
    found = FailingMailbox(ELAINE, T0, T0 + DAY_MS, "450 4.2.2 full", True, T0 + 1)
    store = SqliteStore.open(tmp_path / "m.db")
    await store.keep_failing(found)
    await store.keep_failing(found)
    store.close()
    store = SqliteStore.open(tmp_path / "m.db")
    assert await store.reader.failing_mailboxes() == [found]
    await store.forget_failing(ELAINE)
    assert await store.reader.failing_mailboxes() == []
    store.close()


async def test_the_other_partners_copy_says_so(tmp_path: Path) -> None:
    """Laurie reads it, Elaine does not, and the mail to Laurie is gone from both as soon as it works."""
    of = desk(role())
    of.mailboxes.failed(ELAINE, NOW - 2 * DAY_MS, "450 4.2.2 full")
    of.mailboxes.failed(ELAINE, NOW - HOUR_MS, "450 4.2.2 full")
    async with service(tmp_path, of, MOMENT) as running:
        await running.send(mail())
        copies = running.sent()
        line = b"Mail to Elaine's mailbox has not been arriving since Tuesday 1 December;"
        assert line in copies["laurie"]
        assert b"has not been arriving" not in copies["elaine"]
        running.offered.clear()
        of.mailboxes.arrived(ELAINE, NOW)
        await running.send(mail())
        assert all(b"has not been arriving" not in copy for copy in running.sent().values())


async def test_a_former_partners_mailbox_troubles_nobody(tmp_path: Path) -> None:
    """Carmen's last day was long ago: mail to Laurie and Elaine is as ever, handoff and all."""
    left = replace(
        role(AWAY), partners=(roles.LAURIE, roles.ELAINE, replace(roles.CARMEN, until=date(2026, 11, 30)))
    )
    async with service(tmp_path, desk(left), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        await running.send(mail("Message-ID: <n1@example.test>"))
        before = running.sent()
        running.offered.clear()
        for back in (2 * DAY_MS, DAY_MS // 2):
            running.context.desk.mailboxes.failed("carmen@example.test", NOW - back, "550 5.1.1 no such user")
        await running.send(mail("Message-ID: <n2@example.test>"))
        assert set(running.sent()) == set(before) == {"laurie", "elaine"}
        assert [CANARY.encode() in raw for raw in running.sent().values()] == [True, True]
        assert b"Carmen" not in b"".join(running.sent().values())


async def test_it_is_told_to_the_operator_and_the_other_partner(tmp_path: Path) -> None:
    """Once a day each, about a mail that is still tried; nobody else."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT) as running:
        await running.send(mail())
        (late,) = [d for d in running.offered if d.recipient == ELAINE]
        reader = running.store.reader
        assert await of_lasting(of, reader, late, "450 4.2.2 full", MOMENT) == ()
        of.mailboxes.failed(ELAINE, NOW - 2 * DAY_MS, "450 4.2.2 full")
        of.mailboxes.failed(ELAINE, NOW, "450 4.2.2 full")
        told = await of_lasting(of, reader, late, "450 4.2.2 full", MOMENT)
        said = {one.delivery.recipient: render(decode(one.delivery.pieces), {}).decode() for one in told}
        assert set(said) == {"it@example.test", "laurie@example.test"}
        words = {who: " ".join(text.split()) for who, text in said.items()}
        assert (
            "has not been reaching Elaine's mailbox since Tuesday 1 December" in words["laurie@example.test"]
        )
        assert "450 4.2.2 full" in words["it@example.test"]
        memories = [one.memory for one in told if one.memory]
        assert len({memory.key for memory in memories}) == 2
        assert all(memory.again_after == NOW - DAY_MS for memory in memories)
        later = await of_lasting(of, reader, late, "450 4.2.2 full", MOMENT + timedelta(hours=1))
        assert [one.memory.key for one in later if one.memory] == [memory.key for memory in memories]


@pytest.mark.parametrize(
    ("kind", "reply", "fails"),
    [
        ("copy", Reply(450, "4.2.2 full"), True),
        ("companion", Reply(550, "5.1.1 no such user"), True),
        ("copy", Reply(451, "4.4.2 The server closed the connection", own=True), False),
        ("copy", Reply(421, "4.3.2 closing"), False),
        ("report", Reply(550, "5.1.1 no such user"), False),
        ("copy", Reply(250, "2.0.0 ok"), False),
    ],
)
def test_what_an_attempt_teaches(kind: Kind, reply: Reply, fails: bool) -> None:
    """Only what the other server says of a person's mailbox; never a lost connection."""
    boxes = Mailboxes()
    delivery = replace(deliveries_of(1, 10, (ELAINE,))[0], kind=kind)
    state: State = "delivered" if reply.positive else "queued"
    assert not learn(boxes, delivery, Outcome(delivery.id, state, str(reply), T0), reply)
    assert learn(boxes, delivery, Outcome(delivery.id, state, str(reply), T0 + DAY_MS), reply) == fails
    assert len(boxes) == fails
