"""A successor takes over on a date: the former partner has everything until then, and nothing after it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from mailrouter.delivery.content import whole
from mailrouter.intake.explain import explained, in_hand
from mailrouter.intake.feedback.failures import of_failure
from mailrouter.intake.feedback.incident import Answer
from mailrouter.intake.release.recheck import may_have, plan_anew
from mailrouter.runtime.context import Desk
from mailrouter.runtime.rows import own_message
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from mailrouter.store.model import Consequence, Outcome
from tests.intake.services import desk, service
from tests.intake.test_intake_handing import HANDOFF, PROOF, US, handing, question
from tests.routing.situations import CANARY, HANDOFF_TEXT, mail, read, role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE

LAST, FIRST = date(2026, 12, 3), date(2026, 12, 4)
# Midnight of Los Angeles between the two days is 08:00 UTC.
BEFORE, AFTER = datetime(2026, 12, 4, 7, 59, 59, tzinfo=UTC), datetime(2026, 12, 4, 8, tzinfo=UTC)


def succeeded(**changes: Any) -> Role:
    """Carmen follows Elaine after Thursday 3 December; the rota still says Elaine."""
    leaving = replace(ELAINE, until=LAST)
    coming = replace(CARMEN, since=FIRST, follows="elaine")
    return role(partners=(LAURIE, leaving, coming), **changes)


def believing(*roles: Role) -> Desk:
    return desk(*roles, authserv_id=US)


@pytest.mark.parametrize(("moment", "gets"), [(BEFORE, {"laurie", "elaine"}), (AFTER, {"laurie", "carmen"})])
async def test_mail_and_handoff_go_to_the_partners_of_the_moment(
    tmp_path: Path, moment: datetime, gets: set[str]
) -> None:
    """To the second: the last message of the old day is the former partner's, the first of the new one isn't."""
    async with service(tmp_path, desk(succeeded(note="always")), moment) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        assert (await running.send(mail(), sender="jane@example.test")).startswith("250")
        sent = running.sent()
        assert set(sent) == gets
        assert all(CANARY.encode() in copy for copy in sent.values())
        gone = b"elaine" if moment == AFTER else b"carmen@"  # who is in next is told by her first name
        assert not any(gone in copy.lower() for copy in sent.values())


async def test_the_former_partner_is_a_sender_like_any_other(tmp_path: Path) -> None:
    """What she writes afterwards goes to both partners of the day, and she isn't taken for one."""
    async with service(tmp_path, desk(succeeded()), AFTER) as running:
        raw = mail("From: Elaine Miller <elaine@example.test>")
        assert (await running.send(raw, sender="elaine@example.test")).startswith("250")
        assert set(running.sent()) == {"laurie", "carmen"}


async def test_a_copy_that_waited_over_the_change_is_withdrawn(tmp_path: Path) -> None:
    """Even a plain one: her next server was down for the night, and the successor has it instead."""
    async with service(tmp_path, desk(succeeded()), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        (waiting,) = [d for d in running.offered if d.recipient == "elaine@example.test"]
        assert may_have(running.context.desk, waiting, BEFORE)
        assert not may_have(running.context.desk, waiting, AFTER)
        running.context.clock = lambda: AFTER
        await plan_anew(running.context, running.store, waiting, lambda: 1)
        entry = await running.store.reader.entry(waiting.message)
        assert entry is not None
        states = {(d.recipient.partition("@")[0], d.state) for d in entry.deliveries if d.kind == "copy"}
        assert states == {("laurie", "queued"), ("elaine", "withdrawn"), ("carmen", "queued")}


async def test_an_old_proof_sets_no_handoff(tmp_path: Path) -> None:
    """Her mail to the handoff address, DMARC and all, is a mail to the role; the day before it was a handoff."""
    for moment, kept in ((BEFORE, True), (AFTER, False)):
        async with service(tmp_path / str(kept), believing(succeeded()), moment) as running:
            raw = handing("From: Elaine Miller <elaine@example.test>", PROOF)
            assert (await running.send(raw, HANDOFF, sender="elaine@example.test")).startswith("250")
            assert (await running.store.reader.handoff("vp-hr") is not None) is kept


async def test_an_old_question_confirms_nothing(tmp_path: Path) -> None:
    """She was asked on her last day; the answer of the day after counts for nothing, and reaches nobody."""
    raw = handing("From: Elaine Miller <elaine@example.test>")
    async with service(tmp_path, desk(succeeded()), BEFORE) as running:
        assert (await running.send(raw, HANDOFF, sender="elaine@example.test")).startswith("250")
        back = question(running)
    async with service(tmp_path, desk(succeeded()), AFTER) as running:
        answer = mail("From: Elaine Miller <elaine@example.test>", body=b"Yes\r\n")
        assert (await running.send(answer, back, sender="elaine@example.test")).startswith("250")
        assert await running.store.reader.handoff("vp-hr") is None
        assert running.offered == []


async def test_a_late_bounce_is_told_to_partners_of_the_moment(tmp_path: Path) -> None:
    """Laurie's copy comes back after the change: the operator and Carmen hear of it, Elaine doesn't."""
    async with service(tmp_path, desk(succeeded()), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        (failed,) = [d for d in running.offered if d.recipient == "laurie@example.test"]
        told = await of_failure(
            running.context.desk, running.store.reader, failed, Answer("bounced", "550 5.1.1 no"), AFTER
        )
        whom = {
            c.delivery.recipient.partition("@")[0] for c in told if c.delivery.kind in ("alert", "notice")
        }
        assert whom == {"it", "carmen"}


async def test_explain_says_what_the_door_would(tmp_path: Path) -> None:
    """Of a role without partners: the refusal, at the moment that is asked about."""
    alone = desk(role(partners=(replace(LAURIE, until=LAST),), rota=role("rota mon laurie").rota))
    head, shape = read(mail())
    before, after = (
        explained(alone, None, in_hand(alone, head, shape, Envelope("", []), at), alone.configuration.roles)
        for at in (BEFORE, AFTER)
    )
    assert before.plan is not None
    assert [copy.recipient for copy in before.plan.copies] == ["laurie@example.test"]
    assert after.plan is None
    assert after.refused.startswith("450 4.2.1")


async def test_a_role_that_has_no_partner_for_a_while_loses_no_mail(tmp_path: Path) -> None:
    """The door asks to try again later, before and after DATA, and what waits in the queue goes on waiting."""
    alone = role(partners=(replace(LAURIE, until=LAST),), rota=role("rota mon laurie").rota)
    async with service(tmp_path, desk(alone), BEFORE) as running:
        assert running.acceptor.recipient("vp-hr@example.test") is None
        assert (await running.send(mail())).startswith("250")
        (waiting,) = [d for d in running.offered if d.kind == "copy"]
        running.context.clock = lambda: AFTER
        assert (running.acceptor.recipient("vp-hr@example.test") or "").startswith("450 4.2.1")
        assert (await running.send(mail())).startswith("450 4.2.1")
        assert not may_have(running.context.desk, waiting, AFTER)
        with pytest.raises(ValueError, match="nobody is a partner"):
            await plan_anew(running.context, running.store, waiting, lambda: 1)
        entry = await running.store.reader.entry(waiting.message)
        assert entry is not None
        assert {d.state for d in entry.deliveries} == {"queued"}


def without_elaine_after() -> Role:
    """Elaine leaves after Thursday, and nobody follows her."""
    return role(partners=(LAURIE, replace(ELAINE, until=LAST)))


@pytest.mark.parametrize("first", ["the refusal", "the withdrawal"])
async def test_the_sender_hears_where_one_copy_failed_and_the_other_is_withdrawn(
    tmp_path: Path, first: str
) -> None:
    """In whichever order: nobody gets the mail, and the sender hears it once. Laurie, who has it not, is not named."""
    async with service(tmp_path, desk(without_elaine_after()), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        copies = {d.recipient.partition("@")[0]: d for d in running.offered if d.kind == "copy"}
        running.context.clock = lambda: AFTER

        async def refused() -> None:
            told = await of_failure(
                running.context.desk,
                running.store.reader,
                copies["laurie"],
                Answer("failed", "550 5.1.1 no"),
                AFTER,
            )
            await running.store.settle(
                [Outcome(copies["laurie"].id, "failed", "550 5.1.1 no", 1, consequences=told)]
            )

        async def withdrawn() -> None:
            await plan_anew(running.context, running.store, copies["elaine"], lambda: 1)

        for step in (refused, withdrawn) if first == "the refusal" else (withdrawn, refused):
            await step()
        entry = await running.store.reader.entry(copies["laurie"].message)
        assert entry is not None
        assert [d.recipient for d in entry.deliveries if d.kind == "report"] == ["jane@example.test"]
        report = next(d for d in entry.deliveries if d.kind == "report")
        text = (await whole(running.store, report) or b"").lower()
        assert b"5.1.1" in text
        assert b"laurie" not in text
        assert b"elaine" not in text


async def test_the_sender_hears_nothing_where_somebody_takes_the_place(tmp_path: Path) -> None:
    """Laurie's copy failed, and Elaine's is withdrawn for Carmen's, who may still get it."""
    async with service(tmp_path, desk(succeeded()), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        copies = {d.recipient.partition("@")[0]: d for d in running.offered if d.kind == "copy"}
        await running.store.settle([Outcome(copies["laurie"].id, "failed", "550 5.1.1 no", 1)])
        running.context.clock = lambda: AFTER
        await plan_anew(running.context, running.store, copies["elaine"], lambda: 1)
        entry = await running.store.reader.entry(copies["laurie"].message)
        assert entry is not None
        assert [d.kind for d in entry.deliveries] == ["copy"] * 3


async def test_a_failure_found_before_a_copy_was_planned_anew_does_not_say_that_nobody_has_it(
    tmp_path: Path,
) -> None:
    """What follows from Laurie's failure was worked out, and waits for its write, when Carmen gets a copy."""
    async with service(tmp_path, desk(succeeded()), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        copies = {d.recipient.partition("@")[0]: d for d in running.offered if d.kind == "copy"}
        running.context.clock = lambda: AFTER
        told = await of_failure(
            running.context.desk,
            running.store.reader,
            copies["laurie"],
            Answer("failed", "550 5.1.1 no"),
            AFTER,
        )
        await plan_anew(running.context, running.store, copies["elaine"], lambda: 1)
        await running.store.settle(
            [Outcome(copies["laurie"].id, "failed", "550 5.1.1 no", 1, consequences=told)]
        )
        entry = await running.store.reader.entry(copies["laurie"].message)
        assert entry is not None
        assert [d for d in entry.deliveries if d.kind == "report"] == []
        (alert,) = [d for d in entry.deliveries if d.kind == "alert"]
        assert b"No partner has it" not in (await whole(running.store, alert) or b"")


async def test_copies_planned_anew_in_the_same_moment_bring_the_successor_one(tmp_path: Path) -> None:
    """Both former partners' copies find it out at once; meanwhile the message gets an alert of its own as well."""
    gone = [replace(LAURIE, until=LAST), replace(ELAINE, until=LAST)]
    coming = [replace(CARMEN, since=FIRST, follows="elaine")]
    async with service(tmp_path, desk(role(partners=(*gone, *coming))), BEFORE) as running:
        assert (await running.send(mail())).startswith("250")
        copies = [d for d in running.offered if d.kind == "copy"]
        running.context.clock = lambda: AFTER
        alert = own_message(copies[0].message, "alert", "vp-hr", "it@example.test", (b"\r\n",), 1)
        noted = Outcome(copies[0].id, "queued", "", 1, 2, consequences=(Consequence(alert),))
        await asyncio.gather(
            running.store.settle([noted]),
            *(plan_anew(running.context, running.store, copy, lambda: 1) for copy in copies),
        )
        entry = await running.store.reader.entry(copies[0].message)
        assert entry is not None
        found = [(d.recipient.partition("@")[0], d.state) for d in entry.deliveries]
        assert sorted(found) == [
            ("carmen", "queued"),
            ("elaine", "withdrawn"),
            ("it", "queued"),
            ("laurie", "withdrawn"),
        ]
