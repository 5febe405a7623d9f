"""The desk, and the relay's key."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.errors import StoreError
from mailrouter.intake.facts import earlier_ids, read_key
from mailrouter.message.head import Head
from tests.intake.services import desk
from tests.routing.situations import mail, role, second_role


def test_a_key_is_made_once_and_is_nobodys_business(tmp_path: Path) -> None:
    """32 random octets, mode 0600, the same at the next start."""
    path = tmp_path / "run" / "mailrouter.key"
    key = read_key(path)
    assert len(key) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == key
    assert [file.name for file in path.parent.iterdir()] == ["mailrouter.key"]
    assert read_key(tmp_path / "another.key") != key


@pytest.mark.parametrize("content", [b"", b"short"])
def test_a_damaged_key_is_never_replaced(tmp_path: Path, content: bytes) -> None:
    """Its owner is told what to do."""
    path = tmp_path / "mailrouter.key"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="is damaged; restore it, or remove it"):
        read_key(path)
    assert path.read_bytes() == content


def test_a_key_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file where a folder is needed."""
    (tmp_path / "run").write_text("")
    with pytest.raises(StoreError, match="can't be used"):
        read_key(tmp_path / "run" / "mailrouter.key")


@pytest.mark.parametrize(
    ("recipient", "key", "tag"),
    [
        ("VP-HR@Example.TEST", "vp-hr", ""),
        ("vp-hr+news@example.test", "vp-hr", "news"),
        ("hr-lead+handoff@example.test", "vp-hr", "handoff"),
        ("office@example.test", "office", ""),
        ("laurie@example.test", None, ""),
        ("vp-hr@outside.test", None, ""),
    ],
)
def test_a_role_is_known_by_all_its_addresses(recipient: str, key: str | None, tag: str) -> None:
    """Whatever the case, with any sub-address."""
    of, found = desk(role(aliases=("hr-lead@example.test",)), second_role()).role_of(recipient)
    assert ((of.key if of else None), found) == (key, tag)


def test_a_situation_holds_the_facts_of_its_role() -> None:
    """Duty, marks and verdicts of this role and this mail; postmaster and roles are ours."""
    made = desk(role(), second_role(), authserv_id="mail.example.test")
    head = Head(mail("Authentication-Results: mail.example.test; dmarc=fail"))
    moment = datetime(2026, 12, 3, 18, tzinfo=UTC)
    found = made.situation(
        role(), head, reverse_path="x@y.test", moment=moment, received=b"", seed=b"s", handoff_seen=3
    )
    assert [person.key for person in found.duty.on] == ["elaine"]
    assert found.verdicts.dmarc_fail
    assert found.ours == {"vp-hr@example.test", "office@example.test", "it@example.test"}
    assert found.loop_mark == made.loop_marks["vp-hr"] != made.loop_marks["office"]


def test_a_conversation_is_known_by_where_it_began_and_what_is_answered() -> None:
    """And its keys tell nothing of the ids, nor are they another role's."""
    head = Head(mail("References: <a@b> <c@d> <e@f>", "In-Reply-To: <g@h>"))
    assert earlier_ids(head) == ["<a@b>", "<e@f>", "<g@h>"]
    assert earlier_ids(Head(mail())) == []
    made = desk(role(), second_role())
    first, same = made.conversation(role(), ["<a@b>", "<a@b>", "<c@d>"]), made.conversation(role(), ["<a@b>"])
    assert (len(first), first[0]) == (2, same[0])
    assert made.conversation(second_role(), ["<a@b>"]) != same
