"""Checks of the small cases: mail to a role, to a return path, and at the door."""

from __future__ import annotations

import base64
import email
import email.policy
import re
from binascii import a2b_qp
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import cast

from mailrouter.schedule.model import Role
from mailrouter.smtp.capabilities import Offer, Outgoing
from mailrouter.smtp.envelope import Envelope
from mailrouter.smtp.handler import Gate, Limits
from mailrouter.smtp.session import Dialog
from mailrouter.store.ids import NO_MESSAGE
from tests.intake.services import CLIENT, Service, desk, service
from tests.routing.situations import CANARY, HANDOFF_TEXT, mail, read, role

Check = Callable[[Path, bytes], Awaitable[None]]

NOW = datetime(2026, 11, 28, 17, tzinfo=UTC)
ROLE = "vp-hr@example.test"
LAURIE, JANE = "laurie@example.test", "jane@other.test"
ONE_AWAY = "away elaine 2026-11-20..2027-01-01"


def talkative(**changes: object) -> Role:
    """A role with somebody away that answers everybody."""
    return role(ONE_AWAY, reply_inside="absence", reply_outside="absence", **changes)


def parsed(raw: bytes) -> EmailMessage:
    """A message as an independent reader sees it."""
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def returned(sender: str, *, kind: str, state: str = "queued", words: str = "") -> Check:
    """What comes to the return path of Laurie's copy: its kind, and what is known of the copy then."""

    async def check(place: Path, raw: bytes) -> None:
        async with service(place, desk(role()), NOW) as running:
            await running.send(mail(), ROLE)
            copy = next(d for d in running.offered if d.recipient == LAURIE)
            running.offered.clear()
            assert (await running.send(raw, copy.reverse_path, sender=sender)).startswith("250")
            assert [d.kind for d in running.offered if d.kind == "copy"] == []
            after = await running.store.reader.delivery(copy.id)
            assert after is not None
            assert after.state == state
            assert words in after.last_reply
            newest = max(await running.store.reader.history(NO_MESSAGE, 5), key=lambda one: one.message.id)
            assert newest.message.reasons[0].startswith(kind), newest.message.reasons

    return check


async def sent_to_role(
    place: Path, raw: bytes, sender: str, of: Role | None = None, to: str = ROLE, times: int = 1
) -> Service:
    """The service after so many mails, with a handoff that partners may get."""
    async with service(place, desk(of or talkative()), NOW) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        for _ in range(times):
            assert (await running.send(raw, to, sender=sender)).startswith("250")
        running.bodies = {kind: running.sent(kind) for kind in ("copy", "companion", "reply")}  # type: ignore[attr-defined]
        return running


def bodies(running: Service, kind: str) -> dict[str, bytes]:
    """What was offered of this kind, by the recipient's local part."""
    found: dict[str, bytes] = running.bodies[kind]  # type: ignore[attr-defined]
    return found


def answered(
    count: int, sender: str = JANE, *, to: str = ROLE, most: bool = False, times: int = 1, **role_has: object
) -> Check:
    """How many automatic replies there are (``most``: at most), each to the reverse-path."""

    async def check(place: Path, raw: bytes) -> None:
        running = await sent_to_role(place, raw, sender, talkative(**role_has), to, times)
        replies = [d.recipient for d in running.offered if d.kind == "reply"]
        assert len(replies) <= count if most else len(replies) == count
        assert set(replies) <= {sender}

    return check


def said(*, wrapped: bool | None, quiet: bool = False, replies: int | None = None) -> Check:
    """How note and handoff travel: ``wrapped``, in a companion, either (None), or not at all (``quiet``)."""

    async def check(place: Path, raw: bytes) -> None:
        running = await sent_to_role(place, raw, JANE)
        copy, beside = bodies(running, "copy")["laurie"], bodies(running, "companion").get("laurie", b"")
        spoken = CANARY.encode() in copy + beside and b"Elaine is away" in copy + beside
        assert spoken != quiet
        if wrapped is not None:
            assert copy.endswith(raw) != wrapped
            assert bool(beside) == (not wrapped and not quiet)
        if replies is not None:
            assert sum(d.kind == "reply" for d in running.offered) == replies

    return check


def answer_to(*expected: str) -> Check:
    """The addresses in Reply-To of a wrapped copy."""

    async def check(place: Path, raw: bytes) -> None:
        running = await sent_to_role(place, raw, JANE)
        found = parsed(bodies(running, "copy")["laurie"])["Reply-To"].addresses
        assert [one.addr_spec for one in found] == [*expected, ROLE]

    return check


def subject(charset: str) -> Check:
    """The subject read whole, its encoded words joined, in this charset, on one line of the automatic reply."""

    async def check(place: Path, raw: bytes) -> None:
        running = await sent_to_role(place, raw, JANE)
        (reply,) = bodies(running, "reply").values()
        words = re.findall(rb"=\?[\w-]+\?([BQ])\?([^?]*)\?=", raw)
        joined = b"".join(
            base64.b64decode(word + b"=" * (-len(word) % 4)) if kind == b"B" else a2b_qp(word, header=True)
            for kind, word in words
        )
        assert str(parsed(reply)["Subject"]).removeprefix("Auto: ") == joined.decode(charset).strip()

    return check


async def its_own_mail(place: Path, raw: bytes) -> None:
    """A partner's: to the other alone, as it is."""
    of = talkative()
    if b"partner.test" in raw:
        first, second = of.partners
        of = replace(of, partners=(replace(first, email="laurie@partner.test"), second))
        path = "prvs=1234abcdef=laurie@partner.test"
    else:
        path = LAURIE
    running = await sent_to_role(place, raw, path, of)
    assert set(bodies(running, "copy")) == {"elaine"}
    assert bodies(running, "copy")["elaine"].endswith(raw)
    assert bodies(running, "companion") == bodies(running, "reply") == {}


async def its_own_conversation(place: Path, raw: bytes) -> None:
    """Two mails whose References say ``null`` are two conversations: both bring the handoff."""
    async with service(place, desk(talkative(handoff="thread")), NOW) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        for number in (b"<1@x>", b"<2@x>"):
            running.offered.clear()
            await running.send(raw.replace(b"<72@other.test>", number), ROLE, sender=JANE)
            assert CANARY.encode() in running.sent()["laurie"]


async def the_same_conversation(place: Path, raw: bytes) -> None:
    """References lead back to a mail that the role has seen: no second handoff."""
    async with service(place, desk(talkative(handoff="thread")), NOW) as running:
        await running.hand_over("vp-hr", HANDOFF_TEXT)
        await running.send(mail("Message-ID: <a@o>"), ROLE, sender=JANE)
        assert CANARY.encode() in running.sent()["laurie"]
        await running.store.run(lambda _: None)
        running.offered.clear()
        await running.send(raw, ROLE, sender=JANE)
        assert CANARY.encode() not in running.sent()["laurie"]


async def utf8_header(place: Path, raw: bytes) -> None:
    """Raw UTF-8 in the header goes to a server without SMTPUTF8: the envelope is ASCII."""
    async with service(place, desk(role()), NOW) as running:
        head, shape = read(raw)
        spool = running.acceptor.spool()
        spool.hold(raw)
        envelope = Envelope(JANE, [ROLE], smtputf8=True)
        reply = await running.acceptor.accept(CLIENT, envelope, spool, shape, head)
        assert reply.startswith("250")
        assert len(running.sent()) == 2
        for delivery in running.offered:
            outgoing = Outgoing(delivery.reverse_path, delivery.recipient, delivery.size, smtputf8=True)
            assert Offer({"PIPELINING": ""}).objection(outgoing) is None


def door(*codes: str, before: tuple[str, ...] = ()) -> Check:
    """The codes with which the door answers the case's commands, after those ``before`` them."""

    async def check(place: Path, raw: bytes) -> None:
        async with service(place, desk(role()), NOW) as running:
            lines = raw.decode().splitlines()
            for line, code in zip(lines, codes, strict=True):
                dialog = Dialog(cast(Gate, running.acceptor), "mx.example.test", Limits())
                earlier = ("EHLO x", *before) if line.startswith("RCPT") else ("EHLO x",)
                assert all(dialog.obey(one.encode())[0].startswith("250") for one in earlier)
                assert dialog.obey(line.encode())[0].startswith(code), line

    return check


async def notify(place: Path, raw: bytes) -> None:
    """NOTIFY is taken, and our own copies ask for FAILURE and DELAY."""
    await door("250", before=(f"MAIL FROM:<{JANE}>",))(place, raw)
    _, rcpt = Offer({"DSN": ""}).commands(Outgoing("r@example.test", LAURIE, 1))
    assert b" NOTIFY=FAILURE,DELAY " in rcpt


async def varying_senders(place: Path, raw: bytes) -> None:
    """Many addresses of one domain have a bounded number of answers."""
    paths = [line[len("MAIL FROM:<") : -1] for line in raw.decode().splitlines()]
    async with service(place, desk(talkative()), NOW) as running:
        for number, path in enumerate(paths):
            text = mail(f"From: {path}", f"Message-ID: <{number}@x>")
            assert (await running.send(text, ROLE, sender=path)).startswith("250")
        assert len(paths) == 30
        assert sum(d.kind == "reply" for d in running.offered) <= 20


MAIL_FROM = ("MAIL FROM:<jane@other.test>",)

CHECKS: dict[str, Check] = {
    "02": returned("", kind="a bounce", state="bounced", words="5.1.10"),
    "04": returned("exchange@contoso.test", kind="a bounce", state="bounced", words="5.7.129"),
    "05": returned("", kind="a delay notice"),
    "06": returned("", kind="a bounce", state="bounced", words="5.7.133"),
    **{number: returned(LAURIE, kind="an automatic answer") for number in ("09", "10", "11", "12")},
    "50": said(wrapped=False),
    "51": said(wrapped=False),
    "52": said(wrapped=False),
    "56": answered(0),
    "57": said(wrapped=False, quiet=True, replies=1),
    "59": said(wrapped=False, quiet=True, replies=0),
    "60": said(wrapped=None),
    "61": said(wrapped=None),
    "62": said(wrapped=None),
    "65": answer_to("comma.name@other.test"),
    "66": answer_to("john@other.test"),
    "67": subject("gb18030"),
    "69": subject("utf-8"),
    "70": subject("cp1252"),
    "72": its_own_conversation,
    "120": its_own_mail,
    "121": said(wrapped=True, replies=0),
    "122": answered(0, "linshare-noreply@other.test"),
    "123": answered(1, most=True),
    "124": answered(1, "support@them.test", most=True, times=4),
    "125": answered(0),
    "126": answered(0),
    "127": answered(0),
    "131": answered(1, to="hr-lead@example.test", aliases=("hr-lead@example.test",)),
    "132": answered(0),
    "134": answered(0),
    "138": answered(0, ROLE),
    "140": said(wrapped=False, quiet=True, replies=0),
    "164": utf8_header,
    "165": the_same_conversation,
    "166": its_own_mail,
    "191": door("250"),
    "192": door("250", "250", before=MAIL_FROM),
    "193": door("250"),
    "194": door("501", before=MAIL_FROM),
    "195": door("501", "501", before=MAIL_FROM),
    "198": notify,
    "199": varying_senders,
}
