"""The making of each copy: wrapped, readdressed, untouched, or untouched with a companion. Pure.

A copy is changed only when there is something to say, and never where that would do damage (see
``mailrouter.message.classify`` and ``forwarding``); then the original goes through untouched, and a companion
message brings the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from mailrouter.address import canonical
from mailrouter.message import compose, pieces
from mailrouter.message.pieces import Pieces, Slice
from mailrouter.message.text import writing
from mailrouter.message.text.mailboxes import Mailbox
from mailrouter.routing.addressing import cc_with, reply_to_with
from mailrouter.routing.handoff import handoff_filename
from mailrouter.routing.letters.letter import companion, derived
from mailrouter.routing.model import Copy, CopyDraft, Draft, Situation
from mailrouter.turns import Steps

_OUR_MARKS = frozenset(("mailrouter-role", "mailrouter-on-duty", "mailrouter-you"))


_RECEIPTS = frozenset(
    (
        "disposition-notification-to",
        "disposition-notification-options",
        "return-receipt-to",
        "return-receipt-requested",
        "read-receipt-to",
        "x-confirm-reading-to",
        "x-confirm-delivery-to",
        "x-chameleon-return-to",
        "x-pmrqc",
        "generate-delivery-report",
        "prevent-nondelivery-report",
        "registered-mail-reply-requested-by",
    )
)
"""What asks a partner's own mail program to answer the sender (RFC 8098 §2.1, and names of before): from the partner's
private address. A changed copy is without them."""


class RoleShare(NamedTuple):
    """One role's share of the copy for one person."""

    copy: CopyDraft
    draft: Draft
    situation: Situation

    @property
    def handoff(self) -> bool:
        """Whether this person gets this role's handoff: a stand-in never does."""
        return self.copy.partner and self.draft.handoff is not None

    @property
    def note(self) -> str:
        """The role's note, and what it says to this person alone."""
        if not self.copy.unreached:
            return self.draft.note
        return "\n".join(filter(None, (self.draft.note, self.copy.unreached)))


@dataclass(slots=True)
class _Bench:
    """Parts of one copy kept for the next that says the same."""

    made: dict[object, Pieces] = field(default_factory=dict)
    reasons: dict[str, None] = field(default_factory=dict)


def make_copies(
    drafts: Sequence[Draft], situations: Sequence[Situation]
) -> Steps[tuple[tuple[Copy, ...], tuple[str, ...]]]:
    """A copy for each mailbox, and the reasons for its form. A mailbox may belong to people of several roles."""
    by_mailbox: dict[str, list[RoleShare]] = {}
    for draft, situation in zip(drafts, situations, strict=True):
        for copy in draft.copies:
            by_mailbox.setdefault(copy.person.mailbox, []).append(RoleShare(copy, draft, situation))
    bench = _Bench()
    copies: list[Copy] = []
    for parts in by_mailbox.values():
        yield
        copies.append(_copy(parts, bench))
    return tuple(copies), tuple(bench.reasons)


def _copy(parts: list[RoleShare], bench: _Bench) -> Copy:
    draft, situation = parts[0].draft, parts[0].situation
    marks = _marks(parts)
    note = _note(parts)
    carrying = [part for part in parts if part.handoff]
    refusal = next((part.copy.why for part in parts if part.copy.way != "change"), "")
    made: Pieces = ()
    beside = None
    if not refusal and (changed := _changed(parts, note, carrying, bench)):
        made = pieces.join((marks,), changed)
        if not _fits(made, situation):
            made, refusal = (), "with the note and the handoff it would be larger than the next server takes"
    wrapped = bool(made and (note or carrying))
    if not made:
        made = compose.untouched(draft.head, draft.shape, marks)
        if note or carrying:
            handoffs = [_handoff_part(part) for part in carrying]
            person = parts[0].copy.person
            beside = companion(person, draft.head, situation, marks=marks, note=note, handoffs=handoffs)
            bench.reasons[_beside_reason(note, handoffs, refusal)] = None
    return Copy(
        recipient=parts[0].copy.person.email,
        roles=tuple(part.situation.role.key for part in parts),
        # The role itself, so that a bounce never carries a handoff to an outsider; <> stays <>.
        reverse_path=situation.role.address if situation.reverse_path else "",
        pieces=made,
        note=note,
        handoffs=tuple(part.draft.handoff.version for part in carrying if part.draft.handoff),
        handoff_roles=tuple(part.situation.role.key for part in carrying),
        wrapped=wrapped,
        companion=beside,
    )


def _beside_reason(note: str, handoffs: Sequence[Pieces], refusal: str) -> str:
    if note and handoffs:
        return f"the note and the handoff follow in a message of their own: {refusal}"
    return f"the {'note' if note else 'handoff'} follows in a message of its own: {refusal}"


def _fits(made: Pieces, situation: Situation) -> bool:
    return situation.next_hop_size is None or pieces.length(made) <= situation.next_hop_size


def _changed(parts: list[RoleShare], note: str, carrying: list[RoleShare], bench: _Bench) -> Pieces:
    """The changed copy but for its marks; nothing where there is nothing to say."""
    key = (note, *((part.situation.role.key, part.handoff) for part in parts))
    if key in bench.made:
        return bench.made[key]
    draft, situation = parts[0].draft, parts[0].situation
    fields = _fields(parts, bench)
    if note or carrying or fields:
        fields |= dict.fromkeys(_RECEIPTS.intersection(draft.head.names), b"")
    made: Pieces = ()
    if note or carrying:
        # The note, then the handoffs: a text part before the body makes some clients show the body as a file.
        said = [_note_part(note)] if note else []
        made = compose.wrapped(
            draft.head,
            draft.shape,
            prepend=b"",
            replace=fields,
            parts=[*said, *map(_handoff_part, carrying)],
            boundary=compose.choose_boundary(derived(situation, "boundary")),
        )
    elif fields:
        made = compose.readdressed(draft.head, draft.shape, prepend=b"", replace=fields)
    bench.made[key] = made
    return made


def _marks(parts: list[RoleShare]) -> bytes:
    """The fields that every copy gets: trace, loop mark, and what partners' own mail rules can sort by."""
    roles = tuple((part.situation.role.address, part.situation.loop_mark) for part in parts)
    on_duty = tuple(dict.fromkeys(person.key for part in parts for person in part.situation.duty.on))
    return parts[0].situation.received + _mark_fields(
        roles, on_duty, any(part.copy.on_duty for part in parts)
    )


@lru_cache(maxsize=1024)
def _mark_fields(roles: tuple[tuple[str, str], ...], on_duty: tuple[str, ...], you: bool) -> bytes:
    lines = [f"Mailrouter-Loop: {mark}\r\n".encode("ascii") for _, mark in roles]
    lines.append(writing.field("Mailrouter-Role", ", ".join(address for address, _ in roles)))
    lines.append(writing.field("Mailrouter-On-Duty", ", ".join(on_duty) or "nobody"))
    lines.append(b"Mailrouter-You: on\r\n" if you else b"Mailrouter-You: off\r\n")
    lines.append(b"X-Auto-Response-Suppress: OOF, AutoReply\r\n")
    return b"".join(lines)


def _fields(parts: list[RoleShare], bench: _Bench) -> dict[str, bytes]:
    """The fields of the original that a changed copy has anew: Reply-To with the role, Cc with the partners.

    Marks that came with the mail are left out: a partner's mail rules shall not obey a stranger.
    """
    head = parts[0].draft.head
    show = {canonical(mailbox.address): mailbox for part in parts for mailbox in part.draft.show}
    said = [part for part in parts if part.draft.show or part.note or part.handoff]
    stay = [part.situation.role for part in said if part.situation.role.reply_to == "sender-and-role"]
    fields: dict[str, bytes] = {}
    if stay:
        reply_to = reply_to_with(head, [Mailbox(role.name, role.address) for role in stay])
        if reply_to:
            fields["reply-to"] = reply_to
        elif reply_to is None:
            reason = "Reply-To stays without the role, because what stands there can't be read safely"
            bench.reasons[reason] = None
    if show:
        fields["cc"] = cc_with(head, list(show.values()))
    if fields:
        fields |= dict.fromkeys(_OUR_MARKS.intersection(head.names), b"")
    return fields


def _note(parts: list[RoleShare]) -> str:
    if len(parts) == 1:
        return parts[0].note
    return "\n".join(dict.fromkeys(part.note for part in parts if part.note))


@lru_cache(maxsize=256)
def _note_part(note: str) -> Pieces:
    return compose.note_part(note, b"Note")


def _handoff_part(part: RoleShare) -> Pieces:
    handoff = part.draft.handoff
    assert handoff is not None
    body = Slice(handoff.version, 0, handoff.body_size)
    return _attached(part.draft.handoff_words, body, handoff_filename(part.situation.role, handoff))


@lru_cache(maxsize=256)
def _attached(words: str, body: Slice, filename: str) -> Pieces:
    return compose.handoff_part(words, body, filename)
