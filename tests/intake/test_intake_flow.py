"""Through how many hands a message's header goes between the door and the commit.

Counted is each function of the product, outside ``message``, that has the very ``Head`` of the message as an argument or
in a local variable when it returns (or rests). A function counts once, however often it runs, and what is written inside
another one (a comprehension, a nested function) counts with that one. Who has a value that holds the ``Head``, such as
``Received`` or ``Situation``, does not count: that value is there so that nothing travels beside it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import pytest

import mailrouter
from mailrouter.message.head import Head
from tests.intake.services import desk, service
from tests.routing.situations import BOTH_AWAY, HANDOFF_TEXT, mail, role

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
MOST = 25
PRODUCT = Path(mailrouter.__file__).parent


class Hands:
    """Where the one ``Head`` that was made here has been."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.held_by: set[str] = set()

    def read(self, header: bytes) -> Head:
        """The fields of the message."""
        assert self.head is None
        self.head = Head(header)
        return self.head

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at each function that returns."""
        sys.setprofile(self._look)
        try:
            yield
        finally:
            sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, given: object) -> None:
        code = frame.f_code
        if event != "return" or self.head is None or not code.co_filename.startswith(f"{PRODUCT}/"):
            return
        place = code.co_filename.removeprefix(f"{PRODUCT}/")
        if not place.startswith("message/") and any(one is self.head for one in frame.f_locals.values()):
            self.held_by.add(f"{place} {code.co_qualname.partition('.<locals>')[0]}")


@pytest.mark.parametrize("rich", [False, True])
async def test_a_header_goes_through_few_hands(tmp_path: Path, rich: bool) -> None:
    """A plain mail; and one with all that reads a header: DMARC, a conversation, an automatic reply, a report."""
    hands = Hands()
    of = (
        desk(role(BOTH_AWAY, reply_outside="nobody"), authserv_id="mx.example.test") if rich else desk(role())
    )
    fields = (
        "From: Max <max@customer.test>",
        "References: <a@x.test> <b@x.test>",
        "Authentication-Results: mx.example.test; dmarc=pass header.from=customer.test",
    )
    sender, notify = ("max@customer.test", "SUCCESS") if rich else ("jane@example.test", "")
    async with service(tmp_path, of, MOMENT, hands.read) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        with hands.watched():
            said = await running.send(mail(*(fields if rich else ())), sender=sender, notify=notify)
        assert said.startswith("250")
        kinds = {"copy", "reply", "report"} if rich else {"copy"}
        assert {delivery.kind for delivery in running.offered} == kinds
        assert all(delivery.handoff for delivery in running.offered if delivery.kind == "copy")
    assert "intake/acceptor.py Acceptor._received" in hands.held_by, "what is counted is seen"
    assert len(hands.held_by) <= MOST, sorted(hands.held_by)
