"""A plan as rows."""

from __future__ import annotations

from dataclasses import replace

from mailrouter.message.pieces import decode, length
from mailrouter.moments import DAY_MS, day_of
from mailrouter.runtime.return_paths import ReturnPaths
from mailrouter.runtime.rows import deliveries_of, reply_of
from mailrouter.store.ids import DELIVERY_BITS, REPLY_NUMBER, MessageId
from mailrouter.store.model import Message
from tests.routing.situations import (
    AWAY,
    BOTH_AWAY,
    HANDOFF,
    STAND_IN,
    mail,
    planned,
    role,
    second_role,
    situation,
)
from tests.schedule.roles import ELAINE, LAURIE, PAT

MESSAGE = Message(
    MessageId(5), 1_796_320_800_000, "jane@example.test", ("vp-hr@example.test",), 100, 50, eight_bit=True
)
PATHS = ReturnPaths((b"k" * 32,), domains=frozenset({"example.test"}))
SIGNED = 'Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b'
TO_BOTH = "To: vp-hr@example.test, office@example.test"


def test_a_copy_is_one_row_and_a_companion_another() -> None:
    """The handoff stands with the row that carries it, and only copies may be 8-bit."""
    found = planned(mail(SIGNED), situation(role(AWAY), handoff=HANDOFF))
    rows = deliveries_of(MESSAGE, found, PATHS, first=3)
    assert [(row.kind, row.recipient, row.handoff, row.eight_bit) for row in rows] == [
        ("copy", "laurie@example.test", 0, True),
        ("companion", "laurie@example.test", 7, False),
        ("copy", "elaine@example.test", 0, True),
        ("companion", "elaine@example.test", 7, False),
    ]
    assert [row.id for row in rows] == [(5 << DELIVERY_BITS) + number for number in (3, 4, 5, 6)]
    for row in rows:
        assert row.size == length(decode(row.pieces))
        assert row.reverse_path.startswith("vp-hr+b-")
        assert PATHS.delivery_of(row.reverse_path, MESSAGE.received_at) == row.id
        assert row.next_at == row.created_at == MESSAGE.received_at


def test_a_row_with_handoffs_names_the_roles_they_are_of() -> None:
    """Pat stands in for one role and is a partner of the other: only the other is to be checked."""
    other = second_role(partners=(LAURIE, ELAINE, PAT))
    facts = [
        situation(role(STAND_IN), handoff=HANDOFF),
        situation(other, handoff=replace(HANDOFF, version=8)),
    ]
    rows = {row.recipient: row for row in deliveries_of(MESSAGE, planned(mail(TO_BOTH), *facts), PATHS)}
    assert (rows["pat@example.test"].role, rows["pat@example.test"].handoff) == ("office", 8)
    assert (rows["laurie@example.test"].role, rows["laurie@example.test"].handoff) == ("vp-hr,office", 8)


def test_a_row_that_carries_a_handoff_stays_inside() -> None:
    """Nobody hears a server's words about it; the store extends this to the whole message."""
    facts = situation(role(STAND_IN), handoff=HANDOFF)
    rows = {row.recipient: row for row in deliveries_of(MESSAGE, planned(mail(), facts), PATHS)}
    assert rows["laurie@example.test"].inside
    assert not rows["pat@example.test"].inside


def test_without_handoffs_a_row_names_all_its_roles() -> None:
    """For whoever lists the queue."""
    rows = deliveries_of(MESSAGE, planned(mail(TO_BOTH), situation(role()), situation(second_role())), PATHS)
    assert {row.role for row in rows} == {"vp-hr,office"}


def test_the_reply_leaves_from_nobody_and_is_remembered() -> None:
    """Reverse-path ``<>``, a number no copy has, and the memory that lets only one of them out."""
    found = planned(mail(), situation(role(BOTH_AWAY)))
    row, memory = reply_of(MESSAGE, found)
    assert row is not None
    assert memory is not None
    assert (row.reverse_path, row.recipient, row.kind) == ("", "jane@example.test", "reply")
    assert row.id & REPLY_NUMBER == REPLY_NUMBER
    assert not row.eight_bit
    assert memory.again_after == MESSAGE.received_at - 7 * DAY_MS
    assert memory.day == "2026-12-03"
    assert found.reply is not None
    assert (memory.key, memory.caps) == (found.reply.key, found.reply.caps)


def test_no_reply_is_no_row() -> None:
    """Nothing is remembered either."""
    assert reply_of(MESSAGE, planned(mail(), situation(role()))) == (None, None)


def test_days_are_counted_in_utc() -> None:
    """A cap's day ends at the same moment everywhere."""
    assert (day_of(0), day_of(1_796_320_800_000)) == ("1970-01-01", "2026-12-03")
