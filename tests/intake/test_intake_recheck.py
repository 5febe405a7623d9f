"""The last look before a copy with a handoff leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mailrouter.delivery.content import whole
from mailrouter.intake.release.recheck import for_partners_alone, may_be_told, may_have, plan_anew
from mailrouter.schedule.model import Role
from mailrouter.store.ids import DeliveryId
from mailrouter.store.model import Delivery
from mailrouter.store.sqlite.queue_actions import steer
from mailrouter.store.sqlite.store import SqliteStore
from tests.intake.services import Service, desk, service
from tests.routing.situations import AWAY, CANARY, HANDOFF_TEXT, mail, role, second_role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE
from tests.support.messages import T0, put

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
DAY = timedelta(days=1)
NOW = 1_796_320_900_000
SIGNED = 'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b'
SUCCESSOR: dict[str, Any] = {"partners": (LAURIE, CARMEN), "rota": role("rota mon laurie, tue carmen").rota}


async def taken(running: Service, raw: bytes, *recipients: str) -> list[Delivery]:
    """A mail with the handoff, waiting to be delivered."""
    await running.hand_over("vp-hr", HANDOFF_TEXT)
    assert (await running.send(raw, *recipients)).startswith("250")
    return list(running.offered)


async def anew(running: Service, delivery: Delivery, *roles: Role) -> list[Delivery]:
    """Plan a delivery anew under other roles; gives what is queued for the message then."""
    running.context.desk = desk(*roles)
    assert not may_have(running.context.desk, delivery, MOMENT)
    await plan_anew(running.context, running.store, delivery, lambda: NOW)
    entry = await running.store.reader.entry(delivery.message)
    assert entry is not None
    assert next(one.state for one in entry.deliveries if one.id == delivery.id) == "withdrawn"
    return [one for one in entry.deliveries if one.state == "queued"]


async def test_a_partner_of_today_may_have_it(tmp_path: Path) -> None:
    """Nothing has changed, or nothing that matters; and a plain copy is anybody's to have."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        for delivery in await taken(running, mail()):
            assert may_have(running.context.desk, delivery, MOMENT)
            assert may_have(
                desk(replace(role(), name="HR", partners=(ELAINE, LAURIE, CARMEN))), delivery, MOMENT
            )
            assert not may_have(desk(second_role()), delivery, MOMENT)
            assert not may_have(
                desk(replace(role("rota mon laurie"), partners=(CARMEN,), rota=SUCCESSOR["rota"])),
                delivery,
                MOMENT,
            )
            assert may_have(desk(second_role()), replace(delivery, handoff=0), MOMENT)


async def test_a_former_partners_copy_goes_to_the_successor_without_the_handoff(tmp_path: Path) -> None:
    """Elaine has left, Carmen has come: Laurie's copy stays, Carmen gets a plain one, Elaine none."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        raw = mail()
        laurie, elaine = await taken(running, raw)
        queued = await anew(running, elaine, replace(role(), **SUCCESSOR))
        assert [(one.recipient, one.handoff) for one in queued] == [
            ("laurie@example.test", laurie.handoff),
            ("carmen@example.test", 0),
        ]
        plain = await whole(running.store, queued[1])
        assert plain is not None
        assert plain.endswith(raw)
        assert CANARY.encode() not in plain
        assert queued[1].next_at == NOW


async def test_what_was_dropped_does_not_come_again(tmp_path: Path) -> None:
    """Laurie's copy was dropped by hand before Elaine left: Carmen alone gets one."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        laurie, elaine = await taken(running, mail())
        running.store.release([laurie])
        await running.store.run(lambda c: steer(c, "drop", [laurie.id], NOW, "jim", {}))
        queued = await anew(running, elaine, replace(role(), **SUCCESSOR))
        assert [one.recipient for one in queued] == ["carmen@example.test"]


async def test_a_companion_is_withdrawn_alone(tmp_path: Path) -> None:
    """The mail itself had been sent untouched; only what was beside it is taken back."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        rows = await taken(running, mail(SIGNED, body=b"--b--\r\n"))
        beside = next(row for row in rows if row.kind == "companion" and row.recipient.startswith("elaine"))
        queued = await anew(running, beside, replace(role(), **SUCCESSOR))
        assert sorted((one.recipient.partition("@")[0], one.kind) for one in queued) == [
            *(("carmen", "copy"), ("elaine", "copy"), ("laurie", "companion"), ("laurie", "copy")),
        ]


async def test_each_handoff_in_a_copy_is_checked(tmp_path: Path) -> None:
    """A copy that carries the handoffs of two roles is for partners of both."""
    async with service(tmp_path, desk(role(), second_role()), MOMENT) as running:
        await running.hand_over("office", "Left:\n- the keys\n")
        rows = await taken(running, mail(), "vp-hr@example.test", "office@example.test")
        assert {row.role for row in rows} == {"vp-hr,office"}
        office = replace(second_role(), **SUCCESSOR)
        assert [may_have(desk(role(), office), row, MOMENT) for row in rows] == [True, False]
        queued = await anew(running, rows[1], role(), office)
        assert [one.recipient.partition("@")[0] for one in queued] == ["laurie", "elaine", "carmen"]
        assert [one.handoff != 0 for one in queued] == [True, False, False]


async def test_where_the_role_is_gone_the_mail_is_not(tmp_path: Path) -> None:
    """Its recipient gets the mail alone."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        raw = mail()
        _, elaine = await taken(running, raw)
        queued = await anew(running, elaine, second_role())
        assert [one.recipient.partition("@")[0] for one in queued] == ["laurie", "elaine"]
        assert queued[1].handoff == 0
        plain = await whole(running.store, queued[1])
        assert plain is not None
        assert plain.endswith(raw)


@pytest.mark.parametrize(
    ("states", "due", "trouble", "told"),
    [
        (("queued", "queued"), False, False, "yes"),
        (("queued", "failed"), False, False, "yes"),
        (("queued", "queued"), True, False, "later"),
        (("queued", "queued"), False, True, "later"),
        (("queued", "delivered"), True, True, "never"),
        (("failed", "failed"), False, False, "never"),
    ],
)
async def test_when_a_delay_may_be_told(
    tmp_path: Path, states: tuple[str, str], due: bool, trouble: bool, told: str
) -> None:
    """While it is true: nobody has the mail, somebody may still get it, and it is not about to go."""
    store = SqliteStore.open(tmp_path / "m.db")
    copies = await put(store)
    for copy, state in zip(copies, states, strict=True):
        values = (state, T0 if due else T0 + 2, copy.id)
        await store.run(
            lambda connection, values=values: connection.execute(  # type: ignore[misc]
                "UPDATE delivery SET state = ?, next_at = ? WHERE id = ?", values
            )
        )
    delay = replace(copies[0], id=DeliveryId(copies[0].id + 5), kind="delay")
    assert await may_be_told(store.reader, delay, trouble, T0 + 1) == told
    gone = replace(delay, id=DeliveryId(delay.id + (99 << 10)))
    assert await may_be_told(store.reader, gone, False, T0) == "never"
    store.close()


@pytest.mark.parametrize("by", ["return path", "handoff address"])
@pytest.mark.parametrize("left", ["no partner any more", "not named any more"])
async def test_what_may_quote_a_handoff_is_for_partners_of_today(tmp_path: Path, by: str, left: str) -> None:
    """A person's answer to a return path holds the copy that it answers, and the handoff with it."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        first = await taken(running, mail())
        assert first[0].handoff
        path = first[0].reverse_path if by == "return path" else "vp-hr+handoff@example.test"
        raw = mail("Message-ID: <two@outside.test>", body=f"> {CANARY}\r\n".encode())
        before = len(running.offered)
        running.context.desk.handoffs.clear()  # as where the conversation has shown it
        assert (await running.send(raw, path, sender="jane@outside.test")).startswith("250")
        elaine = next(row for row in running.offered[before:] if row.recipient == ELAINE.email)
        assert await for_partners_alone(running.context.desk, running.store.reader, elaine)
        assert may_have(running.context.desk, elaine, MOMENT, alone=True)
        gone = replace(role(), **SUCCESSOR)
        if left == "no partner any more":
            gone = replace(gone, partners=(LAURIE, replace(ELAINE, until=MOMENT.date() - DAY), CARMEN))
        running.context.desk = desk(gone)
        alone = await for_partners_alone(running.context.desk, running.store.reader, elaine)
        assert not may_have(running.context.desk, elaine, MOMENT, alone)
        await plan_anew(running.context, running.store, elaine, lambda: NOW)
        entry = await running.store.reader.entry(elaine.message)
        assert entry is not None
        waiting = [(one.recipient, one.inside) for one in entry.deliveries if one.state == "queued"]
        assert waiting == [(LAURIE.email, True), (CARMEN.email, True)]
