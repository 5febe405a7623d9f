"""Checks of the small cases: handoffs, confirmations and changes of the schedule by mail."""

from __future__ import annotations

import email
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from mailrouter.schedule.duty import Roster
from tests.intake import rescheduling
from tests.intake.services import desk, service
from tests.intake.test_intake_handing import HANDOFF, US, ask
from tests.routing.situations import role

Check = Callable[[Path, bytes], Awaitable[None]]

NOW = datetime(2026, 11, 28, 17, tzinfo=UTC)
"""Saturday, nine in the morning in Los Angeles."""
LAURIE = "laurie@example.test"


def handed(*words: str, without: tuple[str, ...] = ()) -> Check:
    """The handoff is taken, with these words and without those."""

    async def check(place: Path, raw: bytes) -> None:
        async with service(place, desk(role(), authserv_id=US), NOW) as running:
            assert (await running.send(raw, HANDOFF, sender=LAURIE)).startswith("250")
            stored = await running.store.reader.handoff("vp-hr")
            assert stored is not None
            for word in words:
                assert word in stored.text
            for word in (*without, "\ufffd"):
                assert word not in stored.text

    return check


async def no_handoff(place: Path, raw: bytes) -> None:
    """Whoever wrote it is not proven to be the partner."""
    async with service(place, desk(role(), authserv_id=US), NOW) as running:
        assert (await running.send(raw, HANDOFF, sender="mallory@evil.test")).startswith("250")
        assert await running.store.reader.handoff("vp-hr") is None


def confirmed(yes: bool) -> Check:
    """Whether the answer confirms a question of the same hour."""

    async def check(place: Path, raw: bytes) -> None:
        back = await ask(place, NOW)
        async with service(place, desk(role()), NOW) as running:
            assert (await running.send(raw, back, sender=LAURIE)).startswith("250")
            assert (await running.store.reader.handoff("vp-hr") is not None) == yes

    return check


def off(*moments: tuple[str, bool], or_asked: bool = False) -> Check:
    """Whether Laurie is away at these moments (Los Angeles) afterwards; ``or_asked``: or nothing has changed.

    Without moments, nothing may have changed, and a partner is told.
    """

    async def check(place: Path, raw: bytes) -> None:
        rescheduling.folder_in(place)
        before = rescheduling.file_of(place)
        async with rescheduling.running(place, NOW) as running:
            assert (await running.send(raw, rescheduling.SCHEDULE, sender=LAURIE)).startswith("250")
            after = rescheduling.file_of(place)
            assert running.sent("notice")
            if not moments:
                assert after == before
            if not moments or (or_asked and after == before):
                return
            (of,) = running.context.desk.configuration.roles
            found = Roster(of)
            for moment, away in moments:
                local = datetime.fromisoformat(moment).replace(tzinfo=of.time_zone)
                names = {one.person.key for one in found.duty(local.astimezone(UTC)).away}
                assert ("laurie" in names) == away, (moment, after)

    return check


async def ansi_file(place: Path, raw: bytes) -> None:
    """The role's file from an ANSI editor: every letter as it was, or nothing changed and its author told."""
    attached = email.message_from_bytes(raw).get_payload()[1].get_payload(decode=True).decode("cp1252")  # type: ignore[union-attr,index]
    rescheduling.folder_in(place, attached.replace("2027-01-05", "2027-01-04"))
    before = rescheduling.file_of(place)
    assert before != attached
    async with rescheduling.running(place, NOW) as running:
        assert (await running.send(raw, rescheduling.SCHEDULE, sender=LAURIE)).startswith("250")
        assert running.sent("notice")
        assert rescheduling.file_of(place) in (before, attached)


BUDGET = "the budget"
OLD = ("an old thing", "an old task")
UMLAUTS = "Gespräch mit Jörg"

CHECKS: dict[str, Check] = {
    "143": handed("- x"),
    "144": no_handoff,
    "145": no_handoff,
    "150": handed(UMLAUTS, "über 5000 €"),
    "151": handed(UMLAUTS, "über 5000 €"),
    "154": handed("café booked"),
    "156": handed(UMLAUTS),
    "157": handed(UMLAUTS),
    "159": handed(b"\x8c\x5f\x96\xf1".decode("cp932")),
    "162": handed("- x"),
    "163": ansi_file,
    "20": handed("5000 \u20ac\u2026 it\u2019s \u201cfinal\u201d \u2013 really"),
    "21": handed(f"{UMLAUTS} \u2013 300 \u20ac"),
    "22": handed("Dzień dobry"),
    "24": handed(b"\xa8\x43".decode("gbk")),
    "28": handed("\u2460"),
    "30": handed("the plan", "call Jim"),
    "31": handed(BUDGET, "call Jim", without=("Sendt:", *OLD)),
    "32": handed(BUDGET, "call Jim", without=("Verzonden:", *OLD)),
    "34": handed(BUDGET, "call Jim", without=("schreef", *OLD)),
    "39": handed(BUDGET, "call Jim"),
    "40": confirmed(True),
    "41": confirmed(True),
    "42": confirmed(True),
    "44": confirmed(False),
    "45": confirmed(True),
    "170": off(),
    "173": off(
        ("2026-11-30 13:30", False), ("2026-11-30 15:00", True), ("2026-11-30 16:30", False), or_asked=True
    ),
    "174": off(
        ("2026-12-01 13:30", False), ("2026-12-01 14:15", True), ("2026-12-01 14:45", False), or_asked=True
    ),
    "176": off(("2026-12-28 10:00", True), ("2027-01-03 10:00", True), ("2027-01-04 10:00", False)),
    "177": off(
        ("2026-12-03 10:00", True), ("2026-12-03 16:30", True), ("2026-12-03 17:30", False), or_asked=True
    ),
    "178": off(),
    "179": off(),
    "180": off(),
    "181": off(),
    "183": off(
        ("2026-11-28 12:30", False), ("2026-11-28 14:00", True), ("2026-11-28 15:30", False), or_asked=True
    ),
    "185": off(),
}
