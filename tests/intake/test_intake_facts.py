"""The desk, and the relay's key."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailrouter.message.head import Head
from mailrouter.runtime.context import Arrival
from tests.intake.services import desk
from tests.routing.situations import mail, role, second_role


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
    found = made.situation(role(), head, Arrival("x@y.test", moment, b"", b"s"), handoff_seen=3)
    assert [person.key for person in found.duty.on] == ["elaine"]
    assert found.verdicts.dmarc_fail
    assert found.ours == {"vp-hr@example.test", "office@example.test", "it@example.test"}
    assert found.loop_mark == made.loop_marks["vp-hr"] != made.loop_marks["office"]


def test_a_conversation_is_known_by_where_it_began_and_what_is_answered() -> None:
    """And its keys tell nothing of the ids, nor are they another role's."""
    head = Head(mail("References: <a@b> <c@d> <e@f>", "In-Reply-To: <g@h>"))
    assert head.conversation == ("<a@b>", "<e@f>", "<g@h>")
    assert Head(mail()).conversation == ()
    made = desk(role(), second_role())
    first, same = made.conversation(role(), ["<a@b>", "<a@b>", "<c@d>"]), made.conversation(role(), ["<a@b>"])
    assert (len(first), first[0]) == (2, same[0])
    assert made.conversation(second_role(), ["<a@b>"]) != same
