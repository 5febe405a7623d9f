"""Mail to the handoff address, with a real store behind: what waits, what ends, and who is left out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailrouter.errors import StoreError
from mailrouter.intake.explain import Explanation, explained, in_hand
from mailrouter.intake.release.recheck import may_have, plan_anew
from mailrouter.message.head import Head
from mailrouter.message.pieces import render
from mailrouter.moments import milliseconds
from mailrouter.runtime.context import Desk
from mailrouter.runtime.origin import trusts
from mailrouter.schedule.model import Role
from mailrouter.smtp.envelope import Envelope
from tests.intake.services import Service, desk, service
from tests.intake.test_intake_gate import BrokenWords, Unreadable
from tests.routing.situations import CANARY, HANDOFF_TEXT, STAND_IN, mail, read, role, second_role
from tests.schedule.roles import CARMEN, ELAINE, LAURIE

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
HANDOFF = "vp-hr+handoff@example.test"
US = "mail.example.test"
PROOF = f"Authentication-Results: {US}; dmarc=pass"
FROM = "From: Laurie Cremona <laurie@example.test>"
TEXT = HANDOFF_TEXT.encode().replace(b"\n", b"\r\n")
YES = mail(body=b"Yes\r\n")
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)


def handing(*fields: str, body: bytes = TEXT, number: int = 1) -> bytes:
    """A mail by Laurie to the handoff address."""
    own = (f"To: {HANDOFF}", FROM, f"Message-ID: <{number}@example.test>", "MIME-Version: 1.0")
    return mail(*own, "Content-Type: text/plain; charset=utf-8", *fields, body=body)


def trusting(*roles: Role) -> Desk:
    """A desk that believes our mail server."""
    return desk(*(roles or (role(),)), authserv_id=US)


def question(running: Service) -> str:
    """The address of the newest question among what was offered."""
    asked = [address for notice in running.sent("notice").values() for address in _addresses(notice)]
    return asked[-1]


def _addresses(notice: bytes) -> list[str]:
    return [
        found.decode()
        for found in re.findall(rb"^Reply-To:[^<]*<([^>]+)>", notice.replace(b"\r\n ", b" "), re.M)
        if b"handoff-" in found
    ]


async def ask(folder: Path, moment: datetime, number: int = 1, body: bytes = TEXT) -> str:
    """An unproven mail at this moment; gives the address that confirms it."""
    async with service(folder, desk(role()), moment) as running:
        assert (await running.send(handing(number=number, body=body), HANDOFF)).startswith("250")
        return question(running)


@pytest.mark.parametrize(("after", "refused"), [(WEEK - HOUR, None), (WEEK, "550 5.7.1")])
async def test_a_question_is_good_for_a_week(tmp_path: Path, after: timedelta, refused: str | None) -> None:
    """Then its answer is refused, in words that say what to do."""
    back = await ask(tmp_path, MOMENT)
    async with service(tmp_path, desk(role()), MOMENT + after) as running:
        assert running.acceptor.recipient(back) is None, "its token is of about that time"
        said = await running.send(YES, back)
        if refused:
            assert said.startswith(refused)
            assert f"write to {HANDOFF} again" in said
            return
        assert said.startswith("250")
        stored = await running.store.reader.handoff("vp-hr")
        assert stored is not None
        assert (stored.author, stored.text) == ("Laurie", HANDOFF_TEXT)
        assert stored.written_at == milliseconds(MOMENT)
        assert running.context.desk.handoffs["vp-hr"].version == stored.version
        assert {row.handoff for row in running.offered} == {stored.version}


async def test_each_waits_by_itself_and_the_newest_that_is_confirmed_wins(tmp_path: Path) -> None:
    """Three an hour are asked about; the fourth is to come again. An answer to an older one is void after a newer."""
    first = await ask(tmp_path, MOMENT)
    second = await ask(tmp_path, MOMENT + timedelta(seconds=2), 3, b"Left: the rest\r\n")
    third = await ask(tmp_path, MOMENT + timedelta(seconds=4), 4, b"Left: forged\r\n")
    assert len({first, second, third}) == 3
    async with service(tmp_path, desk(role()), MOMENT + HOUR - timedelta(seconds=1)) as running:
        assert (await running.send(handing(number=2), HANDOFF)).startswith("450 4.7.1")
        assert running.offered == []
    async with service(tmp_path, desk(role()), MOMENT + 2 * HOUR) as running:
        assert running.acceptor.recipient(first) is None
        assert (await running.send(YES, second)).startswith("250")
        stored = await running.store.reader.handoff("vp-hr")
        assert stored is not None
        assert stored.text == "Left: the rest\n"
        assert (await running.send(YES, first)).startswith("550 5.7.1")
        assert (await running.send(YES, third)).startswith("250"), "a newer one waits on"


def refused(said: str | BaseException) -> bool:
    """By the commit, or by the decision where the other's commit was quicker than that."""
    return isinstance(said, StoreError) or (isinstance(said, str) and not said.startswith("250"))


async def test_of_many_at_once_three_are_asked_about(tmp_path: Path) -> None:
    """Five mails in one name, two answers to one question: too many are to come again, nothing is half done."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        many = (running.send(handing(number=n), HANDOFF) for n in range(1, 6))
        said = await asyncio.gather(*many, return_exceptions=True)
        assert sorted(map(refused, said)) == [False, False, False, True, True]
        assert len(running.offered) == 3
        back = question(running)
        running.offered.clear()
        said = await asyncio.gather(*(running.send(YES, back) for _ in range(2)), return_exceptions=True)
        assert sorted(map(refused, said)) == [False, True]
        assert len(running.offered) == 2
        assert len(await running.store.reader.handoffs("vp-hr", 5)) == 1


POINTER = (
    b"--b\r\nContent-Type: text/plain\r\n\r\nHi Elaine, see attached.\r\n\r\nLaurie\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=week.pdf\r\n\r\n"
    b"%PDF-secret\r\n--b--\r\n"
)


async def test_a_handoff_that_cannot_be_read_reaches_the_other_partner_as_it_came(tmp_path: Path) -> None:
    """With the reason, which its author hears too; the handoff stays, and nobody else gets anything."""
    fields = ("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=b", PROOF)
    raw = mail(f"To: {HANDOFF}", FROM, "Message-ID: <1@example.test>", *fields, body=POINTER)
    async with service(tmp_path, trusting(), MOMENT) as running:
        assert (await running.send(raw, HANDOFF, sender=LAURIE.email)).startswith("250")
        copies, notices = running.sent("copy"), running.sent("notice")
        assert await running.store.reader.handoff("vp-hr") is None
        assert set(copies) == {"elaine"}
        assert raw.partition(b"\r\n\r\n")[2] in copies["elaine"]
        assert set(notices) == {"elaine", "laurie"}
        assert all(b"week.pdf" in notice for notice in notices.values())
        assert len(running.offered) == 3
        assert (await running.send(raw, HANDOFF, sender=LAURIE.email)).startswith("250")
        assert len(running.offered) == 3, "the same mail once more does nothing"


AUTOMATIC = [
    *("Auto-Submitted: auto-replied", "X-Autoreply: yes", "Subject: Out of office: hi", "List-Id: <a.b>"),
    *("Precedence: bulk", "X-Auto-Response-Suppress: All", "X-Failed-Recipients: a@b.test"),
]


@pytest.mark.parametrize("field", [*AUTOMATIC, ""])
async def test_no_program_confirms_anything(tmp_path: Path, field: str) -> None:
    """Nor does anything with an empty reverse-path; it is absorbed, and the question stands."""
    back = await ask(tmp_path, MOMENT)
    async with service(tmp_path, desk(role()), MOMENT) as running:
        raw = mail(FROM, *([field] if field else []), body=b"Yes\r\n")
        assert (await running.send(raw, back, sender="laurie@example.test" if field else "")).startswith(
            "250"
        )
        assert running.offered == []
        assert await running.store.reader.handoff("vp-hr") is None
        assert running.acceptor.recipient(back) is None


UNMARKED = mail(FROM, body=b"I am away until Monday.\r\n\r\n> If it is yours, answer with one word: yes.\r\n")
"""What some mailboxes answer by themselves, with nothing that says so."""


async def test_an_answer_without_a_yes_confirms_nothing_and_is_told_so_once(tmp_path: Path) -> None:
    """An unmarked out-of-office, again and again: one message to the registered mailbox; then a yes counts still."""
    back = await ask(tmp_path, MOMENT)
    later = MOMENT + timedelta(days=1)
    async with service(tmp_path, desk(role()), later) as running:
        said = await asyncio.gather(*(running.send(UNMARKED, back) for _ in range(3)))
        assert all(reply.startswith("250") for reply in said)
        assert (await running.send(UNMARKED, back)).startswith("250")
        (told,) = running.offered
        assert (told.kind, told.recipient, told.reverse_path) == ("notice", "laurie@example.test", "")
        text = " ".join(running.sent("notice")["laurie"].decode().split())
        assert "one word on the first line: yes" in text
        assert "thrown away on Thursday 10 December." in text
        assert question(running) == back
        assert CANARY not in text
        assert await running.store.reader.handoff("vp-hr") is None
        running.offered.clear()
        assert (await running.send(YES, back)).startswith("250")
        assert running.sent("notice").keys() == {"laurie", "elaine"}
        assert await running.store.reader.handoff("vp-hr") is not None


async def test_two_questions_are_told_apart_where_a_yes_is_missing(tmp_path: Path) -> None:
    """What was said of one is said of the other as well."""
    first = await ask(tmp_path, MOMENT)
    second = await ask(tmp_path, MOMENT + timedelta(seconds=2), 3)
    async with service(tmp_path, desk(role()), MOMENT + HOUR) as running:
        for back in (first, second, first):
            assert (await running.send(UNMARKED, back)).startswith("250")
        assert len(running.offered) == 2


async def test_the_last_question_of_an_hour_says_that_it_is(tmp_path: Path) -> None:
    """So a partner knows why nothing more is asked; and to answer one makes room for the next mail."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        for number in range(1, 4):
            running.offered.clear()
            assert (await running.send(handing(number=number), HANDOFF)).startswith("250")
            text = " ".join(running.sent("notice")["laurie"].decode().split())
            assert ("third such question within an hour" in text) is (number == 3)
        assert (await running.send(handing(number=4), HANDOFF)).startswith("450")
        assert (await running.send(YES, question(running))).startswith("250")
        assert (await running.send(handing(number=4), HANDOFF)).startswith("250")


@pytest.mark.parametrize(
    "field",
    ["In-Reply-To: <ours@mx.example.test>", "References: <a@b.test>", "Subject: AW: Handoff for VP HR, x"],
)
async def test_a_proven_answer_without_headings_is_asked_about(tmp_path: Path, field: str) -> None:
    """It may be an unmarked out-of-office to one of our messages; with a heading, or as a mail of its own, it isn't."""
    away = b"I am away until Monday.\r\n"
    of = role(name="VP HR")
    async with service(tmp_path, trusting(of), MOMENT) as running:
        assert (await running.send(handing(PROOF, field, body=away), HANDOFF)).startswith("250")
        assert await running.store.reader.handoff("vp-hr") is None
        assert running.sent("notice").keys() == {"laurie"}
        back = question(running)
        running.offered.clear()
        assert (await running.send(UNMARKED, back)).startswith("250")
        assert (await running.send(UNMARKED, back)).startswith("250")
        assert len(running.offered) == 1, "two mailboxes that answer by themselves end there"
        assert (await running.send(YES, back)).startswith("250")
        stored = await running.store.reader.handoff("vp-hr")
        assert stored is not None
        assert stored.text == "I am away until Monday.\n"
        assert (await running.send(handing(PROOF, field, number=2), HANDOFF)).startswith("250")
        stored = await running.store.reader.handoff("vp-hr")
        assert stored is not None
        assert stored.text == HANDOFF_TEXT
        assert (await running.send(handing(PROOF, body=away, number=3), HANDOFF)).startswith("250")
        stored = await running.store.reader.handoff("vp-hr")
        assert stored is not None
        assert stored.text == "I am away until Monday.\n"


@pytest.mark.parametrize("field", AUTOMATIC)
async def test_no_program_hands_over(tmp_path: Path, field: str) -> None:
    """Automatic mail and list mail in a partner's name is mail, proven or not."""
    async with service(tmp_path, trusting(), MOMENT) as running:
        assert (await running.send(handing(PROOF, field), HANDOFF)).startswith("250")
        assert {row.kind for row in running.offered} == {"copy"}
        assert await running.store.reader.handoff("vp-hr") is None


async def test_a_stand_in_gets_nothing_that_came_to_the_handoff_address(tmp_path: Path) -> None:
    """It may be a handoff, by a partner from another mailbox; nor is its sender answered."""
    away = role(STAND_IN, reply_inside="always", reply_outside="always")
    async with service(tmp_path, desk(away), MOMENT) as running:
        raw = handing("From: Laurie <laurie@private.test>")
        assert (await running.send(raw, HANDOFF, sender="laurie@private.test")).startswith("250")
        assert running.sent().keys() == {"laurie", "elaine"}
        assert {row.kind for row in running.offered} == {"copy"}
        entry = await running.store.reader.entry(running.offered[0].message)
        assert entry is not None
        assert any("no partner's address alone stands in From" in why for why in entry.message.reasons)
        running.offered.clear()
        await running.send(mail(), "vp-hr@example.test")
        assert running.sent().keys() == {"laurie", "elaine", "pat"}


class TellingWords(BrokenWords):
    """Templates whose fault tells what they were given."""

    def render(self, name: str, facts: Mapping[str, object]) -> str:
        raise RuntimeError(f"{name}: {facts}")


@pytest.mark.parametrize("raw", [handing(PROOF), handing()])
async def test_a_fault_of_ours_leaves_the_mail_to_the_partners(
    tmp_path: Path, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """All of them and no stand-in, as it came; and the log has nothing of it."""
    broken = desk(role(STAND_IN), words=TellingWords(), authserv_id=US)
    async with service(tmp_path, broken, MOMENT) as running:
        assert (await running.send(raw, HANDOFF)).startswith("250")
        assert running.sent().keys() == {"laurie", "elaine"}
        assert all(copy.endswith(raw) for copy in running.sent().values())
        assert await running.store.reader.handoff("vp-hr") is None
    assert "RuntimeError" in caplog.text
    assert CANARY not in caplog.text


async def test_a_header_that_cannot_be_read_loses_no_mail(tmp_path: Path) -> None:
    """Every partner gets the mail, here too."""
    async with service(tmp_path, trusting(), MOMENT, Unreadable) as running:
        assert (await running.send(handing(PROOF), HANDOFF)).startswith("250")
        assert running.sent().keys() == {"laurie", "elaine"}


async def test_who_is_no_partner_any_more_confirms_nothing(tmp_path: Path) -> None:
    """The question went to Laurie, and Carmen has come in her place."""
    back = await ask(tmp_path, MOMENT)
    later = replace(role("rota mon elaine"), partners=(ELAINE, CARMEN))
    async with service(tmp_path, desk(later), MOMENT) as running:
        assert (await running.send(mail(), back)).startswith("250")
        assert running.offered == []
        assert await running.store.reader.handoff("vp-hr") is None


@pytest.mark.parametrize("proof", [PROOF, "X-None: 1"])
async def test_a_waiting_notice_is_for_a_partner_of_today(tmp_path: Path, proof: str) -> None:
    """It is withdrawn, and nothing takes its place; the other partner's stays."""
    async with service(tmp_path, trusting(), MOMENT) as running:
        assert (await running.send(handing(proof), HANDOFF)).startswith("250")
        rows = list(running.offered)
        assert all(may_have(running.context.desk, row, MOMENT) for row in rows)
        running.context.desk = trusting(replace(role("rota mon elaine"), partners=(ELAINE, CARMEN)))
        (gone,) = [row for row in rows if not may_have(running.context.desk, row, MOMENT)]
        assert gone.recipient == LAURIE.email
        await plan_anew(running.context, running.store, gone, lambda: 1)
        entry = await running.store.reader.entry(gone.message)
        assert entry is not None
        assert [row.recipient for row in entry.deliveries if row.state == "queued"] == [
            row.recipient for row in rows if row is not gone
        ]


async def test_a_copy_planned_anew_stays_within_the_partners(tmp_path: Path) -> None:
    """A colleague's mail to the handoff address that waited while the file changed: no stand-in, then either."""
    async with service(tmp_path, desk(role()), MOMENT) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        await running.send(mail(f"To: {HANDOFF}"), HANDOFF)
        (elaine,) = [row for row in running.offered if row.recipient == ELAINE.email]
        changed = replace(
            role(STAND_IN), partners=(LAURIE, CARMEN), rota=role("rota mon laurie").rota, absences=()
        )
        running.context.desk = desk(
            replace(changed, absences=role("away laurie 2026-12-01..2027-01-01 cover pat").absences)
        )
        await plan_anew(running.context, running.store, elaine, lambda: 1)
        entry = await running.store.reader.entry(elaine.message)
        assert entry is not None
        queued = [row.recipient.partition("@")[0] for row in entry.deliveries if row.state == "queued"]
        assert queued == ["laurie", "carmen"]


async def test_a_large_mail_is_read_and_a_larger_one_is_not(tmp_path: Path) -> None:
    """An attached picture does no harm; at four megabytes its author is told."""
    picture = b"\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    parts = b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + TEXT + picture
    for number, size in ((1, 10_000), (2, 60_000)):
        async with service(tmp_path, trusting(), MOMENT) as running:
            body = parts + (b"A" * 70 + b"\r\n") * size + b"--b--\r\n"
            raw = handing(PROOF, body=body, number=number)
            raw = raw.replace(b"Content-Type: text/plain; charset=utf-8\r\n", b"", 1)
            raw = b"Content-Type: multipart/mixed; boundary=b\r\n" + raw
            assert (await running.send(raw, HANDOFF)).startswith("250")
            notices = running.sent("notice")
            assert notices.keys() == {"laurie", "elaine"}
            assert (b"larger than 4 MB" in notices["laurie"]) == (number == 2)


async def test_one_mail_to_two_roles(tmp_path: Path) -> None:
    """Each has its version and its notices; the reasons tell them apart."""
    async with service(tmp_path, trusting(role(), second_role()), MOMENT) as running:
        raw = handing(PROOF, f"To: {HANDOFF}, office+handoff@example.test")
        assert (await running.send(raw, HANDOFF, "office+handoff@example.test")).startswith("250")
        assert sorted((row.role, row.recipient[:3], row.handoff) for row in running.offered) == [
            *(("office", "ela", 2), ("office", "lau", 2), ("vp-hr", "ela", 1), ("vp-hr", "lau", 1)),
        ]
        assert len({row.id for row in running.offered}) == 4
        entry = await running.store.reader.entry(running.offered[0].message)
        assert entry is not None
        assert {why.partition(":")[0] for why in entry.message.reasons} == {"vp-hr", "office"}


async def test_one_role_taken_and_the_other_asked_for_later_is_all_later(tmp_path: Path) -> None:
    """A mail is taken whole or not at all."""
    async with service(tmp_path, desk(role(), second_role()), MOMENT) as running:
        for number in (1, 3, 4):
            await running.send(handing(number=number), HANDOFF)
        running.offered.clear()
        said = await running.send(handing(number=2), HANDOFF, "office+handoff@example.test")
        assert said.startswith("450")
        assert running.offered == []


async def test_a_role_whose_name_leaves_no_room_for_a_question(tmp_path: Path) -> None:
    """An unproven mail is mail, then; a proven one is a handoff all the same."""
    long = role(address="x" * 40 + "@example.test")
    to = "x" * 40 + "+handoff@example.test"
    async with service(tmp_path, trusting(long), MOMENT) as running:
        await running.send(handing(f"To: {to}"), to)
        assert {row.kind for row in running.offered} == {"copy"}
        running.offered.clear()
        await running.send(handing(PROOF, f"To: {to}", number=2), to)
        assert {row.kind for row in running.offered} == {"notice"}


@pytest.mark.parametrize(
    ("client", "trusted"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("unknown", False),
    ],
)
def test_our_own_servers_are_known_by_their_networks(client: str, trusted: bool) -> None:
    """Whatever is no address is nobody's."""
    assert trusts(desk(role()).configuration.settings.trusted_networks, client) is trusted


def explain(running: Service, raw: bytes, *recipients: str) -> Explanation:
    """What ``explain`` would say."""
    head, shape = read(raw)
    of = running.context.desk
    roles = list(of.configuration.roles)
    received = in_hand(of, head, shape, Envelope(LAURIE.email, list(recipients)), MOMENT, raw)
    return explained(of, running.store.reader, received, roles)


async def test_explain_says_what_would_happen(tmp_path: Path) -> None:
    """The same decision, its notices and its reasons, and nothing is kept."""
    async with service(tmp_path, trusting(), MOMENT) as running:
        taken = explain(running, handing(PROOF), HANDOFF)
        assert [notice.recipient for notice in taken.notices] == [LAURIE.email, ELAINE.email]
        assert taken.plan is not None
        assert taken.plan.copies == ()
        assert taken.reasons[0].startswith(
            "Laurie wrote it to the handoff address, as mail.example.test says"
        )
        assert CANARY.encode() in render(taken.notices[1].pieces, {})
        asked = explain(running, handing(), HANDOFF)
        assert "Laurie is asked to confirm it" in asked.reasons[1]
        plain = explain(running, handing("From: jane@example.test"), HANDOFF)
        assert plain.plan is not None
        assert [copy.recipient for copy in plain.plan.copies] == [ELAINE.email]
        assert any("it is mail to the role" in why for why in plain.reasons)
        wrong = explain(running, mail(), "vp-hr+handoff-abc@example.test")
        assert wrong.plan is None
        assert wrong.refused.startswith("550 5.1.1")
        assert await running.store.reader.handoff("vp-hr") is None
        for number in (3, 4, 5):
            await running.send(handing(number=number), HANDOFF)
        later = explain(running, handing(number=2), HANDOFF)
        assert later.plan is None
        assert later.refused.startswith("450")
        assert any(
            "Laurie was asked to confirm several others within the hour" in why for why in later.reasons
        )


def test_a_head_is_read_as_it_came() -> None:
    """The mails of these tests are what they say: one From, to the handoff address."""
    head = Head(handing(PROOF))
    assert [mailbox.address for mailbox in head.mailboxes("from", "to")] == [LAURIE.email, HANDOFF]
