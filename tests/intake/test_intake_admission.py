"""The door and ``explain`` give the same answer, whatever refuses a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailrouter.intake.explain import Explanation, explained, in_hand
from mailrouter.message.provenance.received import loop_mark
from mailrouter.message.scanner import Scanner
from mailrouter.runtime.context import Desk
from mailrouter.smtp.envelope import Envelope
from tests.intake.services import KEY, Service, desk, service
from tests.routing.situations import mail, role, second_role
from tests.support import corpus

MOMENT = datetime(2026, 12, 3, 18, tzinfo=UTC)
ROLE = "vp-hr@example.test"
MARK = loop_mark(KEY, ROLE)


def explain(of: Desk, running: Service, raw: bytes, *recipients: str, sender: str) -> Explanation:
    """What ``explain`` says of the message at the same moment, with the same store."""
    scanner = Scanner()
    scanner.feed(raw)
    shape = scanner.finish()
    head = scanner.head
    roles = list(of.configuration.roles)
    received = in_hand(of, head, shape, Envelope(sender, list(recipients)), MOMENT, raw)
    return explained(of, running.store.reader, received, roles)


async def answers(
    folder: Path, of: Desk, raw: bytes, *recipients: str, sender: str = "jane@example.test"
) -> tuple[str, Explanation]:
    """The door's answer, as to RCPT or else as to the text, and that of ``explain``."""
    async with service(folder, of, MOMENT) as running:
        found = explain(of, running, raw, *recipients, sender=sender)
        refusals = [running.acceptor.recipient(to) for to in recipients]
        taken = [to for to, refusal in zip(recipients, refusals, strict=True) if refusal is None]
        if not taken:
            return next(filter(None, refusals)), found
        return await running.send(raw, *taken, sender=sender), found


REFUSALS = [
    ("a mark of the role", "554 5.4.6 The message has been", mail(f"Mailrouter-Loop: {MARK}"), (ROLE,)),
    ("101 servers", "554 5.4.6 The message has passed", mail("\r\n".join(["Received: by x"] * 101)), (ROLE,)),
    ("too large", "552 5.3.4 The message is larger", mail(body=b"x" * 60 + b"\r\n" * 2000), (ROLE,)),
    ("a bare LF", "550 5.6.11", mail(body=b"one\ntwo\r\n"), (ROLE,)),
    ("a NUL", "550 5.6.11", mail(body=b"one\0two\r\n"), (ROLE,)),
    ("fields", "552 5.3.4 The message's header has", mail("\r\n".join(["X-A: b"] * 1001)), (ROLE,)),
    ("a reserved sub-address", "550 5.1.1", mail(), ("vp-hr+share@example.test",)),
    ("a token of nobody's", "550 5.1.1", mail(), ("vp-hr+handoff-abc@example.test",)),
    ("a return path of nobody's", "550 5.1.1", mail(), ("vp-hr+b-abc@example.test",)),
]


@pytest.mark.parametrize(
    ("reply", "raw", "to"), [case[1:] for case in REFUSALS], ids=[c[0] for c in REFUSALS]
)
async def test_what_the_door_refuses_explain_refuses_in_the_same_words(
    tmp_path: Path, reply: str, raw: bytes, to: tuple[str, ...]
) -> None:
    """The reply is the same, and there is no plan."""
    of = desk(role())
    settings = replace(of.configuration.settings, max_size=4000 if reply.endswith("is larger") else None)
    of = replace(of, configuration=replace(of.configuration, settings=settings), known={})
    said, found = await answers(tmp_path, of, raw, *to)
    assert said.startswith(reply)
    assert found.refused == said
    assert found.plan is None


async def test_a_role_without_a_partner_is_put_off_by_both(tmp_path: Path) -> None:
    """Its file may name one any moment, so its mail comes again."""
    said, found = await answers(tmp_path, desk(replace(role(), partners=())), mail(), ROLE)
    assert said.startswith("450 4.2.1")
    assert found.refused == said


async def test_parts_inside_parts_are_refused_by_both(tmp_path: Path) -> None:
    """Sixty attached messages, each inside the one before it."""
    nested = b"Content-Type: message/rfc822\r\n\r\n" * 60
    said, found = await answers(
        tmp_path, desk(role()), mail("Content-Type: message/rfc822", body=nested), ROLE
    )
    assert said.startswith("554 5.6.0")
    assert found.refused == said


async def test_too_many_people_are_refused_by_both(tmp_path: Path) -> None:
    """The numbers of one message's deliveries are bounded."""
    roles = []
    for number in range(460):
        of = second_role(key=f"r{number}", address=f"r{number}@example.test")
        people = tuple(replace(p, email=f"{p.key}{number}@example.test") for p in of.partners)
        roles.append(replace(of, partners=people))
    to = [one.address for one in roles]
    said, found = await answers(tmp_path, desk(*roles), mail(), *to)
    assert said.startswith("554 5.5.3")
    assert found.refused == said


async def test_one_refused_recipient_among_others_is_told_of(tmp_path: Path) -> None:
    """The rest of the mail is taken, as at the door."""
    said, found = await answers(tmp_path, desk(role()), mail(), ROLE, "vp-hr+share@example.test")
    assert said.startswith("250")
    assert not found.refused
    assert any("vp-hr+share@example.test would be refused: 550 5.1.1" in why for why in found.reasons)


async def test_a_bounce_goes_to_nobody_in_explain_too(tmp_path: Path) -> None:
    """What comes to a return path is read by ``explain`` as the service reads it."""
    of = desk(role())
    async with service(tmp_path, of, MOMENT) as running:
        await running.send(mail(), ROLE)
        path = running.offered[0].reverse_path
        bounce = mail(
            "From: MAILER-DAEMON@x.test", "Subject: Undelivered", body=b"550 5.1.1 no such user\r\n"
        )
        found = explain(of, running, bounce, path, sender="")
        assert found.plan is not None
        assert found.plan.copies == ()
        assert "a bounce about" in found.reasons[0]
        by_hand = explain(of, running, mail(), path, sender="jane@example.test")
        assert by_hand.plan is not None
        assert len(by_hand.plan.copies) == 2
        before = await running.store.reader.entry(running.offered[0].message)
        assert before is not None
        assert all(delivery.state == "queued" for delivery in before.deliveries)


@pytest.mark.skipif(not corpus.available(), reason=corpus.WHY_ABSENT)
async def test_real_mail_is_answered_alike_by_both(tmp_path: Path) -> None:
    """Every mail of the corpus, as at the door and in ``explain``: refused alike, or copied to the same people, answered
    alike and for the same reasons."""
    of = desk(role())
    refused = 0
    async with service(tmp_path, of, MOMENT) as running:
        for one in corpus.mails():
            sender = "colleague@elsewhere.test" if one.mail_from is None else one.mail_from
            found = explain(of, running, one.raw, ROLE, sender=sender)
            running.offered.clear()
            said = await running.send(one.raw, ROLE, sender=sender)
            assert found.refused == ("" if said.startswith("250") else said), one.file
            refused += not said.startswith("250")
            if found.plan is not None:
                copies = [d.recipient for d in running.offered if d.kind == "copy"]
                assert [copy.recipient for copy in found.plan.copies] == copies, one.file
                replies = [d.recipient for d in running.offered if d.kind == "reply"]
                assert ([found.plan.reply.recipient] if found.plan.reply else []) == replies, one.file
                entry = await running.store.reader.entry(running.offered[0].message)
                assert entry is not None
                assert entry.message.reasons == found.reasons, one.file
    print(f"\n{refused} refused")
