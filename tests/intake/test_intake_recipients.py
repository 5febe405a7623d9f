"""RCPT: what is answered from the address alone, and what only once the message is there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mailrouter.errors import StoreError
from mailrouter.message.head import Head
from mailrouter.moments import milliseconds
from mailrouter.store.ids import DeliveryId, first_message_at
from mailrouter.trust import confirmations
from mailrouter.worker.worker import CallsHere
from tests.intake.services import desk, service
from tests.intake.test_intake_admission import MOMENT, explain
from tests.intake.test_intake_gate import Unreadable
from tests.routing.situations import mail, role

ROLE = "vp-hr@example.test"
DAY = timedelta(days=1)


class Mute:
    """A reader of a store that can't answer anything."""

    def __getattr__(self, name: str) -> NoReturn:
        raise StoreError(f"{name}: the store can't be read")


def asked(of: Any, age: timedelta, tag: str = "handoff") -> str:
    """The address that confirms what came in so long ago."""
    message = first_message_at(milliseconds(MOMENT - age))
    token = confirmations.make(of.keys.current, "vp-hr", message, tag)
    return confirmations.partners_address(ROLE, tag, token)


def returned(of: Any, age: timedelta, delivery: int = 7) -> str:
    """The return path of a copy that was made so long ago."""
    return str(of.return_paths.of(ROLE, DeliveryId(delivery), milliseconds(MOMENT - age)))


async def test_rcpt_is_answered_without_the_store(tmp_path: Path) -> None:
    """A token by its seal and its date, whatever the store knows of it: the same with one that can't be read."""
    of = desk(role())
    addresses = {
        ROLE: None,
        "vp-hr+x@example.test": None,
        "vp-hr+handoff@example.test": None,
        "vp-hr+schedule@example.test": None,
        "vp-hr+share@example.test": "550 5.1.1",
        "nobody@elsewhere.test": "550 5.7.1",
        asked(of, timedelta()): None,
        asked(of, 7 * DAY): None,
        asked(of, 9 * DAY): "550 5.7.1",
        asked(of, DAY, "schedule"): None,
        asked(of, DAY).replace("handoff", "schedule"): "550 5.1.1",
        "vp-hr+handoff-aaaaaaaaaaaaaaaaaaaaaa@example.test": "550 5.1.1",
        returned(of, timedelta()): None,
        returned(of, 20 * DAY): None,
        returned(of, 30 * DAY): "550 5.1.1",
        "vp-hr+b-aaaaaaaaaaaaaaaaaaaaaa@example.test": "550 5.1.1",
    }
    async with service(tmp_path, of, MOMENT) as running:
        replies = [running.acceptor.recipient(to) for to in addresses]
        assert [reply and reply[:9] for reply in replies] == list(addresses.values())
        reader = running.store.reader
        running.store.reader = Mute()  # type: ignore[assignment]
        try:
            assert [running.acceptor.recipient(to) for to in addresses] == replies
        finally:
            running.store.reader = reader


@pytest.mark.parametrize("others", [(), (ROLE,)])
async def test_a_return_path_that_nothing_is_known_of_is_refused_after_the_text(
    tmp_path: Path, others: tuple[str, ...]
) -> None:
    """Beside somebody who takes the mail it counts for nothing; explain says the same."""
    of = desk(role())
    path = returned(of, DAY)
    async with service(tmp_path, of, MOMENT) as running:
        assert running.acceptor.recipient(path) is None
        found = explain(of, running, mail(), path, *others, sender="")
        said = await running.send(mail(), path, *others, sender="")
        if not others:
            assert said == found.refused == "550 5.1.1 This address takes no mail here"
            assert running.offered == []
            return
        assert said.startswith("250")
        assert set(running.sent()) == {"laurie", "elaine"}
        assert not found.refused


async def test_a_report_to_a_path_that_is_not_known_any_more_is_refused_however_broken_it_is(
    tmp_path: Path,
) -> None:
    """A header that can't be read changes nothing."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT, Unreadable) as running:
        assert (await running.send(mail(), returned(of, DAY), sender="")).startswith("550 5.1.1")


async def test_an_answer_to_a_question_that_was_never_asked_is_refused_after_the_text(tmp_path: Path) -> None:
    """In the words that RCPT has for one whose date is over."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT) as running:
        said = await running.send(mail(), asked(of, DAY), sender="laurie@example.test")
        assert said == running.acceptor.recipient(asked(of, 9 * DAY))
        assert said.startswith("550 5.7.1 This confirmation was used, has expired")
        assert running.offered == []


class Counted(CallsHere):
    """Work that is counted."""

    def __init__(self) -> None:
        self.number = 0

    async def call(self, *arguments: Any, **named: Any) -> Any:
        """As ever."""
        self.number += 1
        return await super().call(*arguments, **named)


@pytest.mark.parametrize("readable", [True, False])
async def test_nothing_is_read_of_an_answer_to_a_question_that_does_not_stand(
    tmp_path: Path, readable: bool
) -> None:
    """It would hold up others' mail; nor does it go to the partners where its header can't be read."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT, read=Head if readable else Unreadable) as running:
        running.acceptor.calls = work = Counted()
        assert (await running.send(mail(), asked(of, DAY))).startswith("550 5.7.1")
        assert work.number == 0
        assert running.offered == []
