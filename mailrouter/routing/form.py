"""How each copy is made: wrapped, readdressed, untouched, or untouched with a companion; and the reply's bytes. Pure.

A copy is changed only when there is something to say, and never where that would do damage (see
``mailrouter.message.classify``); then the original goes through untouched and a companion message brings the rest.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mailrouter.address import canonical
from mailrouter.message import compose, pieces, text
from mailrouter.message.head import Head, Mailbox
from mailrouter.message.pieces import Pieces, Slice
from mailrouter.message.shape import Shape
from mailrouter.routing.autoreply import caps, memory_key
from mailrouter.routing.model import Copy, CopyDraft, Draft, Reply, Situation
from mailrouter.schedule.model import Role

MAX_REFERENCES = 20

Part = tuple[CopyDraft, Draft, Situation]


@dataclass(frozen=True, slots=True)
class _Form:
    pieces: Pieces
    wrapped: bool = False
    companion: Pieces | None = None
    reason: str = ""


def make_copies(drafts: Sequence[Draft], situations: Sequence[Situation]) -> tuple[tuple[Copy, ...], tuple[str, ...]]:
    """One copy a mailbox, though it may belong to partners of several roles; and why copies have the form they have."""
    by_mailbox: dict[str, list[Part]] = {}
    for draft, situation in zip(drafts, situations, strict=True):
        for copy in draft.copies:
            by_mailbox.setdefault(canonical(copy.person.email), []).append((copy, draft, situation))
    copies, reasons = [], []
    for parts in by_mailbox.values():
        form = _form(parts)
        if form.reason:
            reasons.append(form.reason)
        copies.append(
            Copy(
                recipient=parts[0][0].person.email,
                roles=tuple(situation.role.key for _, _, situation in parts),
                reverse_path=_return_path(parts[0][2]),
                pieces=form.pieces,
                note=_note(parts),
                handoffs=tuple(dict.fromkeys(copy.handoff.version for copy, _, _ in parts if copy.handoff)),
                wrapped=form.wrapped,
                companion=form.companion,
            )
        )
    return tuple(copies), tuple(dict.fromkeys(reasons))


def _return_path(situation: Situation) -> str:
    """The role itself, so that a bounce with a handoff in it never reaches an outsider; ``<>`` stays ``<>``."""
    return situation.role.address if situation.reverse_path else ""


def _form(parts: list[Part]) -> _Form:
    _, draft, situation = parts[0]
    head, shape = draft.head, draft.shape
    marks = _marks(parts)
    says = any(copy.note or copy.handoff for copy, _, _ in parts)
    fields = _fields(parts)
    untouched = compose.untouched(head, shape, marks)
    refusal = draft.nature.wrap_refusal
    if not says:
        if not fields or refusal or situation.role.forwarding in ("untouched", "companion"):
            return _Form(untouched)
        return _Form(compose.readdressed(head, shape, prepend=marks, replace=fields))
    if not refusal and situation.role.forwarding != "companion":
        boundary = compose.choose_boundary(_derive(situation, "boundary", parts[0][0].person.email))
        wrapped = compose.wrapped(head, shape, prepend=marks, replace=fields, parts=_parts(parts), boundary=boundary)
        if situation.next_hop_size is None or pieces.length(wrapped) <= situation.next_hop_size:
            return _Form(wrapped, wrapped=True)
        refusal = "with the note and the handoff it would be larger than the next server takes"
    why = refusal or "the role asks for it (forwarding: companion)"
    return _Form(
        untouched, companion=_companion(parts), reason=f"the note and the handoff follow in a message of their own: {why}"
    )


def _marks(parts: list[Part]) -> bytes:
    """The fields that every copy gets: trace, loop mark, and what partners' own mail rules can sort by."""
    situation = parts[0][2]
    lines = [situation.received]
    lines += [f"Mailrouter-Loop: {s.loop_mark}\r\n".encode() for _, _, s in parts]
    roles = ", ".join(s.role.address for _, _, s in parts)
    on_duty = dict.fromkeys(person.key for _, _, s in parts for person in s.duty.on)
    on = any(copy.on_duty for copy, _, _ in parts)
    lines.append(text.field("Mailrouter-Role", roles))
    lines.append(text.field("Mailrouter-On-Duty", ", ".join(on_duty) or "nobody"))
    lines.append(b"Mailrouter-You: on\r\n" if on else b"Mailrouter-You: off\r\n")
    lines.append(b"X-Auto-Response-Suppress: OOF, AutoReply\r\n")
    return b"".join(lines)


def _fields(parts: list[Part]) -> dict[str, bytes]:
    """The fields of the original that the copy has anew: Reply-To with the role, Cc with the partners."""
    head = parts[0][1].head
    fields: dict[str, bytes] = {}
    stay = [situation for copy, _, situation in parts if copy.keep_role_in_thread]
    if stay:
        answer_to = list(head.mailboxes("reply-to") or head.mailboxes("from"))
        known = {canonical(mailbox.address) for mailbox in answer_to}
        if answer_to:
            answer_to += [Mailbox(s.role.name, s.role.address) for s in stay if s.role.address not in known]
            fields["reply-to"] = text.address_field("Reply-To", answer_to)
    show = {canonical(mailbox.address): mailbox for copy, _, _ in parts for mailbox in copy.show}
    if show:
        cc = list(head.mailboxes("cc"))
        known = {canonical(mailbox.address) for mailbox in cc}
        fields["cc"] = text.address_field("Cc", [*cc, *(m for address, m in show.items() if address not in known)])
    return fields


def _note(parts: list[Part]) -> str:
    return "\n\n".join(dict.fromkeys(copy.note.strip() for copy, _, _ in parts if copy.note))


def _parts(parts: list[Part]) -> list[Pieces]:
    """The note, then the handoffs: a text part before the body makes some clients show the body as a file."""
    found: list[Pieces] = []
    if note := _note(parts):
        found.append(compose.note_part(note + "\n"))
    for copy, _, situation in parts:
        if copy.handoff is not None:
            body = Slice(copy.handoff.version, 0, copy.handoff.body_size)
            found.append(compose.handoff_part(copy.handoff_words, body, handoff_filename(situation.role, copy)))
    return found


def handoff_filename(role: Role, copy: CopyDraft) -> str:
    """``Handoff vp-hr 2026-12-02.txt``."""
    assert copy.handoff is not None
    return f"Handoff {role.key} {copy.handoff.written_at.astimezone(role.time_zone):%Y-%m-%d}.txt"


def _companion(parts: list[Part]) -> Pieces:
    """A message to this partner alone. An answer to it goes to the handoff address, never to the colleague."""
    copy, draft, situation = parts[0]
    role = situation.role
    local, _, domain = role.address.rpartition("@")
    subject = text.safe_subject(draft.head.text("subject") or "your mail")
    notes = [situation.words.render("companion", {"role": role.name, "subject": subject}).strip(), _note(parts)]
    back = Mailbox(role.name, f"{local}+handoff@{domain}")
    headers = b"".join(
        (
            _marks(parts),
            text.address_field("From", [back]),
            text.address_field("Reply-To", [back]),
            text.address_field("To", [Mailbox(copy.person.name, copy.person.email)]),
            text.field("Subject", f"With: {subject}"),
            *_dated(situation, "companion " + copy.person.email),
            *_threading(draft.head),
            b"Auto-Submitted: auto-generated\r\n",
        )
    )
    handoffs = _parts(parts)[1 if _note(parts) else 0 :]
    return compose.fresh(
        headers,
        [compose.note_part("\n\n".join(filter(None, notes)) + "\n"), *handoffs],
        compose.choose_boundary(_derive(situation, "companion boundary", copy.person.email)),
    )


def make_reply(draft: Draft, situation: Situation) -> Reply:
    """The automatic reply (RFC 3834 §3): to the reverse-path, from the role, marked so that nobody answers it."""
    assert draft.reply is not None
    role, sender = situation.role, situation.reverse_path
    subject = "Auto: " + text.safe_subject(draft.head.text("subject") or "your mail")
    headers = b"".join(
        (
            text.address_field("From", [Mailbox(role.name, role.address)]),
            text.address_field("To", [Mailbox("", sender)]),
            text.field("Subject", subject),
            *_dated(situation, "reply"),
            *_threading(draft.head),
            b"Auto-Submitted: auto-replied\r\n",
            b"X-Auto-Response-Suppress: All\r\n",
            b"Precedence: bulk\r\n",
        )
    )
    return Reply(
        role=role.key,
        recipient=sender,
        subject=subject,
        text=draft.reply.text,
        key=memory_key(role, sender, draft.reply.period),
        caps=caps(role, sender),
        pieces=compose.fresh(headers, [compose.note_part(draft.reply.text)], ""),
    )


def _dated(situation: Situation, what: str) -> tuple[bytes, bytes]:
    left = base64.b32encode(_derive(situation, "id", what)[:15]).decode().lower()
    return (
        text.date_field(situation.duty.moment.astimezone(situation.role.time_zone)),
        f"Message-ID: {text.message_id(left, situation.hostname)}\r\n".encode(),
    )


def _threading(head: Head) -> tuple[bytes, ...]:
    """In-Reply-To and References (RFC 5322 §3.6.4), of a long thread the first and the last ids."""
    own = head.message_id
    if not own:
        return ()
    ids = [*(head.references or filter(None, [head.in_reply_to])), own]
    if len(ids) > MAX_REFERENCES:
        ids = [ids[0], *ids[-(MAX_REFERENCES - 1) :]]
    return (b"In-Reply-To: " + own.encode() + b"\r\n", b"References: " + b"\r\n ".join(i.encode() for i in ids) + b"\r\n")


def _derive(situation: Situation, *what: str) -> bytes:
    """Randomness of its own for each purpose, from the one seed made at the door."""
    return hashlib.blake2b("\0".join(what).encode(), key=situation.seed[:64], digest_size=20).digest()
