"""What `mailrouter explain` prints."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from mailrouter.cli import main
from mailrouter.store.ids import MessageId
from mailrouter.store.model import Acceptance, HandoffChange, WaitingHandoff
from mailrouter.store.sqlite.store import SqliteStore
from mailrouter.trust.confirmations import MOST_ASKED
from tests.config.files import ROLE, MakeFolder
from tests.support.messages import SMALL, filled, message_of

AT = "2026-12-10 10:00"
NOW = 1_796_925_600_000
"""The same moment in Los Angeles, in milliseconds."""
MAIL = b"From: laurie@example.test\nTo: vp-hr+handoff@example.test\nSubject: x\n\nLeft: all\n"


async def three_questions(path: Path) -> None:
    """A store in which Laurie was asked as often as may be."""
    store = SqliteStore.open(path)
    for number in range(1, MOST_ASKED + 1):
        spool = await filled(store, SMALL)
        waits = WaitingHandoff(
            MessageId(number), "vp-hr", "handoff", "laurie@example.test", NOW - number, "Left: x\n"
        )
        message = message_of(spool.id, len(SMALL), NOW - number)
        await store.accept(
            spool, Acceptance(message, await spool.finish(), [], handoffs=[HandoffChange(waiting=waits)])
        )
    store.close()


def test_a_mail_that_is_put_off_is_told_with_its_reasons(
    folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reply alone is meant for whoever sends, and gives nothing away; IT reads why."""
    made = folder("", **{"vp-hr": ROLE})
    (tmp_path / "mail.eml").write_bytes(MAIL)
    command = ["explain", str(tmp_path / "mail.eml"), "--at", AT, "--config", str(made)]
    assert main(command) == 0
    assert "It would be" not in capsys.readouterr().out
    path = made.parent / "var" / "mailrouter.db"
    path.parent.mkdir(exist_ok=True)
    asyncio.run(three_questions(path))
    assert main(command) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "It would be put off" in said
    assert "please try again later (450 4.7.1)" in said
    assert "Why: - nothing proves that Laurie wrote it" in said
    assert "- Laurie was asked to confirm several others within the hour" in said


def test_a_refusal_is_told_first_and_stands_in_the_json(
    folder: MakeFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Words for people, with the codes behind them; the door's whole reply for programs, null where it is taken."""
    made = folder("", **{"vp-hr": ROLE})
    head = "From: jane@example.test\nTo: vp-hr@example.test\nSubject: x\n"
    (tmp_path / "fine.eml").write_text(head + "\nHello\n")
    (tmp_path / "circles.eml").write_text(head + "Received: by x\n" * 101 + "\nHello\n")
    command = ["--at", AT, "--config", str(made)]
    assert main(["explain", str(tmp_path / "circles.eml"), *command]) == 0
    said = " ".join(capsys.readouterr().out.split())
    refused = "It would be refused, and come back to its sender: The message has passed too many servers"
    assert f"{refused} (554 5.4.6)" in said
    for name, reply in (("circles", "554 5.4.6 The message has passed too many servers"), ("fine", None)):
        assert main(["explain", str(tmp_path / f"{name}.eml"), "--json", *command]) == 0
        assert json.loads(capsys.readouterr().out)["refused"] == reply
