"""What we send to people who may never have written: reports, answers and questions, bounded by mailbox and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.address import mailbox_of
from mailrouter.intake.feedback.report_limits import MOST_REPORTS
from mailrouter.moments import day_of, milliseconds
from mailrouter.store.model import Delivery
from tests.intake.services import Service, desk, service
from tests.intake.test_intake_aftermath import IT, fails, text, to_whom
from tests.routing.situations import HANDOFF_TEXT, mail, role

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
MOST = dict(MOST_REPORTS)
US = "mail.example.test"
TODAY = day_of(milliseconds(MOMENT))
BODY = HANDOFF_TEXT.encode().replace(b"\n", b"\r\n")


async def refused(
    running: Service, sender: str, number: int, words: str = "550 5.1.1 no such user"
) -> list[Delivery]:
    """A mail by ``sender`` of which no copy is taken; gives what that brings about."""
    before = len(running.offered)
    raw = mail(f"From: {sender}", f"Message-ID: <n{number}@outside.test>")
    assert (await running.send(raw, sender=sender)).startswith("250")
    found: list[Delivery] = []
    for copy in running.offered[before:]:
        if copy.kind == "copy":
            found += await fails(running, copy, words)
    return found


@pytest.mark.parametrize(
    ("sender", "scope"),
    [("bob+{}@victim.test", "mailbox"), ("bob{}@victim.test", "domain"), ("bob@victim{}.test", "role")],
)
async def test_refused_mail_in_strangers_names_brings_few_reports(
    tmp_path: Path, sender: str, scope: str
) -> None:
    """To one mailbox, domain, and of one role only so many reports a day; the others are counted."""
    mails = MOST[scope] + 30
    async with service(tmp_path, desk(role()), MOMENT) as running:
        reports = 0
        for number in range(mails):
            found = await refused(running, sender.format(number), number)
            reports += sum(one.kind == "report" for one in found)
        assert reports == MOST[scope]
        assert await running.store.reader.capped(TODAY) == {"report": 30}


async def test_reports_of_success_are_bounded_like_those_of_failure(tmp_path: Path) -> None:
    """NOTIFY=SUCCESS in a stranger's name, under many sub-addresses of it."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        for number in range(MOST["mailbox"] + 30):
            raw = mail("From: bob@victim.test", f"Message-ID: <n{number}@outside.test>")
            sender = f"bob+{number}@victim.test"
            assert (await running.send(raw, sender=sender, notify="SUCCESS")).startswith("250")
        assert sum(one.kind == "report" for one in running.offered) == MOST["mailbox"]
        assert await running.store.reader.capped(TODAY) == {"success": 30}


async def test_one_mailbox_is_answered_once_under_all_its_sub_addresses(tmp_path: Path) -> None:
    """Automatic replies count the mailbox, not the address."""
    async with service(tmp_path, desk(role(reply_outside="always")), MOMENT) as running:
        for number in range(5):
            raw = mail(f"From: bob+{number}@victim.test", f"Message-ID: <n{number}@outside.test>")
            await running.send(raw, sender=f"bob+{number}@victim.test")
        assert sum(one.kind == "reply" for one in running.offered) == 1


@pytest.mark.parametrize(
    ("sender", "proof", "told"),
    [
        ("bob@victim.test", "", False),
        ("bob@victim.test", f"Authentication-Results: {US}; dmarc=pass header.from=victim.test", True),
        (
            "bounce@mail.victim.test",
            f"Authentication-Results: {US}; dmarc=pass header.from=victim.test",
            True,
        ),
        (
            "bob@victim.test",
            "Authentication-Results: elsewhere.test; dmarc=pass header.from=victim.test",
            False,
        ),
        ("jim@example.test", "", True),
    ],
)
async def test_a_refusal_for_policy_is_told_to_a_sender_for_whom_something_speaks(
    tmp_path: Path, sender: str, proof: str, told: bool
) -> None:
    """Spam is refused with 5.7, and its sender is forged; IT reads nothing of a report that is not sent."""
    async with service(tmp_path, desk(role(), authserv_id=US), MOMENT) as running:
        author = sender.replace("bounce@mail.", "bob@")
        raw = mail(*filter(None, (proof, f"From: {author}", "Message-ID: <n@outside.test>")))
        assert (await running.send(raw, sender=sender)).startswith("250")
        found: list[Delivery] = []
        for copy in list(running.offered):
            found += await fails(running, copy, "554 5.7.1 this is spam")
        assert (("report", sender) in to_whom(found)) is told
        alerts = [one for one in found if one.kind == "alert"]
        assert alerts
        assert ("The sender gets a report" in text(running, alerts[-1:], IT)) is told


def roles(number: int) -> list:  # type: ignore[type-arg]
    """Roles that all have the same partners."""
    first = role()
    return [replace(first, key=f"r{n}", address=f"r{n}@example.test") for n in range(number)]


def forged(number: int, *fields: str) -> bytes:
    """A mail in Laurie's name."""
    own = ("From: Laurie Cremona <laurie@example.test>", f"Message-ID: <{number}@outside.test>", *fields)
    return mail(*own, "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", body=BODY)


async def test_one_forged_mail_to_twenty_addresses_brings_few_questions_and_no_delay(tmp_path: Path) -> None:
    """Three are asked about, for the rest it is mail; and it does not come again and again."""
    many = roles(10)
    addresses = [f"{r.key}+{tag}@example.test" for r in many for tag in ("handoff", "schedule")]
    async with service(tmp_path, desk(*many), MOMENT) as running:
        said = await running.send(forged(1), *addresses, sender="x@stranger.test")
        assert said.startswith("250"), said
        questions = [one for one in running.offered if one.kind == "notice"]
        assert len(questions) <= 3
        assert any(one.kind == "copy" for one in running.offered)


async def test_questions_are_counted_over_all_roles_and_keep_no_proven_mail_out(tmp_path: Path) -> None:
    """Three mails an hour and twelve a day in one name, whatever the role; what is proven is taken all the same."""
    many = roles(10)
    questions = 0
    for hour in range(20):
        at = MOMENT + timedelta(minutes=61 * hour)
        async with service(tmp_path, desk(*many, authserv_id=US), at) as running:
            for n in range(5):
                to = f"r{(hour + n) % 10}+handoff@example.test"
                said = await running.send(forged(hour * 10 + n), to, sender="x@stranger.test")
                assert said[:3] in ("250", "450")
            questions += sum(one.kind == "notice" for one in running.offered)
            before = len(running.offered)
            proof = (f"Authentication-Results: {US}; dmarc=pass", "To: r0+handoff@example.test")
            raw = forged(1000 + hour, *proof)
            assert (await running.send(raw, "r0+handoff@example.test", sender="laurie@example.test"))[
                :3
            ] == "250"
            assert len(running.offered) > before
            assert await running.store.reader.handoff("r0") is not None
    assert questions == 12


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Bob+17@Victim.test", "bob@victim.test"),
        ('"bob"+x@victim.test', '"bob"+x@victim.test'),
        ("b.o.b+x@gmail.com", "bob@gmail.com"),
        ("b.o.b@GoogleMail.com", "bob@gmail.com"),
        ("b.o.b@victim.test", "b.o.b@victim.test"),
        ("bob=x@victim.test", "bob=x@victim.test"),
    ],
)
def test_sub_addresses_are_one_mailbox(address: str, mailbox: str) -> None:
    """A plus is folded everywhere, dots at Gmail alone."""
    found = mailbox_of(address)
    assert found == mailbox or '"' in address


async def test_a_return_path_is_ours_at_our_domains_alone(tmp_path: Path) -> None:
    """The token of a copy at somebody else's domain is an address like any other there: none of ours."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        assert (await running.send(mail())).startswith("250")
        path = running.offered[0].reverse_path
        assert running.acceptor.recipient(path) is None
        elsewhere = path.replace("@example.test", "@elsewhere.test")
        assert (running.acceptor.recipient(elsewhere) or "").startswith("550 5.7.1")
        assert running.acceptor.recipient(path.upper()) is None
