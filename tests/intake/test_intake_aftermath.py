"""What follows when copies don't arrive: who hears of it, and what nobody outside ever hears."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.config.retry_settings import Retry
from mailrouter.delivery.content import whole
from mailrouter.delivery.retry import outcome
from mailrouter.intake.feedback.failures import of_failure
from mailrouter.intake.feedback.incident import Answer
from mailrouter.moments import milliseconds
from mailrouter.smtp.replies import Reply
from mailrouter.store.model import Delivery, Outcome
from mailrouter.turns import drive
from tests.intake.services import Service, desk, service
from tests.routing.situations import CANARY, HANDOFF_TEXT, STAND_IN, mail, role, second_role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
JANE = "jane@outside.test"
IT = "it@example.test"
US = "mail.example.test"
NO = "550 5.1.1 no such user here"


async def copies(running: Service, *recipients: str, raw: bytes | None = None) -> dict[str, Delivery]:
    """Send a mail; its copies by the recipient's local part."""
    before = len(running.offered)
    given = raw or mail(f"From: {JANE}")
    assert (await running.send(given, *recipients, sender=JANE)).startswith("250")
    return {d.recipient.partition("@")[0]: d for d in running.offered[before:] if d.kind == "copy"}


async def fails(running: Service, delivery: Delivery, words: str = NO, later: float = 0) -> list[Delivery]:
    """The next hop refuses a delivery, ``later`` hours after the mail came; gives what that brings about."""
    now = MOMENT + timedelta(hours=later)
    result = outcome(delivery, Reply(int(words[:3]), words[4:]), milliseconds(now), 0.0, Retry())
    told = await of_failure(
        running.context.desk, running.store.reader, delivery, Answer("failed", result.reply), now
    )
    await running.store.settle([result._replace(consequences=told)])
    return await running.store.claim(100, milliseconds(now))


async def delivered(running: Service, delivery: Delivery) -> None:
    """The next hop takes a delivery."""
    await running.store.settle([Outcome(delivery.id, "delivered", "250 2.0.0 OK", milliseconds(MOMENT))])


def to_whom(found: list[Delivery]) -> list[tuple[str, str]]:
    """Kind and recipient of each."""
    return sorted((d.kind, d.recipient) for d in found)


def text(running: Service, found: list[Delivery], recipient: str) -> str:
    """The only message to ``recipient``, its lines joined."""
    (delivery,) = (d for d in found if d.recipient == recipient)
    return " ".join((drive(whole(running.store, delivery)) or b"").decode().split())


async def test_each_role_of_a_mail_has_its_report(tmp_path: Path) -> None:
    """Laurie shares both roles and her copy carries one role's handoff: the other role's senders hear all the same."""
    office = second_role("rota mon laurie, tue carmen", partners=(LAURIE, CARMEN))
    async with service(tmp_path, desk(role(), office), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        sent = await copies(running, "vp-hr@example.test", "office@example.test")
        assert sent["laurie"].role == "vp-hr"
        await delivered(running, sent["elaine"])
        assert ("report", JANE) not in to_whom(await fails(running, sent["carmen"]))
        found = await fails(running, sent["laurie"])
        assert [d.role for d in found if d.kind == "report"] == ["office"]


async def test_notices_that_fail_bring_no_notices(tmp_path: Path) -> None:
    """Two mailboxes that each take hours to fail don't tell of each other for ever."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        sent = await copies(running)
        found = await fails(running, sent["laurie"])
        found += await fails(running, sent["elaine"])
        rounds = 0
        while notices := [d for d in found if d.kind == "notice"]:
            rounds += 1
            assert rounds < 3
            found = []
            for notice in notices:
                found += await fails(running, notice, later=2 * rounds)
        alert = text(running, found[:1], IT)
        assert "A message of mailrouter's own about a mail to vp-hr@example.test did not reach" in alert
        assert "No partner has it" not in alert


async def test_a_former_partner_is_not_named_to_the_sender(tmp_path: Path) -> None:
    """Elaine's copy is under way when she leaves; her server's words about her stay inside."""
    words = "550 5.1.1 user elaine unknown; Miller, Elaine has left"
    async with service(tmp_path, desk(role("partners elaine laurie")), MOMENT) as running:
        sent = await copies(running)
        running.context.desk = desk(role("rota mon laurie, tue carmen", partners=(LAURIE, CARMEN)))
        await fails(running, sent["laurie"])
        found = await fails(running, sent["elaine"], words)
        report = text(running, found, JANE).lower()
        assert "elaine" not in report


async def test_names_without_their_accents_stay_inside_too(tmp_path: Path) -> None:
    """Servers write Díaz as Diaz, or with the accent as a character of its own."""
    zoe = replace(LAURIE, name="Zoë Díaz", email="p1234@example.test")
    for written in ("Zoe Diaz", "Zoe\u0308 Di\u0301az", "ZOË DÍAZ"):
        folder = tmp_path / written.encode().hex()
        folder.mkdir()
        async with service(folder, desk(role(partners=(zoe, ELAINE))), MOMENT) as running:
            sent = await copies(running)
            await fails(running, sent["elaine"])
            found = await fails(running, sent["p1234"], f"550 5.1.1 mailbox of {written} is closed")
            report = text(running, found, JANE)
            assert "mailbox of" in report
            assert "az" not in report.partition("mailbox of")[2].partition("is closed")[0].lower()


async def test_a_server_that_quotes_the_handoff_tells_nobody_outside(tmp_path: Path) -> None:
    """A content filter names what it found: neither the sender nor IT reads a line of the handoff."""
    words = f"554 5.6.0 refused because of the phrase 'the budget ({CANARY})'"
    async with service(tmp_path, desk(role()), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        sent = await copies(running)
        await fails(running, sent["laurie"], words)
        found = await fails(running, sent["elaine"], words)
        assert ("report", JANE) in to_whom(found)
        for one in found:
            if one.recipient in (JANE, IT):
                assert CANARY not in text(running, [one], one.recipient)
        assert "5.6.0" in text(running, found, JANE)


async def test_a_partner_is_told_what_is_true_of_their_own_copy(tmp_path: Path) -> None:
    """Refused as well, or written by that partner: it is not "on its way", and the sender does hear."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        sent = await copies(running)
        first = await fails(running, sent["laurie"])
        assert "Your own copy is still on its way" in text(running, first, "elaine@example.test")
        second = [d for d in await fails(running, sent["elaine"]) if d not in first]
        words = text(running, second, "laurie@example.test")
        assert "Your own copy did not arrive either" in words
        assert "sender has not been told" not in words
        assert "The sender gets a report" in words
    async with service(tmp_path, desk(role()), MOMENT) as running:
        own = mail("From: laurie@example.test", "Message-ID: <two@example.test>")
        before = len(running.offered)
        await running.send(own, sender="laurie@example.test")
        (copy,) = running.offered[before:]
        found = await fails(running, copy, later=2)
        notice = next(d for d in found if d.kind == "notice" and d.message == copy.message)
        words = text(running, [notice], "laurie@example.test")
        assert "still on its way" not in words
        assert "sender has not been told" not in words


async def test_a_role_that_is_its_own_operator_gets_no_alert_about_itself(tmp_path: Path) -> None:
    """Its loop mark would have that alert refused at our own door; the other partner hears."""
    of = desk(role(aliases=(IT,)))
    async with service(tmp_path, of, MOMENT) as running:
        sent = await copies(running)
        assert to_whom(await fails(running, sent["laurie"])) == [("notice", ELAINE.email)]


async def test_success_is_reported_within_bounds(tmp_path: Path) -> None:
    """NOTIFY=SUCCESS in a stranger's name is no way to have us flood that stranger."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        reports = 0
        for n in range(30):
            before = len(running.offered)
            raw = mail(f"From: {JANE}", f"Message-ID: <n{n}@outside.test>")
            await running.send(raw, sender=JANE, notify="SUCCESS")
            reports += sum(d.kind == "report" for d in running.offered[before:])
        assert reports == 20


@pytest.mark.parametrize(
    ("line", "carried", "told"),
    [
        (f"- error: {CANARY} call him, 550 5.0.0", True, False),
        ("> reason: the merger of 4711", False, False),
        ("550 5.1.1 no mailbox here by that name", False, True),
        ("550 5.1.1 no mailbox here by that name", True, False),
    ],
)
async def test_a_bounce_in_words_shows_nobody_what_it_quotes(
    tmp_path: Path, line: str, carried: bool, told: bool
) -> None:
    """Old servers put the returned copy below their words, without a mark: its lines are no server's words. Of a copy
    with a handoff there are codes alone."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        if carried:
            await running.hand_over("vp-hr", f"Left:\n- {CANARY}\n")
        sent = await copies(running)
        for delivery in sent.values():
            back = mail(
                "From: MAILER-DAEMON@mx7.example.test",
                "Subject: failure notice",
                f"To: {delivery.reverse_path}",
                body=f"I could not deliver your mail. Mailbox unknown.\r\n\r\n{line}\r\n".encode(),
            )
            assert (await running.send(back, delivery.reverse_path, sender="")).startswith("250")
        found = await running.store.claim(100, milliseconds(MOMENT))
        alerts = [text(running, [one], IT) for one in found if one.recipient == IT]
        assert len(alerts) == 2
        for alert in alerts:
            assert CANARY not in alert
            assert (line in alert) is told
        report = text(running, found, JANE)
        assert line not in report
        assert CANARY not in report


async def test_it_is_not_told_of_a_report_that_does_not_go_out(tmp_path: Path) -> None:
    """To a forged sender none does, and the alert doesn't promise one."""
    async with service(tmp_path, desk(role(), authserv_id="mx.example.test"), MOMENT) as running:
        forged = "Authentication-Results: mx.example.test; dmarc=fail header.from=outside.test"
        sent = await copies(running, raw=mail(f"From: {JANE}", forged))
        await fails(running, sent["laurie"])
        found = await fails(running, sent["elaine"])
        assert "report" not in {one.kind for one in found}
        alerts = [text(running, [one], IT) for one in found if one.recipient == IT]
        assert any("No partner has it, and there is nobody to report it to" in alert for alert in alerts)
        assert not any("The sender gets a report" in alert for alert in alerts)


async def test_what_was_refused_for_its_content_does_not_come_back_whole(tmp_path: Path) -> None:
    """RET=FULL in a stranger's name is no way to have us send that stranger a virus."""
    for code, whole_mail in (("554 5.7.1", False), ("552 5.3.4", True)):
        folder = tmp_path / code[:3]
        folder.mkdir()
        async with service(folder, desk(role(), authserv_id=US), MOMENT) as running:
            before = len(running.offered)
            proof = f"Authentication-Results: {US}; dmarc=pass header.from=outside.test"
            raw = mail(proof, f"From: {JANE}", body=b"X5O!P%@AP\r\n")
            assert (await running.send(raw, sender=JANE, ret="FULL")).startswith("250")
            found: list[Delivery] = []
            for copy in running.offered[before:]:
                found += await fails(running, copy, f"{code} no")
            assert ("X5O!P%@AP" in text(running, found, JANE)) is whole_mail


async def test_what_a_person_writes_for_a_role_that_is_gone_is_refused(tmp_path: Path) -> None:
    """To the return path of an old copy: taken, it would be nowhere; a bounce is absorbed all the same."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        path = (await copies(running))["elaine"].reverse_path
        running.context.desk = desk(second_role())
        assert (await running.send(mail(), path)).startswith("550 5.1.1")
        back = mail("From: MAILER-DAEMON@mx.test", "Subject: failure notice", body=b"Mailbox unknown.\r\n")
        assert (await running.send(back, path, sender="")).startswith("250")


async def test_what_comes_to_a_return_path_and_the_role_is_for_partners_alone(tmp_path: Path) -> None:
    """It may hold the copy that it returns, so no stand-in gets it, and nobody is answered."""
    async with service(tmp_path, desk(role(STAND_IN, reply_outside="always")), MOMENT) as running:
        path = (await copies(running))["elaine"].reverse_path
        before = len(running.offered)
        raw = mail(f"From: {JANE}", "Message-ID: <two@outside.test>", body=b"> what was returned\r\n")
        assert (await running.send(raw, "vp-hr@example.test", path, sender=JANE)).startswith("250")
        assert to_whom(running.offered[before:]) == [("copy", ELAINE.email), ("copy", LAURIE.email)]


@pytest.mark.parametrize("author", ["Laurie <laurie@example.test>", "Laurie <Laurie+work@example.test>"])
async def test_an_answer_of_a_partner_that_quotes_the_handoff_tells_nobody_outside(
    tmp_path: Path, author: str
) -> None:
    """It carries none of its own, and a server may name what it found in the quotation."""
    words = f"554 5.6.0 refused because of the phrase 'the budget ({CANARY})'"
    async with service(tmp_path, desk(role()), MOMENT) as running:
        for path in ("laurie@example.test", "laurie@private.test"):
            raw = mail(f"From: {author}", f"Message-ID: <{path}>", body=f"> {CANARY}\r\n".encode())
            before = len(running.offered)
            assert (await running.send(raw, "vp-hr@example.test", sender=path)).startswith("250")
            made = running.offered[before:]
            assert made
            assert all(one.inside for one in made)
            for one in await fails(running, made[0], words):
                assert CANARY not in text(running, [one], one.recipient)
        assert (await running.send(mail(), "vp-hr@example.test")).startswith("250")
        assert not any(one.inside for one in running.offered[-2:])
