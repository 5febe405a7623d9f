"""What holds for every mail, every role and every moment."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import re

from hypothesis import given, settings

from mailrouter.address import canonical
from mailrouter.message.pieces import Slice, length
from mailrouter.routing.model import Plan, Situation
from mailrouter.routing.plan import last_resort, plain_plan, plan
from mailrouter.schedule.duty import Roster
from tests.routing.situations import (
    CANARY,
    mail,
    octets,
    read,
)
from tests.routing.strategies import cases
from tests.support.examples import examples


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


@settings(max_examples=examples(120))
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


@settings(max_examples=examples(120))
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


@settings(max_examples=examples(120))
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
    assert plan(head, shape, [one._replace(reverse_path="") for one in facts]).reply is None


@settings(max_examples=examples(120))
@given(cases())
def test_the_same_situation_gives_the_same_plan(case: tuple[bytes, list[Situation]]) -> None:
    """Byte for byte, whatever was planned in between and however often the schedule was worked out."""
    raw, facts = case
    head, shape = read(raw)
    first = plan(head, shape, facts)
    again = [one._replace(duty=Roster(one.role).duty(one.duty.moment)) for one in facts]
    plan(*read(mail(body=b"another")), facts)
    assert plan(*read(raw), again) == first
    assert first.reasons


@settings(max_examples=examples(120))
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


@settings(max_examples=examples(80))
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
