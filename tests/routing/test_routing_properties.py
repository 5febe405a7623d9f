"""What holds for every mail, every role and every moment."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import re
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from mailrouter.address import canonical
from mailrouter.message.pieces import Slice, length
from mailrouter.routing.model import Plan, Situation, Verdicts
from mailrouter.routing.plan import last_resort, plain_plan, plan
from mailrouter.schedule.duty import Roster
from mailrouter.schedule.model import Role
from tests.routing.situations import (
    AWAY,
    BOTH_AWAY,
    CANARY,
    HANDOFF,
    STAND_IN,
    mail,
    octets,
    read,
    role,
    second_role,
    situation,
)
from tests.schedule.roles import PAT

WORDS = ("absence", "always", "never")
ANSWERS = ("never", "nobody", "absence", "always")
PARTNERS = ("", "partners laurie; rota mon laurie", "partners laurie elaine carmen")
ABSENCES = ("", AWAY, BOTH_AWAY, STAND_IN, "holidays US CA", "away laurie 2026-12-02 13:00..2026-12-03 12:00")


@st.composite
def roles(draw: st.DrawFn) -> Role:
    """A role with any of its options, its people and their absences."""
    people = draw(st.sampled_from(PARTNERS))
    clauses = [people, "" if "rota" in people else draw(st.sampled_from(ABSENCES))]
    made = role(
        "; ".join(filter(None, clauses)),
        note=draw(st.sampled_from(WORDS)),
        handoff=draw(st.sampled_from(("thread", "always", "new", "never"))),
        reply_inside=draw(st.sampled_from(ANSWERS)),
        reply_outside=draw(st.sampled_from(ANSWERS)),
        copy_inside=draw(st.sampled_from(("cc", "hidden"))),
        reply_to=draw(st.sampled_from(("sender-and-role", "sender"))),
        forwarding=draw(st.sampled_from(("auto", "wrap", "companion", "untouched"))),
        already_addressed=draw(st.sampled_from(("copy", "skip"))),
    )
    if draw(st.booleans()):
        made = replace(made, partners=tuple(replace(p, email=f"{p.key}@private.test") for p in made.partners))
    return made


FIELDS = st.lists(
    st.sampled_from(
        [
            "From: Laurie <laurie@example.test>",
            "From: Ann <ann@outside.test>",
            "From: (",
            "To: a: vp-hr@example.test;",
            "To: office@example.test, vp-hr@example.test",
            "To:",
            "Cc: elaine@example.test, ann@outside.test",
            'Cc: "open <bob@example.test>',
            b"Cc: J\xfcrgen <juergen@example.test>",
            "Reply-To: desk@example.test",
            "List-Id: <x.example.test>",
            "Auto-Submitted: auto-replied",
            "Message-ID:",
            "References: <a@b> <c@d>",
            "In-Reply-To: <a@b>",
            "Subject: =?utf-8?b?4pyT?=",
            "Content-Type: multipart/mixed; boundary=b",
            "Content-Type: multipart/signed; boundary=b; protocol=application/pgp-signature",
            "Content-Type: multipart/report; boundary=b",
            "Content-Type: text/calendar; method=REQUEST",
            "Content-Type: application/pkcs7-mime",
            "MIME-Version: 1.0",
            "X-Spam-Flag: YES",
            b"a line that is no field",
        ]
    ),
    max_size=5,
)
BODIES = st.sampled_from(
    [b"", b"Hello.\r\n", b"no line end", b"--b\r\n\r\ntext\r\n--b--\r\n", "Grüße\r\n".encode()]
)
SENDERS = st.sampled_from(
    [
        *("", "jane@example.test", "ann@outside.test", "laurie@example.test", "elaine@private.test"),
        *(
            "pat@example.test",
            "vp-hr@example.test",
            "owner-list@outside.test",
            "x",
            "srs0=a=b=c.test=d@example.test",
        ),
    ]
)
MOMENTS = st.integers(0, 60 * 24 * 45).map(
    lambda minutes: datetime(2026, 11, 25) + timedelta(minutes=minutes)
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[bytes, list[Situation]]:
    """A mail, and the facts of one role or of two of the same people."""
    raw = mail(*draw(FIELDS), body=draw(BODIES))
    first = draw(roles())
    chosen = [first]
    if draw(st.booleans()):
        # Pat stands in for the first role and is a partner of the second.
        pat = replace(PAT, key="pat")
        people = draw(st.sampled_from([(pat,), first.partners, (*first.partners, pat)]))
        rota = role("rota mon pat").rota if people == (pat,) else first.rota
        chosen.append(second_role(partners=people, rota=rota))
    if draw(st.booleans()):
        chosen.reverse()
    when = f"{draw(MOMENTS):%Y-%m-%d %H:%M}"
    sender = draw(SENDERS)
    made = []
    for of in chosen:
        version = 7 if of.key == "vp-hr" else 8
        facts = {
            "handoff": draw(st.sampled_from([None, replace(HANDOFF, version=version)])),
            "handoff_seen": draw(st.sampled_from([0, 6, version])),
            "verdicts": draw(st.sampled_from([Verdicts(), Verdicts(), Verdicts(dmarc_fail=True)])),
            "next_hop_size": draw(st.sampled_from([None, None, 900])),
        }
        made.append(situation(of, when, sender, **facts))  # type: ignore[arg-type]
    return raw, made


def _sent(found: Plan, raw: bytes) -> list[tuple[str, bytes]]:
    """Everything that leaves, with its recipient."""
    sent = [(copy.recipient, octets(copy.pieces, raw)) for copy in found.copies]
    sent += [(copy.recipient, octets(copy.companion, raw)) for copy in found.copies if copy.companion]
    return sent + ([(found.reply.recipient, octets(found.reply.pieces, raw))] if found.reply else [])


def _contents(sent: bytes) -> bytes:
    """A message with everything in it that is base64 or quoted-printable decoded, and the raw octets."""
    found = [sent, binascii.a2b_qp(sent)]
    for part in email.message_from_bytes(sent, policy=email.policy.compat32).walk():
        payload = part.get_payload(decode=True)
        found.append(payload if isinstance(payload, bytes) else b"")
    for word in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", sent.replace(b"\r\n", b"")):
        try:
            found.append(base64.b64decode(word + b"=" * (-len(word) % 4)))
        except binascii.Error:
            continue
    return b"\n".join(found)


@settings(max_examples=250, deadline=None)
@given(cases())
def test_no_copy_ever_lacks_a_partner(case: tuple[bytes, list[Situation]]) -> None:
    """Each partner of each role gets exactly one copy, but for own mail and where they have it already."""
    raw, facts = case
    head, shape = read(raw)
    found = plan(head, shape, facts)
    got = [canonical(copy.recipient) for copy in found.copies]
    assert len(got) == len(set(got))
    named = {canonical(mailbox.address) for mailbox in head.mailboxes("to", "cc")}
    for one in facts:
        wanted = {canonical(person.email) for person in one.role.partners}
        may_lack = {one.reverse_path, *(canonical(m.address) for m in head.mailboxes("from"))}
        if one.role.already_addressed == "skip":
            may_lack |= named
        assert wanted - set(got) <= may_lack
        assert wanted & set(got), "somebody gets it"


@settings(max_examples=250, deadline=None)
@given(cases())
def test_the_originals_body_stands_in_every_copy(case: tuple[bytes, list[Situation]]) -> None:
    """Octet for octet, as one range of what was received; and an untouched copy is the whole original."""
    raw, facts = case
    head, shape = read(raw)
    body = raw[shape.body_start :]
    for copy in plan(head, shape, facts).copies:
        sent = octets(copy.pieces, raw)
        assert length(copy.pieces) == len(sent)
        if body:
            ranges = [piece for piece in copy.pieces if isinstance(piece, Slice) and piece.blob == 0]
            assert any(piece.start <= shape.body_start and piece.end == shape.size for piece in ranges)
        assert body in sent
        if copy.companion is not None:
            assert sent.endswith(raw)
        for name in head.names:
            if name not in ("cc", "reply-to", "mime-version") and not name.startswith("mailrouter-"):
                value = head.raw_value(name)
                assert value is not None
                assert value in sent


@settings(max_examples=250, deadline=None)
@given(cases())
def test_null_is_never_answered_nor_one_of_ours(case: tuple[bytes, list[Situation]]) -> None:
    """``<>``, roles, partners and lists get no automatic reply; an answer goes to the reverse-path."""
    raw, facts = case
    head, shape = read(raw)
    found = plan(head, shape, facts)
    reply = found.reply
    if reply is not None:
        assert reply.recipient == facts[0].reverse_path != ""
        of = next(one for one in facts if one.role.key == reply.role)
        assert canonical(reply.recipient) not in {canonical(person.email) for person in of.role.partners}
        assert canonical(reply.recipient) not in of.ours
        assert not head.has("list-id")
        assert not head.has("auto-submitted")
    assert plan(head, shape, [replace(one, reverse_path="") for one in facts]).reply is None


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_same_situation_gives_the_same_plan(case: tuple[bytes, list[Situation]]) -> None:
    """Byte for byte, whatever was planned in between and however often the schedule was worked out."""
    raw, facts = case
    head, shape = read(raw)
    first = plan(head, shape, facts)
    again = [replace(one, duty=Roster(one.role).duty(one.duty.moment)) for one in facts]
    plan(*read(mail(body=b"another")), facts)
    assert plan(*read(raw), again) == first
    assert first.reasons


@settings(max_examples=300, deadline=None)
@given(cases())
def test_a_handoff_reaches_its_partners_alone(case: tuple[bytes, list[Situation]]) -> None:
    """The canary of a handoff is in nothing that is sent to anybody who is not a partner of its role."""
    raw, facts = case
    found = plan(*read(raw), facts)
    for recipient, sent in _sent(found, raw):
        may = {
            7 if one.role.key == "vp-hr" else 8
            for one in facts
            if canonical(recipient) in {canonical(person.email) for person in one.role.partners}
        }
        if not may:
            assert CANARY.encode() not in _contents(sent)
    for copy in found.copies:
        for piece in (*copy.pieces, *(copy.companion or ())):
            if isinstance(piece, Slice) and piece.blob:
                assert piece.blob in copy.handoffs
        for key in copy.handoff_roles:
            (of,) = [one.role for one in facts if one.role.key == key]
            assert canonical(copy.recipient) in {canonical(person.email) for person in of.partners}
    assert CANARY not in repr(found.reasons)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_after_a_fault_the_copies_still_go_to_the_same_people(case: tuple[bytes, list[Situation]]) -> None:
    """Plain copies lack nobody who would have had one, and the last resort reaches every partner."""
    raw, facts = case
    head, shape = read(raw)
    full, plain = plan(head, shape, facts), plain_plan(head, shape, facts, "of a test")
    assert [copy.recipient for copy in plain.copies] == [copy.recipient for copy in full.copies]
    assert not any(copy.note or copy.handoffs or copy.companion for copy in plain.copies)
    assert plain.reply is None
    roles = [(one.role, one.loop_mark) for one in facts]
    bare = last_resort(roles, shape.size, facts[0].reverse_path, b"Received: by us\r\n", "of a test")
    assert {canonical(copy.recipient) for copy in bare.copies} == {
        canonical(person.email) for one in facts for person in one.role.partners
    }
    for copy in bare.copies:
        sent = octets(copy.pieces, raw)
        assert sent.endswith(raw)
        assert all(b"Mailrouter-Loop: " + one.loop_mark.encode() + b"\r\n" in sent for one in facts)
