"""Messages that come in, with a real store behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.message.head import Head
from mailrouter.message.provenance.received import loop_mark
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.schedule.model import Role
from tests.intake.services import KEY, desk, service
from tests.routing.situations import AWAY, BOTH_AWAY, CANARY, HANDOFF_TEXT, mail, role, second_role
from tests.schedule.roles import LAURIE
from tests.support.messages import queue_of

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)


class Unreadable(Head):
    """A header that can be cut into fields and not be read: each question about an address fails."""

    def mailboxes(self, *names: str) -> tuple[Mailbox, ...]:
        raise RuntimeError("a fault of ours")


class BrokenWords:
    """Templates that fail."""

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        raise RuntimeError(f"{name} is broken")


@pytest.mark.parametrize(
    ("recipient", "refused"),
    [
        ("vp-hr@example.test", None),
        ("VP-HR+news@example.test", None),
        ("vp-hr+handoff@example.test", None),
        ("vp-hr+handoff-abc@example.test", "550 5.1.1"),
        ("vp-hr+schedule@example.test", None),
        ("vp-hr+share@example.test", "550 5.1.1"),
        ("vp-hr+b-abc@example.test", "550 5.1.1"),
        ("laurie@example.test", "550 5.7.1"),
        ("somebody@elsewhere.test", "550 5.7.1"),
    ],
)
async def test_only_roles_take_mail(tmp_path: Path, recipient: str, refused: str | None) -> None:
    """Nothing is relayed; reserved sub-addresses take no mail."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        reply = running.acceptor.recipient(recipient)
        assert (reply[:9] if reply else None) == refused


async def test_what_was_taken_is_stored_with_its_reasons(tmp_path: Path) -> None:
    """A copy for each partner, an id for the client, and why."""
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        raw = mail()
        said = await running.send(raw)
        assert said.startswith("250 2.0.0 queued as ")
        assert running.sent().keys() == {"laurie", "elaine"}
        assert all(raw.partition(b"\r\n\r\n")[2] in copy for copy in running.sent().values())
        entry = await running.store.reader.entry(running.offered[0].message)
        assert entry is not None
        assert "Laurie and Elaine both get a copy, on duty or not" in entry.message.reasons


async def test_the_handoff_is_shown_once_a_conversation_and_again_when_changed(tmp_path: Path) -> None:
    """The store remembers which conversation has carried which version."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        carried = []
        for number, text in ((1, ""), (2, ""), (3, "Left:\n- something else\n")):
            if text:
                await running.hand_over("vp-hr", text)
            running.offered.clear()
            thread = (
                []
                if number == 1
                else ["References: <1@example.test>", f"In-Reply-To: <{number - 1}@example.test>"]
            )
            await running.send(mail(f"Message-ID: <{number}@example.test>", *thread))
            carried.append([delivery.handoff for delivery in running.offered])
        assert carried == [[1, 1], [0, 0], [2, 2]]


async def test_a_sender_is_answered_once(tmp_path: Path) -> None:
    """The memory is written with the reply, so a second mail brings none."""
    async with service(tmp_path, desk(role(BOTH_AWAY)), MOMENT) as running:
        for _ in range(2):
            await running.send(mail())
        assert [delivery.kind for delivery in running.offered].count("reply") == 1
        assert [delivery.kind for delivery in running.offered].count("copy") == 4
        assert running.sent("reply").keys() == {"jane"}


@pytest.mark.parametrize(
    ("raw", "reply"),
    [
        (mail(body=b"bare\nline\r\n"), "550 5.6.11"),
        (mail(body=b"nul\0\r\n"), "550 5.6.11"),
        (mail(*[f"Received: {n}" for n in range(101)]), "554 5.4.6"),
        (mail(f"Mailrouter-Loop: {loop_mark(KEY, 'vp-hr@example.test')}"), "554 5.4.6"),
        (mail("X-Long: " + "x" * 300_000), "552 5.3.4"),
    ],
)
async def test_what_cannot_be_taken_is_refused(tmp_path: Path, raw: bytes, reply: str) -> None:
    """Smuggling, loops and headers without end."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        assert (await running.send(raw)).startswith(reply)
        alerts = [delivery for delivery in running.offered if delivery.kind == "alert"]
        assert alerts == running.offered
        assert len(queue_of(running.store.reader, 10)) == len(alerts) == ("been here" in running.said[-1])


async def test_the_operator_hears_of_a_loop_once_an_hour(tmp_path: Path) -> None:
    """Whose mailbox it is is told by the return path under which the copy comes back; then it is quiet for an hour."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        await running.send(mail())
        (elaine,) = [d for d in running.offered if d.recipient.startswith("elaine@")]
        back = mail(
            f"Mailrouter-Loop: {loop_mark(KEY, 'vp-hr@example.test')}", "Message-ID: <one@example.test>"
        )
        running.offered.clear()
        for _ in range(3):
            assert (await running.send(back, sender=elaine.reverse_path)).startswith("554 5.4.6")
        (alert,) = running.offered
        assert (alert.kind, alert.recipient, alert.reverse_path) == ("alert", "it@example.test", "")
        said = running.sent("alert")["it"].decode()
        assert "It had gone to Elaine's mailbox" in " ".join(said.split())
        assert "forwards it" in said
        # Another way in, by which nobody can tell whose it was, is another piece of news.
        assert (await running.send(back, sender="srs@elsewhere.test")).startswith("554 5.4.6")
        assert len(running.offered) == 2
        assert "Some partner's mailbox" in " ".join(running.sent("alert")["it"].decode().split())


async def test_another_roles_mark_is_no_loop(tmp_path: Path) -> None:
    """A copy for one role that is sent on to another by hand is mail."""
    async with service(tmp_path, desk(role(), second_role()), MOMENT) as running:
        raw = mail(f"Mailrouter-Loop: {loop_mark(KEY, 'office@example.test')}")
        assert (await running.send(raw)).startswith("250")
        assert (await running.send(raw, "office@example.test")).startswith("554 5.4.6")


async def test_a_broken_template_costs_the_note_and_not_the_mail(tmp_path: Path) -> None:
    """Plain copies, and a reason that says so."""
    async with service(tmp_path, desk(role(AWAY), words=BrokenWords()), MOMENT) as running:
        raw = mail()
        assert (await running.send(raw)).startswith("250")
        assert all(copy.endswith(raw) for copy in running.sent().values())
        entry = await running.store.reader.entry(running.offered[0].message)
        assert entry is not None
        assert entry.message.reasons[-1] == "only plain copies, because of a fault in planning (RuntimeError)"


@pytest.mark.parametrize("sender", ["jane@example.test", ""])
async def test_a_header_that_cannot_be_read_loses_no_mail(tmp_path: Path, sender: str) -> None:
    """The last resort: Received, the loop marks and the whole message to every partner."""
    made = desk(role(AWAY), second_role())
    async with service(tmp_path, made, MOMENT, Unreadable) as running:
        raw = mail()
        said = await running.send(raw, "vp-hr@example.test", "office@example.test", sender=sender)
        assert said.startswith("250")
        assert running.sent().keys() == {"laurie", "elaine"}
        for copy in running.sent().values():
            assert copy.startswith(b"Received: from client.example.test")
            assert copy.endswith(raw)
            for mark in made.loop_marks.values():
                assert f"\r\nMailrouter-Loop: {mark}\r\n".encode() in copy
        paths = {delivery.reverse_path.partition("+")[0] for delivery in running.offered}
        assert paths == {"vp-hr" if sender else ""}


async def test_nothing_of_a_handoff_stands_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs are read by others than the partners."""
    caplog.set_level("DEBUG")
    async with service(tmp_path, desk(role(AWAY)), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        await running.send(mail())
        assert all(CANARY.encode() in copy for copy in running.sent().values())
    assert CANARY not in caplog.text


async def test_more_people_than_one_message_has_numbers_for_are_refused_in_words(tmp_path: Path) -> None:
    """Nothing of it is stored, and the next mail is taken: its numbers are its own."""

    def crowd(key: str, of: int) -> Role:
        people = tuple(replace(LAURIE, key=f"{key}{n}", email=f"{key}{n}@example.test") for n in range(of))
        return second_role(key=key, address=f"{key}@example.test", partners=people)

    roles = [crowd(f"crowd{n}", 115) for n in range(9)]
    async with service(tmp_path, desk(role(), *roles), MOMENT) as running:
        refused = await running.send(mail(), *(one.address for one in roles))
        assert refused.startswith("554 5.5.3 Too many people behind these 9 addresses")
        assert running.offered == []
        assert queue_of(running.store.reader, 10) == []
        taken = await running.send(mail(), *(one.address for one in roles[:7]))
        assert taken.startswith("250")
        assert len(running.offered) == 7 * 115
        assert (await running.send(mail())).startswith("250")
